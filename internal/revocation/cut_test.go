package revocation

import (
	"sync"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// mint is what credentials open to that are minted now, from a snapshot of now.
func (h *house) mint(tb testing.TB) (c credential.Caller) {
	tb.Helper()
	err := h.db.View(tb.Context(), func(tx *store.Tx) (err error) {
		c = h.caller()
		c.Issued = tx.Now()
		c.CutsSeen, err = tx.LatestCut(Keys(c.UserID, c.Account, c.PermissionSet))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// cuttable is every key by which a cut reaches the house's credentials.
func (h *house) cuttable() []string {
	return []string{"user:" + h.user.ID, "account:" + string(h.direct.Account), "set:" + h.set.ARN(), h.direct.GrantKey()}
}

// A cut ends what was minted before it and nothing that is minted after it, in the same instant of a clock that stands still, and
// whatever was cut before; a cut of something else ends nothing.
func TestCut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		for range 2 { // again: what a later one has seen does not pass an earlier kind of cut
			for _, key := range h.cuttable() {
				before := h.mint(t)
				if got := h.check(t, before); got != "" {
					t.Errorf("before a cut of %s: %s", key, got)
				}
				h.update(t, func(tx *store.Tx) error { return tx.Cut(key) })
				after := h.mint(t)
				for range 2 { // outcomes are remembered, by what was seen
					if got := h.check(t, before); got != fault.AuthRevoked {
						t.Errorf("minted before a cut of %s: %q", key, got)
					}
					if got := h.check(t, after); got != "" {
						t.Errorf("minted after a cut of %s: %s", key, got)
					}
				}
			}
		}
		last := h.mint(t)
		h.update(t, func(tx *store.Tx) error {
			for _, key := range []string{"user:another", "account:210987654321", "set:arn:aws:sso:::permissionSet/ssoins-1/ps-9", "grant:210987654321/" + h.set.ARN()} {
				if err := tx.Cut(key); err != nil {
					return err
				}
			}
			return nil
		})
		if got := h.check(t, last); got != "" {
			t.Errorf("after cuts of others: %s", got)
		}
		key := credential.Caller{Kind: credential.IAMUser, Account: h.direct.Account, Issued: start}
		if got := h.check(t, key); got != "" {
			t.Errorf("a long-term key of the account: %s", got)
		}
	})
}

// A cut stays open while credentials are minted without it: they look newer than it, and must die once it commits. One that is
// minted with it lives, though a wrong clock says that it was issued long before.
func TestCutThatCommitsLate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		var begun sync.Once
		inside, release, committed := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			committed <- h.db.Update(t.Context(), func(tx *store.Tx) error {
				err := tx.Cut("set:" + h.set.ARN())
				begun.Do(func() { close(inside) })
				<-release
				return err
			})
		}()
		<-inside
		h.clock.Advance(5 * time.Second)
		c := h.mint(t)
		if got := h.check(t, c); got != "" {
			t.Errorf("while the cut is open: %s", got)
		}
		close(release)
		if err := <-committed; err != nil {
			t.Fatal(err)
		}
		if got := h.check(t, c); got != fault.AuthRevoked {
			t.Errorf("after the commit: %q", got)
		}
		h.clock.Advance(-30 * time.Second)
		if got := h.check(t, h.mint(t)); got != "" {
			t.Errorf("minted after the commit by a clock that is behind: %s", got)
		}
	})
}

// Numbers follow the order of commits, whoever makes the cuts.
func TestCutsAtOnce(t *testing.T) {
	t.Parallel()
	dsn := storetest.NewPostgres(t)
	h := newHouse(t, func(tb testing.TB, c clock.Clock) *store.DB { return storetest.OpenAt(tb, dsn, c) })
	other := storetest.OpenAt(t, dsn, h.clock)
	const each = 10
	var wg sync.WaitGroup
	for _, db := range []*store.DB{h.db, other} {
		wg.Go(func() {
			for range each {
				for {
					err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.Cut("account:123456789012") })
					if fault.KindOf(err) == fault.Throttled {
						continue
					}
					if err != nil {
						t.Error(err)
					}
					break
				}
			}
		})
	}
	wg.Wait()
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		n, err := tx.LatestCut(Keys("", "123456789012", ""))
		if n != 2*each {
			t.Errorf("%d cuts have the number %d", 2*each, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Cuts that no credential can be older than are forgotten, and their numbers do not come again.
func TestCutsAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Open)
	key := "account:" + string(h.direct.Account)
	h.update(t, func(tx *store.Tx) error { return tx.Cut(key) })
	seen := h.mint(t)
	prune := func(want int64) {
		t.Helper()
		h.update(t, func(tx *store.Tx) error {
			if _, err := Prune(tx); err != nil {
				return err
			}
			n, err := tx.LatestCut(Keys("", arn.AccountID(h.direct.Account), ""))
			if n != want {
				t.Errorf("the last cut is %d, want %d", n, want)
			}
			return err
		})
	}
	h.clock.Advance(credential.MaxDuration)
	prune(1)
	h.clock.Advance(2 * time.Hour)
	prune(0)
	h.update(t, func(tx *store.Tx) error { return tx.Cut(key) })
	if got := h.check(t, seen); got != fault.AuthRevoked {
		t.Errorf("after a cut that came when others were forgotten: %q", got)
	}
}
