package login_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// problem is what the attempt's page says.
func (w *world) problem(id string) string {
	w.t.Helper()
	p, err := w.Where(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Problem
}

// TestPasskey is enrolled with a one-time password, then used as the second factor and alone.
func TestPasskey(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	key := passkeytest.New(origin)
	id := w.give(w.claim("alice", here), w.giveOneTime(), here)
	w.expect(id, login.AskDevice, false)
	next := w.givePasskey(id, key.Create(w.options(id)))
	w.gone(id)
	w.expect(next, login.AskNewPassword, false)
	w.finish(w.choose(next, chosen, chosen), here)

	seen := int64(len(w.events(0)))
	id = w.give(w.claim("alice", here), chosen, here)
	w.expect(id, login.AskMFA, false)
	next = w.givePasskey(id, key.Get(w.options(id)))
	w.gone(id)
	w.finish(next, here)

	id = w.alone()
	w.expect(id, login.AskPasskey, false)
	next = w.givePasskey(id, key.Get(w.options(id)))
	w.gone(id)
	in := w.finish(next, here)
	if p := w.session(in); p.UserID != w.user.ID || !p.MFAAt.Equal(w.clock.Now()) || in.Next != "/portal?after=1" {
		t.Errorf("the session is %+v, next %s", p, in.Next)
	}
	want := []string{
		"CredentialChallenge Success PASSWORD alice", "CredentialVerification Success PASSWORD", "CredentialChallenge Success WEBAUTHN",
		"CredentialVerification Success WEBAUTHN", "UserAuthentication Success PASSWORD,WEBAUTHN", "Authenticate",
		"CredentialChallenge Success WEBAUTHN", "CredentialVerification Success WEBAUTHN", "UserAuthentication Success WEBAUTHN", "Authenticate",
	}
	if d := cmp.Diff(want, lines(w.events(seen))); d != "" {
		t.Error(d)
	}
}

// TestBadPasskeys: each is refused with a word on the page and on record, and the attempt is where it was.
func TestBadPasskeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		knob   func(*passkeytest.Authenticator)
		second bool // whether it would do as a second factor
	}{
		"counter went back": {func(a *passkeytest.Authenticator) { a.CounterBack = true }, false},
		"other site":        {func(a *passkeytest.Authenticator) { a.Origin = "https://id.example.net" }, false},
		"other RP id":       {func(a *passkeytest.Authenticator) { a.RPID = "example.org" }, false},
		"other challenge":   {func(a *passkeytest.Authenticator) { a.Challenge = "AAAAAAAAAAAAAAAAAAAAAA" }, false},
		"other key":         {func(a *passkeytest.Authenticator) { a.ImpostorKeys = true }, false},
		"nobody there":      {func(a *passkeytest.Authenticator) { a.Absent = true }, false},
		"user not verified": {func(a *passkeytest.Authenticator) { a.UserVerified, a.Unverified = false, true }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMFAWorld(t)
			key := w.key("alice")
			c.knob(key)
			seen := int64(len(w.events(0)))
			id := w.alone()
			if same := w.givePasskey(id, key.Get(w.options(id))); same != id {
				t.Error("signed in")
			}
			w.expect(id, login.AskPasskey, true)
			want := []string{"CredentialChallenge Success WEBAUTHN", "CredentialVerification Failure WEBAUTHN"}
			if d := cmp.Diff(want, lines(w.events(seen))); d != "" {
				t.Error(d)
			}
			id = w.give(w.claim("alice", here), password, here)
			next := w.givePasskey(id, key.Get(w.options(id)))
			if c.second {
				w.expect(next, login.Done, false)
			} else {
				w.expect(next, login.AskMFA, true)
			}
		})
	}
}

// TestUserHandleIsNotBelieved: the browser says whose a passkey is, and nobody signs that.
func TestUserHandleIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	bob := w.addUser("bob")
	key := w.key("alice")
	for _, handle := range []string{bob.ID, "nobody", ""} {
		id := w.alone()
		var r passkeytest.Response
		if err := json.Unmarshal(key.Get(w.options(id)), &r); err != nil {
			t.Fatal(err)
		}
		r.Response.UserHandle = []byte(handle)
		answer, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(w.givePasskey(id, answer), login.AskPasskey, true)
	}
}

// TestClonedPasskey: the refusal says so, names its person in the audit log, and leaves the counter as it was.
func TestClonedPasskey(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	key := w.key("alice")
	id := w.alone()
	w.givePasskey(id, key.Get(w.options(id)))
	key.CounterBack = true
	for _, id := range []string{w.alone(), w.give(w.claim("alice", here), password, here)} {
		seen := int64(len(w.events(0)))
		w.givePasskey(id, key.Get(w.options(id)))
		if p := w.problem(id); !strings.Contains(p, "counter went back") {
			t.Errorf("the page says %q", p)
		}
		events := w.events(seen)
		if d := cmp.Diff([]string{"CredentialChallenge Success WEBAUTHN", "CredentialVerification Failure WEBAUTHN"}, lines(events)); d != "" {
			t.Error(d)
		}
		if who := events[1].UserIdentity.OnBehalfOf; who == nil || who.UserID != w.user.ID {
			t.Errorf("the event is of %+v", events[1].UserIdentity)
		}
		if _, err := w.Finish(t.Context(), id, here); !errors.Is(err, login.ErrNoAttempt) {
			t.Errorf("signed in: %v", err)
		}
	}
	w.update(func(tx *store.Tx) error {
		all, err := login.Factors(tx, w.user.ID)
		if all[0].Counter != 2 {
			t.Errorf("the counter is %d, want 2", all[0].Counter)
		}
		return err
	})
}

// TestAnswerIsTakenOnce: a ceremony has one answer, in its own attempt and its own time.
func TestAnswerIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	key := w.key("alice")
	ask := func() string { return w.give(w.claim("alice", here), password, here) }

	id := ask()
	good := key.Get(w.options(id))
	w.expect(w.givePasskey(id, []byte("{}")), login.AskMFA, true)
	if same := w.givePasskey(id, good); same != id { // the wrong answer has used the ceremony up
		t.Errorf("a second answer gave the attempt the id %q", same)
	}
	w.expect(id, login.AskMFA, true)

	used := key.Get(w.options(id))
	w.expect(w.givePasskey(id, used), login.Done, false)
	id = ask()
	w.options(id)
	w.expect(w.givePasskey(id, used), login.AskMFA, true) // replayed under another challenge

	other := ask()
	w.options(other)
	w.expect(w.givePasskey(other, key.Get(w.options(id))), login.AskMFA, true) // of another attempt
	w.expect(w.givePasskey(id, key.Get(w.options(other))), login.AskMFA, true)

	id = w.alone() // what was begun as a second factor is nothing to sign in with
	w.options(id)
	w.expect(w.givePasskey(id, key.Get(w.options(other))), login.AskPasskey, true)

	id = ask()
	late := key.Get(w.options(id))
	w.clock.Advance(5 * time.Minute)
	w.expect(w.givePasskey(id, late), login.AskMFA, true)
	w.expect(w.givePasskey(id, key.Get(w.options(id))), login.Done, false)
}

// TestPasskeyOfAnother is no second factor.
func TestPasskeyOfAnother(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	w.addUser("bob")
	w.key("alice")
	bobs := w.key("bob")
	bob := w.give(w.claim("bob", here), password, here)
	options := w.options(bob)
	id := w.give(w.claim("alice", here), password, here)
	w.options(id)
	w.expect(w.givePasskey(id, bobs.Get(options)), login.AskMFA, true)
	id = w.alone() // alone, it is bob's
	id = w.givePasskey(id, bobs.Get(w.options(id)))
	if p := w.session(w.finish(id, here)); p.UserID == w.user.ID {
		t.Error("bob's passkey signs alice in")
	}
}

// TestPasskeyTellsNothing: unknown, removed, of somebody disabled or deleted: one text, and nobody is in.
func TestPasskeyTellsNothing(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for name, gone := range map[string]func(*world, *store.Tx) error{
		"removed": func(w *world, tx *store.Tx) error {
			all, err := login.Factors(tx, w.user.ID)
			if err == nil {
				_, err = w.RemoveFactor(tx, w.user.ID, all[0].ID, "", "test")
			}
			return err
		},
		"disabled": func(w *world, tx *store.Tx) error { return w.Disable(tx, w.user.ID, "test") },
		"deleted":  func(w *world, tx *store.Tx) error { return directory.DeleteUser(tx, storeID, w.user.ID, "") },
	} {
		w := newMFAWorld(t)
		key := w.key("alice")
		id := w.alone()
		answer := key.Get(w.options(id))
		done := w.alone()
		done = w.givePasskey(done, key.Get(w.options(done)))
		w.update(func(tx *store.Tx) error { return gone(w, tx) })
		w.expect(w.givePasskey(id, answer), login.AskPasskey, true)
		said[w.problem(id)] = true
		if _, err := w.Finish(t.Context(), done, here); !errors.Is(err, login.ErrNoAttempt) {
			t.Errorf("%s: signed in: %v", name, err)
		}
	}
	if len(said) != 1 {
		t.Errorf("the pages differ: %v", said)
	}
}

// TestDeviceOfSomebodyGone: who is disabled or deleted during the registration gets no device.
func TestDeviceOfSomebodyGone(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(*world, *store.Tx) error{
		"disabled": func(w *world, tx *store.Tx) error { w.user.Status = store.UserDisabled; return tx.UpdateUser(w.user) },
		"deleted":  func(w *world, tx *store.Tx) error { return directory.DeleteUser(tx, storeID, w.user.ID, "") },
	} {
		w := newMFAWorld(t)
		id := w.give(w.claim("alice", here), w.giveOneTime(), here)
		answer := passkeytest.New(origin).Create(w.options(id))
		w.update(func(tx *store.Tx) error { return gone(w, tx) })
		if _, err := w.GivePasskey(t.Context(), id, string(answer), "", false, here); !errors.Is(err, login.ErrNoAttempt) {
			t.Errorf("%s: %v", name, err)
		}
		w.devices(0)
	}
}

func TestPasskeySignInTurnedOff(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	key := w.key("alice")
	w.set("mfa.passkey-sign-in", "false")
	if _, err := w.PasskeyOptions(t.Context(), w.alone()); fault.KindOf(err) != fault.Denied {
		t.Errorf("it was begun: %v", err)
	}
	id := w.give(w.claim("alice", here), password, here)
	w.expect(w.givePasskey(id, key.Get(w.options(id))), login.Done, false)

	w.set("mfa.without-device", setting.Block)
	w.addUser("bob")
	if _, err := w.PasskeyOptions(t.Context(), w.give(w.claim("bob", here), password, here)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a ceremony where none is asked for: %v", err)
	}
}
