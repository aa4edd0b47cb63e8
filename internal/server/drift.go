package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/provision"
	"sallyport/internal/store"
)

// drift lets monitoring see what the last check of all roles has found. Every node tells the same, whichever has checked; without checks
// on a schedule there is nothing to tell.
type drift struct {
	s *Server

	findings, unchecked, roles, at, took *prometheus.Desc
}

func (s *Server) watchDrift() {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("sallyport_drift_"+name, help, labels, nil)
	}
	s.registry.MustRegister(&drift{
		s:         s,
		findings:  desc("findings", "Roles that are not what was provisioned, by kind. OUTDATED ones only wait to be provisioned.", "kind"),
		unchecked: desc("unchecked_accounts", "Accounts that the last check could not look at: what was found there before stands."),
		roles:     desc("checked_roles", "Roles that the last check has looked at."),
		at:        desc("last_check_timestamp_seconds", "When the last check of all roles came to its end."),
		took:      desc("last_check_duration_seconds", "How long it took."),
	})
}

// Describe names the metrics.
func (d *drift) Describe(out chan<- *prometheus.Desc) {
	for _, m := range []*prometheus.Desc{d.findings, d.unchecked, d.roles, d.at, d.took} {
		out <- m
	}
}

// Collect reads them from the database.
func (d *drift) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	in, err := d.s.settings(ctx)
	if err != nil || in.DriftEvery == 0 {
		return
	}
	var last provision.Check
	found := map[store.DriftKind]int{}
	err = d.s.db.View(ctx, func(tx *store.Tx) (err error) {
		if last, err = provision.LastCheck(tx); err != nil {
			return err
		}
		for _, k := range store.DriftKinds {
			if found[k], err = tx.CountDriftFindings(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || last.Ended.IsZero() { // an error here would hide all other metrics
		return
	}
	gauge := func(m *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(m, prometheus.GaugeValue, v, labels...)
	}
	for k, n := range found {
		gauge(d.findings, float64(n), string(k))
	}
	gauge(d.unchecked, float64(last.Unchecked))
	gauge(d.roles, float64(last.Roles))
	gauge(d.at, float64(last.Ended.UnixMicro())/1e6)
	gauge(d.took, last.Ended.Sub(last.Began).Seconds())
}
