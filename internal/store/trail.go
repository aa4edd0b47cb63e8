package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// LogTrail is what of the log goes into which bucket, and how far that has come.
type LogTrail struct {
	ID   string
	Name string
	Live bool // false: deleted, and its last files are still to be written
	TrailSpec
	Runs      []TrailRun
	Logging   bool // as the API tells
	StartedAt time.Time
	StoppedAt time.Time
	CreatedAt time.Time

	// Of the writing.
	Seq         int64 // the last event that was looked at
	Hash        []byte
	Objects     int64 // how many were planned, ever
	FlushedAt   time.Time
	DigestTo    time.Time // end of the last digest; zero: there is none
	AttemptedAt time.Time
	DeliveredAt time.Time
	DigestedAt  time.Time
	Problem     string // of the last attempt
	VerifiedAt  time.Time
	Faults      int64
}

// TrailSpec is what the operator says of a trail.
type TrailSpec struct {
	Bucket      string            `json:"bucket"`
	Prefix      string            `json:"prefix,omitempty"`
	Global      bool              `json:"global,omitempty"`
	MultiRegion bool              `json:"multiRegion,omitempty"`
	Validation  bool              `json:"validation,omitempty"` // digests are written
	Basic       json.RawMessage   `json:"basic,omitempty"`      // event selectors
	Advanced    json.RawMessage   `json:"advanced,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// TrailRun is a stretch of the log that is logged: from the event that started it to the one that stops it.
type TrailRun struct {
	After     int64     `json:"after"` // number before which it cannot begin, and the chain there
	AfterHash []byte    `json:"afterHash,omitempty"`
	Start     string    `json:"start"` // id of its first event
	StartAt   time.Time `json:"startAt"`
	Stop      string    `json:"stop,omitempty"` // id of its last; empty: it goes on
	StopAt    time.Time `json:"stopAt,omitzero"`
	Begun     bool      `json:"begun,omitempty"` // its first event was met
	Ended     bool      `json:"ended,omitempty"` // its last event was met: only the closing digest is left
	Fresh     bool      `json:"fresh,omitempty"` // the next digest stands for what follows From, and not for what follows the last digest
	From      int64     `json:"from,omitempty"`
	FromHash  []byte    `json:"fromHash,omitempty"`
}

const trailColumns = `id, name, live, spec, runs, logging, started_at, stopped_at, created_at, seq, hash, objects, flushed_at, digest_to, attempted_at, delivered_at, digested_at, problem, verified_at, faults`

const (
	insertTrail query = `INSERT INTO trail (` + trailColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING`
	updateTrail query = `UPDATE trail SET live = $1, spec = $2, runs = $3, logging = $4, started_at = $5, stopped_at = $6, seq = $7, hash = $8, objects = $9, flushed_at = $10, digest_to = $11, attempted_at = $12, delivered_at = $13, digested_at = $14, problem = $15, verified_at = $16, faults = $17 WHERE id = $18`
	deleteTrail query = `DELETE FROM trail WHERE id = $1`
	trailByID   query = `SELECT ` + trailColumns + ` FROM trail WHERE id = $1`
	trailByName query = `SELECT ` + trailColumns + ` FROM trail WHERE name = $1 AND live = 1`
	liveTrails  query = `SELECT ` + trailColumns + ` FROM trail WHERE live = 1 ORDER BY name`
	// full scan: there are five, and those that were just deleted.
	allTrails    query = `SELECT ` + trailColumns + ` FROM trail ORDER BY id`
	deleteCursor query = `DELETE FROM audit_cursor WHERE sink = $1`
)

func scanTrail(r row) (t LogTrail, err error) {
	var live, logging int
	var spec, runs string
	var started, stopped, created, flushed, digest, attempted, delivered, digested, verified int64
	err = r.Scan(&t.ID, &t.Name, &live, &spec, &runs, &logging, &started, &stopped, &created, &t.Seq, &t.Hash, &t.Objects, &flushed, &digest, &attempted, &delivered, &digested, &t.Problem, &verified, &t.Faults)
	if err != nil {
		return t, err
	}
	t.Live, t.Logging, t.StartedAt, t.StoppedAt, t.CreatedAt = live != 0, logging != 0, fromMicros(started), fromMicros(stopped), fromMicros(created)
	t.FlushedAt, t.DigestTo, t.AttemptedAt, t.DeliveredAt = fromMicros(flushed), fromMicros(digest), fromMicros(attempted), fromMicros(delivered)
	t.DigestedAt, t.VerifiedAt = fromMicros(digested), fromMicros(verified)
	if err := json.Unmarshal([]byte(spec), &t.TrailSpec); err != nil {
		return t, fmt.Errorf("read trail's settings: %w", err)
	}
	return t, json.Unmarshal([]byte(runs), &t.Runs)
}

// texts are the parts of a trail that are stored as JSON.
func (t *LogTrail) texts() (spec, runs string, err error) {
	s, err := json.Marshal(t.TrailSpec)
	if err != nil {
		return "", "", fmt.Errorf("encode trail: %w", err)
	}
	r, err := json.Marshal(t.Runs)
	if t.Runs == nil {
		r = []byte("[]")
	}
	return string(s), string(r), err
}

// InsertTrail adds a trail; ErrExists when its name is taken.
func (tx *Tx) InsertTrail(t LogTrail) error {
	spec, runs, err := t.texts()
	if err != nil {
		return err
	}
	return added(tx.exec(insertTrail, t.ID, t.Name, bit(t.Live), spec, runs, bit(t.Logging), micros(t.StartedAt), micros(t.StoppedAt), micros(t.CreatedAt), t.Seq, bytesOf(t.Hash), t.Objects,
		micros(t.FlushedAt), micros(t.DigestTo), micros(t.AttemptedAt), micros(t.DeliveredAt), micros(t.DigestedAt), t.Problem, micros(t.VerifiedAt), t.Faults))
}

// UpdateTrail stores a trail; ErrNotFound. Read it in the same transaction, by [Tx.LogTrail].
func (tx *Tx) UpdateTrail(t LogTrail) error {
	spec, runs, err := t.texts()
	if err != nil {
		return err
	}
	return one(tx.exec(updateTrail, bit(t.Live), spec, runs, bit(t.Logging), micros(t.StartedAt), micros(t.StoppedAt), t.Seq, bytesOf(t.Hash), t.Objects,
		micros(t.FlushedAt), micros(t.DigestTo), micros(t.AttemptedAt), micros(t.DeliveredAt), micros(t.DigestedAt), t.Problem, micros(t.VerifiedAt), t.Faults, t.ID))
}

// bytesOf is never nil: the columns are not.
func bytesOf(b []byte) []byte { return append([]byte{}, b...) }

// LogTrail is the trail with the id, which nobody else changes until a transaction that writes ends; ErrNotFound.
func (tx *Tx) LogTrail(id string) (LogTrail, error) { return tx.trail(trailByID, id) }

// TrailByName is the trail that has a name now, likewise; ErrNotFound.
func (tx *Tx) TrailByName(name string) (LogTrail, error) { return tx.trail(trailByName, name) }

func (tx *Tx) trail(q query, key string) (LogTrail, error) {
	if tx.writable {
		return getLocked(tx, q, scanTrail, key)
	}
	return get(tx, q, scanTrail, key)
}

// Trails lists the trails by name.
func (tx *Tx) Trails() ([]LogTrail, error) { return list(tx, liveTrails, scanTrail) }

// AllTrails lists also those that were deleted and have files to be written yet.
func (tx *Tx) AllTrails() ([]LogTrail, error) { return list(tx, allTrails, scanTrail) }

// DeleteTrail forgets a trail and its place in the log; what it has written stays on record. ErrNotFound.
func (tx *Tx) DeleteTrail(id string) error { return one(tx.exec(deleteTrail, id)) }

// DeleteAuditCursor forgets a sink that takes no events any more.
func (tx *Tx) DeleteAuditCursor(sink string) error {
	_, err := tx.exec(deleteCursor, sink)
	return err
}

// AuditEnd is the number and the hash of the last event of the log; 0 and nil of an empty one.
func (tx *Tx) AuditEnd() (int64, []byte, error) {
	h, err := tx.logHead()
	if h.seq == 0 {
		return 0, nil, err
	}
	return h.seq, h.hash[:], err
}
