package passkey_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/passkey"
	"sallyport/internal/passkey/passkeytest"
)

// attacks are what neither kind of assertion takes.
var attacks = map[string]struct {
	set  func(*world)
	says string
}{
	"other origin":    {func(w *world) { w.Origin = "https://id.example.org" }, "open https://id.example.com"},
	"other port":      {func(w *world) { w.Origin += ":8443" }, "another site"},
	"subdomain":       {func(w *world) { w.Origin = "https://evil.id.example.com" }, "another site"},
	"spelt otherwise": {func(w *world) { w.Origin = "https://x@ID.example.com:443/y" }, "another site"},
	"other RP id":     {func(w *world) { w.RPID = "example.com" }, "could not be verified"},
	"other challenge": {func(w *world) { w.Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }, "another request"},
	"no challenge":    {func(w *world) { w.Challenge = " " }, "another request"},
	"nobody there":    {func(w *world) { w.Absent = true }, "could not be verified"},
	"other key":       {func(w *world) { w.ImpostorKeys = true }, "could not be verified"},
	"five minutes":    {func(w *world) { w.now = w.now.Add(5 * time.Minute) }, "within five minutes"},
	"key is removed":  {func(w *world) { w.who.Keys = nil }, "not registered here"},
	"another's key": {func(w *world) {
		w.who.Keys = []passkey.Key{{ID: []byte("another"), PublicKey: w.who.Keys[0].PublicKey}}
	}, "not registered here"},
	"key is replaced": {func(w *world) { w.who.Keys[0].PublicKey = newOther().PublicKey }, "could not be verified"},
	"key is no key":   {func(w *world) { w.who.Keys[0].PublicKey = []byte("no CBOR") }, "could not be verified"},
}

// newOther is a key of somebody else.
func newOther() passkey.Key {
	p, _ := passkey.New(origin, "")
	who := passkey.Person{Handle: []byte("handle of mallory"), Name: "mallory"}
	options, c, _ := p.BeginRegistration(who, start)
	k, _ := p.FinishRegistration(who, c, passkeytest.New(origin).Create(options), start)
	return k
}

func TestAssertionIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range attacks {
		w := newWorld(t)
		w.register(t)
		options, ceremony, err := w.BeginAssertion(w.who, w.now)
		must(t, err)
		c.set(w)
		_, err = w.FinishAssertion(w.who, ceremony, w.Get(options), w.now)
		refused(t, name, err, fault.Unauthenticated, c.says)
	}
	for name, c := range attacks {
		w := newWorld(t)
		w.register(t)
		options, ceremony, err := w.BeginPasskey(w.now)
		must(t, err)
		c.set(w)
		_, err = w.FinishPasskey(ceremony, w.Get(options), w.now, w.find)
		refused(t, "alone: "+name, err, fault.Unauthenticated, c.says)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	for name, reason := range map[string]string{
		"five minutes": fault.AuthExpired, "key is removed": fault.AuthUnknownKey, "other key": fault.AuthSignature, "other origin": fault.AuthSignature,
	} {
		w := newWorld(t)
		w.register(t)
		options, ceremony, err := w.BeginAssertion(w.who, w.now)
		must(t, err)
		attacks[name].set(w)
		_, err = w.FinishAssertion(w.who, ceremony, w.Get(options), w.now)
		if f := fault.As(err); f == nil || f.Reason != reason {
			t.Errorf("%s: %v, want reason %s", name, err, reason)
		}
	}
}

// An answer is good for its own challenge only: replayed later, or in another's ceremony, it is nothing.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t)
	_, old := w.asserting(t)
	c, _ := w.asserting(t)
	_, err := w.FinishAssertion(w.who, c, old, w.now)
	refused(t, "replayed", err, fault.Unauthenticated, "another request")
	c, response := w.asserting(t)
	mallory := w.who
	mallory.Handle = []byte("handle of mallory")
	_, err = w.FinishAssertion(mallory, c, response, w.now)
	refused(t, "another's ceremony", err, fault.Unauthenticated, "could not be verified")

	_, old = w.alone(t)
	c, _ = w.alone(t)
	_, err = w.FinishPasskey(c, old, w.now, w.find)
	refused(t, "alone: replayed", err, fault.Unauthenticated, "another request")
}

func TestPasskeyAloneIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(*world)
		says string
	}{
		"not verified":   {func(w *world) { w.Unverified = true }, "PIN, fingerprint or face"},
		"unknown handle": {func(w *world) { w.who.Handle = []byte("handle of nobody") }, "not registered here"},
	} {
		w := newWorld(t)
		w.register(t)
		options, ceremony, err := w.BeginPasskey(w.now)
		must(t, err)
		c.set(w)
		_, err = w.FinishPasskey(ceremony, w.Get(options), w.now, w.find)
		refused(t, name, err, fault.Unauthenticated, c.says)
	}
	w := newWorld(t)
	w.register(t)
	c, response := w.alone(t)
	broken := errors.New("no database")
	_, err := w.FinishPasskey(c, response, w.now, func(_, _ []byte) (passkey.Person, error) { return passkey.Person{}, broken })
	if !errors.Is(err, broken) || fault.As(err) != nil {
		t.Errorf("an error of find's own: %v", err)
	}
	for _, n := range []int{0, 65, 1 << 10} {
		r := changed(t, response, func(r *passkeytest.Response) { r.Response.UserHandle = make([]byte, n) })
		_, err = w.FinishPasskey(c, r, w.now, func(_, _ []byte) (passkey.Person, error) {
			t.Errorf("looked for a handle of %d bytes", n)
			return w.who, nil
		})
		refused(t, "handle out of bounds", err, fault.Unauthenticated, "not registered here")
	}
	_, err = w.FinishPasskey(c, response, w.now, func(_, _ []byte) (passkey.Person, error) {
		who := w.who
		who.Handle = []byte("handle of mallory")
		return who, nil
	})
	refused(t, "found another", err, fault.Unauthenticated, "could not be verified")
}

// Nobody is looked for on account of an answer that was not asked for.
func TestFindComesAfterTheChallenge(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"other origin", "other challenge", "five minutes"} {
		w := newWorld(t)
		w.register(t)
		options, c, err := w.BeginPasskey(w.now)
		must(t, err)
		attacks[name].set(w)
		_, err = w.FinishPasskey(c, w.Get(options), w.now, func(_, _ []byte) (passkey.Person, error) {
			t.Errorf("%s: looked for somebody", name)
			return w.who, nil
		})
		refused(t, name, err, fault.Unauthenticated, attacks[name].says)
	}
}

func TestCrossOriginIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t)
	for _, member := range []string{`"crossOrigin":true`, `"crossOrigin":false,"topOrigin":"https://evil.example"`} {
		c, response := w.asserting(t)
		response = changed(t, response, func(r *passkeytest.Response) {
			r.Response.ClientData = bytes.Replace(r.Response.ClientData, []byte(`"crossOrigin":false`), []byte(member), 1)
		})
		_, err := w.FinishAssertion(w.who, c, response, w.now)
		refused(t, member, err, fault.Unauthenticated, "another site")
	}
}

func TestTamperedAssertion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.UserVerified = false
	w.register(t)
	c, response := w.asserting(t)
	flip := func(bit byte) []byte {
		return changed(t, response, func(r *passkeytest.Response) { r.Response.AuthenticatorData[32] ^= bit })
	}
	for name, r := range map[string][]byte{
		"verified after all": flip(passkeytest.UserVerified),
		"backed up":          flip(passkeytest.BackupEligible | passkeytest.BackedUp),
		"counter":            changed(t, response, func(r *passkeytest.Response) { r.Response.AuthenticatorData[36]++ }),
		"signature":          changed(t, response, func(r *passkeytest.Response) { r.Response.Signature[40] ^= 1 }),
		"no signature":       changed(t, response, func(r *passkeytest.Response) { r.Response.Signature = nil }),
		"signature and more": changed(t, response, func(r *passkeytest.Response) { r.Response.Signature = append(r.Response.Signature, 0) }),
		"client data":        changed(t, response, func(r *passkeytest.Response) { r.Response.ClientData = append(r.Response.ClientData, ' ') }),
		"another's handle":   changed(t, response, func(r *passkeytest.Response) { r.Response.UserHandle = []byte("mallory") }),
	} {
		_, err := w.FinishAssertion(w.who, c, r, w.now)
		refused(t, name, err, fault.Unauthenticated, "could not be verified")
	}
	if _, err := w.FinishAssertion(w.who, c, response, w.now); err != nil {
		t.Errorf("untouched: %v", err)
	}
}

func TestMalformedAssertion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t)
	c, response := w.asserting(t)
	alone, _ := w.alone(t)
	data := func(change func([]byte) []byte) []byte {
		return changed(t, response, func(r *passkeytest.Response) { r.Response.AuthenticatorData = change(r.Response.AuthenticatorData) })
	}
	extended := func(cbor []byte) []byte {
		return data(func(b []byte) []byte { b[32] |= 0x80; return append(b, cbor...) })
	}
	for name, r := range map[string][]byte{
		"nothing":           nil,
		"null":              []byte("null"),
		"no JSON":           []byte("<html>"),
		"twice":             append(bytes.Clone(response), response...),
		"deep JSON":         []byte(strings.Repeat(`{"a":`, 12000)),
		"over 64 KiB":       append(bytes.Clone(response), bytes.Repeat([]byte(" "), 64<<10)...),
		"cut off":           data(func(b []byte) []byte { return b[:36] }),
		"more":              data(func(b []byte) []byte { return append(b, 0) }),
		"attested, no data": data(func(b []byte) []byte { b[32] |= 0x40; return b }),
		"extended, no data": extended(nil),
		"deep CBOR":         extended(bytes.Repeat([]byte{0x81}, 30000)),
		"endless CBOR":      extended(append([]byte{0xbf}, bytes.Repeat([]byte{0x61, 'a', 0x01}, 100)...)),
		"claimed length":    extended([]byte{0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"no client data":    changed(t, response, func(r *passkeytest.Response) { r.Response.ClientData = nil }),
		"not public-key":    changed(t, response, func(r *passkeytest.Response) { r.Type = "password" }),
		"ids differ":        changed(t, response, func(r *passkeytest.Response) { r.RawID = []byte("another") }),
	} {
		_, err := w.FinishAssertion(w.who, c, r, w.now)
		refused(t, name, err, fault.Invalid, "cannot be read")
		_, err = w.FinishPasskey(alone, r, w.now, w.find)
		refused(t, "alone: "+name, err, fault.Invalid, "cannot be read")
	}
}
