package server

import (
	"context"
	"time"

	"sallyport/internal/alert"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// openAlerts builds what finds alerts, and what sends them.
func (s *Server) openAlerts() {
	s.alerts = &alert.Evaluator{DB: s.db, Owner: s.worker.Owner, Log: s.log}
	s.alarms = &alert.Deliverer{DB: s.db, Keys: s.ring, Mail: s.mail, Portal: s.cfg.URL, Owner: s.worker.Owner, Log: s.log}
}

// findAlerts holds the events of the audit log against the alert rules.
func (s *Server) findAlerts(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.alerts.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("finding alerts stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// sendAlerts brings alerts to their targets.
func (s *Server) sendAlerts(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.alarms.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("sending alerts stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// pruneAlerts removes alerts that were closed long ago.
func (s *Server) pruneAlerts(tx *store.Tx) (bool, error) {
	in, err := setting.Load(tx)
	if err != nil {
		return false, err
	}
	return alert.Prune(tx, in.AlertsKept)
}
