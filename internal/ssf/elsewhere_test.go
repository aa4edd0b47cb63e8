package ssf

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"sallyport/internal/arn"
	"sallyport/internal/secevent"
)

// elsewhere is a transmitter that publishes keys and makes tokens.
type elsewhere struct {
	*httptest.Server
	t testing.TB

	mu      sync.Mutex
	keys    []secevent.Key
	broken  bool
	fetched int
}

func newElsewhere(t testing.TB) *elsewhere {
	t.Helper()
	e := &elsewhere{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+WellKnown, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"issuer": e.URL, "jwks_uri": e.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.fetched++; e.broken {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		set, err := secevent.PublicKeys(e.keys)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(set)
	})
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	e.rotate()
	return e
}

// rotate makes another key, by which tokens are signed from now on.
func (e *elsewhere) rotate() {
	e.t.Helper()
	seed := make([]byte, 32)
	_, _ = rand.Read(seed)
	k, err := secevent.NewKey(arn.NewUUID(), func(string) []byte { return seed })
	if err != nil {
		e.t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = append(e.keys, k)
}

// token makes a token of an event, with what is to be different about its claims.
func (e *elsewhere) token(w *world, event string, subject map[string]any, change map[string]any) string {
	e.t.Helper()
	c := map[string]any{
		"iss": e.URL, "aud": []string{"us"}, "jti": arn.NewUUID(), "iat": w.clock.Now().Unix(), "sub_id": subject,
		"events": map[string]any{event: map[string]any{}},
	}
	for k, v := range change {
		c[k] = v
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	text, err := e.keys[len(e.keys)-1].Sign(c)
	if err != nil {
		e.t.Fatal(err)
	}
	return text
}

func email(of string) map[string]any { return map[string]any{"format": "email", "email": of} }

const (
	secevents = "application/secevent+jwt"
	plainJSON = "application/json"
)
