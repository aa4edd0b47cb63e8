package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestAuditFloor: the log may be pruned to what all have that it is for, and a node that is long gone holds nothing up.
func TestAuditFloor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
		db := open(t, c)
		do := func(fn func(*store.Tx) error) {
			t.Helper()
			if err := db.Update(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, n int64) {
			t.Helper()
			do(func(tx *store.Tx) error {
				got, err := tx.AuditFloor()
				if got != n {
					t.Errorf("%s: %d, want %d", what, got, n)
				}
				return err
			})
		}
		want("empty", 0)
		sealTen(t, db)
		want("nobody", 10)
		do(func(tx *store.Tx) error {
			return tx.InsertEventSink(store.EventSink{ID: "s", Name: "s", State: store.SinkPaused, Config: []byte("{}"), Position: 7, CreatedAt: tx.Now()})
		})
		want("a paused sink", 7)
		do(func(tx *store.Tx) error {
			return tx.PutDeadEvents("s", "no", []store.SealedEvent{{Seq: 5, Event: store.Event{ID: "x"}}})
		})
		want("a refused event", 4)
		do(func(tx *store.Tx) error {
			return errors.Join(tx.PutFileCursor("file:node", 2), tx.SetAuditCursor("trail", 3))
		})
		want("a file", 2)
		c.Advance(store.FileCursorLife + time.Second)
		want("a file of long ago, and a trail", 3)
		do(func(tx *store.Tx) error { return errors.Join(tx.SetAuditCursor("trail", 10), tx.DeleteEventSink("s")) })
		want("nobody any more", 10)
	})
}

// sealTen puts ten events into the log.
func sealTen(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = db.RunSealer(ctx, "test") }()
	defer func() { stop(); <-done }()
	for n := range 10 {
		if err := db.AppendEvents(ctx, store.Event{ID: fmt.Sprint(n), At: db.Now(), JSON: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	for head := int64(0); head < 10; {
		if err := db.View(ctx, func(tx *store.Tx) (err error) { head, err = tx.AuditHead(); return err }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEventSinkMoves only from where it is, and what an operator does is not undone by a try that began before.
func TestEventSinkMoves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)))
		do := func(fn func(*store.Tx) error) error { return db.UpdateRelaxed(t.Context(), fn) }
		load := func() (s store.EventSink) {
			t.Helper()
			if err := db.View(t.Context(), func(tx *store.Tx) (err error) { s, err = tx.EventSink("s"); return err }); err != nil {
				t.Fatal(err)
			}
			return s
		}
		err := do(func(tx *store.Tx) error {
			return tx.InsertEventSink(store.EventSink{ID: "s", Name: "s", State: store.SinkOn, Config: []byte("{}"), Position: 7, CreatedAt: tx.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
		was := load()
		if err := do(func(tx *store.Tx) error { return tx.MoveEventSink(was, 9, 12, 2) }); err != nil {
			t.Error(err)
		}
		for name, fn := range map[string]func(*store.Tx) error{
			"moved":   func(tx *store.Tx) error { return tx.MoveEventSink(was, 8, 0, 1) },
			"planned": func(tx *store.Tx) error { return tx.PlanEventSink(was, 8) },
		} {
			if err := do(fn); !errors.Is(err, store.ErrLost) {
				t.Errorf("%s from where it was: %v", name, err)
			}
		}
		now := load()
		if now.Position != 9 || now.Planned != 12 || now.Delivered != 2 || now.DeliveredAt.IsZero() {
			t.Errorf("%+v", now)
		}
		if err := do(func(tx *store.Tx) error { return tx.UpdateEventSink(now) }); err != nil {
			t.Error(err)
		}
		if err := do(func(tx *store.Tx) error { return tx.FailEventSink(now) }); !errors.Is(err, store.ErrLost) {
			t.Errorf("a failure before the change: %v", err)
		}
		if got := load(); got.Version != 2 || got.Planned != 0 || got.Failed != 0 {
			t.Errorf("%+v", got)
		}
		if err := do(func(tx *store.Tx) error {
			return tx.InsertEventSink(store.EventSink{ID: "t", Name: "s", Config: []byte("{}")})
		}); !errors.Is(err, store.ErrExists) {
			t.Errorf("the same name: %v", err)
		}
	})
}

// TestDeadEvents are settled one by one or all at once, those of other sinks apart.
func TestDeadEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)))
		sealTen(t, db)
		err := db.UpdateRelaxed(t.Context(), func(tx *store.Tx) error {
			log, err := tx.AuditLog(0, 100)
			if err != nil {
				return err
			}
			if err := errors.Join(tx.PutDeadEvents("s", "no", log[:8]), tx.PutDeadEvents("s", "never", log[:2]), tx.PutDeadEvents("t", "no", log)); err != nil {
				return err
			}
			for _, c := range []struct {
				do   func(string, []int64, bool) (int64, error)
				seqs []int64
				all  bool
				want string
			}{
				{tx.RetryDeadEvents, []int64{2, 3, 99}, false, "2: 2 3 of 8"},
				{tx.DiscardDeadEvents, []int64{3, 4}, false, "2: 2 of 6"},
				{tx.RetryDeadEvents, nil, true, "6: 1 2 5 6 7 8 of 6"},
				{tx.DiscardDeadEvents, nil, true, "6: of 0"},
			} {
				n, err := c.do("s", c.seqs, c.all)
				if err != nil {
					return err
				}
				again, err := tx.DeadEventsAgain("s", 50)
				if err != nil {
					return err
				}
				left, err := tx.CountDeadEvents("s")
				got := fmt.Sprintf("%d:", n)
				for _, e := range again {
					got += fmt.Sprint(" ", e.Seq)
				}
				if got += fmt.Sprint(" of ", left); got != c.want || err != nil {
					t.Errorf("got %s, %v; want %s", got, err, c.want)
				}
			}
			first, next, err := tx.DeadEvents("t", page.Query{Limit: 9})
			rest, end, err2 := tx.DeadEvents("t", page.Query{Limit: 9, After: next})
			if len(first) != 9 || len(rest) != 1 || rest[0].Seq != 10 || end != nil {
				t.Errorf("%v, %v", first, rest)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestLeasesEndWithTheProcess: on SQLite nobody but this process can hold one.
func TestLeasesEndWithTheProcess(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/leases.db"
	for range 2 {
		db, err := store.Open(t.Context(), path, clock.System{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := db.AcquireLease(t.Context(), "work", "me", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.AcquireLease(t.Context(), "work", "you", time.Hour); !errors.Is(err, store.ErrLost) {
			t.Errorf("it is taken from who holds it: %v", err)
		}
		if err := db.Close(); err != nil { // without giving it back
			t.Fatal(err)
		}
		if l.Fence == 0 {
			t.Error("no fence")
		}
	}
}
