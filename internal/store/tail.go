package store

import "sync"

// maxTail bounds the JSON that a tail keeps.
const maxTail = 4 << 20

// tail keeps the last events that this process has committed to the log, so that whoever follows the log closely need not
// read back what has just been written. Its zero value is ready.
type tail struct {
	mu     sync.Mutex
	events []SealedEvent
	bytes  int
}

// add takes committed events; they follow on those that it has.
func (t *tail) add(list []SealedEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range list {
		t.bytes += len(e.JSON)
	}
	t.events = append(t.events, list...)
	drop := 0
	for ; t.bytes > maxTail; drop++ {
		t.bytes -= len(t.events[drop].JSON)
	}
	if drop > 0 {
		clear(t.events[:drop]) // the array behind them lives on until it is outgrown
		t.events = t.events[drop:]
	}
}

// after returns up to limit events after the given number; ok is false when the tail does not reach back so far, or is behind.
func (t *tail) after(seq int64, limit int) (list []SealedEvent, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) == 0 || seq < t.events[0].Seq-1 || seq > t.events[len(t.events)-1].Seq {
		return nil, false
	}
	rest := t.events[seq-t.events[0].Seq+1:]
	return append(list, rest[:min(limit, len(rest))]...), true
}

// AuditAfter reads up to limit events of the log, in order, after the given number: from memory when this process has just
// written them, else from the database.
func (db *DB) AuditAfter(tx *Tx, seq int64, limit int) ([]SealedEvent, error) {
	if list, ok := db.tail.after(seq, limit); ok {
		return list, nil
	}
	return tx.AuditLog(seq, limit)
}

// AuditSeen is AuditAfter without what was written since the transaction's snapshot was taken: for those who hold events against other
// things that are stored, and must not see an event without the change before it.
func (db *DB) AuditSeen(tx *Tx, seq int64, limit int) ([]SealedEvent, error) {
	head, err := tx.AuditHead()
	if err != nil {
		return nil, err
	}
	list, err := db.AuditAfter(tx, seq, limit)
	for n := len(list); n > 0 && list[n-1].Seq > head; n-- {
		list = list[:n-1]
	}
	return list, err
}
