package session

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

func hashOf(t Token) string { return credential.HashBearer(string(t.Access)) }

func (w *world) enter(cookie string) error {
	return w.db.View(context.Background(), func(tx *store.Tx) error {
		_, err := w.Portal(tx, cookie)
		return err
	})
}

func TestPortal(t *testing.T) {
	w := onSQLite(t)
	if err := w.enter(w.cookie); err != nil {
		t.Fatal(err)
	}
	for _, cookie := range []string{"", "aop", w.cookie + "x", w.portal.ID, w.portal.CookieHash, string(make([]byte, 10_000))} {
		wantKind(t, w.enter(cookie), fault.Unauthenticated)
	}
	w.setStatus(store.UserDisabled)
	wantKind(t, w.enter(w.cookie), fault.Unauthenticated)
	w.setStatus(store.UserEnabled)
	w.clock.Advance(8*time.Hour - time.Microsecond)
	if err := w.enter(w.cookie); err != nil {
		t.Error(err)
	}
	w.clock.Advance(time.Microsecond)
	wantKind(t, w.enter(w.cookie), fault.Unauthenticated)
}

// TestUserAgentIsNoText: what a browser sends need not be UTF-8, and PostgreSQL takes nothing else.
func TestUserAgentIsNoText(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		from := Origin{IP: "192.0.2.7", UserAgent: "a\xff" + strings.Repeat("é", 200)}
		w.update(func(tx *store.Tx) error {
			_, p, err := w.StartPortal(tx, w.user, from, time.Time{})
			if err == nil && (!utf8.ValidString(p.UserAgent) || len(p.UserAgent) > 256) {
				t.Errorf("stored %q", p.UserAgent)
			}
			return err
		})
	})
}

// TestEnd: a CLI login ends with the portal session it was approved in, and may end alone (hard part 8).
func TestEnd(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		_, one := w.login()
		_, other := w.login()
		c, err := w.caller(one.Access)
		if err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) error { return w.End(tx, c.SessionID, "u-1") })
		_, err = w.caller(one.Access)
		wantKind(t, err, fault.Unauthenticated)
		if _, err := w.caller(other.Access); err != nil {
			t.Errorf("the neighbour ended too: %v", err)
		}
		if err := w.enter(w.cookie); err != nil {
			t.Errorf("the parent ended too: %v", err)
		}
		w.update(func(tx *store.Tx) error { return w.End(tx, w.portal.ID, "u-1") })
		w.update(func(tx *store.Tx) error { return w.End(tx, w.portal.ID, "again") })
		_, err = w.caller(other.Access)
		wantKind(t, err, fault.Unauthenticated)
		wantKind(t, w.enter(w.cookie), fault.Unauthenticated)
		if got := w.changes(); !got["session:"+c.SessionID] || !got["session:"+w.portal.ID] {
			t.Errorf("changes written: %v", got)
		}
	})
}

func TestEndAllOf(t *testing.T) {
	w := onSQLite(t)
	_, tok := w.login()
	w.update(func(tx *store.Tx) error { _, err := w.EndAllOf(tx, w.user.ID, "operator"); return err })
	_, err := w.caller(tok.Access)
	wantKind(t, err, fault.Unauthenticated)
	wantKind(t, w.enter(w.cookie), fault.Unauthenticated)
	if !w.changes()["user:u-1"] {
		t.Error("credentials are not told")
	}
}

func TestEnded(t *testing.T) {
	w := onSQLite(t)
	_, tok := w.login()
	c, err := w.caller(tok.Access)
	if err != nil {
		t.Fatal(err)
	}
	ended := func(id string) (is bool) {
		w.update(func(tx *store.Tx) (err error) { is, err = Ended(tx, id); return err })
		return is
	}
	w.clock.Advance(9 * time.Hour)
	if ended(c.SessionID) || ended(w.portal.ID) {
		t.Error("a session that is over by itself counts as ended")
	}
	w.update(func(tx *store.Tx) error { return w.End(tx, w.portal.ID, "u-1") })
	if !ended(c.SessionID) || !ended(w.portal.ID) || !ended("nobody's") {
		t.Error("an ended session does not count as ended")
	}
}

// TestDisabledUserIsOut is a part of case S14, without anybody ending the session.
func TestDisabledUserIsOut(t *testing.T) {
	w := onSQLite(t)
	_, tok := w.login()
	w.setStatus(store.UserDisabled)
	_, err := w.caller(tok.Access)
	wantKind(t, err, fault.Unauthenticated)
	w.update(func(tx *store.Tx) error { return tx.DeleteUser(w.user.ID) })
	_, err = w.caller(tok.Access)
	wantKind(t, err, fault.Unauthenticated)
	wantKind(t, w.enter(w.cookie), fault.Unauthenticated)
}

func TestAuthenticateRefusesAlike(t *testing.T) {
	w := onSQLite(t)
	_, tok := w.login()
	for _, bearer := range []string{"", "x", string(tok.Access) + "x", string(tok.Refresh), w.cookie, string(make([]byte, 10_000))} {
		_, err := w.caller(credential.Secret(bearer))
		wantKind(t, err, fault.Unauthenticated)
		if got := fault.As(err).Message; got != "Session token not found or invalid" {
			t.Errorf("message %q", got)
		}
	}
}

func TestPrune(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		c, tok := w.login()
		w.must(refreshWith(c, tok))
		prune := func() {
			for more := true; more; {
				w.update(func(tx *store.Tx) (err error) { more, err = w.Prune(tx); return err })
			}
		}
		prune()
		if _, err := w.caller(tok.Access); err != nil {
			t.Errorf("a live token went: %v", err)
		}
		w.clock.Advance(9 * time.Hour)
		prune()
		w.update(func(tx *store.Tx) error {
			if _, err := tx.Bearer(hashOf(tok)); err != store.ErrNotFound {
				t.Errorf("the expired token is still there: %v", err)
			}
			_, err := tx.Session(w.portal.ID) // role credentials may still hang on it
			return err
		})
		w.clock.Advance(keepSessions)
		prune()
		w.update(func(tx *store.Tx) error {
			if _, err := tx.Session(w.portal.ID); err != store.ErrNotFound {
				t.Errorf("the old session is still there: %v", err)
			}
			return nil
		})
	})
}
