package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/store"
)

func event(c clock.Clock, id string) store.Event {
	return store.Event{ID: id, At: c.Now(), JSON: []byte(`{"eventID":"` + id + `"}`)}
}

// sealed waits until the log has n events, and returns them.
func sealed(t *testing.T, db *store.DB, n int) []store.SealedEvent {
	t.Helper()
	for {
		wake := db.AuditWake()
		var events []store.SealedEvent
		err := db.View(t.Context(), func(tx *store.Tx) (err error) {
			events, err = tx.AuditLog(0, n+1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(events) >= n {
			return events
		}
		select {
		case <-wake:
		case <-time.After(100 * time.Millisecond): // another node may have sealed
		case <-t.Context().Done():
			t.Fatal("test is over")
		}
	}
}

// check compares the log with the events that were committed: each once, numbered without gaps, chained.
func check(t *testing.T, db *store.DB, want map[string]bool) {
	t.Helper()
	log := sealed(t, db, len(want))
	got := map[string]bool{}
	for i, e := range log {
		if e.Seq != int64(i+1) {
			t.Errorf("event %d has number %d", i+1, e.Seq)
		}
		if got[e.ID] {
			t.Errorf("%s is there twice", e.ID)
		}
		got[e.ID] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	seq, hash, err := db.VerifyAudit(t.Context(), 0, nil)
	last := log[len(log)-1]
	if err != nil || seq != last.Seq || string(hash) != string(last.Hash) {
		t.Errorf("verified up to %d: %v", seq, err)
	}
	if seq, _, err := db.VerifyAudit(t.Context(), log[0].Seq, log[0].Hash); err != nil || seq != last.Seq {
		t.Errorf("verified from the first event to %d: %v", seq, err)
	}
}

func auditOrder(t *testing.T, dsn newDSN) {
	where := dsn(t)
	db, err := store.Open(t.Context(), where, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	stop := worker(t, func(ctx context.Context) error { return db.RunSealer(ctx, "s") })
	const callers, each = 12, 12
	want := map[string]bool{}
	for i := range callers * each {
		if i%3 != 0 {
			want[strconv.Itoa(i)] = true
		}
	}
	parallel(callers, func(c int) {
		for n := range each {
			i := c*each + n
			if i%3 == 1 { // those tell of no change
				if err := db.AppendEvents(t.Context(), event(db, strconv.Itoa(i))); err != nil {
					t.Error(err)
				}
				continue
			}
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.AppendEvent(event(tx, strconv.Itoa(i))); err != nil || i%3 != 0 {
					return err
				}
				return errOwn // its event must not be in the log
			})
			if err != nil && !errors.Is(err, errOwn) {
				t.Error(err)
			}
		}
	})
	check(t, db, want)
	stop()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = OpenAt(t, where, clock.System{}) // the chain goes on where it was
	worker(t, func(ctx context.Context) error { return db.RunSealer(ctx, "s") })
	update(t, db, func(tx *store.Tx) error { return tx.AppendEvent(event(tx, "later")) })
	want["later"] = true
	check(t, db, want)
}

// sealersTakeOver: sealers come and go while events are written; each event is in the log once.
func sealersTakeOver(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	want := map[string]bool{}
	for round := range 5 {
		var stops []func()
		for s := range 3 {
			stops = append(stops, worker(t, func(ctx context.Context) error {
				return db.RunSealer(ctx, fmt.Sprintf("%d-%d", round, s))
			}))
		}
		parallel(10, func(i int) {
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				return tx.AppendEvent(event(tx, fmt.Sprintf("%d-%d", round, i)))
			})
			if err != nil {
				t.Error(err)
			}
		})
		for i := range 10 {
			want[fmt.Sprintf("%d-%d", round, i)] = true
		}
		for _, stop := range stops {
			stop()
		}
	}
	worker(t, func(ctx context.Context) error { return db.RunSealer(ctx, "last") })
	check(t, db, want)
}

func auditCursor(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	cursor := func(sink string) (seq int64) {
		err := db.View(t.Context(), func(tx *store.Tx) (err error) {
			seq, err = tx.AuditCursor(sink)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	set := func(seq int64) error {
		return db.Update(t.Context(), func(tx *store.Tx) error { return tx.SetAuditCursor("file", seq) })
	}
	if got := cursor("file"); got != 0 {
		t.Errorf("new sink is at %d", got)
	}
	if err := errors.Join(set(5), set(5), set(9)); err != nil {
		t.Error(err)
	}
	if err := set(7); !errors.Is(err, store.ErrLost) {
		t.Errorf("set back: %v", err)
	}
	if file, other := cursor("file"), cursor("other"); file != 9 || other != 0 {
		t.Errorf("file is at %d, other at %d", file, other)
	}
}
