package trail

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/store"
)

// Metrics count what is written, and what is wrong.
type Metrics struct {
	files    *prometheus.CounterVec
	gone     prometheus.Counter
	bytes    prometheus.Counter
	failures prometheus.Counter
	faults   *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		files:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sallyport_trail_files_total", Help: "Files of trails that were written."}, []string{"kind"}),
		gone:     prometheus.NewCounter(prometheus.CounterOpts{Name: "sallyport_trail_files_deleted_total", Help: "Files of trails that were deleted because trail.retention says so."}),
		bytes:    prometheus.NewCounter(prometheus.CounterOpts{Name: "sallyport_trail_bytes_total", Help: "Bytes of trails' files that were written, compressed."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "sallyport_trail_failures_total", Help: "Attempts to write a trail's file that failed."}),
		faults:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "sallyport_trail_faults", Help: "Faults that the last verification of a trail has found."}, []string{"trail"}),
	}
	r.MustRegister(m.files, m.gone, m.bytes, m.failures, m.faults)
	return m
}

func (m *Metrics) wrote(o store.TrailObject, size int) {
	if m != nil {
		m.files.WithLabelValues(strings.ToLower(o.Kind)).Inc()
		m.bytes.Add(float64(size))
	}
}

func (m *Metrics) deleted(files int) {
	if m != nil {
		m.gone.Add(float64(files))
	}
}

func (m *Metrics) failed() {
	if m != nil {
		m.failures.Inc()
	}
}

func (m *Metrics) verified(trail string, faults int) {
	if m != nil {
		m.faults.WithLabelValues(trail).Set(float64(faults))
	}
}
