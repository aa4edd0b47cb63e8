package login_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/totp"
)

// TestEnrolAnApp is the way of somebody new: a one-time password, the first device, a password of their own.
func TestEnrolAnApp(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	p := w.giveOneTime()
	id := w.give(w.claim("alice", here), p, here)
	w.expect(id, login.AskDevice, false)
	app, err := w.NewApp(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.NewApp(t.Context(), id); err != nil || again != app { // a reloaded page shows the same secret
		t.Errorf("the second look shows %+v, %v", again, err)
	}
	seed, err := totp.ParseSeed(app.Secret)
	if err != nil || !strings.HasPrefix(app.URI, "otpauth://totp/Sallyport:alice?secret="+app.Secret) {
		t.Fatalf("%+v, %v", app, err)
	}
	if same, err := w.RegisterApp(t.Context(), id, w.wrongCode(seed), "", here); err != nil || same != id {
		t.Errorf("a wrong code gave %q, %v", same, err)
	}
	w.expect(id, login.AskDevice, true)
	w.devices(0)
	code := w.code(seed)
	next, err := w.RegisterApp(t.Context(), id, code, "", here)
	if err != nil || next == id {
		t.Fatalf("RegisterApp = %q, %v", next, err)
	}
	w.gone(id)
	w.expect(next, login.AskNewPassword, false)
	next = w.choose(next, chosen, chosen)
	w.expect(next, login.Done, false)
	if p := w.session(w.finish(next, here)); !p.MFAAt.Equal(w.clock.Now()) {
		t.Errorf("the session's second factor was proved at %v", p.MFAAt)
	}
	w.update(func(tx *store.Tx) error {
		all, err := login.Factors(tx, w.user.ID)
		if len(all) != 1 || all[0].Name != "Authenticator app" || strings.Contains(string(all[0].Sealed), app.Secret) {
			t.Errorf("the device is %+v", all)
		}
		return err
	})

	id = w.give(w.claim("alice", here), chosen, here)
	w.expect(id, login.AskMFA, false)
	w.expect(w.giveCode(id, code, here), login.AskMFA, true) // it registered the app and is used up
	w.clock.Advance(30 * time.Second)
	id = w.giveCode(id, w.code(seed), here)
	w.expect(id, login.Done, false)
	w.finish(id, here)
}

// TestCodeWorksOnce: not again, and not one from before a later one.
func TestCodeWorksOnce(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	seed := w.app()
	ask := func() string { return w.give(w.claim("alice", here), password, here) }
	before, now := seed.Code(totp.Step(w.clock.Now())-1), w.code(seed)
	first, second, third := ask(), ask(), ask()
	if _, err := w.Finish(t.Context(), first, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("the second factor was skipped: %v", err)
	}
	w.expect(w.giveCode(first, now[:3]+" "+now[3:], here), login.Done, false)
	w.expect(w.giveCode(second, now, here), login.AskMFA, true)
	w.expect(w.giveCode(third, before, here), login.AskMFA, true)
	p, err := w.Where(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	w.giveCode(third, w.wrongCode(seed), here)
	if q, err := w.Where(t.Context(), third); err != nil || q.Problem != p.Problem {
		t.Errorf("a used code says %q, a wrong one %q, %v", p.Problem, q.Problem, err)
	}
	w.clock.Advance(30 * time.Second)
	w.expect(w.giveCode(third, w.code(seed), here), login.Done, false)
	w.expect(w.giveCode(second, w.code(seed), here), login.AskMFA, true)
}

// TestOneCodeOneWinner: twenty browsers give one code at the same time.
func TestOneCodeOneWinner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open opener) {
		w := newMFAWorldOn(t, open)
		w.set("sign-in.free-failures", "100") // the lock is not what stops them
		seed := w.app()
		var ids []string
		for range 20 {
			ids = append(ids, w.give(w.claim("alice", here), password, here))
		}
		code := w.code(seed)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				next, err := w.GiveCode(t.Context(), ids[i], code, false, here)
				if err != nil {
					t.Error(err)
				}
				ids[i] = next
			})
		}
		all.Wait()
		won := 0
		for _, id := range ids {
			p, err := w.Where(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if p.Step == login.Done {
				won++
			}
		}
		if won != 1 {
			t.Errorf("one code was taken %d times", won)
		}
	})
}

// TestCodesAreLocked: the lock rises, holds for the right code, ends, and is none for passkeys.
func TestCodesAreLocked(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	key := w.key("alice")
	seed := w.app()
	id := w.give(w.claim("alice", here), password, here)
	wrong := func(n int) {
		for range n {
			w.expect(w.giveCode(id, w.wrongCode(seed), here), login.AskMFA, true)
		}
	}
	locked := func(d time.Duration) {
		t.Helper()
		w.update(func(tx *store.Tx) error {
			s, err := w.StateOf(tx, w.user.ID)
			if got := max(0, s.LockedUntil.Sub(w.clock.Now())); got != d {
				t.Errorf("locked for %v, want %v", got, d)
			}
			return err
		})
	}
	wrong(4)
	locked(0)
	wrong(1)
	locked(5 * time.Second)
	other := w.give(w.claim("alice", here), password, here)
	w.expect(w.giveCode(other, w.code(seed), here), login.AskMFA, true) // in another attempt, too
	locked(5 * time.Second)                                             // a try under a lock makes it no longer
	w.expect(w.givePasskey(other, key.Get(w.options(other))), login.Done, false)

	w.clock.Advance(5 * time.Second)
	wrong(1)
	locked(10 * time.Second)
	w.clock.Advance(10 * time.Second)
	w.expect(w.giveCode(id, w.code(seed), here), login.Done, false)
	locked(0)

	id = w.give(w.claim("alice", here), password, here)
	wrong(5)
	locked(5 * time.Second)
	w.update(func(tx *store.Tx) error { return w.Unlock(tx, w.user.ID) })
	locked(0)
	next := seed.Code(totp.Step(w.clock.Now()) + 1) // of a clock that is fast
	w.expect(w.giveCode(id, next, here), login.Done, false)
}

// TestKindsAndNumbersOfDevices holds what the settings allow.
func TestKindsAndNumbersOfDevices(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	seed := w.app()
	w.app()
	id := w.give(w.claim("alice", here), password, here)
	id = w.giveCode(id, w.code(seed), here)
	in := w.finish(id, here)
	add := func(wish string) error {
		t.Helper()
		id, err := w.ClaimToConfirm(t.Context(), w.session(in), login.Confirm{WantsDevice: true})
		if err != nil {
			t.Fatal(err)
		}
		w.expect(id, login.AskDevice, false)
		if wish == "app" {
			_, err = w.NewApp(t.Context(), id)
		} else {
			_, err = w.PasskeyOptions(t.Context(), id)
		}
		return err
	}
	if err := add("app"); fault.KindOf(err) != fault.Quota {
		t.Errorf("a third app: %v", err)
	}
	w.set("mfa.max-totp", "3")
	w.set("mfa.types", "totp")
	if err := add("app"); err != nil {
		t.Errorf("a third app where there may be three: %v", err)
	}
	if err := add("passkey"); fault.KindOf(err) != fault.Denied {
		t.Errorf("a passkey where there are none: %v", err)
	}

	w.set("mfa.types", "passkey") // the apps are worth nothing now: alice has no device
	w.expect(w.give(w.claim("alice", here), password, here), login.Blocked, false)
}

// TestDevicesAreTold: a new device is on record, in the portal and in a letter.
func TestDevicesAreTold(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	mail := w.mailbox()
	w.set("mfa.first-device", setting.Password)
	seen := int64(len(w.events(0)))
	id := w.give(w.claim("alice", here), password, here)
	app, err := w.NewApp(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := totp.ParseSeed(app.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.RegisterApp(t.Context(), id, w.code(seed), "bad\nname", here); err != nil {
		t.Fatal(err)
	}
	w.expect(id, login.AskDevice, true)
	if id, err = w.RegisterApp(t.Context(), id, w.code(seed), " My phone ", here); err != nil {
		t.Fatal(err)
	}
	w.finish(id, here)
	w.clock.Advance(refresh)
	id = w.give(w.claim("alice", here), password, here)
	w.giveCode(id, w.wrongCode(seed), here)
	w.finish(w.giveCode(id, w.code(seed), here), here)
	want := []string{
		"CredentialChallenge Success PASSWORD alice", "CredentialVerification Success PASSWORD", "CompleteVirtualMfaDeviceRegistration",
		"UserAuthentication Success PASSWORD,TOTP", "Authenticate",
		"CredentialChallenge Success PASSWORD alice", "CredentialVerification Success PASSWORD",
		"CredentialChallenge Success TOTP", "CredentialVerification Failure TOTP", "CredentialChallenge Success TOTP", "CredentialVerification Success TOTP",
		"UserAuthentication Success PASSWORD,TOTP", "Authenticate",
	}
	if d := cmp.Diff(want, lines(w.events(seen))); d != "" {
		t.Error(d)
	}
	if m := mail(1)[0]; !strings.Contains(m.Text, "My phone") || !strings.Contains(m.Text, here.IP) || !linkInLetter.MatchString(m.Text) {
		t.Errorf("the letter is %q", m.Text)
	}
}

// TestAppSurvivesAPasskey: the secret that was scanned is the one that is registered, whatever was tried in between.
func TestAppSurvivesAPasskey(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	id := w.give(w.claim("alice", here), w.giveOneTime(), here)
	app, err := w.NewApp(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	w.options(id)
	w.expect(w.givePasskey(id, []byte("{}")), login.AskDevice, true)
	if again, err := w.NewApp(t.Context(), id); err != nil || again != app {
		t.Errorf("the secret is %q, then %q, %v", app.Secret, again.Secret, err)
	}
}
