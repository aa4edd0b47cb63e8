package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/store"
)

// scimState lets monitoring see what nobody would otherwise before a source of people stands still: tokens that end, and removals that
// wait for somebody to approve of them. Every node tells the same.
type scimState struct {
	s *Server

	expiry, stopped *prometheus.Desc
}

func (s *Server) watchSCIM() {
	s.registry.MustRegister(&scimState{
		s:       s,
		expiry:  prometheus.NewDesc("sallyport_scim_token_expiry_timestamp_seconds", "When a token of a source of people ends, within a year.", []string{"source", "token"}, nil),
		stopped: prometheus.NewDesc("sallyport_scim_removals_stopped", "How many removals by sources of people wait to be approved: of users, of groups, of memberships, of single groups' memberships.", nil, nil),
	})
}

// Describe names the metrics.
func (m *scimState) Describe(out chan<- *prometheus.Desc) { out <- m.expiry; out <- m.stopped }

// watched bounds how many tokens and stops are told of.
const watched = 1000

// Collect reads them from the database.
func (m *scimState) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	in, err := m.s.settings(ctx)
	if err != nil {
		return // an error here would hide all other metrics
	}
	var tokens []store.ExpiringToken
	var stops []store.SCIMGuard
	err = m.s.db.View(ctx, func(tx *store.Tx) (err error) {
		if tokens, err = tx.ExpiringSCIMTokens(time.Time{}, tx.Now().AddDate(1, 0, 1), watched); err != nil {
			return err
		}
		stops, err = tx.SCIMGuardsRefused(tx.Now().Add(-in.SCIMGuardMemory()), watched)
		return err
	})
	if err != nil || len(tokens) == 0 {
		return
	}
	for _, t := range tokens {
		out <- prometheus.MustNewConstMetric(m.expiry, prometheus.GaugeValue, float64(t.ExpiresAt.Unix()), t.Tenant, t.ID)
	}
	out <- prometheus.MustNewConstMetric(m.stopped, prometheus.GaugeValue, float64(len(stops)))
}
