package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/alert"
	"sallyport/internal/store"
)

// alertWatch lets monitoring see whether alerts are found and sent. Every node tells the same, whichever does the work.
type alertWatch struct {
	s *Server

	behind, waiting, failures *prometheus.Desc
}

func (s *Server) watchAlerts() {
	s.registry.MustRegister(&alertWatch{
		s:        s,
		behind:   prometheus.NewDesc("sallyport_alert_events_behind", "Events of the audit log that no alert rule was held against yet.", nil, nil),
		waiting:  prometheus.NewDesc("sallyport_alert_waiting", "Alerts that a target has not taken yet.", []string{"target"}, nil),
		failures: prometheus.NewDesc("sallyport_alert_target_failures", "How many tries to send to a target have failed in a row.", []string{"target"}, nil),
	})
}

// Describe names the metrics.
func (w *alertWatch) Describe(out chan<- *prometheus.Desc) {
	for _, m := range []*prometheus.Desc{w.behind, w.waiting, w.failures} {
		out <- m
	}
}

// Collect reads them from the database.
func (w *alertWatch) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	var all []prometheus.Metric
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
	}
	err := w.s.db.View(ctx, func(tx *store.Tx) error {
		all = nil
		behind, err := alert.Behind(tx)
		if err != nil {
			return err
		}
		gauge(w.behind, float64(behind))
		targets, err := alert.Targets(tx)
		if err != nil {
			return err
		}
		for _, t := range targets { // fifty at most
			n, err := tx.CountDeliveries(t.ID)
			if err != nil {
				return err
			}
			gauge(w.waiting, float64(n), t.Name)
			gauge(w.failures, float64(t.Failures), t.Name)
		}
		return nil
	})
	if err != nil { // an error here would hide all other metrics
		return
	}
	for _, m := range all {
		out <- m
	}
}
