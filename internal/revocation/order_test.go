package revocation

import (
	"sync"
	"testing"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// A transaction takes the last paths away and stays open. While it does, credentials are minted from a snapshot without
// it, and, where the engine can, later transactions commit and are read by polls. The credentials look newer than their own
// revocation; they must die all the same once it commits (hard part 3).
func TestRevocationThatCommitsLate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		var begun sync.Once
		inside, release, committed := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			committed <- h.db.Update(t.Context(), func(tx *store.Tx) error {
				for _, a := range []store.Assignment{h.direct, h.byGroup} {
					if _, err := access.BeginDeletion(tx, a); err != nil {
						return err
					}
				}
				begun.Do(func() { close(inside) })
				<-release
				return nil
			})
		}()
		<-inside
		h.clock.Advance(5 * time.Second)
		var c credential.Caller
		err := h.db.View(t.Context(), func(tx *store.Tx) error {
			c = h.caller()
			c.Issued = tx.Now()
			return Evaluate(tx, c)
		})
		if err != nil {
			t.Fatalf("the right has gone before the commit: %v", err)
		}
		if !h.db.PushesChanges() { // SQLite has one writer: nothing can commit beside it
			for range 3 {
				h.update(t, func(tx *store.Tx) error { return tx.Changed("user:somebody-else") })
				if got := h.check(t, c); got != "" {
					t.Errorf("while the revocation is open: %s", got)
				}
			}
		}
		close(release)
		if err := <-committed; err != nil {
			t.Fatal(err)
		}
		if got := h.check(t, c); got != fault.AuthRevoked {
			t.Errorf("after the commit: %q", got)
		}
	})
}

// What one node revokes dies on the other with its next poll, and at once on the node itself.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	dsn := storetest.NewPostgres(t)
	a := newHouse(t, func(tb testing.TB, c clock.Clock) *store.DB { return storetest.OpenAt(tb, dsn, c) })
	other := New(storetest.OpenAt(t, dsn, a.clock), Evaluate)
	if err := other.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := a.caller()
	if err := other.Check(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	a.update(t, func(tx *store.Tx) error { return a.sessions.End(tx, a.parent, by) })
	if got := reason(a.gate.Check(t.Context(), c)); got != fault.AuthRevoked {
		t.Errorf("where it was done, before any poll: %s", got)
	}
	if err := other.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := reason(other.Check(t.Context(), c)); got != fault.AuthRevoked {
		t.Errorf("on the other node: %s", got)
	}
}
