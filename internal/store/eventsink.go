package store

import (
	"encoding/json"
	"time"
)

// SinkState says whether a sink is sent anything.
type SinkState string

// The states of a sink.
const (
	SinkOn     SinkState = "ON"
	SinkPaused SinkState = "PAUSED" // events wait in the log
)

// EventSink is a receiver of the audit log, and how far it has it.
type EventSink struct {
	ID        string
	Name      string
	Kind      string
	Config    json.RawMessage
	Secret    []byte // sealed; empty: none
	State     SinkState
	Version   int64 // rises with each change by an operator
	CreatedAt time.Time
	CreatedBy string

	Position    int64 // number of the last event that is delivered, left out or dead
	Planned     int64 // last event of the batch under way; 0: none
	Delivered   int64 // events, ever
	DeliveredAt time.Time

	Failures     int   // in a row
	Failed       int64 // ever
	FailingSince time.Time
	Warned       bool // that it has been failing for long is on record
	LastError    string
	ErrorAt      time.Time
	ResumeAt     time.Time // nothing is sent before that
}

const sinkColumns = `id, name, kind, config, secret, state, version, created_at, created_by, position, planned, delivered, delivered_at, failures, failed, failing_since, warned, last_error, error_at, resume_at`

const (
	insertSink query = `INSERT INTO event_sink (` + sinkColumns + `) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, 0, 0, 0, 0, 0, 0, 0, '', 0, 0) ON CONFLICT DO NOTHING`
	// What an operator has changed is tried at once, and the batch under way may be another one now.
	updateSink query = `UPDATE event_sink SET name = $1, config = $2, secret = $3, state = $4, version = version + 1, planned = 0, failures = 0, failing_since = 0, warned = 0, last_error = '', error_at = 0, resume_at = 0 WHERE id = $5`
	deleteSink query = `DELETE FROM event_sink WHERE id = $1`
	sinkByID   query = `SELECT ` + sinkColumns + ` FROM event_sink WHERE id = $1`
	// full scan: there are few.
	allSinks query = `SELECT ` + sinkColumns + ` FROM event_sink ORDER BY name`

	planSink query = `UPDATE event_sink SET planned = $1 WHERE id = $2 AND position = $3 AND version = $4`
	// What was sent counts even when an operator has changed the sink meanwhile.
	moveSink query = `UPDATE event_sink SET position = $1, planned = $2, delivered = delivered + $3, delivered_at = $4, failures = 0, failing_since = 0, warned = 0, last_error = '', error_at = 0, resume_at = 0 WHERE id = $5 AND position = $6`
	failSink query = `UPDATE event_sink SET failures = $1, failed = failed + 1, failing_since = $2, warned = $3, last_error = $4, error_at = $5, resume_at = $6 WHERE id = $7 AND version = $8`
)

func scanSink(r row) (s EventSink, err error) {
	var config string
	var created, delivered, since, failed, resume int64
	var warned int
	err = r.Scan(&s.ID, &s.Name, &s.Kind, &config, &s.Secret, &s.State, &s.Version, &created, &s.CreatedBy, &s.Position, &s.Planned, &s.Delivered, &delivered,
		&s.Failures, &s.Failed, &since, &warned, &s.LastError, &failed, &resume)
	s.Config, s.Warned, s.CreatedAt, s.DeliveredAt = json.RawMessage(config), warned != 0, fromMicros(created), fromMicros(delivered)
	s.FailingSince, s.ErrorAt, s.ResumeAt = fromMicros(since), fromMicros(failed), fromMicros(resume)
	return s, err
}

// InsertEventSink adds a sink; ErrExists when its name is taken.
func (tx *Tx) InsertEventSink(s EventSink) error {
	tx.enqueued = true
	return added(tx.exec(insertSink, s.ID, s.Name, s.Kind, string(s.Config), s.sealed(), s.State, micros(s.CreatedAt), s.CreatedBy, s.Position))
}

// sealed is the secret as it is stored.
func (s EventSink) sealed() []byte {
	if s.Secret == nil {
		return []byte{}
	}
	return s.Secret
}

// UpdateEventSink stores what an operator says of a sink, and wakes who sends; ErrNotFound, ErrExists.
func (tx *Tx) UpdateEventSink(s EventSink) error {
	tx.enqueued = true
	return one(tx.exec(updateSink, s.Name, string(s.Config), s.sealed(), s.State, s.ID))
}

// DeleteEventSink removes a sink with its dead events; ErrNotFound.
func (tx *Tx) DeleteEventSink(id string) error {
	tx.enqueued = true
	if err := one(tx.exec(deleteSink, id)); err != nil {
		return err
	}
	_, err := tx.exec(sweepDead, id)
	return err
}

// EventSink is the sink with the id; ErrNotFound.
func (tx *Tx) EventSink(id string) (EventSink, error) { return get(tx, sinkByID, scanSink, id) }

// EventSinks lists the sinks by name. There are few.
func (tx *Tx) EventSinks() ([]EventSink, error) { return list(tx, allSinks, scanSink) }

// PlanEventSink records up to where the batch goes that is about to be sent. It is ErrLost when the sink has gone on, or was changed.
func (tx *Tx) PlanEventSink(s EventSink, planned int64) error {
	return held(tx.exec(planSink, planned, s.ID, s.Position, s.Version))
}

// MoveEventSink records that a sink has all events up to one, of which so many were sent to it, and up to where the next batch goes. It is
// ErrLost when the sink has gone on without us.
func (tx *Tx) MoveEventSink(s EventSink, to, planned int64, delivered int) error {
	at := s.DeliveredAt
	if delivered > 0 {
		at = tx.now
	}
	return held(tx.exec(moveSink, to, planned, delivered, micros(at), s.ID, s.Position))
}

// FailEventSink records that a try has failed; ErrLost when the sink was changed meanwhile.
func (tx *Tx) FailEventSink(s EventSink) error {
	return held(tx.exec(failSink, s.Failures, micros(s.FailingSince), bit(s.Warned), s.LastError, micros(s.ErrorAt), micros(s.ResumeAt), s.ID, s.Version))
}
