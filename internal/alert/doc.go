// Package alert tells people of events that they should know of: rules say which, targets say whom.
//
// A rule has a pattern in EventBridge's syntax (package alert/pattern) that is held against each event of the audit log as EventBridge would
// present it (see [Envelope]), with a member detail.sallyport of what an event alone does not tell (see enrich.go). One evaluator at a time,
// under a lease, reads the log. What it finds, what rules have counted and how far it has come is one transaction: a process that is killed,
// or loses the lease, has found all of a batch or nothing, so that no alert is lost and none is doubled.
//
// Times are those of the events, UTC: a window is what lies less than its length before an event, whatever clocks on walls do meanwhile.
package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Severities, the least first.
const (
	Low      = "LOW"
	Medium   = "MEDIUM"
	High     = "HIGH"
	Critical = "CRITICAL"
)

var severities = []string{Low, Medium, High, Critical}

// reaches says whether a severity is at least another.
func reaches(severity, least string) bool {
	return slices.Index(severities, severity) >= slices.Index(severities, least)
}

// Bounds.
const (
	maxRules     = 1000
	maxTargets   = 50
	maxFormer    = 200 // places that targets had within a day
	maxSilences  = 500
	maxCount     = 1000               // of a threshold
	maxWindow    = 24 * time.Hour     // of a threshold
	maxDedup     = 7 * 24 * time.Hour // of what is added to an alert
	maxSilence   = 30 * 24 * time.Hour
	maxPaths     = 5
	maxPath      = 256
	maxEvent     = 64 << 10 // of an alert's event
	maxPerMinute = 60       // alerts of one rule: what is beyond them is added to the last one
)

// Types of resources in faults.
const (
	typeRule    = "ALERT_RULE"
	typeTarget  = "ALERT_TARGET"
	typeSilence = "ALERT_SILENCE"
	typeAlert   = "ALERT"
)

// versionName is the fact that changes with everything that an evaluator remembers.
const versionName = "alert.version"

// changed has evaluators read anew what they remember. Its value differs from all before: each transaction has its own.
func changed(tx *store.Tx) error {
	old, err := version(tx)
	if err == nil {
		var n int64
		_, _ = fmt.Sscan(old, &n)
		err = tx.SetMeta(versionName, fmt.Sprint(n+1))
	}
	return wrap(err, "record change of alert rules")
}

func version(tx *store.Tx) (string, error) {
	v, err := tx.Meta(versionName)
	return v, absent(err)
}

func wrap(err error, doing string) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// path splits a field path such as detail.sourceIPAddress.
func path(text string) []string { return strings.Split(text, ".") }
