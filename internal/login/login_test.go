package login_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/store"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.claim(" ALICE ", here) // names are compared without case, and people copy spaces
	w.expect(id, login.AskPassword, false)
	if same := w.give(id, "wrong", here); same != id {
		t.Errorf("a wrong password gave the attempt a new id")
	}
	w.expect(id, login.AskPassword, true)
	proved := w.give(id, password, here)
	w.expect(proved, login.Done, false)
	in, err := w.Finish(t.Context(), proved, here)
	if err != nil || in.Cookie == "" || in.Next != "/portal?after=1" {
		t.Fatalf("Finish = %+v, %v", in, err)
	}
	if _, err := w.Finish(t.Context(), proved, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a finished attempt made a second session: %v", err)
	}
}

// TestProvedAttemptHasANewID: whoever knew the id before the password was given has nothing afterwards.
func TestProvedAttemptHasANewID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	planted := w.claim("alice", here)
	proved := w.give(planted, password, here)
	if proved == planted {
		t.Fatal("the id is the same after the password was proved")
	}
	for name, try := range map[string]func() error{
		"look":   func() error { _, err := w.Where(t.Context(), planted); return err },
		"finish": func() error { _, err := w.Finish(t.Context(), planted, here); return err },
		"change": func() error {
			_, err := w.ChangePassword(t.Context(), planted, "My-Own-Pass-2", "My-Own-Pass-2", here)
			return err
		},
	} {
		if err := try(); !errors.Is(err, login.ErrNoAttempt) {
			t.Errorf("%s with the id from before: %v", name, err)
		}
	}
	w.expect(proved, login.Done, false)
}

func TestClaimGivesTheOldAttemptUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.give(w.claim("alice", here), password, here)
	id, err := w.Claim(t.Context(), old, "/device", "alice", here)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Where(t.Context(), old); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("the attempt that was given up lives: %v", err)
	}
	w.expect(id, login.AskPassword, false) // nothing that was proved goes over to it
	if next, err := w.Restart(t.Context(), id); err != nil || next != "/device" {
		t.Errorf("Restart = %q, %v", next, err)
	}
	if _, err := w.Where(t.Context(), id); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("the attempt lives after a restart: %v", err)
	}
}

func TestNamesThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"", "  \t", strings.Repeat("x", 129), "al\x00ice", "al\nice", "\xff\xfe", "a\u0085b"} {
		if _, err := w.Claim(t.Context(), "", "/portal", name, here); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q was taken as a user name: %v", name, err)
		}
	}
	for _, name := range []string{strings.Repeat("ü", 128), "用户", "O'Brien; DROP TABLE", "👩‍💻", "a\u202eb"} {
		id := w.claim(name, here)
		w.give(id, "wrong", here)
		w.expect(id, login.AskPassword, true)
	}
}

func TestLocal(t *testing.T) {
	t.Parallel()
	for _, next := range []string{
		"", "https://evil.test/", "//evil.test/", "/\\evil.test", "\\\\evil.test", "portal", "/\t/evil.test", "/\n/evil.test", " //evil.test",
		"javascript:alert(1)", "/a b", "/ü", "/x\x00", "/" + strings.Repeat("x", 8192),
	} {
		if got := login.Local(next); got != "/portal" {
			t.Errorf("sign-in would lead from %q to %q", next, got)
		}
	}
	for _, next := range []string{"/portal", "/device?user_code=AAAA-BBBB", "/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%2F", "/%5Cevil.test", "/?//x"} {
		if got := login.Local(next); got != next {
			t.Errorf("sign-in would not lead to %q but to %q", next, got)
		}
	}
}

func TestOneTimePasswordMustBeChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword("One-Time-Pass-1", true)
	id := w.give(w.claim("alice", here), "One-Time-Pass-1", here)
	w.expect(id, login.AskNewPassword, false)
	if _, err := w.Finish(t.Context(), id, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Fatalf("the change was skipped: %v", err)
	}
	for _, c := range []struct{ password, again string }{
		{"short1A-", "other"},
		{"alllowercase1-", "alllowercase1-"},
		{"One-Time-Pass-1", "One-Time-Pass-1"},
		{"A1-" + strings.Repeat("x", 64), "A1-" + strings.Repeat("x", 64)},
		{"", ""},
	} {
		w.choose(id, c.password, c.again)
		w.expect(id, login.AskNewPassword, true)
	}
	before := id
	id = w.choose(id, "My-Own-Pass-2", "My-Own-Pass-2")
	w.expect(id, login.Done, false)
	if _, err := w.ChangePassword(t.Context(), before, "Replayed-Pass-3", "Replayed-Pass-3", here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("with the id from before: %v", err)
	}
	w.choose(id, "Replayed-Pass-3", "Replayed-Pass-3") // changes nothing
	old := w.claim("alice", here)
	w.expect(w.give(old, "One-Time-Pass-1", here), login.AskPassword, true)
	w.expect(w.give(old, "My-Own-Pass-2", here), login.Done, false)
}

// TestStepsOutOfOrder: skipping, repeating and reordering lead back to the dispatcher and change nothing.
func TestStepsOutOfOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	if _, err := w.GivePassword(ctx, "", password, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a password before a name: %v", err)
	}
	if _, err := w.Restart(ctx, "nonsense"); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a restart of nothing: %v", err)
	}
	id := w.claim("alice", here)
	w.choose(id, "My-Own-Pass-2", "My-Own-Pass-2")
	if _, err := w.Finish(ctx, id, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("an attempt without a password was finished: %v", err)
	}
	id = w.give(id, password, here)
	if same := w.give(id, "wrong", here); same != id { // repeated: already proved
		t.Error("a repeated step gave a new id")
	}
	w.expect(id, login.Done, false)
	if a, err := w.Where(ctx, id); err != nil || a.UserName != "alice" || a.UserID != w.user.ID {
		t.Errorf("the attempt is of %q (%s), %v", a.UserName, a.UserID, err)
	}
}

// TestUserGoneMeanwhile: between the password and the session, and between a one-time password and its replacement.
func TestUserGoneMeanwhile(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(*world, *store.Tx) error{
		"deleted": func(w *world, tx *store.Tx) error { return directory.DeleteUser(tx, storeID, w.user.ID, "") },
		"disabled": func(w *world, tx *store.Tx) error {
			w.user.Status = store.UserDisabled
			return tx.UpdateUser(w.user)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			done := w.give(w.claim("alice", here), password, here)
			w.update(func(tx *store.Tx) error { return gone(w, tx) })
			if _, err := w.Finish(t.Context(), done, here); !errors.Is(err, login.ErrNoAttempt) {
				t.Errorf("signed in: %v", err)
			}
			w.expect(w.give(w.claim("alice", here), password, here), login.AskPassword, true)

			w = newWorld(t)
			w.setPassword("One-Time-Pass-1", true)
			change := w.give(w.claim("alice", here), "One-Time-Pass-1", here)
			w.update(func(tx *store.Tx) error { return gone(w, tx) })
			if _, err := w.ChangePassword(t.Context(), change, "My-Own-Pass-2", "My-Own-Pass-2", here); !errors.Is(err, login.ErrNoAttempt) {
				t.Errorf("set a password: %v", err)
			}
		})
	}
}

// TestPasswordResetMeanwhile: who proved the old password, perhaps a thief, gets neither a session nor to choose the new one,
// and is signed out.
func TestPasswordResetMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	thief := here
	in := w.enter(password, &thief)
	done := w.give(w.claim("alice", here), password, here)
	w.setPassword("One-Time-Pass-1", true)
	if _, err := w.Finish(t.Context(), done, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("the old password signed in: %v", err)
	}
	w.portal(string(in.Cookie), false)

	first, second := w.claim("alice", here), w.claim("alice", here)
	first, second = w.give(first, "One-Time-Pass-1", here), w.give(second, "One-Time-Pass-1", here)
	first = w.choose(first, "My-Own-Pass-2", "My-Own-Pass-2")
	if _, err := w.ChangePassword(t.Context(), second, "Not-Your-Pass-3", "Not-Your-Pass-3", here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a one-time password changed the password twice: %v", err)
	}
	own, err := w.Finish(t.Context(), first, here)
	if err != nil {
		t.Fatal(err)
	}
	w.portal(string(own.Cookie), true)
}

// TestNewPasswordEndsSessions: a session from before the change ends with it, on record.
func TestNewPasswordEndsSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword("One-Time-Pass-1", true)
	id := w.give(w.claim("alice", here), "One-Time-Pass-1", here)
	var cookie string
	w.update(func(tx *store.Tx) error { // as if signed in by another way
		c, _, err := w.Sessions.StartPortal(tx, w.user, here.Origin, time.Time{})
		cookie = string(c)
		return err
	})
	w.portal(cookie, true)
	w.choose(id, "My-Own-Pass-2", "My-Own-Pass-2")
	w.portal(cookie, false)
}

// portal checks whether a cookie is that of a live session.
func (w *world) portal(cookie string, live bool) {
	w.t.Helper()
	err := w.DB.View(w.t.Context(), func(tx *store.Tx) error {
		_, err := w.Sessions.Portal(tx, cookie)
		return err
	})
	if (err == nil) != live {
		w.t.Errorf("session: %v; want live: %v", err, live)
	}
}

func TestAttemptExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.claim("alice", here)
	w.clock.Advance(16 * time.Minute)
	if _, err := w.Where(t.Context(), id); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("an old attempt lives: %v", err)
	}
	if _, err := w.GivePassword(t.Context(), id, password, here); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("an old attempt takes a password: %v", err)
	}
	if err := w.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
}
