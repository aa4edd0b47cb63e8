package session

import (
	"sync"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

func refreshWith(c Client, t Token) TokenRequest {
	return TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: RefreshGrant, RefreshToken: string(t.Refresh)}
}

func TestRefresh(t *testing.T) {
	w := onSQLite(t)
	c, first := w.login()
	w.clock.Advance(50 * time.Minute)
	second := w.must(refreshWith(c, first))
	third := w.must(refreshWith(c, second))
	if first.Refresh == second.Refresh || second.Refresh == third.Refresh || first.Access == second.Access {
		t.Error("a refresh must give new tokens")
	}
	a, err := w.caller(first.Access)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.caller(third.Access)
	if err != nil || a.SessionID != b.SessionID {
		t.Errorf("the session became another: %v, %v", b, err)
	}
}

// TestRefreshInParallel: processes that share a cache file refresh at once, and whichever answer stays in it goes on.
func TestRefreshInParallel(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		c, first := w.login()
		var mu sync.Mutex
		successors := map[string]bool{}
		var all sync.WaitGroup
		nodes := []*Service{w.restart(), w.restart()}
		for i := range 8 {
			all.Go(func() {
				tok, err := w.token(nodes[i%2], refreshWith(c, first))
				if err != nil {
					t.Errorf("parallel refresh: %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				successors[string(tok.Refresh)] = true
			})
		}
		all.Wait()
		if len(successors) != 1 {
			t.Fatalf("%d different successors", len(successors))
		}
		w.clock.Advance(refreshGrace - time.Microsecond)
		again := w.must(refreshWith(c, first))
		if !successors[string(again.Refresh)] {
			t.Error("within a minute the successor must stay the same")
		}
		w.must(refreshWith(c, again))
	})
}

// TestRefreshTheft: a token used again after the minute ends the family, for thief and victim alike.
func TestRefreshTheft(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		c, stolen := w.login()
		next := w.must(refreshWith(c, stolen))
		w.clock.Advance(refreshGrace)
		w.refused(invalidGrant, refreshWith(c, stolen))
		w.refused(invalidGrant, refreshWith(c, next))
		_, err := w.caller(next.Access)
		wantKind(t, err, fault.Unauthenticated)

		var child store.Session
		w.update(func(tx *store.Tx) error {
			b, err := tx.Bearer(hashOf(next))
			if err != nil {
				return err
			}
			child, err = tx.Session(b.SessionID)
			return err
		})
		if child.EndedBy != "refresh token used twice" || !w.changes()["session:"+child.ID] {
			t.Errorf("session ended by %q, changes %v", child.EndedBy, w.changes())
		}
		w.update(func(tx *store.Tx) error { _, err := w.Portal(tx, w.cookie); return err }) // the browser is not concerned
	})
}

// TestRefreshAfterEnd is case S29.
func TestRefreshAfterEnd(t *testing.T) {
	w := onSQLite(t)
	c, tok := w.login()
	w.update(func(tx *store.Tx) error { return w.End(tx, w.portal.ID, "u-1") })
	w.refused(invalidGrant, refreshWith(c, tok))
	_, err := w.caller(tok.Access)
	wantKind(t, err, fault.Unauthenticated)
}

func TestRefreshRefuses(t *testing.T) {
	w := onSQLite(t)
	c, tok := w.login()
	w.refused(invalidGrant, refreshWith(w.cli(), tok)) // another client's
	access := refreshWith(c, tok)
	access.RefreshToken = string(tok.Access)
	w.refused(invalidGrant, access)

	w.setStatus(store.UserDisabled)
	w.refused(invalidGrant, refreshWith(c, tok))
	w.setStatus(store.UserEnabled)
	w.must(refreshWith(c, tok))
}

// TestLifetimes is case S30: tokens never outlive the portal session, whose end a client session inherits.
func TestLifetimes(t *testing.T) {
	w := onSQLite(t)
	old := w.register(Registration{})
	if got := w.device(old); got.ExpiresIn != 8*time.Hour || got.Refresh != "" {
		t.Errorf("a client without scopes got a token for %v, refresh: %v", got.ExpiresIn, got.Refresh != "")
	}
	c, tok := w.login()
	for range 7 {
		w.clock.Advance(59 * time.Minute)
		tok = w.must(refreshWith(c, tok))
		if tok.ExpiresIn != time.Hour {
			t.Errorf("got a token for %v", tok.ExpiresIn)
		}
	}
	w.clock.Advance(59 * time.Minute)
	tok = w.must(refreshWith(c, tok))
	if want := 8 * time.Minute; tok.ExpiresIn != want {
		t.Errorf("got a token for %v, %v before the end of the portal session", tok.ExpiresIn, want)
	}
	w.clock.Advance(8 * time.Minute)
	w.refused(invalidGrant, refreshWith(c, tok))
	_, err := w.caller(tok.Access)
	wantKind(t, err, fault.Unauthenticated)
}
