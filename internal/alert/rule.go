package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/alert/pattern"
	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// absent makes a row that is not there no error.
func absent(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// check says what of a rule will not do.
func check(r store.AlertRule) error {
	if _, err := pattern.Parse(r.Pattern); err != nil {
		return err
	}
	if !slices.Contains(severities, r.Severity) {
		return fault.Invalidf("The severity %q will not do: it is one of %s.", r.Severity, strings.Join(severities, ", "))
	}
	if r.Count < 1 || r.Count > maxCount {
		return fault.Invalidf("The threshold is between 1 and %d events.", maxCount)
	}
	if r.Count > 1 && (r.Window < time.Second || r.Window > maxWindow) {
		return fault.Invalidf("A threshold of %d events needs a window between 1s and %v.", r.Count, maxWindow)
	}
	if r.Count == 1 && (r.Window != 0 || len(r.GroupBy) > 0 || r.Distinct != "") {
		return fault.Invalidf("Window, grouping and distinct values are for a threshold of two events or more.")
	}
	if r.DedupWindow < 0 || r.DedupWindow > maxDedup {
		return fault.Invalidf("The time in which repeats are added to an alert is at most %v.", maxDedup)
	}
	paths := slices.Concat(r.GroupBy, r.DedupKey)
	if r.Distinct != "" {
		paths = append(paths, r.Distinct)
	}
	if len(r.GroupBy) > maxPaths || len(r.DedupKey) > maxPaths {
		return fault.Invalidf("There are at most %d fields of each kind.", maxPaths)
	}
	for _, p := range paths {
		if p == "" || len(p) > maxPath || slices.Contains(path(p), "") {
			return fault.Invalidf("%q is not a field such as detail.sourceIPAddress.", p)
		}
	}
	return nil
}

// PutRule adds a rule, or changes the one of its name. Targets are named by their names.
func PutRule(tx *store.Tx, r store.AlertRule, targets []string, by string) (store.AlertRule, error) {
	if err := check(r); err != nil {
		return r, err
	}
	var err error
	if r.Targets, err = targetIDs(tx, targets); err != nil {
		return r, err
	}
	old, err := tx.AlertRuleNamed(r.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if err := room(tx); err != nil {
			return r, err
		}
		r.ID, r.CreatedAt, r.CreatedBy = arn.NewUUID(), tx.Now(), by
	case err != nil:
		return r, fmt.Errorf("load alert rule: %w", err)
	default:
		r.ID, r.CreatedAt, r.CreatedBy, r.Pack, r.Before = old.ID, old.CreatedAt, old.CreatedBy, old.Pack, before(old, tx.Now())
		if old.Count != r.Count || old.Window != r.Window || !slices.Equal(old.GroupBy, r.GroupBy) || old.Distinct != r.Distinct {
			if err := tx.DropAlertCounts(r.ID); err != nil {
				return r, fmt.Errorf("forget counts: %w", err)
			}
		}
	}
	r.Edited = r.Pack != "" && r.Pack != hash(r)
	r.UpdatedAt, r.UpdatedBy = tx.Now(), by
	return r, keep(tx, r)
}

// behind is by how much the evaluator may be behind and still hold events against a rule as it was when they happened.
const behind = 10 * time.Minute

// before is a rule as it is kept for events from before a change of it. So the event of the change itself finds the rule as it was, and
// whoever turns a rule off is told of. Where it was changed several times in a short while, the first of them is kept.
func before(old store.AlertRule, now time.Time) string {
	if old.Before != "" && now.Sub(old.UpdatedAt) < behind {
		return old.Before
	}
	old.Before = ""
	b, _ := json.Marshal(old) // texts and numbers can always be encoded
	return string(b)
}

// keep stores a rule.
func keep(tx *store.Tx, r store.AlertRule) error {
	err := tx.PutAlertRule(r)
	if errors.Is(err, store.ErrExists) {
		return fault.Conflictf("There is a rule %q already.", r.Name)
	}
	if err != nil {
		return fmt.Errorf("store alert rule: %w", err)
	}
	return changed(tx)
}

func room(tx *store.Tx) error {
	all, err := tx.AlertRules()
	if err != nil {
		return fmt.Errorf("list alert rules: %w", err)
	}
	if len(all) >= maxRules {
		return fault.Quotaf("There are %d alert rules, as many as there may be.", len(all))
	}
	return nil
}

// Rule is the rule of a name; a NotFound fault.
func Rule(tx *store.Tx, name string) (store.AlertRule, error) {
	r, err := tx.AlertRuleNamed(name)
	if errors.Is(err, store.ErrNotFound) {
		f := fault.Missing(typeRule, name)
		f.Message = fmt.Sprintf("There is no alert rule %q: `sallyport alerts rules list` shows all.", name)
		return r, f
	}
	return r, wrap(err, "load alert rule")
}

// EnableRule turns a rule on or off.
func EnableRule(tx *store.Tx, name string, on bool, by string) (store.AlertRule, error) {
	r, err := Rule(tx, name)
	if err != nil {
		return r, err
	}
	r.Before = before(r, tx.Now())
	r.Enabled, r.UpdatedAt, r.UpdatedBy = on, tx.Now(), by
	return r, keep(tx, r)
}

// DeleteRule removes a rule of people's. Its alerts stay. One of the pack would come back, so it is turned off instead.
func DeleteRule(tx *store.Tx, name string) error {
	r, err := Rule(tx, name)
	if err != nil {
		return err
	}
	if r.Pack != "" {
		return fault.Conflictf("The rule %q comes with the program: disable it (sallyport alerts rules disable %[1]s).", name)
	}
	if err := tx.DropAlertCounts(r.ID); err != nil {
		return fmt.Errorf("forget counts: %w", err)
	}
	if err := tx.DeleteAlertRule(r.ID); err != nil {
		return fmt.Errorf("delete alert rule: %w", err)
	}
	return changed(tx)
}
