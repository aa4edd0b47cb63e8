package login_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/directory"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	storeID  arn.StoreID = "d-1234567890"
	password             = "Correct-Horse-7"
)

type world struct {
	*login.Service
	t     *testing.T
	clock *clocktest.Clock
	user  store.User
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := clocktest.At(time.Unix(1_800_000_000, 0))
	db := storetest.Open(t, c)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	s := &login.Service{DB: db, Hasher: login.NewHasher(), Store: storeID, Owner: "111122223333", Region: "us-east-1", NameKey: []byte("key"),
		Sessions: &session.Service{Clock: c, Keys: ring, Instance: "ssoins-1234567890abcdef"}}
	w := &world{Service: s, t: t, clock: c}
	w.setPassword(password, false)
	return w
}

// setPassword makes alice when she is not there yet.
func (w *world) setPassword(p string, oneTime bool) {
	w.t.Helper()
	phc, err := w.Hasher.Hash(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		if w.user.ID == "" {
			w.user, err = directory.CreateUser(tx, store.User{StoreID: storeID, UserName: "alice", DisplayName: "Alice",
				UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "Alice", FamilyName: "Adams"}}}, "test")
			if err != nil {
				return err
			}
		}
		return login.SetPassword(tx, w.user.ID, phc, oneTime)
	})
}

func (w *world) update(f func(*store.Tx) error) {
	w.t.Helper()
	if err := w.DB.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) begin(name string) string {
	w.t.Helper()
	id, err := w.Begin(w.t.Context(), "/portal")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.GiveUserName(w.t.Context(), id, name); err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) give(id, p string) {
	w.t.Helper()
	if err := w.GivePassword(w.t.Context(), id, p, session.Origin{IP: "127.0.0.1"}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) step(id string) (login.Step, string) {
	w.t.Helper()
	a, err := w.Attempt(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return login.StepOf(a), a.Problem
}

func (w *world) expect(id string, want login.Step, problem bool) {
	w.t.Helper()
	if got, p := w.step(id); got != want || (p != "") != problem {
		w.t.Fatalf("step %d with problem %q; want step %d, problem %v", got, p, want, problem)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin("ALICE") // names are compared without case
	w.expect(id, login.AskPassword, false)
	w.give(id, "wrong")
	w.expect(id, login.AskPassword, true)
	w.give(id, password)
	w.expect(id, login.Done, false)
	cookie, next, err := w.Finish(t.Context(), id, session.Origin{})
	if err != nil || cookie == "" || next != "/portal" {
		t.Fatalf("Finish = %q, %q, %v", cookie, next, err)
	}
	if _, _, err := w.Finish(t.Context(), id, session.Origin{}); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a finished attempt made a second session: %v", err)
	}
}

// TestUnknownUserLooksTheSame: nobody finds out who exists, neither by pages nor by locks.
func TestUnknownUserLooksTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	known, unknown := w.begin("alice"), w.begin("nobody")
	for range 8 {
		w.give(known, "wrong")
		w.give(unknown, "wrong")
		s1, p1 := w.step(known)
		s2, p2 := w.step(unknown)
		if s1 != s2 || p1 != p2 {
			t.Fatalf("alice sees step %d %q, nobody sees step %d %q", s1, p1, s2, p2)
		}
	}
}

func TestLockRisesAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin("alice")
	for range 5 {
		w.give(id, "wrong")
	}
	w.give(id, password) // locked: the right password does not help, and says nothing
	w.expect(id, login.AskPassword, true)
	w.clock.Advance(6 * time.Second)
	w.give(id, password)
	w.expect(id, login.Done, false)
	id = w.begin("alice") // success forgets the failures
	w.give(id, "wrong")
	w.give(id, password)
	w.expect(id, login.Done, false)
}

func TestOneTimePasswordMustBeChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword("One-Time-Pass-1", true)
	id := w.begin("alice")
	w.give(id, "One-Time-Pass-1")
	w.expect(id, login.AskNewPassword, false)
	if _, _, err := w.Finish(t.Context(), id, session.Origin{}); !errors.Is(err, login.ErrNoAttempt) {
		t.Fatalf("the change was skipped: %v", err)
	}
	for _, c := range []struct{ password, again string }{
		{"short1A-", "other"}, {"alllowercase1-", "alllowercase1-"}, {"One-Time-Pass-1", "One-Time-Pass-1"}, {"A1-" + strings.Repeat("x", 64), "A1-" + strings.Repeat("x", 64)},
	} {
		if err := w.ChangePassword(t.Context(), id, c.password, c.again); err != nil {
			t.Fatal(err)
		}
		w.expect(id, login.AskNewPassword, true)
	}
	if err := w.ChangePassword(t.Context(), id, "My-Own-Pass-2", "My-Own-Pass-2"); err != nil {
		t.Fatal(err)
	}
	w.expect(id, login.Done, false)
	id = w.begin("alice")
	w.give(id, "My-Own-Pass-2")
	w.expect(id, login.Done, false)
}

// TestStepsOutOfOrder: skipping, repeating and reordering lead back to the dispatcher and change nothing.
func TestStepsOutOfOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	id, err := w.Begin(ctx, "/portal")
	if err != nil {
		t.Fatal(err)
	}
	w.give(id, password) // before a name
	w.expect(id, login.AskUserName, false)
	if err := w.ChangePassword(ctx, id, "My-Own-Pass-2", "My-Own-Pass-2"); err != nil {
		t.Fatal(err)
	}
	w.expect(id, login.AskUserName, false)
	if err := w.GiveUserName(ctx, id, "alice"); err != nil {
		t.Fatal(err)
	}
	w.give(id, password)
	if err := w.GiveUserName(ctx, id, "bob"); err != nil { // a proved password is not bob's
		t.Fatal(err)
	}
	w.expect(id, login.Done, false)
	if a, _ := w.Attempt(ctx, id); a.UserName != "alice" || a.UserID != w.user.ID {
		t.Errorf("the attempt went over to %q (%s)", a.UserName, a.UserID)
	}
}

func TestUserGoneMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin("alice")
	w.give(id, password)
	w.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, w.user.ID, "") })
	if _, _, err := w.Finish(t.Context(), id, session.Origin{}); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("a deleted user signed in: %v", err)
	}
}

func TestAttemptExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin("alice")
	w.clock.Advance(16 * time.Minute)
	if _, err := w.Attempt(t.Context(), id); !errors.Is(err, login.ErrNoAttempt) {
		t.Errorf("an old attempt lives: %v", err)
	}
	if err := w.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestBeginRefusesOtherOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, next := range []string{"", "https://evil.test/", "//evil.test/", "/\\evil.test", "portal"} {
		if _, err := w.Begin(t.Context(), next); err == nil {
			t.Errorf("sign-in would lead to %q", next)
		}
	}
}

func TestHasherRefusesAFlood(t *testing.T) {
	t.Parallel()
	h := login.NewHasher()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	refused := make(chan bool, 400)
	for range cap(refused) {
		go func() { _, err := h.Verify(ctx, "", "x"); refused <- err != nil }()
	}
	for range cap(refused) {
		if <-refused {
			return
		}
	}
	t.Error("400 sign-ins at once were all queued")
}
