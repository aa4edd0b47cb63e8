package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestHosts: a page elsewhere cannot reach a server by rebinding its own name. Whatever looks after the server's health asks by
// the name or address that it has for the machine.
func TestHosts(t *testing.T) {
	t.Parallel()
	handler := newTestWorld(t).handler()
	for _, c := range []struct {
		method, host, path string
		status             int
	}{
		{"GET", "localhost:8080", "/portal", 303},
		{"HEAD", "127.0.0.1:1", "/start", 302},
		{"HEAD", "[::1]:1", "/start", 302},
		{"HEAD", "[::1]", "/start", 302},
		{"GET", "evil.test", "/portal", 421},
		{"GET", "localhost.evil.test:8080", "/portal", 421},
		{"GET", "10.0.0.9:8080", "/portal", 421},
		{"GET", "10.0.0.9:8080", "/.well-known/sallyport", 421},
		{"POST", "10.0.0.9:8080", "/", 421},
		{"GET", "", "/portal", 421},
		{"GET", "10.0.0.9:8080", "/healthz", 200},
		{"HEAD", "10.0.0.9", "/readyz", 200},
		{"GET", "[fd00::9]:8080", "/readyz", 200},
		{"GET", "node-3.cluster.internal", "/readyz", 200},
		{"POST", "10.0.0.9:8080", "/readyz", 421},
		{"GET", "10.0.0.9:8080", "/metrics", 200},
		{"GET", "[fd00::9]", "/metrics", 200},
		{"GET", "evil.test:8080", "/metrics", 421}, // figures of a server on this machine are no page's business
		{"GET", "10.0.0.9:8080", "/metrics/x", 421},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s at %q is %d, want %d (%s)", c.method, c.path, c.host, w.Code, c.status, http.StatusText(w.Code))
		}
	}
}
