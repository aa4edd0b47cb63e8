package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Event is an audit record as the store sees it: opaque JSON with an id and a time.
type Event struct {
	ID   string
	At   time.Time
	JSON []byte
}

// SealedEvent is an event in the log: numbered without gaps, and chained to all before it.
type SealedEvent struct {
	Seq  int64 // from 1
	Hash []byte
	Event
}

// head is the end of the log: the number and the hash of its last event. The zero head is that of an empty log.
type head struct {
	seq  int64
	hash [sha256.Size]byte
}

// next chains an event: hash = SHA-256(previous hash ‖ number, 8 bytes, big-endian ‖ JSON). Before the first event the
// hash is 32 zero bytes.
func (h head) next(json []byte) head {
	n := head{seq: h.seq + 1}
	d := sha256.New()
	d.Write(h.hash[:])
	d.Write(binary.BigEndian.AppendUint64(nil, uint64(n.seq)))
	d.Write(json)
	d.Sum(n.hash[:0])
	return n
}

const (
	insertInbox query = `INSERT INTO audit_inbox (id, at, event) VALUES ($1, $2, $3)`
	insertLog   query = `INSERT INTO audit_log (seq, id, at, event, hash) VALUES ($1, $2, $3, $4, $5)`
	// full scan: it begins at the end and stops at the first row.
	logHead      query = `SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1`
	logAfter     query = `SELECT seq, id, at, event, hash FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2`
	cursorBySink query = `SELECT seq FROM audit_cursor WHERE sink = $1`
	// A cursor only goes forward: a slow worker that has lost its lease cannot move it back.
	upsertCursor query = `INSERT INTO audit_cursor (sink, seq) VALUES ($1, $2) ON CONFLICT (sink) DO UPDATE SET seq = excluded.seq WHERE audit_cursor.seq <= excluded.seq`
)

// AppendEvent records an event in the transaction of the change that it tells of (hard part 4). It is in the log when the
// transaction is answered (SQLite), or soon after (PostgreSQL, by the sealer).
func (tx *Tx) AppendEvent(e Event) error {
	if !tx.writable {
		return errReadOnly
	}
	if err := tx.ready(); err != nil {
		return err
	}
	if !tx.q.seals() {
		if _, err := tx.exec(insertInbox, e.ID, micros(e.At), string(e.JSON)); err != nil {
			return fmt.Errorf("append event: %w", err)
		}
	}
	tx.events = append(tx.events, e)
	return nil
}

// AppendEvents records events that tell of no change in the database: of what was given out, or refused. All of them are
// durable when it returns.
func (db *DB) AppendEvents(ctx context.Context, events ...Event) error {
	if dropsEvents {
		return nil
	}
	return db.engine.record(ctx, events)
}

// appendLog adds events at the end of the log, moves h, and returns them as they stand there.
func (tx *Tx) appendLog(h *head, events []Event) ([]SealedEvent, error) {
	sealed := make([]SealedEvent, 0, len(events))
	for len(events) > 0 {
		size := largest(len(events))
		args := make([]any, 0, 5*size)
		for _, e := range events[:size] {
			*h = h.next(e.JSON)
			hash := h.hash
			args = append(args, h.seq, e.ID, micros(e.At), string(e.JSON), hash[:])
			sealed = append(sealed, SealedEvent{h.seq, hash[:], e})
		}
		if _, err := tx.exec(insertLog.rows(size), args...); err != nil { // a third of the work per row on SQLite, one round trip on PostgreSQL
			return nil, err
		}
		events = events[size:]
	}
	return sealed, nil
}

func (tx *Tx) logHead() (head, error) {
	h, err := get(tx, logHead, func(r row) (h head, err error) {
		var hash []byte
		err = r.Scan(&h.seq, &hash)
		copy(h.hash[:], hash)
		return h, err
	})
	if errors.Is(err, ErrNotFound) {
		return head{}, nil
	}
	return h, err
}

func scanSealed(r row) (s SealedEvent, err error) {
	var at int64
	var json string
	err = r.Scan(&s.Seq, &s.ID, &at, &json, &s.Hash)
	s.At, s.JSON = fromMicros(at), []byte(json)
	return s, err
}

// AuditLog reads up to limit events of the log, in order, after the given number.
func (tx *Tx) AuditLog(after int64, limit int) ([]SealedEvent, error) {
	return list(tx, logAfter, scanSealed, after, limit)
}

// AuditCursor is the number of the last event that a sink has taken; 0 for a new sink.
func (tx *Tx) AuditCursor(sink string) (int64, error) {
	seq, err := get(tx, cursorBySink, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }, sink)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return seq, err
}

// SetAuditCursor records that a sink has taken all events up to seq. Setting it back is ErrLost: somebody else has gone on.
func (tx *Tx) SetAuditCursor(sink string, seq int64) error {
	n, err := tx.exec(upsertCursor, sink, seq)
	if err == nil && n == 0 {
		return ErrLost
	}
	return err
}

// AuditWake returns a channel that is closed when this process next knows of new events in the log. Take it before
// reading; poll beside it, since other nodes add events too.
func (db *DB) AuditWake() <-chan struct{} { return db.audit.wait() }

// BrokenChainError says where the audit log has been tampered with.
type BrokenChainError struct{ Seq int64 }

func (e *BrokenChainError) Error() string {
	return fmt.Sprintf("audit log is broken at event %d: it is missing, out of order, or was changed after it was sealed", e.Seq)
}

// VerifyAudit walks the log after a known event and checks numbers and hashes. The zero seq with a nil hash starts at the
// beginning: where events were deleted by policy, at the anchor. It returns the last event's number and hash, to start from the next time, and to compare with copies that
// were shipped: only those show that the end was cut off.
func (db *DB) VerifyAudit(ctx context.Context, seq int64, hash []byte) (int64, []byte, error) {
	const page = 1000
	if seq == 0 && hash == nil {
		err := db.View(ctx, func(tx *Tx) error {
			a, err := tx.AuditAnchor()
			seq, hash = a.Seq, a.Hash
			return err
		})
		if err != nil {
			return 0, nil, fmt.Errorf("read anchor of audit log: %w", err)
		}
	}
	h := head{seq: seq}
	copy(h.hash[:], hash)
	for {
		var events []SealedEvent
		err := db.View(ctx, func(tx *Tx) (err error) {
			events, err = tx.AuditLog(h.seq, page)
			return err
		})
		if err != nil {
			return h.seq, h.hash[:], fmt.Errorf("read audit log: %w", err)
		}
		for _, e := range events {
			next := h.next(e.JSON)
			if e.Seq != next.seq || string(e.Hash) != string(next.hash[:]) {
				return h.seq, h.hash[:], &BrokenChainError{Seq: next.seq}
			}
			h = next
		}
		if len(events) < page {
			return h.seq, h.hash[:], nil
		}
	}
}
