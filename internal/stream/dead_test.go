package stream_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/audit"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// TestRefused: what is refused waits for an operator, and the others go on.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	s := w.add("siem", nowhere, true, nil)
	w.happen(6)
	bad := map[int64]bool{2: true, 5: true}
	f.will(func(_ context.Context, batch []store.SealedEvent) error {
		r := &audit.Refused{Reason: "no\nthanks"}
		for _, e := range batch {
			if bad[e.Seq] {
				r.Seqs = append(r.Seqs, e.Seq)
			}
		}
		if len(r.Seqs) > 0 {
			return fmt.Errorf("x: %w", r)
		}
		return nil
	})
	w.drain()
	w.drain() // the event about it
	dead := func() (all []store.DeadEvent) {
		w.view(func(tx *store.Tx) (err error) { all, _, err = tx.DeadEvents(s.ID, page.Query{Limit: 10}); return err })
		return all
	}
	if all := dead(); len(all) != 2 || all[0].Seq != 2 || all[1].Seq != 5 || all[0].Reason != "no thanks" || all[0].Attempts != 1 {
		t.Errorf("%+v", all)
	}
	if got := w.sink(s.ID); got.Position != 7 || got.Delivered != 5 || got.Failures != 0 || w.told()["EventSinkRefused"] != 1 {
		t.Errorf("%+v, %v", got, w.told())
	}
	if got := w.floor(); got != 1 {
		t.Errorf("the log may be pruned to %d", got)
	}
	bad[8] = true
	w.happen(1)
	w.drain()
	if all := dead(); len(all) != 3 || w.told()["EventSinkRefused"] != 1 {
		t.Errorf("%+v, %v", all, w.told())
	}
	w.update(func(tx *store.Tx) error { _, err := tx.DiscardDeadEvents(s.ID, []int64{8}, false); return err })
	delete(bad, 2)
	w.update(func(tx *store.Tx) error { _, err := tx.RetryDeadEvents(s.ID, nil, true); return err })
	w.drain()
	if all := dead(); len(all) != 1 || all[0].Seq != 5 || all[0].Attempts != 2 || all[0].Again {
		t.Errorf("tried again: %+v", all)
	}
	if got := fmt.Sprint(f.has()); got != "[1 3 4 6 7 2]" {
		t.Errorf("it has %s", got)
	}
	w.update(func(tx *store.Tx) error {
		n, err := tx.DiscardDeadEvents(s.ID, []int64{5, 6}, false)
		if n != 1 {
			t.Errorf("%d were discarded", n)
		}
		return err
	})
	if all := dead(); len(all) != 0 || w.floor() != 8 {
		t.Errorf("%+v, the log may be pruned to %d", all, w.floor())
	}
}

func (w *world) floor() (n int64) {
	w.t.Helper()
	w.view(func(tx *store.Tx) (err error) { n, err = tx.AuditFloor(); return err })
	return n
}

// TestDeadAreBounded: a sink that refuses more than may be put aside waits, and nothing is lost.
func TestDeadAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	s := w.add("siem", nowhere, true, nil)
	w.update(func(tx *store.Tx) error { // as if they had been refused
		events := make([]store.SealedEvent, stream.Dead)
		for i := range events {
			events[i] = store.SealedEvent{Seq: int64(1_000_000 + i), Event: store.Event{ID: "x"}}
		}
		return tx.PutDeadEvents(s.ID, "no", events)
	})
	w.happen(2)
	f.will(func(_ context.Context, batch []store.SealedEvent) error {
		return &audit.Refused{Seqs: seqs(batch), Reason: "never"}
	})
	w.drain()
	if got := w.sink(s.ID); got.Position != 0 || !strings.Contains(got.LastError, "10000 refused events wait for an operator") {
		t.Errorf("%+v", got)
	}
}
