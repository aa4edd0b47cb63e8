package store

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"sallyport/internal/page"
)

// AlertState says whether somebody looks after an alert.
type AlertState string

// The states of an alert.
const (
	AlertOpen         AlertState = "OPEN"
	AlertAcknowledged AlertState = "ACKNOWLEDGED"
	AlertClosed       AlertState = "CLOSED"
)

// Alert is that a rule has found something.
type Alert struct {
	ID        string
	RuleID    string
	RuleName  string
	Severity  string
	At        time.Time // of the event
	MadeAt    time.Time
	EventID   string
	EventIDs  []string
	Event     string // JSON, as the pattern saw it; "": too large
	Message   string
	DedupKey  string
	Repeats   int64
	LastAt    time.Time
	LastEvent string
	SilenceID string
	Test      bool
	State     AlertState
	AckedAt   time.Time
	AckedBy   string
	ClosedAt  time.Time
	ClosedBy  string
	Note      string
}

const alertColumns = `id, rule_id, rule_name, severity, at, made_at, event_id, event_ids, event, message, dedup_key, repeats, last_at, last_event, silence_id, test, state, acked_at, acked_by, closed_at, closed_by, note`

const (
	insertAlert query = `INSERT INTO alert (` + alertColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) ON CONFLICT DO NOTHING`
	alertByID   query = `SELECT ` + alertColumns + ` FROM alert WHERE id = $1`
	alertSame   query = `SELECT ` + alertColumns + ` FROM alert WHERE rule_id = $1 AND dedup_key = $2 ORDER BY at DESC LIMIT 1`
	repeatAlert query = `UPDATE alert SET repeats = repeats + $1, last_at = $2, last_event = $3 WHERE id = $4`
	stateAlert  query = `UPDATE alert SET state = $1, acked_at = $2, acked_by = $3, closed_at = $4, closed_by = $5, note = $6 WHERE id = $7`
	pruneAlerts query = `DELETE FROM alert WHERE id IN (SELECT id FROM alert WHERE state = $1 AND made_at < $2 ORDER BY made_at LIMIT $3)`

	alertsNewest  query = `SELECT ` + alertColumns + ` FROM alert WHERE (made_at, id) < ($1, $2) ORDER BY made_at DESC, id DESC LIMIT $3`
	alertsOfState query = `SELECT ` + alertColumns + ` FROM alert WHERE state = $1 AND (made_at, id) < ($2, $3) ORDER BY made_at DESC, id DESC LIMIT $4`
	alertsOfRule  query = `SELECT ` + alertColumns + ` FROM alert WHERE rule_id = $1 AND (made_at, id) < ($2, $3) ORDER BY made_at DESC, id DESC LIMIT $4`
)

func scanAlert(r row) (a Alert, err error) {
	var at, made, last, acked, closed int64
	var ids string
	var test int
	if err := r.Scan(&a.ID, &a.RuleID, &a.RuleName, &a.Severity, &at, &made, &a.EventID, &ids, &a.Event, &a.Message, &a.DedupKey, &a.Repeats, &last, &a.LastEvent,
		&a.SilenceID, &test, &a.State, &acked, &a.AckedBy, &closed, &a.ClosedBy, &a.Note); err != nil {
		return a, err
	}
	a.At, a.MadeAt, a.LastAt, a.AckedAt, a.ClosedAt = fromMicros(at), fromMicros(made), fromMicros(last), fromMicros(acked), fromMicros(closed)
	a.Test = test != 0
	return a, json.Unmarshal([]byte(ids), &a.EventIDs)
}

// InsertAlert adds an alert; false: the rule has one of that event already.
func (tx *Tx) InsertAlert(a Alert) (bool, error) {
	n, err := tx.exec(insertAlert, a.ID, a.RuleID, a.RuleName, a.Severity, micros(a.At), micros(a.MadeAt), a.EventID, listed(a.EventIDs), a.Event, a.Message, a.DedupKey,
		a.Repeats, micros(a.LastAt), a.LastEvent, a.SilenceID, bit(a.Test), a.State, micros(a.AckedAt), a.AckedBy, micros(a.ClosedAt), a.ClosedBy, a.Note)
	return n > 0, err
}

// Alert is the alert with the id; ErrNotFound.
func (tx *Tx) Alert(id string) (Alert, error) { return get(tx, alertByID, scanAlert, id) }

// SameAlert is a rule's last alert with the key; ErrNotFound.
func (tx *Tx) SameAlert(rule, key string) (Alert, error) {
	return get(tx, alertSame, scanAlert, rule, key)
}

// RepeatAlert adds to an alert what is of the same key; ErrNotFound.
func (tx *Tx) RepeatAlert(id string, n int64, at time.Time, event string) error {
	return one(tx.exec(repeatAlert, n, micros(at), event, id))
}

// SetAlertState stores who looks after an alert; ErrNotFound.
func (tx *Tx) SetAlertState(a Alert) error {
	return one(tx.exec(stateAlert, a.State, micros(a.AckedAt), a.AckedBy, micros(a.ClosedAt), a.ClosedBy, a.Note, a.ID))
}

// Alerts lists alerts, newest first: all, those of a state, or those of a rule.
func (tx *Tx) Alerts(state AlertState, rule string, q page.Query) ([]Alert, page.Key, error) {
	before := int64(math.MaxInt64)
	if n, err := strconv.ParseInt(at(q.After, 0), 10, 64); err == nil {
		before = n
	}
	var rows []Alert
	var err error
	switch {
	case rule != "":
		rows, err = list(tx, alertsOfRule, scanAlert, rule, before, at(q.After, 1), q.Limit+1)
	case state != "":
		rows, err = list(tx, alertsOfState, scanAlert, state, before, at(q.After, 1), q.Limit+1)
	default:
		rows, err = list(tx, alertsNewest, scanAlert, before, at(q.After, 1), q.Limit+1)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a Alert) page.Key { return page.Key{strconv.FormatInt(micros(a.MadeAt), 10), a.ID} })
	return rows, next, nil
}

const alertPrune = 500

// PruneAlerts removes some closed alerts that were made before a time, and tells whether there are more.
func (tx *Tx) PruneAlerts(before time.Time) (more bool, err error) {
	if _, err := tx.exec(pruneDeliveries, AlertClosed, micros(before), alertPrune); err != nil {
		return false, err
	}
	n, err := tx.exec(pruneAlerts, AlertClosed, micros(before), alertPrune)
	return n == alertPrune, err
}

const (
	putAlertCount    query = `INSERT INTO alert_count (rule_id, grouped, counted, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (rule_id, grouped) DO UPDATE SET counted = excluded.counted, expires_at = excluded.expires_at`
	alertCountOf     query = `SELECT counted FROM alert_count WHERE rule_id = $1 AND grouped = $2`
	dropAlertCounts  query = `DELETE FROM alert_count WHERE rule_id = $1`
	pruneAlertCounts query = `DELETE FROM alert_count WHERE expires_at < $1`

	sawForAlert  query = `INSERT INTO alert_seen (subject, value, first_at, last_at) VALUES ($1, $2, $3, $4) ON CONFLICT (subject, value) DO UPDATE SET last_at = excluded.last_at`
	seenForAlert query = `SELECT last_at FROM alert_seen WHERE subject = $1 AND value = $2`
	anySeen      query = `SELECT last_at FROM alert_seen WHERE subject = $1 LIMIT 1`
	pruneSeen    query = `DELETE FROM alert_seen WHERE last_at < $1`
)

// AlertCount is what a rule has counted of a group, as JSON; "": nothing.
func (tx *Tx) AlertCount(rule, group string) (string, error) {
	text, err := get(tx, alertCountOf, scanText, rule, group)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return text, err
}

// PutAlertCount stores what a rule has counted of a group.
func (tx *Tx) PutAlertCount(rule, group, counted string, expires time.Time) error {
	_, err := tx.exec(putAlertCount, rule, group, counted, micros(expires))
	return err
}

// DropAlertCounts forgets what a rule has counted.
func (tx *Tx) DropAlertCounts(rule string) error {
	_, err := tx.exec(dropAlertCounts, rule)
	return err
}

// PruneAlertMemory forgets what rules have counted, where that is over, and what was not seen since a time.
func (tx *Tx) PruneAlertMemory(unseen time.Time) error {
	if _, err := tx.exec(pruneAlertCounts, micros(tx.now)); err != nil {
		return err
	}
	_, err := tx.exec(pruneSeen, micros(unseen))
	return err
}

// SawForAlert remembers that a subject had a value.
func (tx *Tx) SawForAlert(subject, value string) error {
	_, err := tx.exec(sawForAlert, subject, value, micros(tx.now), micros(tx.now))
	return err
}

// SeenForAlert says when a subject had a value last; zero: never.
func (tx *Tx) SeenForAlert(subject, value string) (time.Time, error) {
	return seen(get(tx, seenForAlert, scanCount, subject, value))
}

// AnySeenForAlert says whether a subject is known at all.
func (tx *Tx) AnySeenForAlert(subject string) (bool, error) {
	t, err := seen(get(tx, anySeen, scanCount, subject))
	return !t.IsZero(), err
}

func seen(n int, err error) (time.Time, error) {
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return fromMicros(int64(n)), err
}
