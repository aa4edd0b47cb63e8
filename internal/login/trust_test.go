package login_test

import (
	"testing"
	"time"

	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// trustedWorld is one in which alice's browser is trusted: it returns the browser.
func trustedWorld(t *testing.T) (*world, login.Browser) {
	t.Helper()
	w := newMFAWorld(t)
	w.set("mfa.mode", setting.ContextAware)
	seed := w.app()
	w.clock.Advance(refresh) // what was trusted until the password was set is not any more
	id := w.give(w.claim("alice", here), password, here)
	w.expect(id, login.AskMFA, false)
	id, err := w.GiveCode(t.Context(), id, w.code(seed), true, here)
	if err != nil {
		t.Fatal(err)
	}
	in := w.finish(id, here)
	if in.Trust == "" {
		t.Fatal("the browser got no mark of trust")
	}
	from := here
	from.Trust = in.Trust
	w.clock.Advance(refresh)
	return w, from
}

// asks says whether the browser is asked for a second factor.
func (w *world) asks(from login.Browser, want bool) {
	w.t.Helper()
	step := login.Done
	if want {
		step = login.AskMFA
	}
	w.expect(w.give(w.claim("alice", from), password, from), step, false)
}

func TestTrustedBrowser(t *testing.T) {
	t.Parallel()
	w, from := trustedWorld(t)
	w.asks(from, false)
	w.asks(here, true) // without its mark
	w.addUser("bob")
	w.set("mfa.first-device", setting.Password)
	w.expect(w.give(w.claim("bob", from), password, from), login.AskDevice, false) // another person in it
	w.set("mfa.mode", setting.Always)
	w.asks(from, true)
	w.set("mfa.mode", setting.ContextAware)
	w.clock.Advance(30*24*time.Hour - 2*refresh)
	w.asks(from, false)
	w.clock.Advance(2 * refresh)
	w.asks(from, true)
}

// TestTrustEnds by what changes in the browser, and by what the person or the operator does.
func TestTrustEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, from *login.Browser){
		"network": func(_ *world, from *login.Browser) { from.IP = "203.0.113.9" },
		"agent":   func(_ *world, from *login.Browser) { from.UserAgent = "another" },
		"forged":  func(_ *world, from *login.Browser) { from.Trust = from.Trust[:len(from.Trust)-2] + "xx" },
		"signed out everywhere": func(w *world, _ *login.Browser) {
			w.update(func(tx *store.Tx) error { _, err := w.Sessions.EndAllOf(tx, w.user.ID, "test"); return err })
		},
		"everybody signed out by the operator": func(w *world, _ *login.Browser) {
			w.update(func(tx *store.Tx) error { _, err := w.Sessions.EndEverything(tx, "test"); return err })
		},
		"device removed": func(w *world, _ *login.Browser) {
			w.app() // the other stays
			w.update(func(tx *store.Tx) error {
				all, err := login.Factors(tx, w.user.ID)
				if err != nil {
					return err
				}
				_, err = w.RemoveFactor(tx, w.user.ID, all[0].ID, "", "test")
				return err
			})
		},
		"disabled and enabled": func(w *world, _ *login.Browser) {
			w.update(func(tx *store.Tx) error { return w.Disable(tx, w.user.ID, "test") })
			w.update(func(tx *store.Tx) error { return w.Enable(tx, w.user.ID, "test") })
		},
		"password reset by the operator": func(w *world, _ *login.Browser) { w.setPassword(password, false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, from := trustedWorld(t)
			w.asks(from, false)
			end(w, &from)
			w.asks(from, true)
		})
	}
}
