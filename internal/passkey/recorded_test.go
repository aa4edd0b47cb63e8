package passkey_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/passkey"
)

var update = flag.Bool("update", false, "record the ceremonies of testdata again")

// recorded is a registration and an assertion as they once were. Fuzzing needs them to stay the same, and a stored key has to
// stay readable.
type recorded struct {
	Person       passkey.Person  `json:"person"`
	Registration step            `json:"registration"`
	Assertion    step            `json:"assertion"`
	Key          json.RawMessage `json:"key"`
}

type step struct {
	Ceremony json.RawMessage `json:"ceremony"`
	Response json.RawMessage `json:"response"`
}

const record = "testdata/recorded.json"

func load(t testing.TB) (*world, recorded) {
	t.Helper()
	w := newWorld(t)
	if *update {
		save(t)
	}
	data, err := os.ReadFile(record)
	must(t, err)
	var r recorded
	must(t, json.Unmarshal(data, &r))
	w.who = r.Person
	return w, r
}

func save(t testing.TB) {
	w := newWorld(t)
	r := recorded{Person: w.who}
	c, response := w.registering(t)
	r.Registration = step{json.RawMessage(c), response}
	k, err := w.FinishRegistration(w.who, c, response, w.now)
	must(t, err)
	r.Key, err = json.Marshal(k)
	must(t, err)
	w.who.Keys = []passkey.Key{k}
	c, response = w.asserting(t)
	r.Assertion = step{json.RawMessage(c), response}
	data, err := json.MarshalIndent(r, "", "\t")
	must(t, err)
	must(t, os.WriteFile(record, append(data, '\n'), 0o600))
}

// key reads the recorded key and gives it to the person.
func (w *world) key(t testing.TB, r recorded) passkey.Key {
	t.Helper()
	var k passkey.Key
	must(t, json.Unmarshal(r.Key, &k))
	w.who.Keys = []passkey.Key{k}
	return k
}

func TestRecorded(t *testing.T) {
	w, r := load(t)
	k, err := w.FinishRegistration(w.who, passkey.Ceremony(r.Registration.Ceremony), r.Registration.Response, w.now)
	must(t, err)
	if d := cmp.Diff(w.key(t, r), k); d != "" {
		t.Error(d)
	}
	a, err := w.FinishAssertion(w.who, passkey.Ceremony(r.Assertion.Ceremony), r.Assertion.Response, w.now)
	must(t, err)
	k.SignCount = 2
	if d := cmp.Diff(passkey.Assertion{Key: k, UserVerified: true}, a); d != "" {
		t.Error(d)
	}
}
