package passkey_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
	"sallyport/internal/passkey"
	"sallyport/internal/passkey/passkeytest"
)

// FuzzRegistration: an answer is refused with a fault, or makes a record that can be used. (Nothing signs a registration, so
// there are more good answers than the browser's.)
func FuzzRegistration(f *testing.F) {
	w, r := load(f)
	f.Add([]byte(r.Registration.Response))
	f.Add([]byte(r.Assertion.Response))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, response []byte) {
		k, err := w.FinishRegistration(w.who, passkey.Ceremony(r.Registration.Ceremony), response, w.now)
		w.usable(t, k, err)
	})
}

// FuzzAttestationObject is the same inside base64, where mutations of the whole answer seldom get.
func FuzzAttestationObject(f *testing.F) {
	w, r := load(f)
	var good passkeytest.Response
	must(f, json.Unmarshal(r.Registration.Response, &good))
	f.Add([]byte(good.Response.AttestationObject), []byte(good.RawID))
	f.Add([]byte{0xa0}, []byte{1})
	rpID := sha256.Sum256([]byte("id.example.com"))
	f.Fuzz(func(t *testing.T, object, id []byte) {
		response := changed(t, r.Registration.Response, func(r *passkeytest.Response) {
			r.ID, r.RawID, r.Response.AttestationObject = passkeytest.Bytes(id).String(), id, object
		})
		k, err := w.FinishRegistration(w.who, passkey.Ceremony(r.Registration.Ceremony), response, w.now)
		if w.usable(t, k, err); err == nil && !(bytes.Contains(object, rpID[:]) && bytes.Contains(object, id) && bytes.Equal(k.ID, id)) {
			t.Errorf("key %x of object %x", k.ID, object)
		}
	})
}

// usable checks what came of a registration.
func (w *world) usable(t *testing.T, k passkey.Key, err error) {
	t.Helper()
	if err != nil {
		if fault.As(err) == nil {
			t.Errorf("internal error: %v", err)
		}
		return
	}
	if len(k.ID) < 1 || len(k.ID) > 1023 || len(k.PublicKey) > 1024 || !k.Flags.UserPresent || len(k.AAGUID) != 36 || len(k.Transports) > 6 {
		t.Errorf("%+v", k)
	}
	who := w.who
	who.Keys = []passkey.Key{k}
	if _, _, err := w.BeginAssertion(who, w.now); err != nil {
		t.Error(err)
	}
}

// FuzzAssertion: whatever is done to a signed answer, it is refused with a fault or means what it meant.
func FuzzAssertion(f *testing.F) {
	w, r := load(f)
	want := passkey.Assertion{Key: w.key(f, r), UserVerified: true}
	want.Key.SignCount = 2
	f.Add([]byte(r.Assertion.Response))
	f.Add([]byte(r.Registration.Response))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, response []byte) {
		a, err := w.FinishAssertion(w.who, passkey.Ceremony(r.Assertion.Ceremony), response, w.now)
		same(t, want, a, err)
	})
}

// FuzzAuthenticatorData is the same inside base64: not one signed byte may differ.
func FuzzAuthenticatorData(f *testing.F) {
	w, r := load(f)
	want := passkey.Assertion{Key: w.key(f, r), UserVerified: true}
	want.Key.SignCount = 2
	var good passkeytest.Response
	must(f, json.Unmarshal(r.Assertion.Response, &good))
	f.Add([]byte(good.Response.AuthenticatorData), []byte(good.Response.ClientData), []byte(good.Response.Signature))
	f.Add([]byte{}, []byte("{}"), []byte{0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00}) // r = s = 0 (CVE-2022-21449)
	f.Fuzz(func(t *testing.T, data, client, signature []byte) {
		response := changed(t, r.Assertion.Response, func(r *passkeytest.Response) {
			r.Response.AuthenticatorData, r.Response.ClientData, r.Response.Signature = data, client, signature
		})
		a, err := w.FinishAssertion(w.who, passkey.Ceremony(r.Assertion.Ceremony), response, w.now)
		same(t, want, a, err)
		if err == nil && !(bytes.Equal(data, good.Response.AuthenticatorData) && bytes.Equal(client, good.Response.ClientData)) {
			t.Errorf("taken: data %x, client data %q", data, client)
		}
	})
}

func same(t *testing.T, want, got passkey.Assertion, err error) {
	t.Helper()
	if err != nil {
		if fault.As(err) == nil {
			t.Errorf("internal error: %v", err)
		}
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
