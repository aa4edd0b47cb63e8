package passkey_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
	"sallyport/internal/passkey"
	"sallyport/internal/passkey/passkeytest"
)

func TestAssertion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.register(t)
	w.Again = true
	second := w.register(t)

	want := second
	want.SignCount = 2
	if d := cmp.Diff(passkey.Assertion{Key: want, UserVerified: true}, w.assert(t)); d != "" {
		t.Error(d)
	}
	w.UserVerified = false // preferred, not required
	want.SignCount = 3
	if d := cmp.Diff(passkey.Assertion{Key: want}, w.assert(t)); d != "" {
		t.Errorf("without user verification: %s", d)
	}
	w.who.Keys = []passkey.Key{first}
	if a := w.assert(t); !bytes.Equal(a.Key.ID, first.ID) {
		t.Error("the key that is left is not used")
	}
}

// A security key without resident keys sends no user handle.
func TestAssertionWithoutHandle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.NotResident = true
	w.register(t)
	w.assert(t)
}

func TestSyncedPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Synced = true
	w.register(t)
	for range 3 { // it has no counter, and is no clone for that
		if a := w.assert(t); a.Cloned || a.Key.SignCount != 0 || !a.Key.Flags.BackedUp {
			t.Errorf("%+v", a)
		}
	}
	w.who.Keys[0].Flags.BackedUp = false // as it was before it was synced
	if a := w.assert(t); !a.Key.Flags.BackedUp {
		t.Error("that the key has been synced goes unnoticed")
	}
	// A key that could not be backed up does not become one that can (WebAuthn section 7.2, step 18).
	w.who.Keys[0].Flags.BackupEligible = false
	c, response := w.asserting(t)
	_, err := w.FinishAssertion(w.who, c, response, w.now)
	refused(t, "backup eligible of a sudden", err, fault.Unauthenticated, "could not be verified")
}

func TestClone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t)
	before := w.assert(t).Key
	w.CounterBack = true
	a := w.assert(t)
	if !a.Cloned || a.Key.SignCount != before.SignCount {
		t.Errorf("counter goes back: %+v", a)
	}
	w.CounterBack = false // up again, but not past what was seen
	if a := w.assert(t); !a.Cloned || a.Key.SignCount != before.SignCount {
		t.Errorf("counter repeats: %+v", a)
	}
	if a := w.assert(t); a.Cloned || a.Key.SignCount != before.SignCount+1 {
		t.Errorf("counter rises: %+v", a)
	}
}

func TestPasskeyAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.register(t)
	c, response := w.alone(t)
	var asked [2][]byte
	a, err := w.FinishPasskey(c, response, w.now, func(handle, keyID []byte) (passkey.Person, error) {
		asked = [2][]byte{handle, keyID}
		return w.find(handle, keyID)
	})
	must(t, err)
	k.SignCount = 2
	if d := cmp.Diff(passkey.Assertion{Key: k, UserVerified: true}, a); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([2][]byte{w.who.Handle, k.ID}, asked); d != "" {
		t.Error(d)
	}
	w.UserVerified = false
	if _, response := w.alone(t); response != nil {
		t.Error("the options do not require user verification")
	}
}

// Password managers answer extensions that nobody asked for.
func TestUnsolicitedExtensionsAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t)
	c, response := w.asserting(t)
	response = changed(t, response, func(r *passkeytest.Response) {
		r.Extensions = map[string]any{"credProps": map[string]any{"rk": true}, "appid": true, "of tomorrow": json.RawMessage(`[1]`)}
	})
	if _, err := w.FinishAssertion(w.who, c, response, w.now); err != nil {
		t.Error(err)
	}
}

func TestNoKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, err := w.BeginAssertion(w.who, w.now)
	refused(t, "no keys", err, fault.Invalid, "no passkey or security key")
}
