package passkey_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
	"sallyport/internal/passkey"
)

func TestPartyOfURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url  string
		rpID string // empty: refused
		says string // of the refusal
	}{
		{"http://localhost:8080", "localhost", ""},
		{"http://localhost", "localhost", ""},
		{"http://id.localhost:8080/", "id.localhost", ""},
		{"https://id.example.com", "id.example.com", ""},
		{"https://ID.Example.com:443/start/", "id.example.com", ""},
		{"https://id.example.com:8443", "id.example.com", ""},
		{"https://xn--bcher-kva.example", "xn--bcher-kva.example", ""},
		{"https://192.0.2.1", "", "address 192.0.2.1: give the site a name"},
		{"http://127.0.0.1:8080", "", "address 127.0.0.1: give the site a name"},
		{"https://[::1]:8443", "", "address ::1: give the site a name"},
		{"http://id.example.com", "", "want https"},
		{"https://bücher.example", "", "ASCII form"},
		{"https://sallyport", "", "full domain name"},
		{"https://id.example.com.", "", "full domain name"},
		{"https://0x7f.1", "", "full domain name"},
		{"https://alice@id.example.com", "", "not the URL of a site"},
		{"ftp://id.example.com", "", "not the URL of a site"},
		{"id.example.com", "", "not the URL of a site"},
		{"https://", "", "not the URL of a site"},
		{"", "", "not the URL of a site"},
	} {
		p, err := passkey.New(c.url, "")
		if c.rpID == "" {
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.As(err).Message, c.says) {
				t.Errorf("%q: %v, want %q", c.url, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.url, err)
			continue
		}
		options, _, err := p.BeginPasskey(start)
		if err != nil {
			t.Fatal(err)
		}
		if got := member(t, options, "rpId"); got != c.rpID {
			t.Errorf("%q has RP id %v, want %s", c.url, got, c.rpID)
		}
	}
}

func member(t *testing.T, object json.RawMessage, name string) any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(object, &m); err != nil {
		t.Fatal(err)
	}
	return m[name]
}

// Browsers refuse options with a member of the wrong type and use what they know of the rest, so the whole is pinned.
func TestOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.who.Keys = []passkey.Key{{ID: []byte("a key"), Transports: []string{"usb", "nfc"}}, {ID: []byte("another")}}
	register, _, err := w.BeginRegistration(w.who, start)
	must(t, err)
	assert, _, err := w.BeginAssertion(w.who, start)
	must(t, err)
	alone, _, err := w.BeginPasskey(start)
	must(t, err)

	known := []any{
		map[string]any{"type": "public-key", "id": "YSBrZXk", "transports": []any{"usb", "nfc"}},
		map[string]any{"type": "public-key", "id": "YW5vdGhlcg"},
	}
	alg := func(n float64) any { return map[string]any{"type": "public-key", "alg": n} }
	for name, c := range map[string]struct {
		got  json.RawMessage
		want map[string]any
	}{
		"registration": {register, map[string]any{
			"rp":                     map[string]any{"id": "id.example.com", "name": "Example"},
			"user":                   map[string]any{"id": "aGFuZGxlIG9mIGFsaWNl", "name": "alice", "displayName": "Alice Liddell"},
			"pubKeyCredParams":       []any{alg(-7), alg(-8), alg(-257)},
			"timeout":                300000.0,
			"excludeCredentials":     known,
			"authenticatorSelection": map[string]any{"requireResidentKey": false, "residentKey": "preferred", "userVerification": "preferred"},
			"attestation":            "none",
			"extensions":             map[string]any{"credProps": true},
		}},
		"assertion": {assert, map[string]any{
			"rpId": "id.example.com", "timeout": 300000.0, "allowCredentials": known, "userVerification": "preferred",
		}},
		"passkey alone": {alone, map[string]any{"rpId": "id.example.com", "timeout": 300000.0, "userVerification": "required"}},
	} {
		var got map[string]any
		must(t, json.Unmarshal(c.got, &got))
		if challenge, _ := got["challenge"].(string); len(challenge) != 43 {
			t.Errorf("%s: challenge %q is not 32 bytes in base64url", name, challenge)
		}
		delete(got, "challenge")
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
