package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// stolen is a passkey out of its authenticator: it signs what no browser would ask it to.
type stolen struct {
	*webauthn.Credential
	key   *ecdsa.PrivateKey
	count uint32
}

// steal takes the only passkey out of the browser's authenticator.
func (b *browser) steal(id webauthn.AuthenticatorID) *stolen {
	b.tb.Helper()
	held, err := look(b, func(ctx context.Context, t *chromedp.Target) (webauthn.GetCredentialsResult, error) {
		return cdp.Call(ctx, t, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: id})
	})
	if err != nil || len(held.Credentials) != 1 {
		b.fail("take the passkey out", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(held.Credentials[0].PrivateKey)
	if err != nil {
		b.fail("read the passkey", err)
	}
	return &stolen{held.Credentials[0], key.(*ecdsa.PrivateKey), uint32(held.Credentials[0].SignCount)}
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign answers a challenge as a browser does that is at an origin, with a key for a site (WebAuthn §6.3.3).
func (k *stolen) sign(tb testing.TB, challenge, origin, site string) string {
	tb.Helper()
	k.count++
	client, err := json.Marshal(map[string]any{"type": "webauthn.get", "challenge": challenge, "origin": origin, "crossOrigin": false})
	if err != nil {
		tb.Fatal(err)
	}
	hash, clientHash := sha256.Sum256([]byte(site)), sha256.Sum256(client)
	const present, verified, eligible, backedUp = 1, 1 << 2, 1 << 3, 1 << 4
	data := append(hash[:], present|verified|eligible|backedUp, byte(k.count>>24), byte(k.count>>16), byte(k.count>>8), byte(k.count))
	sum := sha256.Sum256(slices.Concat(data, clientHash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, sum[:])
	if err != nil {
		tb.Fatal(err)
	}
	id := base64url(k.CredentialID)
	answer, err := json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": base64url(client), "authenticatorData": base64url(data), "signature": base64url(signature), "userHandle": base64url(k.UserHandle)},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return string(answer)
}

// challenge begins a sign-in by passkey, and returns what is to be signed.
func (v *visit) challenge() string {
	v.tb.Helper()
	v.cookies = map[string]string{}
	v.post("/signin/passkey/start", form("next", "/portal"))
	var options struct{ Challenge string }
	if r := v.post("/signin/passkey/options", nil); json.Unmarshal([]byte(r.body), &options) != nil || options.Challenge == "" {
		v.tb.Fatalf("options: %d %s", r.status, r.body)
	}
	return options.Challenge
}

// withKey gives the answer to a challenge, and says whether that leads in.
func (v *visit) withKey(answer string) bool {
	v.tb.Helper()
	if r := v.post("/signin/passkey", form("response", answer)); r.status != http.StatusSeeOther {
		v.tb.Errorf("a passkey is answered %d %s", r.status, r.said())
	}
	v.page("/signin")
	return v.in()
}

// TestPasskeyAttacks: what a passkey has signed counts once, in the attempt that asked for it, and at our origin alone.
func TestPasskeyAttacks(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who, b := s.newcomer(), newBrowser(t)
	authenticator := b.plugIn(true)
	b.open(s.PortalURL)
	b.step(who)
	b.step(who)
	b.useKey("Choose a new password")
	b.choose(&who, "Blue-Harbour-41-sails")
	k, v := b.steal(authenticator), s.visit(t)

	challenge := v.challenge()
	good := k.sign(t, challenge, s.home(), "localhost")
	if !v.withKey(good) {
		t.Fatalf("the passkey does not sign in: %s", v.page("/signin").said())
	}
	v.challenge()
	if v.withKey(good) {
		t.Error("an answer works twice")
	}
	for what, old := range map[string]string{"a used challenge": challenge, "the challenge of another browser": s.visit(t).challenge()} {
		v.challenge()
		if v.withKey(k.sign(t, old, s.home(), "localhost")) {
			t.Errorf("%s works", what)
		}
	}
	for _, origin := range []string{"https://evil.test", "http://localhost", "https://" + strings.TrimPrefix(s.home(), "http://"), s.home() + ".evil.test", s.home() + "/", "http://localhost:1", "null", ""} {
		if v.withKey(k.sign(t, v.challenge(), origin, "localhost")) {
			t.Errorf("what was signed at %q works", origin)
		}
	}
	if v.withKey(k.sign(t, v.challenge(), s.home(), "evil.test")) {
		t.Error("what was signed for another site works")
	}
	if !v.withKey(k.sign(t, v.challenge(), s.home(), "localhost")) {
		t.Error("the passkey works no more")
	}
}

// TestMalformedRegistrations: whatever a browser says that its authenticator has made, it is refused with a word, and the
// person goes on.
func TestMalformedRegistrations(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who, v := s.newcomer(), s.visit(t)
	v.post("/signin/username", form("username", who.UserName))
	v.post("/signin/password", form("password", who.Password))
	for name, object := range map[string]string{
		"nothing": "", "cut off": "\xa3\x63fmt", "endless": "\xbf\x63fmt", "deep": strings.Repeat("\x9f", 20_000), "deep maps": strings.Repeat("\xa1\x61a", 10_000),
		"huge text": "\xa1\x7b\xff\xff\xff\xff\xff\xff\xff\xff", "huge array": "\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "twice": "\xa2\x63fmt\x64none\x63fmt\x64none",
		"tags": strings.Repeat("\xc0", 10_000), "text": "none", "bad data": "\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x44\x00\x01\x02\x03",
	} {
		var options struct{ Challenge string }
		if r := v.post("/signin/passkey/options", nil); json.Unmarshal([]byte(r.body), &options) != nil || options.Challenge == "" {
			t.Fatalf("options after %s: %d %s", name, r.status, r.body)
		}
		client, err := json.Marshal(map[string]any{"type": "webauthn.create", "challenge": options.Challenge, "origin": s.home(), "crossOrigin": false})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := json.Marshal(map[string]any{
			"id": "AAAA", "rawId": "AAAA", "type": "public-key", "clientExtensionResults": map[string]any{},
			"response": map[string]any{"clientDataJSON": base64url(client), "attestationObject": base64url([]byte(object))},
		})
		if err != nil {
			t.Fatal(err)
		}
		r := v.post("/signin/passkey", form("response", string(answer)))
		if page := v.page("/signin"); r.status != http.StatusSeeOther || !strings.Contains(page.body, `id="trouble"`) || !strings.Contains(page.said(), "Register a device") {
			t.Errorf("%s is answered %d, then %s", name, r.status, page.said())
		}
	}
	for _, answer := range []string{"", "null", "[]", "{", `{"id":1}`, strings.Repeat("[", 50_000), strings.Repeat(`{"response":`, 5000), "\u0000"} {
		if r := v.post("/signin/passkey", form("response", answer)); r.status >= 500 {
			t.Errorf("%.20q is answered %d", answer, r.status)
		}
	}
	s.sound()
}

// sound fails the test if the server took anything for a fault of its own.
func (s *server) sound() {
	s.tb.Helper()
	for _, words := range []string{"panic", `"level":"ERROR"`} {
		if strings.Contains(s.out.String(), words) {
			s.tb.Errorf("the server says %q:\n%s", words, s.out)
		}
	}
}

// TestLargeBodies: what no form and no call has the size of is refused, wherever it is sent.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	v := s.visit(t)
	v.signIn(s.Users[0])
	large := strings.Repeat("x", 8<<20)
	for _, path := range []string{
		"/signin/username", "/signin/password", "/signin/code", "/signin/passkey", "/signin/passkey/options", "/signin/app", "/signin/forgot", "/signin/restart",
		"/signout", "/account/rename-device", "/portal/credentials", "/device", "/authorize", "/link/x",
	} {
		if r := v.post(path, form("response", large)); r.status != http.StatusRequestEntityTooLarge {
			t.Errorf("a large form to %s is answered %d", path, r.status)
		}
	}
	for path, target := range map[string]string{
		"/": "SWBExternalService.ListInstances", "/client/register": "", "/device_authorization": "", "/token": "", "/logout": "", "/introspect": "",
	} {
		r := v.send(http.MethodPost, path, `{"clientName":"`+large+`"}`, func(h http.Header) {
			h.Set("Content-Type", "application/json")
			if target != "" {
				h.Set("Content-Type", "application/x-amz-json-1.1")
				h.Set("X-Amz-Target", target)
			}
		})
		if r.status < 400 || r.status >= 500 {
			t.Errorf("a large call to %s is answered %d %.200s", path, r.status, r.body)
		}
	}
	if !v.in() {
		t.Error("the session is gone")
	}
	s.sound()
}
