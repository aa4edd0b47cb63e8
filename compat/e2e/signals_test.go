package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The tokens of this file are made and verified by golang-jwt, and its JWKs by hand: nothing of what the program does it with.

const (
	sessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
	verification   = "https://schemas.openid.net/secevent/ssf/event-type/verification"
)

// TestSignalsOfOthers: tokens that another library has signed, with every algorithm, are taken; the commands say so.
func TestSignalsOfOthers(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	keys, set := foreignKeys(t)
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, set) }))
	t.Cleanup(idp.Close)
	added := s.cli("signals", "receive", "add", "okta", "--issuer", idp.URL, "--audience", "us", "--jwks", idp.URL)
	endpoint, token := field(t, added, "endpoint"), field(t, added, "token")
	if out := s.cli("signals", "receive", "verify", "okta"); !strings.Contains(out, "publishes 3 keys") {
		t.Errorf("verified: %s", out)
	}
	push := func(method jwt.SigningMethod, kid string, key any) (int, string) {
		c := jwt.MapClaims{
			"iss": idp.URL, "aud": "us", "jti": method.Alg() + kid, "iat": time.Now().Unix(), "sub_id": map[string]string{"format": "email", "email": "alice@sallyport.invalid"},
			"events": map[string]any{sessionRevoked: map[string]any{"event_timestamp": time.Now().Unix()}},
		}
		j := jwt.NewWithClaims(method, c)
		j.Header["typ"], j.Header["kid"] = "secevent+jwt", kid
		text, err := j.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(text))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/secevent+jwt")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	for kid, methods := range map[string][]jwt.SigningMethod{"rsa": {jwt.SigningMethodRS256, jwt.SigningMethodPS256}, "ec": {jwt.SigningMethodES256}, "ed": {jwt.SigningMethodEdDSA}} {
		for _, m := range methods {
			if status, body := push(m, kid, keys[kid]); status != http.StatusAccepted {
				t.Errorf("%s: %d %s", m.Alg(), status, body)
			}
		}
	}
	// What is public must be no secret: the old attack of an RSA key's text as an HMAC key.
	for m, key := range map[jwt.SigningMethod]any{jwt.SigningMethodHS256: []byte(set), jwt.SigningMethodNone: jwt.UnsafeAllowNoneSignatureType, jwt.SigningMethodRS512: keys["rsa"]} {
		if status, body := push(m, "rsa", key); status != http.StatusBadRequest || !strings.Contains(body, `"err":"invalid_key"`) {
			t.Errorf("%s: %d %s", m.Alg(), status, body)
		}
	}
}

// TestSignalsToOthers: what we sign another library verifies, with the keys where the well-known document says; and a kill in the
// middle of a delivery loses nothing.
func TestSignalsToOthers(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	var mu sync.Mutex
	var got []string
	up := false
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		kind, err := s.verifySignal(string(body))
		switch {
		case err != nil || r.Header.Get("Authorization") != "Bearer theirs":
			t.Errorf("pushed %s by %q: %v", body, r.Header.Get("Authorization"), err)
		case up:
			got = append(got, kind)
			w.WriteHeader(http.StatusAccepted)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(app.Close)
	s.cli("signals", "transmit", "add", "app", "--audience", "app", "--push-url", app.URL, "--token", "theirs")
	s.cli("users", "disable", s.Users[0].UserName)
	s.cli("signals", "transmit", "verify", "app")
	soon(t, func() bool { return strings.Contains(s.cli("signals", "transmit", "show", "app"), "503") })
	s.kill()
	<-s.exited
	mu.Lock()
	up = true
	mu.Unlock()
	s.start()
	want := []string{"https://schemas.openid.net/secevent/risc/event-type/account-disabled", sessionRevoked, verification}
	soon(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) >= len(want)
	})
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, want) {
		t.Errorf("told %v", got)
	}
}

// verifySignal verifies a token of the server's as a receiver elsewhere would, and returns the type of its event.
func (s *server) verifySignal(token string) (string, error) {
	var config struct {
		Issuer string
		Keys   string `json:"jwks_uri"`
	}
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X, Y string }
	}
	if err := getJSON(s.home()+"/.well-known/ssf-configuration", &config); err != nil {
		return "", err
	}
	if err := getJSON(config.Keys, &set); err != nil {
		return "", err
	}
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, func(j *jwt.Token) (any, error) {
		for _, k := range set.Keys {
			if k.Kid == j.Header["kid"] && k.Kty == "EC" && k.Crv == "P-256" {
				x, _ := base64.RawURLEncoding.DecodeString(k.X)
				y, _ := base64.RawURLEncoding.DecodeString(k.Y)
				return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
			}
		}
		return nil, fmt.Errorf("no key %v", j.Header["kid"])
	}, jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(config.Issuer), jwt.WithAudience("app"), jwt.WithIssuedAt())
	if err != nil {
		return "", err
	}
	events, _ := claims["events"].(map[string]any)
	if parsed.Header["typ"] != "secevent+jwt" || len(events) != 1 || claims["exp"] != nil || claims["sub"] != nil || claims["jti"] == nil || claims["sub_id"] == nil {
		return "", fmt.Errorf("no security event token: %v %v", parsed.Header, claims)
	}
	for kind := range events {
		return kind, nil
	}
	return "", nil
}

func getJSON(url string, into any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// foreignKeys are private keys by id, and the JWK set of their public halves.
func foreignKeys(t *testing.T) (map[string]crypto.Signer, string) {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	point, err := ecKey.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	set := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"rsa","use":"sig","n":%q,"e":%q},{"kty":"EC","kid":"ec","crv":"P-256","x":%q,"y":%q},{"kty":"OKP","kid":"ed","crv":"Ed25519","x":%q}]}`,
		b64(rsaKey.N.Bytes()), b64(big.NewInt(int64(rsaKey.E)).Bytes()), b64(point[1:33]), b64(point[33:]), b64(edPublic))
	return map[string]crypto.Signer{"rsa": rsaKey, "ec": ecKey, "ed": edKey}, set
}

// field is a value that a command shows.
func field(t *testing.T, out, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + `\s+(\S+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no %s in:\n%s", name, out)
	}
	return m[1]
}

// soon waits until something is so.
func soon(t *testing.T, is func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("waited in vain")
		}
	}
}
