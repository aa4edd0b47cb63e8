package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/emergency"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

func (s *Server) newEmergency() *emergency.Service {
	return &emergency.Service{
		DB: s.db, Keys: s.ring, Minter: s.minter, Instance: s.instance.ID, Store: s.instance.StoreID, Owner: s.instance.Owner, Region: s.instance.Region,
		Mail: s.mail, Letters: mail.Letters{Portal: s.cfg.URL},
	}
}

// glass lets monitoring see whether emergency accesses could be opened, and what is open. Every node tells the same.
type glass struct {
	s *Server

	ready, tested, open, reviews *prometheus.Desc
}

func (s *Server) watchEmergency() {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("sallyport_emergency_"+name, help, labels, nil)
	}
	s.registry.MustRegister(&glass{
		s:       s,
		ready:   desc("ready", "Whether the last self-test found that the emergency access could be opened: 1, or 0.", "access"),
		tested:  desc("last_test_timestamp_seconds", "When the emergency access was tested last.", "access"),
		open:    desc("open", "Emergency accesses that are open now."),
		reviews: desc("open_reviews", "Openings whose review nobody has closed."),
	})
}

// Describe names the metrics.
func (g *glass) Describe(out chan<- *prometheus.Desc) {
	for _, m := range []*prometheus.Desc{g.ready, g.tested, g.open, g.reviews} {
		out <- m
	}
}

// Collect reads them from the database.
func (g *glass) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	var all []store.EmergencyAccess
	var open, reviews int
	err := g.s.db.View(ctx, func(tx *store.Tx) (err error) {
		const many = 1000
		if all, _, err = tx.EmergencyAccesses(page.Query{Limit: many}); err != nil {
			return err
		}
		if open, err = tx.CountOpenings(store.OpeningOpen, many); err != nil {
			return err
		}
		reviews, err = tx.CountReviews(many)
		return err
	})
	if err != nil { // an error here would hide all other metrics
		return
	}
	gauge := func(m *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(m, prometheus.GaugeValue, v, labels...)
	}
	for _, e := range all {
		if e.TestedAt.IsZero() {
			continue
		}
		ready := 1.0
		if len(e.Failures) > 0 {
			ready = 0
		}
		gauge(g.ready, ready, e.Name)
		gauge(g.tested, float64(e.TestedAt.UnixMicro())/1e6, e.Name)
	}
	gauge(g.open, float64(open))
	gauge(g.reviews, float64(reviews))
}
