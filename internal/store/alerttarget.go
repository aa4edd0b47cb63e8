package store

import "time"

// AlertTarget is where alerts go.
type AlertTarget struct {
	ID          string
	Name        string
	Kind        string
	Place       []byte // sealed
	Secret      []byte // sealed; empty: none
	MinSeverity string
	GoneAt      time.Time // zero: it is there
	StoodFor    string    // id of the target whose former place this is
	CreatedAt   time.Time
	CreatedBy   string

	// Of the sending.
	Failures int
	ResumeAt time.Time
	SentAt   time.Time
	Problem  string
}

// DeliveryState says what became of an alert at a target.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryState = "WAITING"
	DeliverySent    DeliveryState = "SENT"
	DeliveryGivenUp DeliveryState = "GIVEN_UP"
)

// AlertDelivery is an alert on its way to a target.
type AlertDelivery struct {
	AlertID  string
	TargetID string
	State    DeliveryState
	DueAt    time.Time
	Attempts int
	DoneAt   time.Time
	Problem  string
}

const alertTargetColumns = `id, name, kind, place, secret, min_severity, gone_at, stood_for, created_at, created_by, failures, resume_at, sent_at, problem`

const deliveryColumns = `alert_id, target_id, state, due_at, attempts, done_at, problem`

const (
	putAlertTarget    query = `INSERT INTO alert_target (` + alertTargetColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO UPDATE SET name = excluded.name, gone_at = excluded.gone_at, place = excluded.place, secret = excluded.secret, min_severity = excluded.min_severity, failures = excluded.failures, resume_at = excluded.resume_at, problem = excluded.problem`
	fateAlertTarget   query = `UPDATE alert_target SET failures = $1, resume_at = $2, sent_at = $3, problem = $4 WHERE id = $5`
	deleteAlertTarget query = `DELETE FROM alert_target WHERE id = $1`
	alertTargetByID   query = `SELECT ` + alertTargetColumns + ` FROM alert_target WHERE id = $1`
	alertTargets      query = `SELECT ` + alertTargetColumns + ` FROM alert_target WHERE name > $1 ORDER BY name`

	insertDelivery  query = `INSERT INTO alert_delivery (` + deliveryColumns + `) VALUES ($1, $2, $3, $4, 0, 0, '') ON CONFLICT DO NOTHING`
	updateDelivery  query = `UPDATE alert_delivery SET state = $1, due_at = $2, attempts = $3, done_at = $4, problem = $5 WHERE alert_id = $6 AND target_id = $7`
	deliveriesDue   query = `SELECT ` + deliveryColumns + ` FROM alert_delivery WHERE target_id = $1 AND state = $2 AND due_at <= $3 ORDER BY due_at, alert_id LIMIT $4`
	deliveriesOf    query = `SELECT ` + deliveryColumns + ` FROM alert_delivery WHERE alert_id = $1 ORDER BY target_id`
	countDeliveries query = `SELECT count(*) FROM alert_delivery WHERE target_id = $1 AND state = $2`
	dropDeliveries  query = `DELETE FROM alert_delivery WHERE target_id = $1`
	pruneDeliveries query = `DELETE FROM alert_delivery WHERE alert_id IN (SELECT id FROM alert WHERE state = $1 AND made_at < $2 ORDER BY made_at LIMIT $3)`
)

func scanAlertTarget(r row) (t AlertTarget, err error) {
	var created, gone, resume, sent int64
	err = r.Scan(&t.ID, &t.Name, &t.Kind, &t.Place, &t.Secret, &t.MinSeverity, &gone, &t.StoodFor, &created, &t.CreatedBy, &t.Failures, &resume, &sent, &t.Problem)
	t.GoneAt, t.CreatedAt, t.ResumeAt, t.SentAt = fromMicros(gone), fromMicros(created), fromMicros(resume), fromMicros(sent)
	return t, err
}

func scanDelivery(r row) (d AlertDelivery, err error) {
	var due, done int64
	err = r.Scan(&d.AlertID, &d.TargetID, &d.State, &due, &d.Attempts, &done, &d.Problem)
	d.DueAt, d.DoneAt = fromMicros(due), fromMicros(done)
	return d, err
}

// PutAlertTarget adds or changes a target by its id; ErrExists when its name is another's.
func (tx *Tx) PutAlertTarget(t AlertTarget) error {
	tx.enqueued = true // what waits may go now
	if t.Secret == nil {
		t.Secret = []byte{}
	}
	_, err := tx.exec(putAlertTarget, t.ID, t.Name, t.Kind, t.Place, t.Secret, t.MinSeverity, micros(t.GoneAt), t.StoodFor, micros(t.CreatedAt), t.CreatedBy, t.Failures, micros(t.ResumeAt), micros(t.SentAt), t.Problem)
	return err
}

// SetAlertTargetFate stores what became of sending to a target; ErrNotFound.
func (tx *Tx) SetAlertTargetFate(t AlertTarget) error {
	return one(tx.exec(fateAlertTarget, t.Failures, micros(t.ResumeAt), micros(t.SentAt), t.Problem, t.ID))
}

// DeleteAlertTarget removes a target with what waits for it; ErrNotFound.
func (tx *Tx) DeleteAlertTarget(id string) error {
	if _, err := tx.exec(dropDeliveries, id); err != nil {
		return err
	}
	return one(tx.exec(deleteAlertTarget, id))
}

// AlertTarget is the target with the id; ErrNotFound.
func (tx *Tx) AlertTarget(id string) (AlertTarget, error) {
	return get(tx, alertTargetByID, scanAlertTarget, id)
}

// AlertTargets lists the targets by name, with those that have gone a short while ago. There are few.
func (tx *Tx) AlertTargets() ([]AlertTarget, error) {
	return list(tx, alertTargets, scanAlertTarget, "")
}

// InsertDelivery sends an alert to a target, once.
func (tx *Tx) InsertDelivery(alert, target string) error {
	tx.enqueued = true
	_, err := tx.exec(insertDelivery, alert, target, DeliveryWaiting, micros(tx.now))
	return err
}

// SetDelivery stores what became of a delivery; ErrNotFound.
func (tx *Tx) SetDelivery(d AlertDelivery) error {
	return one(tx.exec(updateDelivery, d.State, micros(d.DueAt), d.Attempts, micros(d.DoneAt), d.Problem, d.AlertID, d.TargetID))
}

// DueDeliveries lists some of a target's deliveries whose time has come, the oldest first.
func (tx *Tx) DueDeliveries(target string, limit int) ([]AlertDelivery, error) {
	return list(tx, deliveriesDue, scanDelivery, target, DeliveryWaiting, micros(tx.now), limit)
}

// DeliveriesOf lists where an alert has gone: a delivery for each target at most.
func (tx *Tx) DeliveriesOf(alert string) ([]AlertDelivery, error) {
	return list(tx, deliveriesOf, scanDelivery, alert)
}

// CountDeliveries says how many alerts wait for a target.
func (tx *Tx) CountDeliveries(target string) (int, error) {
	return get(tx, countDeliveries, scanCount, target, DeliveryWaiting)
}
