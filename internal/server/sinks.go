package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// shipEvents sends the audit log to the sinks.
func (s *Server) shipEvents(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.sinks.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("shipping to sinks stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// sinkMetrics lets monitoring see how the sending of the audit log goes. Every node tells the same of a sink, whichever ships it, but for its
// own file.
type sinkMetrics struct {
	s *Server

	lagEvents, lagSeconds, delivered, failures, dead, on *prometheus.Desc
}

func (s *Server) watchSinks() {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("sallyport_audit_sink_"+name, help, []string{"sink"}, nil)
	}
	s.registry.MustRegister(&sinkMetrics{
		s:          s,
		lagEvents:  desc("lag_events", "Events of the audit log that the sink does not have yet."),
		lagSeconds: desc("lag_seconds", "How long the one waits that waits longest."),
		delivered:  desc("delivered_total", "Events that the sink was sent and has taken, ever."),
		failures:   desc("failures_total", "Tries that have failed, ever."),
		dead:       desc("dead_letters", "Events that the sink has refused and that wait for an operator."),
		on:         desc("on", "1 while the sink is sent events; 0 while it is paused."),
	})
}

// Describe names the metrics.
func (m *sinkMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lagEvents, m.lagSeconds, m.delivered, m.failures, m.dead, m.on} {
		out <- d
	}
}

// Collect reads them from the database.
func (m *sinkMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	var all []store.EventSink
	var lags []stream.Lag
	now := m.s.db.Now()
	err := m.s.db.View(ctx, func(tx *store.Tx) (err error) {
		lags = nil
		if all, err = tx.EventSinks(); err != nil {
			return err
		}
		if m.s.file != nil {
			all = append(all, store.EventSink{Name: m.s.file.Name(), State: store.SinkOn, Position: m.s.file.Last(), Delivered: -1})
		}
		for _, s := range all { // twenty at most
			l, err := stream.LagOf(tx, m.s.db, s)
			if err != nil {
				return err
			}
			lags = append(lags, l)
		}
		return nil
	})
	if err != nil { // an error here would hide all other metrics
		return
	}
	for i, s := range all {
		m.tell(out, s, lags[i], now)
	}
}

func (m *sinkMetrics) tell(out chan<- prometheus.Metric, s store.EventSink, lag stream.Lag, now time.Time) {
	behind, on := 0.0, 0.0
	if !lag.Since.IsZero() {
		behind = max(0, now.Sub(lag.Since).Seconds())
	}
	if s.State == store.SinkOn {
		on = 1
	}
	for d, v := range map[*prometheus.Desc]float64{m.lagEvents: float64(lag.Events), m.lagSeconds: behind, m.on: on} {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, s.Name)
	}
	if s.Delivered < 0 { // the file counts nothing but its last line
		return
	}
	out <- prometheus.MustNewConstMetric(m.dead, prometheus.GaugeValue, float64(lag.Dead), s.Name)
	out <- prometheus.MustNewConstMetric(m.delivered, prometheus.CounterValue, float64(s.Delivered), s.Name)
	out <- prometheus.MustNewConstMetric(m.failures, prometheus.CounterValue, float64(s.Failed), s.Name)
}
