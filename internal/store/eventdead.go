package store

import (
	"strconv"
	"time"

	"sallyport/internal/page"
)

// DeadEvent is an event that a sink has refused.
type DeadEvent struct {
	Sink     string
	Seq      int64
	EventID  string
	At       time.Time // when it was refused last
	Attempts int
	Again    bool // an operator wants it to be sent again
	Reason   string
}

const deadColumns = `sink_id, seq, event_id, at, attempts, again, reason`

const (
	upsertDead query = `INSERT INTO event_sink_dead (` + deadColumns + `) VALUES ($1, $2, $3, $4, 1, 0, $5) ON CONFLICT (sink_id, seq) DO UPDATE SET at = excluded.at, attempts = event_sink_dead.attempts + 1, again = 0, reason = excluded.reason`
	countDead  query = `SELECT COUNT(*) FROM event_sink_dead WHERE sink_id = $1`
	deadAfter  query = `SELECT ` + deadColumns + ` FROM event_sink_dead WHERE sink_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`
	againDead  query = `UPDATE event_sink_dead SET again = 1 WHERE sink_id = $1 AND seq IN ($2)`
	againAll   query = `UPDATE event_sink_dead SET again = 1 WHERE sink_id = $1`
	deleteDead query = `DELETE FROM event_sink_dead WHERE sink_id = $1 AND seq IN ($2)`
	sweepDead  query = `DELETE FROM event_sink_dead WHERE sink_id = $1`
	deadEvents query = `SELECT l.seq, l.id, l.at, l.event, l.hash FROM event_sink_dead d JOIN audit_log l ON l.seq = d.seq WHERE d.sink_id = $1 AND d.again = 1 ORDER BY d.seq LIMIT $2`
)

func scanDead(r row) (d DeadEvent, err error) {
	var at int64
	var again int
	err = r.Scan(&d.Sink, &d.Seq, &d.EventID, &at, &d.Attempts, &again, &d.Reason)
	d.At, d.Again = fromMicros(at), again != 0
	return d, err
}

// PutDeadEvents records that a sink has refused events. Those that were refused before have been tried once more.
func (tx *Tx) PutDeadEvents(sink, reason string, events []SealedEvent) error {
	for _, e := range events { // of one batch
		if _, err := tx.exec(upsertDead, sink, e.Seq, e.ID, micros(tx.now), reason); err != nil {
			return err
		}
	}
	return nil
}

// CountDeadEvents counts what a sink has refused.
func (tx *Tx) CountDeadEvents(sink string) (int64, error) {
	n, err := get(tx, countDead, scanCount, sink)
	return int64(n), err
}

// DeadEvents lists what a sink has refused, by number.
func (tx *Tx) DeadEvents(sink string, q page.Query) ([]DeadEvent, page.Key, error) {
	after, _ := strconv.ParseInt(at(q.After, 0), 10, 64)
	rows, err := list(tx, deadAfter, scanDead, sink, after, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(d DeadEvent) page.Key { return page.Key{strconv.FormatInt(d.Seq, 10)} })
	return rows, next, nil
}

// RetryDeadEvents has events sent again that a sink has refused, or all, and tells how many.
func (tx *Tx) RetryDeadEvents(sink string, seqs []int64, all bool) (int64, error) {
	tx.enqueued = true
	if all {
		return tx.exec(againAll, sink)
	}
	return tx.execSeqs(againDead, sink, seqs)
}

// DiscardDeadEvents forgets that a sink has refused events, or all, and tells how many.
func (tx *Tx) DiscardDeadEvents(sink string, seqs []int64, all bool) (int64, error) {
	if all {
		return tx.exec(sweepDead, sink)
	}
	return tx.execSeqs(deleteDead, sink, seqs)
}

// execSeqs runs a statement for the events of a list.
func (tx *Tx) execSeqs(q query, sink string, seqs []int64) (total int64, err error) {
	for len(seqs) > 0 {
		size := min(len(seqs), widest)
		texts := make([]string, size)
		for i, seq := range seqs[:size] {
			texts[i] = strconv.FormatInt(seq, 10)
		}
		wide, args := q.in(texts, sink)
		n, err := tx.exec(wide, args...)
		if err != nil {
			return total, err
		}
		total, seqs = total+n, seqs[size:]
	}
	return total, nil
}

// DeadEventsAgain are the first of the events that are to be sent to a sink again.
func (tx *Tx) DeadEventsAgain(sink string, limit int) ([]SealedEvent, error) {
	return list(tx, deadEvents, scanSealed, sink, limit)
}
