package stream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

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

// lastWordsAtLeast is less than a request may go on after an orderly stop, and more than it takes to see that a lease is lost.
const lastWordsAtLeast = 900 * time.Millisecond

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
