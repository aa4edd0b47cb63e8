package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sallyport/internal/audit/format"
	"sallyport/internal/store"
)

// Taken says what became of a batch.
type Taken struct {
	Accepted   int   `json:"accepted"`
	Duplicates int   `json:"duplicates"` // that had come before, the same
	LastSeq    int64 `json:"lastSequence"`
}

// brokenError is why a batch does not go on from what is here.
type brokenError struct{ why string }

func (e *brokenError) Error() string { return e.why }

// take stores a batch of a source: all of it, or nothing.
func (c *Collector) take(ctx context.Context, id string, batch []store.SealedEvent) (t Taken, err error) {
	err = c.DB.Update(ctx, func(tx *store.Tx) error {
		t = Taken{}
		s, err := tx.LockEventSource(id)
		if err != nil {
			return fmt.Errorf("load source: %w", err)
		}
		had, err := c.had(tx, s, batch)
		if err != nil {
			return err
		}
		fresh := batch[had:]
		t.Duplicates, t.Accepted = had, len(fresh)
		if err := chain(&s, fresh); err != nil {
			return err
		}
		t.LastSeq = s.LastSeq
		if len(fresh) == 0 && s.Problem == "" {
			return nil
		}
		s.Problem, s.LastAt = "", tx.Now()
		if err := tx.InsertCollected(s.ID, fresh); err != nil {
			return fmt.Errorf("store events: %w", err)
		}
		return wrap(tx.UpdateEventSource(s), "move source")
	})
	return t, err
}

// had is how many events at a batch's beginning are here already. One that is here with another hash was rewritten.
func (c *Collector) had(tx *store.Tx, s store.EventSource, batch []store.SealedEvent) (n int, err error) {
	for n < len(batch) && batch[n].Seq <= s.LastSeq {
		n++
	}
	if n == 0 {
		return 0, nil
	}
	if first := batch[0].Seq; first < s.FirstSeq {
		return 0, &brokenError{fmt.Sprintf("event %d is before event %d, the first that ever came: make another source for a log from its start", first, s.FirstSeq)}
	}
	known, err := tx.CollectedAfter(s.ID, batch[0].Seq-1, n)
	if err != nil {
		return 0, fmt.Errorf("read events that came before: %w", err)
	}
	for i := range n {
		if i >= len(known) || known[i].Seq != batch[i].Seq || !bytes.Equal(known[i].Hash, batch[i].Hash) || !bytes.Equal(known[i].JSON, batch[i].JSON) {
			return 0, &brokenError{fmt.Sprintf("event %d is not the one that came before: the source's log was rewritten", batch[i].Seq)}
		}
	}
	return n, nil
}

// chain moves the source's end over events that must follow it. The first that ever comes is the anchor: what was before it is unknown,
// unless it is the log's own first.
func chain(s *store.EventSource, fresh []store.SealedEvent) error {
	for _, e := range fresh {
		anchor := s.FirstSeq == 0 && e.Seq > 1
		switch {
		case anchor:
		case e.Seq > s.LastSeq+1:
			return &brokenError{fmt.Sprintf("event %d comes after event %d: those between are missing. The sink must send all events, from where this source is", e.Seq, s.LastSeq)}
		case !e.Follows(s.LastSeq, s.LastHash):
			return &brokenError{fmt.Sprintf("event %d does not follow event %d: one of them was changed", e.Seq, s.LastSeq)}
		}
		if s.FirstSeq == 0 {
			s.FirstSeq = e.Seq
		}
		s.LastSeq, s.LastHash = e.Seq, e.Hash
	}
	return nil
}

var errBody = errors.New("the body must be a JSON array of events, or one event a line, in the format cloudtrail")

// read takes a body apart. What the test of a sink sends is left out: it is in no log.
func read(body []byte) (batch []store.SealedEvent, err error) {
	lines, err := split(body)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		e, err := format.ParseCloudTrail(line)
		if err != nil {
			return nil, errBody
		}
		if e.Seq > 0 {
			batch = append(batch, e)
		}
	}
	return batch, nil
}

func split(body []byte) ([][]byte, error) {
	body = bytes.TrimSpace(body)
	if !bytes.HasPrefix(body, []byte("[")) {
		return bytes.Split(body, []byte("\n")), nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, errBody
	}
	out := make([][]byte, len(raw))
	for i, r := range raw {
		out[i] = r
	}
	return out, nil
}
