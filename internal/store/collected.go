package store

import (
	"time"
)

// EventSource is another deployment whose audit log is kept here, and the end of what has come of it.
type EventSource struct {
	ID        string
	Name      string
	Secret    []byte // sealed
	CreatedAt time.Time
	CreatedBy string

	FirstSeq  int64 // of the first event that came; 0: none has
	LastSeq   int64
	LastHash  []byte
	LastAt    time.Time // when it came
	Problem   string    // why their chain does not go on from what is here; empty: it does
	ProblemAt time.Time
}

const sourceColumns = `id, name, secret, created_at, created_by, first_seq, last_seq, last_hash, last_at, problem, problem_at`

const (
	insertSource query = `INSERT INTO event_source (` + sourceColumns + `) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, 0, '', 0) ON CONFLICT DO NOTHING`
	updateSource query = `UPDATE event_source SET first_seq = $1, last_seq = $2, last_hash = $3, last_at = $4, problem = $5, problem_at = $6 WHERE id = $7`
	deleteSource query = `DELETE FROM event_source WHERE id = $1`
	sourceByID   query = `SELECT ` + sourceColumns + ` FROM event_source WHERE id = $1`
	// full scan: there are few.
	allSources query = `SELECT ` + sourceColumns + ` FROM event_source ORDER BY name`

	insertCollected query = `INSERT INTO collected_event (source_id, seq, id, at, event, hash) VALUES ($1, $2, $3, $4, $5, $6)`
	collectedAfter  query = `SELECT seq, id, at, event, hash FROM collected_event WHERE source_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`
	collectedBefore query = `SELECT seq, id, at, event, hash FROM collected_event WHERE source_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`
	sweepCollected  query = `DELETE FROM collected_event WHERE source_id = $1 AND seq IN (SELECT seq FROM collected_event WHERE source_id = $1 ORDER BY seq LIMIT $2)`
)

func scanSource(r row) (s EventSource, err error) {
	var created, last, problem int64
	err = r.Scan(&s.ID, &s.Name, &s.Secret, &created, &s.CreatedBy, &s.FirstSeq, &s.LastSeq, &s.LastHash, &last, &s.Problem, &problem)
	s.CreatedAt, s.LastAt, s.ProblemAt = fromMicros(created), fromMicros(last), fromMicros(problem)
	return s, err
}

// InsertEventSource adds a source of which nothing has come yet; ErrExists when its name is taken.
func (tx *Tx) InsertEventSource(s EventSource) error {
	return added(tx.exec(insertSource, s.ID, s.Name, s.Secret, micros(s.CreatedAt), s.CreatedBy, []byte{}))
}

// UpdateEventSource records the end of what has come; ErrNotFound.
func (tx *Tx) UpdateEventSource(s EventSource) error {
	return one(tx.exec(updateSource, s.FirstSeq, s.LastSeq, s.LastHash, micros(s.LastAt), s.Problem, micros(s.ProblemAt), s.ID))
}

// DeleteEventSource removes a source. What has come of it stays until it is swept; ErrNotFound.
func (tx *Tx) DeleteEventSource(id string) error { return one(tx.exec(deleteSource, id)) }

// EventSource is the source with the id; ErrNotFound.
func (tx *Tx) EventSource(id string) (EventSource, error) { return get(tx, sourceByID, scanSource, id) }

// LockEventSource is the source with the id, whose events the transaction is the only one to take until it ends; ErrNotFound.
func (tx *Tx) LockEventSource(id string) (EventSource, error) {
	return getLocked(tx, sourceByID, scanSource, id)
}

// EventSources lists the sources by name. There are few.
func (tx *Tx) EventSources() ([]EventSource, error) { return list(tx, allSources, scanSource) }

// InsertCollected adds events of a source.
func (tx *Tx) InsertCollected(source string, events []SealedEvent) error {
	for len(events) > 0 {
		size := largest(len(events))
		args := make([]any, 0, 6*size)
		for _, e := range events[:size] {
			args = append(args, source, e.Seq, e.ID, micros(e.At), string(e.JSON), e.Hash)
		}
		if _, err := tx.exec(insertCollected.rows(size), args...); err != nil {
			return err
		}
		events = events[size:]
	}
	return nil
}

// CollectedAfter reads up to limit events of a source in order, after a number.
func (tx *Tx) CollectedAfter(source string, seq int64, limit int) ([]SealedEvent, error) {
	return list(tx, collectedAfter, scanSealed, source, seq, limit)
}

// CollectedBefore reads up to limit events of a source, the newest first, before a number.
func (tx *Tx) CollectedBefore(source string, seq int64, limit int) ([]SealedEvent, error) {
	return list(tx, collectedBefore, scanSealed, source, seq, limit)
}

// SweepCollected deletes up to limit events of a source and says how many.
func (tx *Tx) SweepCollected(source string, limit int) (int64, error) {
	return tx.exec(sweepCollected, source, limit)
}

// Follows tells whether an event is the next after a number and a hash, as its own hash says. Before the first event the hash is empty.
func (e SealedEvent) Follows(seq int64, hash []byte) bool {
	h := head{seq: seq}
	copy(h.hash[:], hash)
	next := h.next(e.JSON)
	return e.Seq == next.seq && string(e.Hash) == string(next.hash[:])
}
