package login_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/breach"
	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// signIn signs alice in with her password and, if she has one, the app; the clock moves so that codes are fresh.
func (w *world) signIn(p string, code func() string) login.SignedIn {
	w.t.Helper()
	id := w.give(w.claim("alice", here), p, here)
	if code != nil {
		w.clock.Advance(refresh)
		id = w.giveCode(id, code(), here)
	}
	return w.finish(id, here)
}

// change goes to the page for another password.
func (w *world) toChange(in login.SignedIn) string {
	w.t.Helper()
	id, err := w.ClaimToConfirm(w.t.Context(), w.session(in), login.Confirm{Next: "/account", NewPassword: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// TestPasswordHistory: the last three, and the one in force, are refused.
func TestPasswordHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signIn(password, nil)
	change := func(p string, ok bool) {
		t.Helper()
		w.clock.Advance(time.Second)
		id := w.toChange(in)
		next := w.choose(id, p, p)
		if !ok {
			w.expect(next, login.AskNewPassword, true)
			return
		}
		in = w.finish(next, here)
	}
	change(password, false)
	for n := 1; n <= 3; n++ {
		change(fmt.Sprintf("Another-Word-%d", n), true)
	}
	change(password, false) // the third before the one in force
	change("Another-Word-3", false)
	change("Another-Word-4", true)
	change(password, true)
	w.set("password.history", "0")
	change("Another-Word-4", true)
}

func TestPasswordsThatAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list, err := breach.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Close() }()
	w.Breached = list
	in := w.signIn(password, nil)
	id := w.toChange(in)
	for _, p := range []string{"1qaz!QAZ", "P@ssw0rd", "Short-1", "no-upper-case-1", strings.Repeat("Aa1-", 17)} {
		w.expect(w.choose(id, p, p), login.AskNewPassword, true)
	}
	w.expect(w.choose(id, chosen, chosen+"x"), login.AskNewPassword, true)
	w.set("password.breached", "false")
	w.finish(w.choose(id, "1qaz!QAZ", "1qaz!QAZ"), here)
	w.signIn("1qaz!QAZ", nil)
}

// TestOneTimePasswordExpires, and another in its place makes the first worthless.
func TestOneTimePasswordExpires(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	first := w.giveOneTime()
	second := w.giveOneTime()
	w.expect(w.give(w.claim("alice", here), first, here), login.AskPassword, true)
	w.clock.Advance(7*24*time.Hour - time.Second)
	w.expect(w.give(w.claim("alice", here), second, here), login.AskDevice, false)
	w.clock.Advance(time.Second)
	w.expect(w.give(w.claim("alice", here), second, here), login.AskPassword, true)
}

// TestFreshness: what changes how somebody signs in asks for a factor that was proved a short while ago.
func TestFreshness(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	seed := w.app()
	in := w.signIn(password, func() string { return w.code(seed) })
	fresh := func(want bool) {
		t.Helper()
		w.update(func(tx *store.Tx) error {
			if got, err := w.Fresh(tx, w.session2(tx, in)); err != nil || got != want {
				t.Errorf("fresh is %v, %v", got, err)
			}
			return nil
		})
	}
	fresh(true)
	w.expect(w.toChange(in), login.AskNewPassword, false)
	w.clock.Advance(10 * time.Minute)
	fresh(false)
	id := w.toChange(in)
	w.expect(id, login.AskMFA, false)
	if _, err := w.ChangePassword(t.Context(), id, chosen, chosen, here); err == nil {
		w.expect(id, login.AskMFA, false)
	}
	was := in.Cookie
	id = w.giveCode(id, w.code(seed), here)
	in = w.finish(w.choose(id, chosen, chosen), here)
	if in.Cookie == was || in.Cookie == "" || in.Next != "/account" {
		t.Errorf("after the change the cookie is %q, next %s", in.Cookie, in.Next)
	}
	w.update(func(tx *store.Tx) error {
		if _, err := w.Sessions.Portal(tx, string(was)); err == nil {
			t.Error("the old cookie is good still")
		}
		return nil
	})
	fresh(true)
	id, err := w.ClaimToConfirm(t.Context(), w.session(in), login.Confirm{Next: "/confirm"}) // a wish for freshness itself
	if err != nil {
		t.Fatal(err)
	}
	w.expect(id, login.AskMFA, false)
}

// session2 is the session of a cookie in a transaction at hand.
func (w *world) session2(tx *store.Tx, in login.SignedIn) store.Session {
	w.t.Helper()
	p, err := w.Sessions.Portal(tx, string(in.Cookie))
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// TestAdministration: disabling ends everything, enabling brings nothing of it back.
func TestAdministration(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	w.set("mfa.mode", setting.Off)
	in := w.signIn(password, nil)
	pending := w.give(w.claim("alice", here), password, here)
	w.update(func(tx *store.Tx) error { return w.Disable(tx, w.user.ID, "test") })
	if _, err := w.Finish(t.Context(), pending, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("signed in: %v", err)
	}
	w.expect(w.give(w.claim("alice", here), password, here), login.AskPassword, true)
	w.update(func(tx *store.Tx) error { return w.Enable(tx, w.user.ID, "test") })
	w.update(func(tx *store.Tx) error {
		if _, err := w.Sessions.Portal(tx, string(in.Cookie)); err == nil {
			t.Error("the session is back")
		}
		return nil
	})
	w.signIn(password, nil)
}
