package store

import (
	"errors"
	"time"
)

const (
	// A file's own last line is its cursor, so this one is set to whatever that says.
	putFileCursor query = `INSERT INTO audit_cursor (sink, seq, moved_at) VALUES ($1, $2, $3) ON CONFLICT (sink) DO UPDATE SET seq = excluded.seq, moved_at = excluded.moved_at`
	// full scan: there are few.
	sinkFloor query = `SELECT COALESCE(MIN(position), -1) FROM event_sink`
	// full scan: it begins at the start of an index and stops at the first row.
	deadFloor query = `SELECT COALESCE(MIN(seq) - 1, -1) FROM event_sink_dead`
	// full scan: there is one for each node and trail.
	cursorFloor query = `SELECT COALESCE(MIN(seq), -1) FROM audit_cursor WHERE moved_at = 0 OR moved_at >= $1`
)

// FileCursorLife is how long a file's cursor holds up the deletion of old events after its node has last said where it is.
const FileCursorLife = 7 * 24 * time.Hour

// AuditHead is the number of the last event of the log, 0 while it is empty.
func (tx *Tx) AuditHead() (int64, error) {
	h, err := tx.logHead()
	return h.seq, err
}

// AuditWindow reads events of the log in order, after a number: at most limit, and no more than maxBytes of JSON unless the first alone is
// larger.
func (db *DB) AuditWindow(tx *Tx, after int64, limit, maxBytes int) (events []SealedEvent, err error) {
	size := 0
	fits := func(e SealedEvent) bool {
		size += len(e.JSON)
		return len(events) == 0 || size <= maxBytes
	}
	if all, ok := db.tail.after(after, limit); ok {
		for _, e := range all {
			if !fits(e) {
				break
			}
			events = append(events, e)
		}
		return events, nil
	}
	err = tx.each(logAfter, func(r row) (bool, error) {
		e, err := scanSealed(r)
		if err != nil || !fits(e) {
			return false, err
		}
		events = append(events, e)
		return true, nil
	}, after, limit)
	return events, err
}

// PutFileCursor records how far a node's file is.
func (tx *Tx) PutFileCursor(name string, seq int64) error {
	_, err := tx.exec(putFileCursor, name, seq, micros(tx.now))
	return err
}

// AuditFloor is the number of the last event that all have that the log is for: sinks, what they have refused and nobody has settled, files and
// trails. Whoever deletes events deletes none after it.
func (tx *Tx) AuditFloor() (int64, error) {
	floor, err := tx.AuditHead()
	if err != nil {
		return 0, err
	}
	scan := func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }
	sinks, err1 := get(tx, sinkFloor, scan)
	dead, err2 := get(tx, deadFloor, scan)
	cursors, err3 := get(tx, cursorFloor, scan, micros(tx.now.Add(-FileCursorLife)))
	for _, n := range []int64{sinks, dead, cursors} {
		if n >= 0 {
			floor = min(floor, n)
		}
	}
	return floor, errors.Join(err1, err2, err3)
}
