package alert

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/alert/pattern"
	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Get is the alert of an id; a NotFound fault.
func Get(tx *store.Tx, id string) (store.Alert, error) {
	a, err := tx.Alert(id)
	if errors.Is(err, store.ErrNotFound) {
		return a, fault.Missing(typeAlert, id)
	}
	return a, wrap(err, "load alert")
}

// Acknowledge says that somebody looks after an alert. A note replaces the one before; "": it stays.
func Acknowledge(tx *store.Tx, id, note, by string) (store.Alert, error) {
	a, err := Get(tx, id)
	if err != nil {
		return a, err
	}
	if a.State == store.AlertClosed {
		return a, fault.Conflictf("The alert was closed by %s already.", a.ClosedBy)
	}
	a.State, a.AckedAt, a.AckedBy = store.AlertAcknowledged, tx.Now(), by
	return noted(tx, a, note)
}

// Close says that an alert is done with. What is found later makes another, whatever it is like.
func Close(tx *store.Tx, id, note, by string) (store.Alert, error) {
	a, err := Get(tx, id)
	if err != nil {
		return a, err
	}
	if a.State == store.AlertClosed {
		return a, fault.Conflictf("The alert was closed by %s already.", a.ClosedBy)
	}
	a.State, a.ClosedAt, a.ClosedBy = store.AlertClosed, tx.Now(), by
	return noted(tx, a, note)
}

func noted(tx *store.Tx, a store.Alert, note string) (store.Alert, error) {
	if note != "" {
		a.Note = note
	}
	return a, wrap(tx.SetAlertState(a), "store alert")
}

// Silence keeps alerts of a rule, or of all ("" for its name), from being sent until a time: those whose event matches a pattern, or all.
func Silence(tx *store.Tx, ruleName, text string, until time.Time, reason, by string) (store.AlertSilence, error) {
	s := store.AlertSilence{ID: arn.NewUUID(), Pattern: text, Until: until, Reason: reason, CreatedAt: tx.Now(), CreatedBy: by}
	if ruleName == "" && text == "" {
		return s, fault.Invalidf("A silence is of a rule or has a pattern: one of everything would be no alerts at all.")
	}
	if ruleName != "" {
		r, err := Rule(tx, ruleName)
		if err != nil {
			return s, err
		}
		s.RuleID = r.ID
	}
	if text != "" {
		if _, err := pattern.Parse(text); err != nil {
			return s, err
		}
	}
	if d := until.Sub(tx.Now()); d <= 0 || d > maxSilence {
		return s, fault.Invalidf("A silence lasts at most %d days, and ends in the future.", maxSilence/(24*time.Hour))
	}
	all, err := tx.AlertSilences(tx.Now())
	if err != nil {
		return s, fmt.Errorf("list silences: %w", err)
	}
	if len(all) >= maxSilences {
		return s, fault.Quotaf("There are %d silences, as many as there may be.", len(all))
	}
	if err := tx.InsertAlertSilence(s); err != nil {
		return s, fmt.Errorf("store silence: %w", err)
	}
	return s, changed(tx)
}

// EndSilence ends a silence.
func EndSilence(tx *store.Tx, id string) error {
	err := tx.DeleteAlertSilence(id)
	if errors.Is(err, store.ErrNotFound) {
		return fault.Missing(typeSilence, id)
	}
	return errors.Join(wrap(err, "end silence"), changed(tx))
}

// Test makes an alert of a rule that says of itself that it is a test, and sends it to the rule's targets, silenced or not.
func Test(tx *store.Tx, name, by string) (store.Alert, error) {
	r, err := Rule(tx, name)
	if err != nil {
		return store.Alert{}, err
	}
	b, err := read(tx, "", slog.New(slog.DiscardHandler))
	if err != nil {
		return store.Alert{}, err
	}
	id := arn.NewTimeUUID(tx.Now())
	a := store.Alert{
		ID: id, RuleID: r.ID, RuleName: r.Name, Severity: r.Severity, At: tx.Now(), MadeAt: tx.Now(), EventID: id, EventIDs: []string{},
		Message: line("TEST of " + r.Name + " by " + by + ": nothing has happened"), State: store.AlertOpen, Test: true, LastAt: tx.Now(), DedupKey: "test",
	}
	if _, err := tx.InsertAlert(a); err != nil {
		return a, fmt.Errorf("store alert: %w", err)
	}
	return a, send(tx, a.ID, b.goes(r.Targets, a.Severity, tx.Now().Add(time.Microsecond)))
}

// Prune removes alerts that were closed long ago, and what rules need to remember no more. It tells whether there is more to remove.
func Prune(tx *store.Tx, kept time.Duration) (more bool, err error) {
	if more, err = tx.PruneAlerts(tx.Now().Add(-kept)); err != nil {
		return false, fmt.Errorf("prune alerts: %w", err)
	}
	if err := tx.PruneAlertSilences(tx.Now().Add(-maxSilence)); err != nil {
		return false, fmt.Errorf("prune silences: %w", err)
	}
	if err := pruneTargets(tx); err != nil {
		return false, err
	}
	return more, wrap(tx.PruneAlertMemory(tx.Now().Add(-seenFor)), "prune what rules remember")
}

// seenFor is how long an address that a key is not used from any more is known.
const seenFor = 180 * 24 * time.Hour
