package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

const nowhere = "https://siem.example.org/events"

var errDown = errors.New("the receiver is down")

func TestFromNowAndFromStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	w.happen(3)
	w.add("now", nowhere, false, nil)
	w.happen(2)
	w.drain()
	if got := fmt.Sprint(f.has()); got != "[4 5]" {
		t.Errorf("from now: %s", got)
	}
	f.got = nil
	w.add("start", nowhere, true, nil)
	w.drain()
	if got := fmt.Sprint(f.has()); got != "[1 2 3 4 5]" {
		t.Errorf("from the start: %s", got)
	}
	if f.closed < 2 {
		t.Errorf("closed %d times", f.closed)
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	s := w.add("write", nowhere, true, func(c *stream.Change) { c.WriteOnly = new(true) })
	w.happen(5)
	w.drain()
	if got := w.sink(s.ID); fmt.Sprint(f.has()) != "[1 3 5]" || got.Position != 5 || got.Delivered != 3 {
		t.Errorf("%v, %+v", f.has(), got)
	}
	f.got = nil
	w.update(func(tx *store.Tx) error {
		_, err := stream.Update(tx, w.ring, s.ID, stream.Change{Sources: &[]string{"sts.amazonaws.com"}})
		return err
	})
	w.happen(5)
	w.drain()
	if got := w.sink(s.ID); len(f.has()) != 0 || got.Position != 10 {
		t.Errorf("%v, %+v", f.has(), got)
	}
}

// TestBoundsStay: a batch is the same whenever it is sent again, also by another process, whatever has happened meanwhile.
func TestBoundsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	s := w.add("siem", nowhere, true, nil)
	w.happen(3)
	f.will(func(context.Context, []store.SealedEvent) error { return errDown })
	w.drain()
	w.happen(4)
	w.worker = w.newWorker("two")
	w.use(f)
	w.clock.Advance(time.Minute)
	w.drain()
	f.will(nil)
	w.clock.Advance(time.Minute)
	w.drain()
	if got := fmt.Sprint(f.asked); got != "[[1 2 3] [1 2 3] [1 2 3] [4 5 6 7]]" {
		t.Errorf("asked %s", got)
	}
	if got := w.sink(s.ID); got.Position != 7 || got.Delivered != 7 || got.Failures != 0 || got.Failed != 2 || got.LastError != "" {
		t.Errorf("%+v", got)
	}
}

// TestBatchesAreBounded: by number, and by bytes.
func TestBatchesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	w.add("siem", nowhere, true, nil)
	w.happen(1200)
	for range 20 {
		large := &audit.Event{EventName: "Large", RequestParameters: strings.Repeat("x", 99<<10)}
		if err := audit.Record(t.Context(), w.db, large); err != nil {
			t.Fatal(err)
		}
	}
	w.drain()
	if got := f.has(); !slices.Equal(got, upTo(1, 1220)) {
		t.Errorf("%d events", len(got))
	}
	for _, b := range f.asked {
		if len(b) > 500 || b[0] > 1200 && len(b) > 11 {
			t.Errorf("a batch of %d from %d", len(b), b[0])
		}
	}
}

// TestPauses: they grow to a minute, and Retry-After is honoured within reason.
func TestPauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	s := w.add("siem", nowhere, true, nil)
	w.happen(1)
	f.will(func(context.Context, []store.SealedEvent) error { return errDown })
	for n := range 12 {
		w.drain()
		got := w.sink(s.ID)
		wait, most := got.ResumeAt.Sub(w.clock.Now()), min(time.Second<<n, time.Minute)
		if got.Failures != n+1 || wait < most/2 || wait > most {
			t.Errorf("failure %d: %d, %v of at most %v", n, got.Failures, wait, most)
		}
		w.drain() // too early
		w.clock.Advance(wait)
	}
	if len(f.asked) != 12 {
		t.Errorf("asked %d times", len(f.asked))
	}
	for asks, want := range map[time.Duration]time.Duration{3 * time.Minute: 3 * time.Minute, time.Hour: 10 * time.Minute} {
		f.will(func(context.Context, []store.SealedEvent) error {
			return fmt.Errorf("x: %w", &audit.Busy{Err: errDown, After: asks})
		})
		w.drain()
		if got := w.sink(s.ID).ResumeAt.Sub(w.clock.Now()); got != want {
			t.Errorf("Retry-After %v: %v", asks, got)
		}
		w.clock.Advance(want)
	}
}

// TestLongFailureIsAnEvent, once, and so is that it is over.
func TestLongFailureIsAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	w.add("siem", nowhere, true, nil)
	w.happen(1)
	f.will(func(context.Context, []store.SealedEvent) error { return errDown })
	for range 14 {
		w.drain()
		w.clock.Advance(time.Minute)
	}
	if got := w.told(); len(got) != 0 {
		t.Errorf("after 14 minutes: %v", got)
	}
	for range 30 {
		w.drain()
		w.clock.Advance(time.Minute)
	}
	if got := w.told(); got["EventSinkFailing"] != 1 || got["EventSinkRecovered"] != 0 {
		t.Errorf("after 44 minutes: %v", got)
	}
	f.will(nil)
	w.drain()
	w.happen(1)
	w.drain()
	if got := w.told(); got["EventSinkFailing"] != 1 || got["EventSinkRecovered"] != 1 {
		t.Errorf("at the end: %v", got)
	}
}

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

// TestSlowHolder: who has lost the lease without noticing does not move the cursor, and has not failed.
func TestSlowHolder(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{nil, errDown, &audit.Refused{Seqs: []int64{2}, Reason: "no"}} {
		slowHolder(t, cause)
	}
}

func slowHolder(t *testing.T, cause error) {
	w := newWorld(t)
	slow, other := &fake{}, &fake{}
	s := w.add("siem", nowhere, true, nil)
	w.happen(3)
	two := w.newWorker("two")
	two.Open = func(stream.Config) (audit.Sink, error) { return other, nil }
	slow.will(func(context.Context, []store.SealedEvent) error {
		w.clock.Advance(time.Hour)
		if err := two.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.happen(2)
		return cause
	})
	w.use(slow)
	if err := w.worker.Drain(t.Context()); !errors.Is(err, store.ErrLost) {
		t.Errorf("the slow one: %v", err)
	}
	if got := w.sink(s.ID); got.Position != 3 || got.Delivered != 3 || got.Failed != 0 || w.floor() != 3 || fmt.Sprint(other.has()) != "[1 2 3]" {
		t.Errorf("%v: %+v, the other has %v", cause, got, other.has())
	}
}

// TestChangedMeanwhile: what was sent counts though an operator has changed the sink; what failed does not.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		w := newWorld(t)
		f := &fake{}
		w.use(f)
		s := w.add("siem", nowhere, true, nil)
		w.happen(3)
		f.will(func(context.Context, []store.SealedEvent) error {
			w.update(func(tx *store.Tx) error {
				_, err := stream.Update(tx, w.ring, s.ID, stream.Change{State: new(store.SinkPaused)})
				return err
			})
			if fails {
				return errDown
			}
			return nil
		})
		w.drain()
		w.happen(1)
		w.drain()
		got := w.sink(s.ID)
		if want := map[bool]int64{false: 3, true: 0}[fails]; got.Position != want || got.Failures != 0 || len(f.asked) != 1 {
			t.Errorf("fails %t: %+v, asked %d times", fails, got, len(f.asked))
		}
	}
}

// TestSlowSinkIsAlone: one that hangs holds up neither the others nor the stop.
func TestSlowSinkIsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hanging, good := &fake{}, &fake{}
	hanging.will(func(ctx context.Context, _ []store.SealedEvent) error { <-ctx.Done(); return ctx.Err() })
	w.worker.Open = func(c stream.Config) (audit.Sink, error) {
		if c.Name == "hanging" {
			return hanging, nil
		}
		return good, nil
	}
	s := w.add("hanging", nowhere, true, nil)
	w.add("good", nowhere, true, nil)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.worker.Run(ctx) }()
	for range 5 {
		w.happen(10)
		for n := w.n; len(good.has()) < n; {
			time.Sleep(time.Millisecond)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := w.sink(s.ID); got.Position != 0 || got.Failures != 0 || len(hanging.asked) != 1 {
		t.Errorf("%+v, asked %d times", got, len(hanging.asked))
	}
}

// TestOrderlyStop: what is under way when a node is stopped is finished, and does not come again.
func TestOrderlyStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	s := w.add("siem", nowhere, true, nil)
	w.happen(3)
	ctx, stop := context.WithCancel(t.Context())
	f.will(func(ctx context.Context, _ []store.SealedEvent) error {
		stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
			return nil
		}
	})
	if err := w.worker.Run(ctx); err != nil {
		t.Error(err)
	}
	if got := w.sink(s.ID); got.Position != 3 || got.Delivered != 3 {
		t.Errorf("%+v", got)
	}
	two := w.newWorker("two") // and the lease is free
	two.Open = w.worker.Open
	f.will(nil)
	w.happen(1)
	if err := two.Drain(t.Context()); err != nil || fmt.Sprint(f.has()) != "[1 2 3 4]" {
		t.Errorf("%v, %v", err, f.has())
	}
}

// TestLeaseIsLost: a request under way is broken off at once, since another node may be at it.
func TestLeaseIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	w.use(f)
	w.worker.Lease = 100 * time.Millisecond
	s := w.add("siem", nowhere, true, nil)
	w.happen(1)
	f.will(func(ctx context.Context, _ []store.SealedEvent) error {
		w.clock.Advance(time.Hour)
		other, err := w.db.AcquireLease(t.Context(), "event-sink/"+s.ID, "other", time.Hour)
		if err != nil || other.Owner != "other" {
			t.Errorf("%+v, %v", other, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(lastWordsAtLeast):
			t.Error("it goes on")
		}
		return ctx.Err()
	})
	if err := w.worker.Drain(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := w.sink(s.ID); got.Position != 0 || got.Failed != 0 {
		t.Errorf("%+v", got)
	}
}

// lastWordsAtLeast is less than a request may go on after an orderly stop, and more than it takes to see that a lease is lost.
const lastWordsAtLeast = 900 * time.Millisecond

// TestManage: what an operator may say, and what not.
func TestManage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.add("siem", nowhere, false, nil)
	w.update(func(tx *store.Tx) error {
		for name, c := range map[string]stream.Change{
			"a secret is good for one":      {Address: new("https://elsewhere.example.org/")},
			"must be https":                 {Address: new("http://siem.example.org/"), Secret: new(secret)},
			"is that of the log's own file": {Name: new("file")},
			"no event format":               {Format: new(stream.Format("morse"))},
			"at least 16 characters":        {Secret: new("short")},
			"needs a secret":                {Secret: new("")},
			"no option":                     {Options: map[string]string{"x": "y"}},
			"There is no certificate":       {CA: new("nonsense")},
			"array or ndjson":               {Options: map[string]string{"body": "xml"}},
		} {
			_, err := stream.Update(tx, w.ring, s.ID, c)
			if fault.As(err) == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(name)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := stream.Create(tx, w.ring, "PIGEON", stream.Change{Name: new("x"), Address: new(nowhere)}, false, "test"); fault.As(err) == nil {
			t.Errorf("unknown kind: %v", err)
		}
		if _, err := stream.Find(tx, "nobody"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("unknown sink: %v", err)
		}
		if _, err := stream.Update(tx, w.ring, s.ID, stream.Change{Address: new("https://elsewhere.example.org/"), Secret: new(secret)}); err != nil {
			t.Error(err)
		}
		return nil
	})
	if got := w.sink(s.ID); strings.Contains(string(got.Config), secret) || strings.Contains(string(got.Secret), secret) || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	if err := w.db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := stream.Create(tx, w.ring, stream.Webhook, stream.Change{Name: new("siem"), Address: new(nowhere), Secret: new(secret)}, false, "test")
		return err
	}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same name: %v", err)
	}
	w.update(func(tx *store.Tx) error { return stream.Delete(tx, s.ID) })
	w.view(func(tx *store.Tx) error {
		if all, err := tx.EventSinks(); len(all) != 0 || err != nil {
			t.Errorf("%v, %v", all, err)
		}
		return nil
	})
}
