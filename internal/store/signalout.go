package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// Formats in which a stream's receiver is told of people (RFC 9493).
const (
	SubjectEmail  = "EMAIL"
	SubjectIssSub = "ISS_SUB"
)

// SignalStream is a receiver elsewhere that is told by our signals.
type SignalStream struct {
	ID        string
	StoreID   arn.StoreID
	Name      string
	Audience  string
	Delivery  SignalDelivery
	PushURL   string
	PushToken []byte // sealed; nil: none
	TokenHash string // of what the receiver polls and manages the stream with
	Subject   string
	Events    []string // those that are sent
	CreatedAt time.Time
	CreatedBy string
	Failures  int // in a row
	NextAt    time.Time
	SentAt    time.Time // zero: nothing has been taken yet
	Problem   string    // of the last try
}

// SignalOut is a signal that a stream's receiver has not taken yet.
type SignalOut struct {
	StreamID string
	JTI      string
	At       time.Time
	Body     string // JSON
	Seq      int64
}

const signalStreamColumns = `id, store_id, name, audience, delivery, push_url, push_token, token_hash, subject, events, created_at, created_by, failures, next_at, sent_at, problem`

const (
	insertSignalStream query = `INSERT INTO signal_stream (` + signalStreamColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, '') ON CONFLICT DO NOTHING`
	updateSignalStream query = `UPDATE signal_stream SET failures = $1, next_at = $2, sent_at = $3, problem = $4 WHERE id = $5`
	deleteSignalStream query = `DELETE FROM signal_stream WHERE id = $1`
	signalStreamByID   query = `SELECT ` + signalStreamColumns + ` FROM signal_stream WHERE id = $1`
	signalStreamByHash query = `SELECT ` + signalStreamColumns + ` FROM signal_stream WHERE token_hash = $1`
	signalStreamsOf    query = `SELECT ` + signalStreamColumns + ` FROM signal_stream WHERE store_id = $1 ORDER BY name`

	anySignalStream query = `SELECT id FROM signal_stream ORDER BY id LIMIT 1`

	insertSignalOut  query = `INSERT INTO signal_out (stream_id, jti, at, body) VALUES ($1, $2, $3, $4)`
	signalsOutOf     query = `SELECT stream_id, jti, at, body, seq FROM signal_out WHERE stream_id = $1 ORDER BY seq LIMIT $2`
	countSignalsOut  query = `SELECT count(*) FROM signal_out WHERE stream_id = $1`
	deleteSignalOut  query = `DELETE FROM signal_out WHERE stream_id = $1 AND jti IN ($2)`
	deleteSignalsOut query = `DELETE FROM signal_out WHERE stream_id = $1`
	expireSignalsOut query = `DELETE FROM signal_out WHERE stream_id = $1 AND at < $2`
	firstSignalOutOf query = `SELECT seq FROM signal_out WHERE stream_id = $1 ORDER BY seq LIMIT 1`
)

func scanSignalStream(r row) (s SignalStream, err error) {
	var events string
	var created, next, sent int64
	if err := r.Scan(&s.ID, &s.StoreID, &s.Name, &s.Audience, &s.Delivery, &s.PushURL, &s.PushToken, &s.TokenHash, &s.Subject, &events, &created, &s.CreatedBy, &s.Failures, &next, &sent, &s.Problem); err != nil {
		return s, err
	}
	s.CreatedAt, s.NextAt, s.SentAt = fromMicros(created), fromMicros(next), fromMicros(sent)
	return s, json.Unmarshal([]byte(events), &s.Events)
}

func scanSignalOut(r row) (s SignalOut, err error) {
	var at int64
	err = r.Scan(&s.StreamID, &s.JTI, &at, &s.Body, &s.Seq)
	s.At = fromMicros(at)
	return s, err
}

// InsertSignalStream adds a stream; ErrExists when its name is taken.
func (tx *Tx) InsertSignalStream(s SignalStream) error {
	events, err := json.Marshal(s.Events)
	if err != nil {
		return fmt.Errorf("encode events: %w", err)
	}
	return added(tx.exec(insertSignalStream, s.ID, s.StoreID, s.Name, s.Audience, s.Delivery, s.PushURL, s.PushToken, s.TokenHash, s.Subject, string(events), micros(s.CreatedAt), s.CreatedBy))
}

// UpdateSignalStream stores how the delivery goes; ErrNotFound.
func (tx *Tx) UpdateSignalStream(s SignalStream) error {
	return one(tx.exec(updateSignalStream, s.Failures, micros(s.NextAt), micros(s.SentAt), s.Problem, s.ID))
}

// DeleteSignalStream removes a stream with all that waits in it; ErrNotFound.
func (tx *Tx) DeleteSignalStream(id string) error {
	if err := one(tx.exec(deleteSignalStream, id)); err != nil {
		return err
	}
	_, err := tx.exec(deleteSignalsOut, id)
	return err
}

// SignalStream is the stream with the id; ErrNotFound.
func (tx *Tx) SignalStream(id string) (SignalStream, error) {
	return get(tx, signalStreamByID, scanSignalStream, id)
}

// SignalStreamByHash is the stream whose receiver has the token with the hash; ErrNotFound.
func (tx *Tx) SignalStreamByHash(hash string) (SignalStream, error) {
	return get(tx, signalStreamByHash, scanSignalStream, hash)
}

// HasSignalStreams says whether anybody is told of anything.
func (tx *Tx) HasSignalStreams() (bool, error) {
	rows, err := list(tx, anySignalStream, scanText)
	return len(rows) > 0, err
}

// SignalStreams lists the streams of a store by name. There are few, and mostly none.
func (tx *Tx) SignalStreams(storeID arn.StoreID) ([]SignalStream, error) {
	return list(tx, signalStreamsOf, scanSignalStream, storeID)
}

// InsertSignalOut puts a signal at the end of a stream, and wakes who sends.
func (tx *Tx) InsertSignalOut(s SignalOut) error {
	if _, err := tx.exec(insertSignalOut, s.StreamID, s.JTI, micros(s.At), s.Body); err != nil {
		return err
	}
	tx.enqueued = true
	return nil
}

// SignalsOut lists the first signals that wait in a stream.
func (tx *Tx) SignalsOut(stream string, limit int) ([]SignalOut, error) {
	return list(tx, signalsOutOf, scanSignalOut, stream, limit)
}

// SignalsWait says whether any signal waits in a stream.
func (tx *Tx) SignalsWait(stream string) (bool, error) {
	rows, err := list(tx, firstSignalOutOf, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }, stream)
	return len(rows) > 0, err
}

// CountSignalsOut counts what waits in a stream.
func (tx *Tx) CountSignalsOut(stream string) (int64, error) {
	return get(tx, countSignalsOut, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }, stream)
}

// TakeSignalsOut removes signals that a receiver has taken, and tells how many were there.
func (tx *Tx) TakeSignalsOut(stream string, jtis []string) (total int64, err error) {
	for len(jtis) > 0 {
		size := min(len(jtis), widest)
		q, args := deleteSignalOut.in(jtis[:size], stream)
		n, err := tx.exec(q, args...)
		if err != nil {
			return total, err
		}
		total, jtis = total+n, jtis[size:]
	}
	return total, nil
}

// ExpireSignalsOut removes what has waited in a stream since before a time, and tells how many it were.
func (tx *Tx) ExpireSignalsOut(stream string, before time.Time) (int64, error) {
	return tx.exec(expireSignalsOut, stream, micros(before))
}
