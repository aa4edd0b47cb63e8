package login_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/totp"
)

// dead checks that a link is worth nothing any more.
func (w *world) dead(token string) {
	w.t.Helper()
	if _, err := w.FollowLink(w.t.Context(), token, "", here); !errors.Is(err, login.ErrNoLink) {
		w.t.Errorf("the link was followed: %v", err)
	}
}

// enrol registers an app in an attempt that asks for a device, and returns its seed and the attempt's new id.
func (w *world) enrol(id string) (totp.Seed, string) {
	w.t.Helper()
	app, err := w.NewApp(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	seed, err := totp.ParseSeed(app.Secret)
	if err != nil {
		w.t.Fatal(err)
	}
	if id, err = w.RegisterApp(w.t.Context(), id, w.code(seed), "", here); err != nil {
		w.t.Fatal(err)
	}
	return seed, id
}

// TestFirstDevice: a stolen password is not enough to register one, unless the operator says so.
func TestFirstDevice(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	id := w.give(w.claim("alice", here), password, here)
	w.expect(id, login.Blocked, false)
	if _, err := w.NewApp(t.Context(), id); err == nil {
		t.Error("an app may be registered")
	}
	if _, err := w.PasskeyOptions(t.Context(), id); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a passkey may be registered: %v", err)
	}
	if same, err := w.RegisterApp(t.Context(), id, "123456", "", here); err != nil || same != id {
		t.Errorf("RegisterApp = %q, %v", same, err)
	}
	if _, err := w.Finish(t.Context(), id, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("signed in: %v", err)
	}
	w.set("mfa.first-device", setting.Password)
	w.expect(id, login.AskDevice, false)
	_, id = w.enrol(id)
	w.finish(id, here)
	w.devices(1)
}

// TestInvitation leads to a device and a password, and works once.
func TestInvitation(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	token := w.invite()
	for range 3 { // programs that check mail look at links
		w.update(func(tx *store.Tx) error {
			l, err := w.LinkOf(tx, token)
			if l.UserID != w.user.ID || l.Purpose != store.Invitation {
				t.Errorf("the link is %+v", l)
			}
			return err
		})
		w.expect(w.follow(token), login.AskDevice, false)
	}
	seen := int64(len(w.events(0)))
	id := w.follow(token)
	seed, id := w.enrol(id)
	w.expect(id, login.AskNewPassword, false)
	w.expect(w.follow(token), login.AskMFA, false) // from now on, whoever opens it needs the device
	id = w.choose(id, chosen, chosen)
	w.dead(token)
	w.expect(id, login.Done, false)
	if in := w.finish(id, here); w.session(in).UserID != w.user.ID || in.Next != "/portal" {
		t.Errorf("signed in with %+v", in)
	}
	if got := lines(w.events(seen)); got[len(got)-2] != "UserAuthentication Success EMAIL_LINK,TOTP" {
		t.Errorf("on record is %q", got)
	}
	w.clock.Advance(refresh)
	w.expect(w.giveCode(w.give(w.claim("alice", here), chosen, here), w.code(seed), here), login.Done, false)
}

// TestResetAsksForTheDevice: a mailbox is one factor, in every mode.
func TestResetAsksForTheDevice(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{setting.Always, setting.ContextAware, setting.Off} {
		w := newMFAWorld(t)
		w.set("mfa.mode", mode)
		seed := w.app()
		token := w.reset()
		id := w.follow(token)
		w.expect(id, login.AskMFA, false)
		w.expect(w.choose(id, chosen, chosen), login.AskMFA, false)
		id = w.giveCode(id, w.code(seed), here)
		w.expect(id, login.AskNewPassword, false)
		id = w.choose(id, chosen, chosen)
		w.dead(token)
		w.finish(id, here)
		w.expect(w.give(w.claim("alice", here), password, here), login.AskPassword, true)
	}
}

// TestResetRegistersNoDevice: who has none asks for an invitation, and the password is as it was.
func TestResetRegistersNoDevice(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	for _, first := range []string{setting.Invited, setting.Password} {
		w.set("mfa.first-device", first)
		id := w.follow(w.reset())
		w.expect(id, login.Blocked, false)
		if _, err := w.NewApp(t.Context(), id); err == nil {
			t.Error("an app may be registered")
		}
		w.expect(w.choose(id, chosen, chosen), login.Blocked, false)
		if _, err := w.Finish(t.Context(), id, here); !errors.Is(err, login.ErrNoAttempt) {
			t.Errorf("signed in: %v", err)
		}
	}
	w.expect(w.give(w.claim("alice", here), password, here), login.AskDevice, false)
}

// TestLinkWorksOnce: of attempts with one link, one comes to its end, also at the same time.
func TestLinkWorksOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open opener) {
		w := newWorldOn(t, open)
		token := w.invite()
		const n = 6
		var ids [n]string
		for i := range ids {
			ids[i] = w.follow(token)
		}
		var all sync.WaitGroup
		var errs [n]error
		for i := range ids {
			all.Go(func() {
				ids[i], errs[i] = w.ChangePassword(t.Context(), ids[i], chosen, chosen, here)
			})
		}
		all.Wait()
		won := 0
		for i := range ids {
			switch {
			case errs[i] == nil:
				w.finish(ids[i], here)
				won++
			case !errors.Is(errs[i], login.ErrNoAttempt):
				t.Error(errs[i])
			}
		}
		if won != 1 {
			t.Errorf("%d attempts with one link came to their end", won)
		}
		w.dead(token)
	})
}

// TestNewerLinkVoidsOlder, and the attempts that began with it.
func TestNewerLinkVoidsOlder(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	older := w.invite()
	device, passkey := w.follow(older), w.follow(older)
	if _, err := w.NewApp(t.Context(), device); err != nil {
		t.Fatal(err)
	}
	newer, reset := w.invite(), w.reset() // of another purpose: beside it
	w.dead(older)
	w.gone(device)
	if _, err := w.NewApp(t.Context(), device); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a device may be registered: %v", err)
	}
	if _, err := w.PasskeyOptions(t.Context(), passkey); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a passkey may be registered: %v", err)
	}
	w.expect(w.follow(newer), login.AskDevice, false)
	w.expect(w.follow(reset), login.Blocked, false)

	w.set("mfa.mode", setting.Off)
	first := w.follow(reset)
	second := w.reset()
	if _, err := w.ChangePassword(t.Context(), first, chosen, chosen, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("an old reset changed the password: %v", err)
	}
	w.finish(w.choose(w.follow(second), chosen, chosen), here)
}

func TestLinksExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invitation := w.invite()
	w.clock.Advance(7*24*time.Hour - time.Second)
	w.follow(invitation)
	w.clock.Advance(time.Second)
	w.dead(invitation)
	reset := w.reset()
	w.clock.Advance(time.Hour)
	w.dead(reset)
	if err := w.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.set("password.reset-life", "5m")
	reset = w.reset()
	id := w.follow(reset)
	w.clock.Advance(5 * time.Minute)
	w.dead(reset)
	w.finish(w.choose(id, chosen, chosen), here) // begun in time
}

// TestLinksThatAreNone: nonsense, links of other purposes, and those of somebody who is disabled or changed their password.
func TestLinksThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, token := range []string{"", "x", "aol-" + strings.Repeat("x", 42), strings.Repeat("x", 5000), "\x00", "\xff"} {
		w.dead(token)
	}
	var founding string
	w.update(func(tx *store.Tx) error {
		l, _, err := w.FoundingLink(tx)
		founding = string(l)
		return err
	})
	w.dead(w.token(founding))
	invitation, reset := w.invite(), w.reset()
	w.update(func(tx *store.Tx) error {
		w.user.Status = store.UserDisabled
		return tx.UpdateUser(w.user)
	})
	w.dead(invitation)
	w.dead(reset)
	w.update(func(tx *store.Tx) error {
		if _, err := w.Invite(tx, w.user.ID, false); fault.KindOf(err) != fault.Conflict {
			t.Errorf("somebody disabled was invited: %v", err)
		}
		if _, err := w.Invite(tx, "00000000-0000-0000-0000-000000000000", false); fault.KindOf(err) != fault.NotFound {
			t.Errorf("nobody was invited: %v", err)
		}
		w.user.Status = store.UserEnabled
		return tx.UpdateUser(w.user)
	})
	w.follow(reset)
	w.setPassword(chosen, false)
	w.dead(reset)
	w.follow(invitation)
}
