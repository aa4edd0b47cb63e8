// Package ssf is the wire of shared signals (OpenID Shared Signals Framework 1.0), both ways: a receiver, to which transmitters
// elsewhere push (RFC 8935) or which polls them (RFC 8936), and a transmitter, which pushes to others or is polled by them. What
// signals do here is package heed's, what is sent is package signal's, and how tokens look is package secevent's.
//
// Delivery is at least once, and in order within a stream. A signal is removed when its receiver has taken it, and not before.
// Streams and receivers are made by operators (package sallyport); of the framework's management API, receivers have what they
// need to poll: to read their stream and its status, and to ask for a verification event.
package ssf

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/heed"
	"sallyport/internal/keyring"
	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

// Server answers requests, and sends and fetches signals.
type Server struct {
	DB     *store.DB
	Ring   *keyring.Ring
	Heed   *heed.Service
	URL    string // without a slash at its end: the issuer of our tokens
	Owner  string // names this process among the workers
	Log    *slog.Logger
	Client *Client
	// Record keeps the event of something that no change waits for.
	Record func(*audit.Event)
	// Stopping says that the server is to end: those who wait for signals wait no longer.
	Stopping func() bool

	keys    keys
	waiting atomic.Int64 // polls that are held
}

// Paths of the endpoints. A receiver's is Base and its id.
const (
	Base      = "/signals/"
	WellKnown = "/.well-known/ssf-configuration"
)

// Bounds of requests.
const (
	maxRequest = 256 << 10
	maxBearer  = 256
)

// The delivery methods by their URNs (SSF 1.0 §6.1).
const (
	pushMethod = "urn:ietf:rfc:8935"
	pollMethod = "urn:ietf:rfc:8936"
)

// Handler answers below [Base] and at [WellKnown].
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+WellKnown, s.configuration)
	mux.HandleFunc("GET "+Base+"jwks.json", s.publicKeys)
	mux.HandleFunc("GET "+Base+"stream", s.streamed(s.streamConfiguration))
	mux.HandleFunc("GET "+Base+"status", s.streamed(s.streamStatus))
	mux.HandleFunc("POST "+Base+"verify", s.streamed(s.verify))
	mux.HandleFunc("POST "+Base+"poll/{stream}", s.streamed(s.poll))
	mux.HandleFunc("POST "+Base+"{receiver}", s.receive)
	return mux
}

// bearer is the token that a request carries; empty: none.
func bearer(r *http.Request) string {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if text = strings.TrimSpace(text); !strings.EqualFold(scheme, "Bearer") || len(text) > maxBearer {
		return ""
	}
	return text
}

var errTooLarge = errors.New("the request is too large")

func readBody(r *http.Request, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errTooLarge
	}
	return b, err
}

func isType(r *http.Request, want string) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && t == want
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody to tell
}

// refuse answers with one of the codes that RFC 8935 §2.4 has.
func refuse(w http.ResponseWriter, p *secevent.Problem) { reply(w, http.StatusBadRequest, p) }

// later asks a client to come again: the trouble is ours.
func later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "30")
	reply(w, http.StatusServiceUnavailable, nil)
}

// wait sleeps, and tells whether ctx still stands.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
