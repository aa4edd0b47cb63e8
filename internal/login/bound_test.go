package login_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/session"
)

// at is a browser at an address.
func at(ip string) login.Browser { return login.Browser{Origin: session.Origin{IP: ip}} }

func TestLockRisesAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.claim("alice", here)
	for range 5 {
		w.give(id, "wrong", here)
	}
	w.give(id, password, here) // locked: the right password does not help, and says nothing
	w.expect(id, login.AskPassword, true)
	w.clock.Advance(6 * time.Second)
	w.give(id, "wrong", here)
	w.clock.Advance(6 * time.Second)
	w.give(id, password, here) // the second lock is longer
	w.expect(id, login.AskPassword, true)
	w.clock.Advance(6 * time.Second)
	w.expect(w.give(id, password, here), login.Done, false)
	id = w.claim("alice", here) // success forgets the failures
	w.give(id, "wrong", here)
	w.expect(w.give(id, password, here), login.Done, false)
}

// TestLockIsBounded: trying under a lock makes it no longer, so that it ends however hard somebody tries.
func TestLockIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 13 { // to where the lock rises no further
		w.give(w.claim("alice", here), "wrong", here)
		w.clock.Advance(16 * time.Minute)
	}
	for range 4 {
		w.give(w.claim("alice", here), "wrong", here)
		w.clock.Advance(4 * time.Minute)
	}
	w.expect(w.give(w.claim("alice", here), password, here), login.Done, false)
}

// TestStrangersLockOutStrangers: somebody who guesses at a name keeps its person out of new browsers only.
func TestStrangersLockOutStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	desk, stranger, stolen := here, at("203.0.113.9"), here
	w.enter(password, &desk)
	for range 6 {
		w.give(w.claim("alice", stranger), "guess", stranger)
	}
	w.expect(w.give(w.claim("alice", stranger), password, stranger), login.AskPassword, true)
	w.expect(w.give(w.claim("alice", here), password, here), login.AskPassword, true) // a browser that alice has not used
	w.expect(w.give(w.claim("alice", desk), password, desk), login.Done, false)

	stolen.Known = desk.Known // a known browser may guess no more often than others
	for range 5 {
		w.give(w.claim("alice", stolen), "guess", stolen)
	}
	w.expect(w.give(w.claim("alice", stolen), password, stolen), login.AskPassword, true)

	w.clock.Advance(login.KnownLife + time.Hour) // everything has been forgotten
	if err := w.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.give(w.claim("alice", stranger), "guess", stranger)
	}
	w.expect(w.give(w.claim("alice", desk), password, desk), login.AskPassword, true) // known no longer

	for _, mark := range []string{"x", "%%%", desk.Known[1:], desk.Known + "A"} { // nonsense is as good as nothing
		odd := here
		odd.Known = mark
		w.give(w.claim("alice", odd), "guess", odd)
	}
}

// TestNetworkAllowance: what one network begins and does not finish is bounded, whatever the names; others go on.
func TestNetworkAllowance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flood := at("2001:db8:1:2::1")
	ctx := t.Context()
	begun := 0
	for i := range 300 {
		flood.IP = fmt.Sprintf("2001:db8:1:2::%x", i+1) // one customer has all of these
		if _, err := w.Claim(ctx, "", "/portal", fmt.Sprintf("name%d", i), flood); err == nil {
			begun++
		} else if fault.KindOf(err) != fault.Throttled {
			t.Fatal(err)
		}
	}
	if begun != 100 {
		t.Errorf("%d sign-ins were begun, want 100", begun)
	}
	w.expect(w.give(w.claim("alice", here), password, here), login.Done, false)
	w.clock.Advance(time.Minute)
	before := w.Hasher.Hashes()
	id, refused := w.claim("alice", flood), 0
	for range 40 {
		if _, err := w.GivePassword(ctx, id, "wrong", flood); fault.KindOf(err) == fault.Throttled {
			refused++
		}
	}
	if hashed := w.Hasher.Hashes() - before; hashed != 29 || refused != 11 {
		t.Errorf("%d hashes, %d refused; want 29 and 11, refused before the hash", hashed, refused)
	}
}

// TestSuccessIsGivenBack: an office behind one address is not held to the allowance.
func TestSuccessIsGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 55 { // each takes two
		if _, err := w.GivePassword(t.Context(), w.claim("alice", here), password, here); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHasherRefusesAFlood: one network fills half of the queue and no more; all together fill it.
func TestHasherRefusesAFlood(t *testing.T) {
	t.Parallel()
	h := login.NewHasher()
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, 4000)
	flood := func(network string) {
		for range cap(results) / 4 {
			go func() { _, err := h.Verify(ctx, network, "", "x"); results <- err }()
		}
	}
	flood("a")
	waitFor(t, func() bool { return len(results) > 0 })
	if _, err := h.Verify(ctx, "a", "", "x"); fault.KindOf(err) != fault.Throttled {
		t.Errorf("a network that fills its half got another place: %v", err)
	}
	if ok, err := h.Verify(ctx, "b", "", "x"); ok || err != nil {
		t.Errorf("another network did not get in: %v, %v", ok, err)
	}
	flood("b")
	flood("c")
	flood("d")
	cancel()
	throttled := 0
	for range cap(results) {
		if err := <-results; fault.KindOf(err) == fault.Throttled {
			throttled++
		} else if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if throttled == 0 {
		t.Error("everybody was queued")
	}
}

func waitFor(t *testing.T, ready func() bool) {
	t.Helper()
	for !ready() {
		select {
		case <-t.Context().Done():
			t.Fatal("never ready")
		case <-time.After(time.Millisecond):
		}
	}
}
