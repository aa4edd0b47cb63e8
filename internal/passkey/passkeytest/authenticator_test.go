package passkeytest

import (
	"encoding/json"
	"strings"
	"testing"
)

const (
	create = `{"rp":{"id":"localhost","name":"x"},"user":{"id":"AA","name":"a","displayName":"a"},"challenge":"AAAAAAAAAAAAAAAAAAAAAA",
		"pubKeyCredParams":[{"type":"public-key","alg":-7}],"authenticatorSelection":{"userVerification":"required"}}`
	get = `{"rpId":"localhost","challenge":"AAAAAAAAAAAAAAAAAAAAAA"}`
)

// A double that takes options that browsers do not hides mistakes.
func TestOptionsThatBrowsersCannotRead(t *testing.T) {
	t.Parallel()
	panics := func(name string, f func()) {
		defer func() {
			if recover() == nil {
				t.Errorf("%s: taken", name)
			}
		}()
		f()
	}
	a := New("http://localhost")
	for name, change := range map[string][2]string{
		"no JSON":          {"{", "["},
		"padded challenge": {`AAAAAAAAAAAAAAAAAAAAAA"`, `AAAAAAAAAAAAAAAAAAAAAA=="`},
		"short challenge":  {"AAAAAAAAAAAAAAAAAAAAAA", "AAAA"},
		"no ES256":         {"-7", "-8"},
		"no user id":       {`"id":"AA"`, `"id":""`},
		"no RP id":         {`"localhost"`, `""`},
	} {
		o := json.RawMessage(strings.Replace(create, change[0], change[1], 1))
		panics("create: "+name, func() { a.Create(o) })
		if strings.Contains(get, change[0]) {
			o := json.RawMessage(strings.Replace(get, change[0], change[1], 1))
			panics("get: "+name, func() { a.Get(o) })
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	a := New("http://localhost")
	a.UserVerified = false
	if a.Create(json.RawMessage(create)) != nil {
		t.Error("makes a key without the user verification that is required")
	}
	a.UserVerified = true
	a.NotResident = true
	if a.Create(json.RawMessage(create)) == nil {
		t.Error("makes no key")
	}
	if a.Get(json.RawMessage(get)) != nil {
		t.Error("finds a key that is not resident")
	}
	a.NotResident = false
	a.Create(json.RawMessage(create))
	if a.Get(json.RawMessage(get)) == nil {
		t.Error("does not find the resident key")
	}
	if a.Get(json.RawMessage(strings.Replace(get, "localhost", "example.com", 1))) != nil {
		t.Error("finds the key of another site")
	}
}
