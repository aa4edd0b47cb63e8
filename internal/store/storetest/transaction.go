package storetest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/store"
)

var errOwn = errors.New("closure's own error")

func survives(t *testing.T, dsn newDSN) {
	where := dsn(t)
	db, err := store.Open(t.Context(), where, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	update(t, db, setMeta("url", "https://a"))
	if got := meta(t, db, "url"); got != "https://a" {
		t.Errorf("after update: %q", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := meta(t, OpenAt(t, where, clock.System{}), "url"); got != "https://a" {
		t.Errorf("after restart: %q", got)
	}
}

func errorKeepsNothing(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.SetMeta("a", "1"), tx.Changed("user:1"), tx.Enqueue(store.Job{Kind: "k"}),
			tx.AppendEvent(event(tx, "e")), errOwn)
	})
	if !errors.Is(err, errOwn) {
		t.Errorf("got %v", err)
	}
	if got := meta(t, db, "a"); got != "" {
		t.Errorf("kept %q", got)
	}
	jobs, err := db.ClaimJobs(t.Context(), "k", "w", 1, time.Minute)
	if err != nil || len(jobs) > 0 {
		t.Errorf("jobs %v, %v", jobs, err)
	}
	poll, err := db.PollChanges(t.Context(), "")
	if err != nil || len(poll.Changes) > 0 {
		t.Errorf("changes %v, %v", poll.Changes, err)
	}
}

// failedStatement: the engines differ in what may follow an error, so nothing may.
func failedStatement(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	account := store.Account{ID: "111122223333"}
	update(t, db, func(tx *store.Tx) error { return tx.InsertAccount(account) })
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.SetMeta("a", "1"); err != nil {
			return err
		}
		if err := tx.InsertAccount(account); !errors.Is(err, store.ErrExists) {
			t.Errorf("second insert: %v", err)
		}
		if err := tx.SetMeta("b", "1"); !errors.Is(err, store.ErrExists) {
			t.Errorf("statement after a failed one: %v", err)
		}
		return nil
	})
	if !errors.Is(err, store.ErrExists) {
		t.Errorf("update: %v", err)
	}
	if a, b := meta(t, db, "a"), meta(t, db, "b"); a != "" || b != "" {
		t.Errorf("kept a=%q b=%q", a, b)
	}
}

func panicArrives(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	for name, run := range map[string]func(context.Context, func(*store.Tx) error) error{"Update": db.Update, "View": db.View} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "ouch") {
					t.Errorf("%s: recovered %q", name, text)
				}
			}()
			err := run(t.Context(), func(*store.Tx) error { panic("ouch") })
			t.Errorf("%s returned %v", name, err)
		}()
	}
	update(t, db, setMeta("a", "1")) // both still work
	meta(t, db, "a")
}

func goexitArrives(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	for _, run := range []func(context.Context, func(*store.Tx) error) error{db.Update, db.View} {
		parallel(8, func(i int) {
			if i > 0 { // neighbours, in the same batch or not
				if err := db.Update(t.Context(), setMeta("a", "1")); err != nil {
					t.Error(err)
				}
				return
			}
			_ = run(t.Context(), func(*store.Tx) error { runtime.Goexit(); return nil })
			t.Error("the goroutine went on")
		})
	}
}

func snapshot(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	update(t, db, setMeta("a", "old"))
	err := db.View(t.Context(), func(tx *store.Tx) error {
		if got, err := tx.Meta("a"); got != "old" || err != nil {
			t.Errorf("before: %q, %v", got, err)
		}
		update(t, db, setMeta("a", "new")) // a view does not hold up a change
		if got, err := tx.Meta("a"); got != "old" || err != nil {
			t.Errorf("in the same snapshot: %q, %v", got, err)
		}
		if err := tx.SetMeta("a", "x"); err == nil {
			t.Error("a view could write")
		}
		if err := tx.AppendEvent(event(tx, "e")); err == nil {
			t.Error("a view could append an event")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got := meta(t, db, "a"); got != "new" {
		t.Errorf("after: %q", got)
	}
}

func oneInstant(t *testing.T, dsn newDSN) {
	db, c := fresh(t, dsn)
	check := func(tx *store.Tx) error {
		before := tx.Now()
		c.Advance(time.Second)
		if got := tx.Now(); got != before || got.Location() != time.UTC || got.Truncate(time.Microsecond) != got {
			t.Errorf("now was %v and became %v", before, got)
		}
		return nil
	}
	if err := errors.Join(db.Update(t.Context(), check), db.View(t.Context(), check)); err != nil {
		t.Error(err)
	}
}

func endings(t *testing.T, dsn newDSN) {
	db := OpenAt(t, dsn(t), clock.System{})
	over, cancel := context.WithCancel(t.Context())
	for _, run := range []func(context.Context, func(*store.Tx) error) error{db.Update, db.UpdateRelaxed, db.View} {
		ctx, cancel := context.WithCancel(t.Context())
		err := run(ctx, func(tx *store.Tx) error {
			if _, err := tx.Meta("a"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("first statement: %v", err)
			}
			cancel()
			_, err := tx.Meta("a")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("statement after the end of the context: %v", err)
			}
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("given up in the middle: %v", err)
		}
	}
	cancel()
	never := func(*store.Tx) error { t.Error("closure ran"); return nil }
	if err := db.Update(over, never); !errors.Is(err, context.Canceled) {
		t.Errorf("update given up before: %v", err)
	}
	if err := db.View(over, never); !errors.Is(err, context.Canceled) {
		t.Errorf("view given up before: %v", err)
	}
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	for _, run := range []func(context.Context, func(*store.Tx) error) error{db.Update, db.UpdateRelaxed, db.View} {
		if err := run(t.Context(), never); !errors.Is(err, store.ErrClosed) {
			t.Errorf("after close: %v", err)
		}
	}
}
