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
