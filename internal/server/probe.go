package server

import (
	"encoding/json"
	"net/http"
	"strings"

	"sallyport/internal/doctor"
)

// maxEcho bounds what a probe repeats of a request.
const maxEcho = 256

// isProbe tells requests of `sallyport doctor`.
func isProbe(r *http.Request) bool {
	rest, ok := strings.CutPrefix(r.URL.Path, doctor.ProbePath)
	return ok && (rest == "" || rest[0] == '/') && r.Method == http.MethodGet
}

// answerProbe tells a client what its request looked like when it arrived, so that `sallyport doctor` finds out what a proxy has
// changed. It is answered under any host name: a changed one is among the things to find out.
func answerProbe(w http.ResponseWriter, r *http.Request, v visit) {
	p := doctor.Probe{
		Host: echo(r.Host), Scheme: v.scheme, Client: v.client.String(), Proxied: v.trusted, URI: echo(r.RequestURI), Headers: []string{},
	}
	for _, name := range doctor.ProbeHeaders {
		if r.Header.Get(name) != "" {
			p.Headers = append(p.Headers, name)
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(p)
}

func echo(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxEcho)], "") }
