package secevent

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	issuer   = "https://idp.example.com/"
	receiver = "https://sp.example.com/caep"
)

var now = time.Unix(1_615_305_200, 0)

// good are the claims of CAEP 1.0's example of a changed credential, as SSF 1.0 has its subject.
func good() map[string]any {
	return map[string]any{
		"iss": issuer, "jti": "07efd930f0977e4fcc1149a733ce7f78", "iat": 1615305159, "aud": receiver, "txn": "8675309",
		"sub_id": map[string]any{"format": "iss_sub", "iss": issuer, "sub": "jane.smith@example.com"},
		"events": map[string]any{CredentialChange: map[string]any{"credential_type": "fido2-roaming", "change_type": "create", "event_timestamp": 1615304991}},
	}
}

// signer makes tokens of any kind.
type signer struct {
	key  any
	alg  jose.SignatureAlgorithm
	kid  string
	typ  any
	more map[jose.HeaderKey]any
}

func (s signer) sign(tb testing.TB, payload []byte) string {
	tb.Helper()
	opts := &jose.SignerOptions{}
	if s.typ != nil {
		opts.WithHeader(jose.HeaderType, s.typ)
	}
	for k, v := range s.more {
		opts.WithHeader(k, v)
	}
	sig, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: s.kid}}, opts)
	if err != nil {
		tb.Fatal(err)
	}
	jws, err := sig.Sign(payload)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func (s signer) claims(tb testing.TB, c map[string]any) string {
	tb.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s.sign(tb, b)
}

func set(tb testing.TB, keys ...jose.JSONWebKey) KeySet {
	tb.Helper()
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := ParseKeys(b)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	keys := set(t,
		jose.JSONWebKey{Key: rsaKey.Public(), KeyID: "rsa"}, jose.JSONWebKey{Key: ecKey.Public(), KeyID: "ec", Use: "sig"}, jose.JSONWebKey{Key: edKey.Public(), KeyID: "ed", Algorithm: "EdDSA"},
		jose.JSONWebKey{Key: rsaKey.Public(), KeyID: "rs256", Algorithm: "RS256"})
	for _, c := range []struct {
		signer
		code string
	}{
		{signer{key: rsaKey, alg: jose.RS256, kid: "rsa"}, ""},
		{signer{key: rsaKey, alg: jose.PS256, kid: "rsa"}, ""},
		{signer{key: ecKey, alg: jose.ES256, kid: "ec"}, ""},
		{signer{key: edKey, alg: jose.EdDSA, kid: "ed"}, ""},
		{signer{key: rsaKey, alg: jose.RS512, kid: "rsa"}, InvalidKey},
		{signer{key: []byte(strings.Repeat("k", 32)), alg: jose.HS256, kid: "rsa"}, InvalidKey},
		{signer{key: rsaKey, alg: jose.PS256, kid: "rs256"}, InvalidKey}, // the key is for another algorithm
		{signer{key: ecKey, alg: jose.ES256, kid: "ed"}, InvalidKey},
		{signer{key: ecKey, alg: jose.ES256, kid: "gone"}, InvalidKey},
		{signer{key: ecKey, alg: jose.ES256}, InvalidKey}, // names no key
	} {
		c.typ = "secevent+jwt"
		got, err := Verify(c.claims(t, good()), keys)
		if code := codeOf(err); code != c.code {
			t.Errorf("%s by %q: %v", c.alg, c.kid, err)
		}
		if c.code == "" && (got.Type != CredentialChange || got.Subject.Sub != "jane.smith@example.com" || got.Check(issuer, receiver, now) != nil) {
			t.Errorf("%s: read %+v", c.alg, got)
		}
	}
}

func codeOf(err error) string {
	var p *Problem
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p):
		return p.Code
	}
	return "no problem but " + err.Error()
}

func TestHostileTokens(t *testing.T) {
	t.Parallel()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keys := set(t, jose.JSONWebKey{Key: key.Public(), KeyID: "1"})
	by := signer{key: key, alg: jose.ES256, kid: "1", typ: "secevent+jwt"}
	with := func(name string, v any) string {
		c := maps.Clone(good())
		if c[name] = v; v == nil {
			delete(c, name)
		}
		return by.claims(t, c)
	}
	valid := by.claims(t, good())
	b64 := base64.RawURLEncoding.EncodeToString
	payload, _ := json.Marshal(good())
	event := map[string]any{SessionRevoked: map[string]any{}}
	for name, c := range map[string]struct{ token, code string }{
		"nothing":             {"", InvalidRequest},
		"no token":            {"hello", InvalidRequest},
		"huge":                {valid + strings.Repeat("A", MaxSize), InvalidRequest},
		"alg none":            {b64([]byte(`{"alg":"none","typ":"secevent+jwt","kid":"1"}`)) + "." + b64(payload) + ".", InvalidKey},
		"no signature":        {valid[:strings.LastIndex(valid, ".")+1], InvalidKey},
		"another's signature": {signer{key: other, alg: jose.ES256, kid: "1", typ: "secevent+jwt"}.claims(t, good()), InvalidKey},
		"its own key":         {signer{key: other, alg: jose.ES256, kid: "2", typ: "secevent+jwt", more: map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: other.Public(), KeyID: "2"}}}.claims(t, good()), InvalidKey},
		"critical header":     {signer{key: key, alg: jose.ES256, kid: "1", typ: "secevent+jwt", more: map[jose.HeaderKey]any{"crit": []string{"exp"}, "exp": 1}}.claims(t, good()), InvalidKey},
		"an ID token":         {signer{key: key, alg: jose.ES256, kid: "1", typ: "JWT"}.claims(t, good()), InvalidRequest},
		"no type":             {signer{key: key, alg: jose.ES256, kid: "1"}.claims(t, good()), InvalidRequest},
		"type of no text":     {signer{key: key, alg: jose.ES256, kid: "1", typ: 7}.claims(t, good()), InvalidRequest},
		"no JSON":             {by.sign(t, []byte("hello")), InvalidRequest},
		"a list":              {by.sign(t, []byte("[]")), InvalidRequest},
		"iss twice":           {by.sign(t, []byte(strings.Replace(string(payload), "{", `{"iss":"https://evil.example",`, 1))), InvalidRequest},
		"no jti":              {with("jti", nil), InvalidRequest},
		"jti of no text":      {with("jti", 1), InvalidRequest},
		"jti with NUL":        {with("jti", "a\x00b"), InvalidRequest},
		"huge jti":            {with("jti", strings.Repeat("j", 3000)), InvalidRequest},
		"no iat":              {with("iat", nil), InvalidRequest},
		"iat as text":         {with("iat", "1615305159"), InvalidRequest},
		"with exp":            {with("exp", 1915305159), InvalidRequest},
		"no aud":              {with("aud", nil), InvalidAudience},
		"empty aud":           {with("aud", []string{}), InvalidAudience},
		"wrong aud":           {with("aud", "https://other.example"), InvalidAudience},
		"wrong iss":           {with("iss", "https://idp.example.com"), InvalidIssuer},
		"future":              {with("iat", now.Add(time.Hour).Unix()), InvalidRequest},
		"ages old":            {with("iat", now.Add(-40*24*time.Hour).Unix()), InvalidRequest},
		"no events":           {with("events", nil), InvalidRequest},
		"two events":          {with("events", map[string]any{SessionRevoked: map[string]any{}, AccountDisabled: map[string]any{}}), InvalidRequest},
		"event of no object":  {with("events", map[string]any{SessionRevoked: true}), InvalidRequest},
		"no subject":          {with("sub_id", nil), InvalidRequest},
		"subject as text":     {with("sub_id", "jane"), InvalidRequest},
		"email without one":   {with("sub_id", map[string]any{"format": "email"}), InvalidRequest},
		"boundless subject":   {with("sub_id", nest(40)), InvalidRequest},
		"one of several aud":  {with("aud", []string{"https://other.example", receiver}), ""},
		"type in full":        {signer{key: key, alg: jose.ES256, kid: "1", typ: "application/SecEvent+JWT"}.claims(t, good()), ""},
		"subject we know not": {with("sub_id", map[string]any{"format": "phone_number", "phone_number": "+12065550100"}), ""},
		"a session of a user": {with("sub_id", map[string]any{"format": "complex", "user": map[string]any{"format": "email", "email": "a@b"}, "session": map[string]any{"format": "opaque", "id": "s"}}), ""},
		"subject in the event": {func() string {
			c := good()
			delete(c, "sub_id")
			event[SessionRevoked] = map[string]any{"subject": map[string]any{"format": "email", "email": "a@b"}}
			c["events"] = event
			return by.claims(t, c)
		}(), ""},
	} {
		got, err := Verify(c.token, keys)
		if err == nil {
			err = got.Check(issuer, receiver, now)
		}
		if code := codeOf(err); code != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
}

func nest(n int) any {
	if n == 0 {
		return map[string]any{"format": "opaque", "id": "x"}
	}
	return map[string]any{"format": "complex", "user": nest(n - 1)}
}

func TestKeySets(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ec384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	got := set(t, jose.JSONWebKey{Key: weak.Public(), KeyID: "weak"}, jose.JSONWebKey{Key: ec.Public(), KeyID: "good"}, jose.JSONWebKey{Key: ec.Public()},
		jose.JSONWebKey{Key: ec.Public(), KeyID: "enc", Use: "enc"}, jose.JSONWebKey{Key: ec384.Public(), KeyID: "curve"}, jose.JSONWebKey{Key: []byte("secret"), KeyID: "oct"})
	if _, ok := got["good"]; !ok || len(got) != 1 {
		t.Errorf("kept %v", got)
	}
	for _, bad := range []string{``, `{}`, `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA","kid":"1"}]}`, `[]`, `{"keys":[` + strings.Repeat(`{},`, 200) + `{}]}`} {
		if _, err := ParseKeys([]byte(bad)); err == nil {
			t.Errorf("%.40s was taken", bad)
		}
	}
	one, _ := json.Marshal(jose.JSONWebKey{Key: ec.Public(), KeyID: "1"})
	if _, err := ParseKeys([]byte(`{"keys":[` + string(one) + `,` + string(one) + `]}`)); err == nil {
		t.Error("two keys with one id were taken")
	}
}

// TestSign: what we sign is what we verify, and a derived key is the same each time.
func TestSign(t *testing.T) {
	t.Parallel()
	derive := func(label string) []byte { b := make([]byte, 32); copy(b[8:], label); return b }
	k, err := NewKey("k1", derive)
	if err != nil {
		t.Fatal(err)
	}
	token, err := k.Sign(good())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := NewKey("k1", derive)
	public, err := PublicKeys([]Key{again})
	if err != nil || strings.Contains(string(public), `"d"`) {
		t.Fatalf("published %s, %v", public, err)
	}
	keys, err := ParseKeys(public)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Verify(token, keys); err != nil || got.ID != "07efd930f0977e4fcc1149a733ce7f78" {
		t.Errorf("%+v, %v", got, err)
	}
	n := 0
	if _, err := NewKey("k", func(string) []byte { n++; return make([]byte, 32) }); err == nil || n != 8 {
		t.Errorf("a key of zeros after %d tries: %v", n, err)
	}
}

// FuzzVerify: whatever comes, there is a token or a problem; and a token has what it must have.
func FuzzVerify(f *testing.F) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keys := KeySet{"1": {Key: key.Public(), KeyID: "1"}}
	by := signer{key: key, alg: jose.ES256, kid: "1", typ: "secevent+jwt"}
	for _, seed := range []map[string]any{good(), {"iss": "a"}, {"events": map[string]any{"x": nil}}} {
		b, _ := json.Marshal(seed)
		f.Add(b, true)
		f.Add([]byte(by.sign(f, b)), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, sign bool) {
		text := string(in)
		if sign { // so that claims are reached
			text = by.sign(t, in)
		}
		got, err := Verify(text, keys)
		var p *Problem
		if err != nil && (!errors.As(err, &p) || p.Code == "" || p.Description == "") {
			t.Fatalf("%v is no problem", err)
		}
		if err == nil && (got.Issuer == "" || got.ID == "" || got.Type == "" || len(got.Audience) == 0 || got.Subject.Format == "" || got.IssuedAt.IsZero()) {
			t.Fatalf("took %+v", got)
		}
	})
}
