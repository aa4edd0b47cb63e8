package endpoint

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests. Every label value is of a closed set: services, operations and codes of the models.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewMetrics registers the request metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_requests_total", Help: "API requests by service, operation and error code (empty: success).",
		}, []string{"service", "operation", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sallyport_request_seconds", Help: "Time from the first byte read to the answer, by service.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"service"}),
	}
	reg.MustRegister(m.requests, m.seconds)
	return m
}

func (m *Metrics) observe(service, operation, code string, took time.Duration) {
	m.requests.WithLabelValues(service, operation, code).Inc()
	m.seconds.WithLabelValues(service).Observe(took.Seconds())
}
