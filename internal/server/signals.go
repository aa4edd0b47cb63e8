package server

import (
	"strings"

	"sallyport/internal/heed"
	"sallyport/internal/ssf"
)

// openSignals builds what shared signals come in and go out by.
func (s *Server) openSignals() {
	url := strings.TrimSuffix(s.cfg.URL, "/")
	s.signals = &ssf.Server{
		DB: s.db, Ring: s.ring, URL: url, Owner: s.worker.Owner, Log: s.log, Client: ssf.NewClient(nil), Record: s.api.Recorder.Add,
		Heed:     &heed.Service{Login: s.login, Sessions: s.sessions, Owner: s.instance.Owner, Region: s.instance.Region, URL: url},
		Stopping: s.stopping.Load,
	}
}
