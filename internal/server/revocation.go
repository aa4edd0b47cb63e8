package server

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/audit"
	"sallyport/internal/revocation"
)

// recordOutage puts on record that this node has refused credentials, because it could not tell which were revoked. The database
// was out of reach then, so it is told afterwards.
func (s *Server) recordOutage(ctx context.Context, o revocation.Outage) error {
	details := map[string]any{
		"node": s.worker.Owner, "lastNews": audit.Time(o.Last), "newsAgain": audit.Time(o.Over), "boundSeconds": s.gate.Bound().Seconds(),
		"refused": o.Refused,
	}
	if o.Err != nil {
		details["error"] = o.Err.Error()
	}
	const source = "sallyport"
	return audit.Record(ctx, s.db, &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: source}, EventSource: source, EventName: "RevocationNewsRestored",
		EventType: "AwsServiceEvent", AWSRegion: s.instance.Region, SourceIPAddress: source, UserAgent: source,
		RecipientAccountID: string(s.instance.Owner), ServiceEventDetails: details,
	})
}

// informed answers nothing while it cannot be told what was revoked: cookies and tokens of sources are read from the database, and what
// can be read there may be as old as the news. The APIs say so themselves, each in its own way.
func (s *Server) informed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.gate.Ready() != nil {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "This server has no news from its database at present. Try again in a moment.", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// watchRevocation sets up the gate, and lets monitoring see whether this node knows what was revoked, and what it costs.
func (s *Server) watchRevocation() {
	s.gate.Within(s.cfg.Bound())
	s.gate.Report(s.recordOutage)
	gauge := func(name, help string, value func() float64) {
		s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "sallyport_revocation_" + name, Help: help}, value))
	}
	counter := func(name, help string, value func(revocation.Stats) uint64) {
		s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "sallyport_revocation_" + name, Help: help}, func() float64 {
			return float64(value(s.gate.Stats()))
		}))
	}
	gauge("news_age_seconds", "How old this node's news of revocations is; 0 on a database of one node.", func() float64 { return s.gate.Age().Seconds() })
	gauge("bound_seconds", "How old it may be.", func() float64 { return s.gate.Bound().Seconds() })
	gauge("refusing", "1 while this node refuses all credentials, because it cannot tell which were revoked.", func() float64 {
		if s.gate.Ready() != nil {
			return 1
		}
		return 0
	})
	gauge("live_changes", "Changes that credentials are held against.", func() float64 { return float64(s.gate.Stats().Live) })
	counter("refused_total", "Uses of credentials that were refused for want of news.", func(s revocation.Stats) uint64 { return s.Refused })
	counter("changes_total", "Changes that this node has learned of.", func(s revocation.Stats) uint64 { return s.Arrived })
	counter("coarsened_total", "How often there were too many changes to tell apart, so that every credential was looked into once.", func(s revocation.Stats) uint64 { return s.Coarsened })
	counter("evaluations_total", "Rights that were looked into in the database, after a change.", func(s revocation.Stats) uint64 { return s.Evaluations })
	counter("polls_total", "Looks at the changes of other nodes.", func(s revocation.Stats) uint64 { return s.Polls })
	counter("woken_polls_total", "Those of them that another node's notification has hastened.", func(s revocation.Stats) uint64 { return s.Woken })
}
