package alert

import (
	"fmt"

	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// List lists alerts, the newest first: all, those of a state, or those of the rule of a name.
func List(tx *store.Tx, state store.AlertState, ruleName string, q page.Query) ([]store.Alert, page.Key, error) {
	id := ""
	if ruleName != "" && state != "" {
		return nil, nil, fault.Invalidf("Alerts are listed by their state or by their rule, not by both.")
	}
	if ruleName != "" {
		r, err := Rule(tx, ruleName)
		if err != nil {
			return nil, nil, err
		}
		id = r.ID
	}
	rows, next, err := tx.Alerts(state, id, q)
	return rows, next, wrap(err, "list alerts")
}

// Delivery is what became of an alert at a target.
type Delivery struct {
	store.AlertDelivery
	Target string // name; the id of one that was deleted
}

// Deliveries are those of an alert.
func Deliveries(tx *store.Tx, id string) ([]Delivery, error) {
	rows, err := tx.DeliveriesOf(id)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	names, err := TargetNames(tx)
	if err != nil {
		return nil, err
	}
	out := make([]Delivery, len(rows))
	for i, d := range rows {
		out[i] = Delivery{d, d.TargetID}
		if name, there := names[d.TargetID]; there {
			out[i].Target = name
		}
	}
	return out, nil
}

// TargetNames are the names of all targets by their ids.
func TargetNames(tx *store.Tx) (map[string]string, error) {
	all, err := tx.AlertTargets()
	names := make(map[string]string, len(all))
	for _, t := range all {
		names[t.ID] = t.Name
	}
	return names, wrap(err, "list alert targets")
}

// Silences are those that hold, the next one to end first, with the names of all rules by their ids.
func Silences(tx *store.Tx) ([]store.AlertSilence, map[string]string, error) {
	all, err := tx.AlertSilences(tx.Now())
	if err != nil {
		return nil, nil, fmt.Errorf("list silences: %w", err)
	}
	rules, err := tx.AlertRules()
	names := make(map[string]string, len(rules))
	for _, r := range rules {
		names[r.ID] = r.Name
	}
	return all, names, wrap(err, "list alert rules")
}

// Behind says how many events of the log no rule was held against yet, as far as the database knows: while nothing is found, it learns of it
// every few seconds only.
func Behind(tx *store.Tx) (int64, error) {
	head, err := tx.AuditHead()
	if err != nil {
		return 0, fmt.Errorf("read end of log: %w", err)
	}
	seq, err := tx.AuditCursor(sink)
	return max(0, head-seq), wrap(err, "read cursor")
}
