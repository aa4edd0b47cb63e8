package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/store"
)

// push lets monitoring see how the pushing to other SCIM servers goes. Every node tells the same, whichever pushes.
type push struct {
	s *Server

	waiting, failed, lag, on, pushed *prometheus.Desc
}

func (s *Server) watchPush() {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("sallyport_scim_push_"+name, help, []string{"target"}, nil)
	}
	s.registry.MustRegister(&push{
		s:       s,
		waiting: desc("waiting", "Users and groups that have changed and are not pushed yet."),
		failed:  desc("failed", "Of them, those that the server did not take."),
		lag:     desc("lag_seconds", "How long the one waits that waits longest."),
		on:      desc("on", "1 while the target is pushed to; 0 while it is paused or refuses the token."),
		pushed:  desc("changes_total", "Changes that were pushed, ever."),
	})
}

// Describe names the metrics.
func (p *push) Describe(out chan<- *prometheus.Desc) {
	for _, m := range []*prometheus.Desc{p.waiting, p.failed, p.lag, p.on, p.pushed} {
		out <- m
	}
}

// Collect reads them from the database.
func (p *push) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	var all []store.SCIMTarget
	var backlog []store.Backlog
	now := p.s.db.Now()
	err := p.s.db.View(ctx, func(tx *store.Tx) (err error) {
		backlog = nil
		if all, err = tx.SCIMTargets(p.s.instance.StoreID); err != nil {
			return err
		}
		for _, t := range all {
			b, err := tx.Backlog(t.ID)
			if err != nil {
				return err
			}
			backlog = append(backlog, b)
		}
		return nil
	})
	if err != nil { // an error here would hide all other metrics
		return
	}
	for i, t := range all {
		lag, on := 0.0, 0.0
		if b := backlog[i]; !b.Oldest.IsZero() {
			lag = max(0, now.Sub(b.Oldest).Seconds())
		}
		if t.State == store.TargetOn {
			on = 1
		}
		for m, v := range map[*prometheus.Desc]float64{p.waiting: float64(backlog[i].Records), p.failed: float64(backlog[i].Failed), p.lag: lag, p.on: on} {
			out <- prometheus.MustNewConstMetric(m, prometheus.GaugeValue, v, t.Name)
		}
		out <- prometheus.MustNewConstMetric(p.pushed, prometheus.CounterValue, float64(t.Pushed), t.Name)
	}
}
