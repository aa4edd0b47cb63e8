package passkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sallyport/internal/fault"
	"sallyport/internal/passkey"
	"sallyport/internal/passkey/passkeytest"
)

func TestRegistration(t *testing.T) {
	t.Parallel()
	base := passkey.Key{
		AAGUID: "00000000-0000-0000-0000-000000000000", Transports: []string{"internal"}, Attachment: "platform",
		Discoverable: true, Flags: passkey.Flags{UserPresent: true, UserVerified: true}, SignCount: 1,
	}
	for name, c := range map[string]struct {
		set  func(*passkeytest.Authenticator)
		want func(*passkey.Key)
	}{
		"built in":     {func(*passkeytest.Authenticator) {}, func(*passkey.Key) {}},
		"no PIN":       {func(a *passkeytest.Authenticator) { a.UserVerified = false }, func(k *passkey.Key) { k.Flags.UserVerified = false }},
		"not resident": {func(a *passkeytest.Authenticator) { a.NotResident = true }, func(k *passkey.Key) { k.Discoverable = false }},
		"synced": {func(a *passkeytest.Authenticator) { a.Synced = true }, func(k *passkey.Key) {
			k.Flags.BackupEligible, k.Flags.BackedUp, k.SignCount = true, true, 0
		}},
	} {
		w := newWorld(t)
		c.set(w.Authenticator)
		got := w.register(t)
		want := base
		c.want(&want)
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(passkey.Key{}, "ID", "PublicKey")); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if len(got.ID) != 32 || len(got.PublicKey) != 77 {
			t.Errorf("%s: id of %d bytes, public key of %d", name, len(got.ID), len(got.PublicKey))
		}
		stored, err := json.Marshal(got)
		must(t, err)
		var read passkey.Key
		must(t, json.Unmarshal(stored, &read))
		if d := cmp.Diff(got, read); d != "" {
			t.Errorf("%s: stored and read: %s", name, d)
		}
	}
}

// What an honest browser at our site never sends.
func TestRegistrationIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(*world)
		says string
	}{
		"other origin":     {func(w *world) { w.Origin = "https://id.example.org" }, "open https://id.example.com"},
		"other port":       {func(w *world) { w.Origin += ":8443" }, "another site"},
		"other scheme":     {func(w *world) { w.Origin = "http://id.example.com" }, "another site"},
		"subdomain":        {func(w *world) { w.Origin = "https://evil.id.example.com" }, "another site"},
		"spelt otherwise":  {func(w *world) { w.Origin = "https://x@ID.example.com:443/y" }, "another site"},
		"other RP id":      {func(w *world) { w.RPID = "example.com" }, "could not be verified"},
		"other challenge":  {func(w *world) { w.Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }, "another request"},
		"nobody there":     {func(w *world) { w.Absent = true }, "could not be verified"},
		"five minutes":     {func(w *world) { w.now = w.now.Add(5 * time.Minute) }, "within five minutes"},
		"another's":        {func(w *world) { w.who.Handle = []byte("handle of mallory") }, "could not be verified"},
		"someone unnamed":  {func(w *world) { w.who.Handle = nil }, "could not be verified"},
		"a prior ceremony": {nil, "another request"},
	} {
		w := newWorld(t)
		options, ceremony, err := w.BeginRegistration(w.who, w.now)
		must(t, err)
		if c.set == nil {
			_, ceremony, err = w.BeginRegistration(w.who, w.now)
			must(t, err)
		} else {
			c.set(w)
		}
		_, err = w.FinishRegistration(w.who, ceremony, w.Create(options), w.now)
		refused(t, name, err, fault.Invalid, c.says)
	}
}

func TestRegistrationJustInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, response := w.registering(t)
	if _, err := w.FinishRegistration(w.who, c, response, w.now.Add(5*time.Minute-time.Microsecond)); err != nil {
		t.Error(err)
	}
}

func TestKeysAreExcluded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t)
	if _, response := w.registering(t); response != nil {
		t.Error("an authenticator with a key is not excluded")
	}
	w.Again = true
	w.register(t)
	c, response := w.registering(t)
	k, err := w.FinishRegistration(w.who, c, response, w.now)
	must(t, err)
	w.who.Keys = append(w.who.Keys, k)
	_, err = w.FinishRegistration(w.who, c, response, w.now)
	refused(t, "registered already", err, fault.Conflict, "registered already")
}

// One ceremony is no good for another: a registration proves nothing about who is there.
func TestCeremoniesAreNotMixedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t)
	w.Again = true
	register, created := w.registering(t)
	assert, signed := w.asserting(t)
	alone, signedAlone := w.alone(t)
	_, err := w.FinishRegistration(w.who, assert, created, w.now)
	refused(t, "assertion as registration", err, fault.Invalid, "another request")
	_, err = w.FinishRegistration(w.who, register, signed, w.now)
	refused(t, "signature as registration", err, fault.Invalid, "cannot be read")
	for name, c := range map[string]passkey.Ceremony{"registration": register, "passkey alone": alone} {
		_, err = w.FinishAssertion(w.who, c, signed, w.now)
		refused(t, name+" as assertion", err, fault.Unauthenticated, "another request")
	}
	for name, c := range map[string]passkey.Ceremony{"registration": register, "assertion": assert} {
		_, err = w.FinishPasskey(c, signedAlone, w.now, w.find)
		refused(t, name+" as passkey alone", err, fault.Unauthenticated, "another request")
	}
	_, err = w.FinishPasskey(alone, signed, w.now, w.find)
	refused(t, "answer to an assertion", err, fault.Unauthenticated, "another request")
	options, register, err := w.BeginRegistration(w.who, w.now)
	must(t, err)
	w.Challenge, _ = member(t, options, "challenge").(string) // as if a page had asked to sign in with it
	_, signed = w.asserting(t)
	_, err = w.FinishAssertion(w.who, register, signed, w.now)
	refused(t, "registration's challenge as assertion", err, fault.Unauthenticated, "another request")
	_, err = w.FinishAssertion(w.who, passkey.Ceremony("{"), signed, w.now)
	if err == nil || fault.As(err) != nil {
		t.Errorf("a broken ceremony is our own mistake: %v", err)
	}
}

// withKey puts another public key into a registration's answer: nothing signs it, since attestation is none.
func withKey(t testing.TB, response, cose []byte) []byte {
	return changed(t, response, func(r *passkeytest.Response) {
		at := bytes.Index(r.Response.AttestationObject, []byte("authData")) + len("authData") + 2 // and its head of two bytes
		fixed := bytes.Clone(r.Response.AttestationObject[at : at+37])
		r.Response.AttestationObject = passkeytest.CBOR(passkeytest.AttestationObject{
			Format: "none", Statement: map[string]any{}, AuthData: passkeytest.Attested(fixed, r.RawID, cose),
		})
	})
}

func TestPublicKeys(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	point, err := private.PublicKey.Bytes()
	must(t, err)
	x, y := point[1:33], point[33:]
	modulus := func(n int) []byte { return append([]byte{0x80}, append(make([]byte, n-2), 1)...) }
	e := []byte{1, 0, 1}
	for name, c := range map[string]struct {
		cose map[int]any
		ok   bool
	}{
		"ES256":                  {map[int]any{1: 2, 3: -7, -1: 1, -2: x, -3: y}, true},
		"EdDSA":                  {map[int]any{1: 1, 3: -8, -1: 6, -2: x}, true},
		"RS256":                  {map[int]any{1: 3, 3: -257, -1: modulus(256), -2: e}, true},
		"RS256 of 4096 bits":     {map[int]any{1: 3, 3: -257, -1: modulus(512), -2: e}, true},
		"RS256 of 1024 bits":     {map[int]any{1: 3, 3: -257, -1: modulus(128), -2: e}, false},
		"RS256 of 6144 bits":     {map[int]any{1: 3, 3: -257, -1: modulus(768), -2: e}, false},
		"RS256 of 32 KiB":        {map[int]any{1: 3, 3: -257, -1: modulus(32 << 10), -2: e}, false},
		"RS256, no exponent":     {map[int]any{1: 3, 3: -257, -1: modulus(256)}, false},
		"RS1":                    {map[int]any{1: 3, 3: -65535, -1: modulus(256), -2: e}, false},
		"ES384":                  {map[int]any{1: 2, 3: -35, -1: 2, -2: make([]byte, 48), -3: make([]byte, 48)}, false},
		"off the curve":          {map[int]any{1: 2, 3: -7, -1: 1, -2: x, -3: x}, false},
		"short coordinate":       {map[int]any{1: 2, 3: -7, -1: 1, -2: x[:31], -3: y}, false},
		"curve of another":       {map[int]any{1: 2, 3: -7, -1: 2, -2: x, -3: y}, false},
		"EC with RSA's":          {map[int]any{1: 2, 3: -257, -1: 1, -2: x, -3: y}, false},
		"RSA with EC's":          {map[int]any{1: 3, 3: -7, -1: modulus(256), -2: e}, false},
		"RSA with EdDSA's":       {map[int]any{1: 3, 3: -8, -1: modulus(256), -2: e}, false},
		"symmetric":              {map[int]any{1: 4, 3: -7, -1: x}, false},
		"EdDSA of 31 bytes":      {map[int]any{1: 1, 3: -8, -1: 6, -2: x[:31]}, false},
		"no algorithm":           {map[int]any{1: 2, -1: 1, -2: x, -3: y}, false},
		"empty":                  {map[int]any{}, false},
		"ES256 with much beside": {map[int]any{1: 2, 3: -7, -1: 1, -2: x, -3: y, 99: make([]byte, 1024)}, false},
	} {
		w := newWorld(t)
		ceremony, response := w.registering(t)
		_, err := w.FinishRegistration(w.who, ceremony, withKey(t, response, passkeytest.CBOR(c.cose)), w.now)
		if c.ok && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !c.ok {
			refused(t, name, err, fault.Invalid, "passkey")
		}
	}
}

func TestStatementIsNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, format := range []string{"packed", "tpm", "android-safetynet", "fido-u2f", "of tomorrow"} {
		c, response := w.registering(t)
		response = changed(t, response, func(r *passkeytest.Response) {
			at := bytes.Index(r.Response.AttestationObject, []byte("authData")) + len("authData") + 2
			r.Response.AttestationObject = passkeytest.CBOR(passkeytest.AttestationObject{
				Format: format, Statement: map[string]any{"alg": -7, "sig": []byte("nonsense"), "x5c": []any{[]byte("no certificate")}},
				AuthData: r.Response.AttestationObject[at:],
			})
		})
		if _, err := w.FinishRegistration(w.who, c, response, w.now); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// The list of transports comes from the browser, unsigned, and goes back to browsers.
func TestTransports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, response := w.registering(t)
	response = changed(t, response, func(r *passkeytest.Response) {
		r.Response.Transports = []string{"usb", "of tomorrow", "hybrid", "usb", strings.Repeat("x", 9999), "nfc"}
	})
	k, err := w.FinishRegistration(w.who, c, response, w.now)
	must(t, err)
	if d := cmp.Diff([]string{"usb", "hybrid", "nfc"}, k.Transports); d != "" {
		t.Error(d)
	}
}

func TestMalformedRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, response := w.registering(t)
	object := func(change func([]byte) []byte) []byte {
		return changed(t, response, func(r *passkeytest.Response) { r.Response.AttestationObject = change(r.Response.AttestationObject) })
	}
	for name, r := range map[string][]byte{
		"nothing":        nil,
		"null":           []byte("null"),
		"no JSON":        []byte("<html>"),
		"twice":          append(bytes.Clone(response), response...),
		"deep JSON":      []byte(strings.Repeat("[", 60000)),
		"over 64 KiB":    append(bytes.Clone(response), bytes.Repeat([]byte(" "), 64<<10)...),
		"deep CBOR":      object(func([]byte) []byte { return bytes.Repeat([]byte{0x81}, 30000) }),
		"endless CBOR":   object(func([]byte) []byte { return append([]byte{0xbf}, bytes.Repeat([]byte{0x61, 'a', 0x01}, 100)...) }),
		"claimed length": object(func([]byte) []byte { return []byte{0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }),
		"cut off":        object(func(b []byte) []byte { return b[:len(b)-1] }),
		"more":           object(func(b []byte) []byte { return append(b, 0) }),
		"empty":          object(func([]byte) []byte { return []byte{0xa0} }),
		"no client data": changed(t, response, func(r *passkeytest.Response) { r.Response.ClientData = nil }),
		"not public-key": changed(t, response, func(r *passkeytest.Response) { r.Type = "password" }),
		"ids differ":     changed(t, response, func(r *passkeytest.Response) { r.RawID = []byte("another") }),
		"other id":       changed(t, response, func(r *passkeytest.Response) { r.ID, r.RawID = "YW5vdGhlcg", []byte("another") }),
	} {
		_, err := w.FinishRegistration(w.who, c, r, w.now)
		says := "cannot be read"
		if name == "other id" {
			says = "could not be verified"
		}
		refused(t, name, err, fault.Invalid, says)
	}
}

func TestHandleIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, handle := range [][]byte{nil, make([]byte, 65)} {
		w.who.Handle = handle
		if _, _, err := w.BeginRegistration(w.who, w.now); err == nil {
			t.Errorf("a handle of %d bytes is taken", len(handle))
		}
	}
}
