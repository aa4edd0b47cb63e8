package passkey_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/passkey"
	"sallyport/internal/passkey/passkeytest"
)

const origin = "https://id.example.com"

var start = time.Date(2026, 10, 20, 9, 0, 0, 0, time.UTC)

// world is one person at a browser with an authenticator, and our site.
type world struct {
	*passkey.Party
	who passkey.Person
	*passkeytest.Authenticator
	now time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	p, err := passkey.New(origin, "Example")
	must(t, err)
	return &world{
		Party: p, Authenticator: passkeytest.New(origin), now: start,
		who: passkey.Person{Handle: []byte("handle of alice"), Name: "alice", DisplayName: "Alice Liddell"},
	}
}

// registering begins a registration and has the authenticator answer.
func (w *world) registering(t testing.TB) (passkey.Ceremony, []byte) {
	t.Helper()
	options, c, err := w.BeginRegistration(w.who, w.now)
	must(t, err)
	return c, w.Create(options)
}

// register gives the person a key.
func (w *world) register(t testing.TB) passkey.Key {
	t.Helper()
	c, response := w.registering(t)
	k, err := w.FinishRegistration(w.who, c, response, w.now)
	must(t, err)
	w.who.Keys = append(w.who.Keys, k)
	return k
}

// asserting begins an assertion and has the authenticator answer.
func (w *world) asserting(t testing.TB) (passkey.Ceremony, []byte) {
	t.Helper()
	options, c, err := w.BeginAssertion(w.who, w.now)
	must(t, err)
	return c, w.Get(options)
}

// assert runs an assertion and keeps the updated key.
func (w *world) assert(t testing.TB) passkey.Assertion {
	t.Helper()
	c, response := w.asserting(t)
	a, err := w.FinishAssertion(w.who, c, response, w.now)
	must(t, err)
	w.keep(a.Key)
	return a
}

func (w *world) keep(k passkey.Key) {
	for i := range w.who.Keys {
		if string(w.who.Keys[i].ID) == string(k.ID) {
			w.who.Keys[i] = k
		}
	}
}

// alone begins a sign-in by passkey alone and has the authenticator answer.
func (w *world) alone(t testing.TB) (passkey.Ceremony, []byte) {
	t.Helper()
	options, c, err := w.BeginPasskey(w.now)
	must(t, err)
	return c, w.Get(options)
}

// find knows the one person.
func (w *world) find(handle, _ []byte) (passkey.Person, error) {
	if string(handle) != string(w.who.Handle) {
		return passkey.Person{}, fault.Missing("USER", "")
	}
	return w.who, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// changed is a response after a change.
func changed(t testing.TB, response []byte, change func(*passkeytest.Response)) []byte {
	t.Helper()
	var r passkeytest.Response
	must(t, json.Unmarshal(response, &r))
	change(&r)
	out, err := json.Marshal(r)
	must(t, err)
	return out
}

// refused checks a refusal: its kind, and that its one sentence says something and is not the library's.
func refused(t testing.TB, name string, err error, kind fault.Kind, says string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != kind || !strings.Contains(f.Message, says) {
		t.Errorf("%s: %v, want kind %d with %q", name, err, kind, says)
		return
	}
	if strings.Count(f.Message, ".") < 1 || !strings.HasSuffix(f.Message, ".") || f.Err != nil && strings.Contains(f.Message, f.Err.Error()) {
		t.Errorf("%s: message %q", name, f.Message)
	}
}
