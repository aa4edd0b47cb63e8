package trailfile

import (
	"cmp"
	"fmt"
	"slices"
)

// Kinds of faults.
const (
	DigestMissing    = "digest-missing"    // the chain names it, or the server wrote it, and it is not there
	DigestUnreadable = "digest-unreadable" // not compressed JSON, or more than that
	DigestMoved      = "digest-moved"      // it says that it lies elsewhere
	KeyUnknown       = "key-unknown"       // it is signed with a key that is none of the server's
	SignatureMissing = "signature-missing"
	SignatureInvalid = "signature-invalid"
	ChainBroken      = "chain-broken" // what it says of the digest before is not what that is
	LogMissing       = "log-missing"
	LogUnreadable    = "log-unreadable"
	LogChanged       = "log-changed"
	LogUnlisted      = "log-unlisted"   // no digest lists it
	EventsChanged    = "events-changed" // the events are not those that the audit log's chain is over
	ObjectUnknown    = "object-unknown" // it is no file that a trail writes
	EndMissing       = "end-missing"    // the newest digests are not there
	StoreDiffers     = "store-differs"  // the database has another history than the files
	StoreBroken      = "store-broken"   // the audit log's own chain does not hold
	NotHeld          = "events-not-held"
	Rewritten        = "history-rewritten" // a copy that was kept elsewhere has another history
)

// Fault is something wrong, and where.
type Fault struct {
	Kind    string `json:"kind"`
	Object  string `json:"object,omitempty"` // key
	Event   int64  `json:"event,omitempty"`  // number in the audit log
	Message string `json:"message"`
}

func (f Fault) String() string {
	where := f.Object
	if f.Event > 0 {
		where += fmt.Sprintf(" event %d", f.Event)
	}
	return f.Kind + " " + where + ": " + f.Message
}

// Report is what a verification has found.
type Report struct {
	Trails  []string `json:"trails"`
	Digests int      `json:"digests"`
	Logs    int      `json:"logs"`
	Events  int64    `json:"events"`
	Bytes   int64    `json:"bytes"` // of logs, not compressed
	Gone    int      `json:"gone"`  // files that are not there, and that policy may have deleted
	Faults  []Fault  `json:"faults"`
	Notes   []string `json:"notes"`
	From    int64    `json:"fromSeq"` // the stretch of the audit log that the files stand for
	To      int64    `json:"toSeq"`
	Head    string   `json:"head"` // the chain at its end
}

// NewReport is one of nothing yet, for [Report.Merge].
func NewReport() *Report { return &Report{Trails: []string{}, Faults: []Fault{}, Notes: []string{}} }

// add takes what a part of the work has found.
func (r *Report) add(o *Report) {
	r.Digests += o.Digests
	r.Logs += o.Logs
	r.Events += o.Events
	r.Bytes += o.Bytes
	r.Gone += o.Gone
	r.Faults = append(r.Faults, o.Faults...)
	r.Notes = append(r.Notes, o.Notes...)
}

// Merge adds what another verification has found.
func (r *Report) Merge(o *Report) {
	r.add(o)
	r.Trails = append(r.Trails, o.Trails...)
	if r.From == 0 || o.From < r.From {
		r.From = o.From
	}
	if o.To >= r.To {
		r.To, r.Head = o.To, o.Head
	}
}

// order makes equal findings equal reports.
func (r *Report) order() {
	slices.SortStableFunc(r.Faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Kind, b.Kind))
	})
}

func (r *Report) fault(kind, object string, event int64, format string, args ...any) {
	r.Faults = append(r.Faults, Fault{kind, object, event, fmt.Sprintf(format, args...)})
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}
