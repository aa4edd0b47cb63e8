package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// AlertRule says which events make an alert (package alert).
type AlertRule struct {
	ID          string
	Name        string
	Description string
	Severity    string
	Enabled     bool
	Pattern     string // JSON
	Count       int
	Window      time.Duration
	GroupBy     []string
	Distinct    string
	DedupWindow time.Duration
	DedupKey    []string
	Targets     []string // ids; none: all
	Pack        string   // hash of what the program's pack said last
	Edited      bool     // a person has changed what the pack says
	Before      string   // JSON: what it was before UpdatedAt; "": there was none
	CreatedAt   time.Time
	CreatedBy   string
	UpdatedAt   time.Time
	UpdatedBy   string
}

const alertRuleColumns = `id, name, description, severity, enabled, pattern, min_count, span, group_by, distinct_of, dedup_span, dedup_key, targets, pack, edited, before, created_at, created_by, updated_at, updated_by`

const (
	putAlertRule query = `INSERT INTO alert_rule (` + alertRuleColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, severity = excluded.severity, enabled = excluded.enabled, pattern = excluded.pattern, min_count = excluded.min_count, span = excluded.span, group_by = excluded.group_by, distinct_of = excluded.distinct_of, dedup_span = excluded.dedup_span, dedup_key = excluded.dedup_key, targets = excluded.targets, pack = excluded.pack, edited = excluded.edited, before = excluded.before, updated_at = excluded.updated_at, updated_by = excluded.updated_by`

	deleteAlertRule query = `DELETE FROM alert_rule WHERE id = $1`
	alertRuleByName query = `SELECT ` + alertRuleColumns + ` FROM alert_rule WHERE name = $1`
	alertRules      query = `SELECT ` + alertRuleColumns + ` FROM alert_rule WHERE name > $1 ORDER BY name`

	insertAlertSilence query = `INSERT INTO alert_silence (id, rule_id, pattern, until, reason, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	deleteAlertSilence query = `DELETE FROM alert_silence WHERE id = $1`
	alertSilences      query = `SELECT id, rule_id, pattern, until, reason, created_at, created_by FROM alert_silence WHERE until > $1 ORDER BY until, id`
	pruneAlertSilences query = `DELETE FROM alert_silence WHERE until <= $1`
)

func scanAlertRule(r row) (a AlertRule, err error) {
	var enabled, edited int
	var window, dedup, created, updated int64
	var groups, key, targets string
	if err := r.Scan(&a.ID, &a.Name, &a.Description, &a.Severity, &enabled, &a.Pattern, &a.Count, &window, &groups, &a.Distinct, &dedup, &key, &targets,
		&a.Pack, &edited, &a.Before, &created, &a.CreatedBy, &updated, &a.UpdatedBy); err != nil {
		return a, err
	}
	a.Enabled, a.Edited = enabled != 0, edited != 0
	a.Window, a.DedupWindow = time.Duration(window)*time.Microsecond, time.Duration(dedup)*time.Microsecond
	a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
	return a, unlist([3]string{groups, key, targets}, &a.GroupBy, &a.DedupKey, &a.Targets)
}

// unlist reads JSON lists.
func unlist(texts [3]string, into ...*[]string) error {
	for i, list := range into {
		if err := json.Unmarshal([]byte(texts[i]), list); err != nil {
			return fmt.Errorf("decode list: %w", err)
		}
	}
	return nil
}

// listed is a list as it is stored.
func listed(all []string) string {
	if len(all) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(all) // texts can always be encoded
	return string(b)
}

// PutAlertRule adds or changes a rule by its id; ErrExists when its name is another's.
func (tx *Tx) PutAlertRule(a AlertRule) error {
	_, err := tx.exec(putAlertRule, a.ID, a.Name, a.Description, a.Severity, bit(a.Enabled), a.Pattern, a.Count, a.Window.Microseconds(), listed(a.GroupBy), a.Distinct,
		a.DedupWindow.Microseconds(), listed(a.DedupKey), listed(a.Targets), a.Pack, bit(a.Edited), a.Before, micros(a.CreatedAt), a.CreatedBy, micros(a.UpdatedAt), a.UpdatedBy)
	return err
}

// DeleteAlertRule removes a rule; its alerts stay. ErrNotFound.
func (tx *Tx) DeleteAlertRule(id string) error { return one(tx.exec(deleteAlertRule, id)) }

// AlertRuleNamed is the rule of a name; ErrNotFound.
func (tx *Tx) AlertRuleNamed(name string) (AlertRule, error) {
	return get(tx, alertRuleByName, scanAlertRule, name)
}

// AlertRules lists all rules by name: hundreds at most.
func (tx *Tx) AlertRules() ([]AlertRule, error) { return list(tx, alertRules, scanAlertRule, "") }

// AlertSilence keeps alerts from being sent, for a while.
type AlertSilence struct {
	ID        string
	RuleID    string // "": every rule
	Pattern   string // JSON; "": every event
	Until     time.Time
	Reason    string
	CreatedAt time.Time
	CreatedBy string
}

func scanAlertSilence(r row) (s AlertSilence, err error) {
	var until, created int64
	err = r.Scan(&s.ID, &s.RuleID, &s.Pattern, &until, &s.Reason, &created, &s.CreatedBy)
	s.Until, s.CreatedAt = fromMicros(until), fromMicros(created)
	return s, err
}

// InsertAlertSilence adds a silence.
func (tx *Tx) InsertAlertSilence(s AlertSilence) error {
	_, err := tx.exec(insertAlertSilence, s.ID, s.RuleID, s.Pattern, micros(s.Until), s.Reason, micros(s.CreatedAt), s.CreatedBy)
	return err
}

// DeleteAlertSilence ends a silence; ErrNotFound.
func (tx *Tx) DeleteAlertSilence(id string) error { return one(tx.exec(deleteAlertSilence, id)) }

// AlertSilences lists the silences that end after a time, the next one to end first. There are few.
func (tx *Tx) AlertSilences(after time.Time) ([]AlertSilence, error) {
	return list(tx, alertSilences, scanAlertSilence, micros(after))
}

// PruneAlertSilences removes the silences that have ended before a time.
func (tx *Tx) PruneAlertSilences(before time.Time) error {
	_, err := tx.exec(pruneAlertSilences, micros(before))
	return err
}
