package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"sallyport/internal/clock"
)

// TestRecordTogether: events that many record at once are all there, and one that the database refuses is its own caller's trouble.
func TestRecordTogether(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), newPostgres(t), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	event := func(id string) Event { return Event{ID: id, At: db.Now(), JSON: []byte(`{"eventName":"x"}`)} }
	if err := db.AppendEvents(t.Context(), event("taken")); err != nil {
		t.Fatal(err)
	}
	began := db.Stats().Transactions
	const callers = 200
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			switch n % 10 {
			case 0:
				if err := db.AppendEvents(t.Context(), event("taken")); !errors.Is(err, ErrExists) {
					t.Errorf("the same id again: %v", err)
				}
			case 1:
				if err := db.AppendEvents(t.Context(), event(fmt.Sprint(n)), event(fmt.Sprint(n, "and another"))); err != nil {
					t.Error(err)
				}
			case 2: // who has given up may or may not be in it, and is not left waiting
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := db.AppendEvents(ctx, event(fmt.Sprint("gone", n))); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			default:
				if err := db.AppendEvents(t.Context(), event(fmt.Sprint(n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if ran := db.Stats().Transactions - began; ran > callers+callers/2 {
		t.Errorf("%d statements for %d callers", ran, callers)
	}
	sealed, gone := 0, 0
	for _, e := range seal(t, db) {
		if sealed++; strings.HasPrefix(e.ID, "gone") {
			gone++
		}
	}
	if want := 1 + callers*8/10 + callers/10; sealed-gone != want {
		t.Errorf("%d events are in the log, want %d", sealed-gone, want)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.AppendEvents(t.Context(), event("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// seal seals what is in the inbox and returns the log.
func seal(t *testing.T, db *DB) (log []SealedEvent) {
	t.Helper()
	lease, err := db.AcquireLease(t.Context(), sealerLease, "test", sealerTTL)
	if err != nil {
		t.Fatal(err)
	}
	for n := sealBatch; n == sealBatch; {
		if n, err = db.sealSome(t.Context(), lease); err != nil {
			t.Fatal(err)
		}
	}
	err = db.View(t.Context(), func(tx *Tx) (err error) { log, err = tx.AuditLog(0, 10_000); return err })
	if err != nil {
		t.Fatal(err)
	}
	return log
}
