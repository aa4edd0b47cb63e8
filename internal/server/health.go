package server

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sallyport/internal/portalclient"
)

// probes are the endpoints for those who run the server: alive, ready, metrics; and what our own commands ask a portal.
func (s *Server) probes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /.well-known/sallyport", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(portalclient.Portal{Endpoint: s.cfg.URL, StartURL: s.instance.StartURL, Region: s.instance.Region})
	})
}

// ready is 200 while requests are served: the server is not stopping, and it knows what has been revoked.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	switch err := s.gate.Ready(); {
	case s.stopping.Load():
		http.Error(w, "stopping", http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		_, _ = w.Write([]byte("ready\n"))
	}
}
