package login

import "github.com/prometheus/client_golang/prometheus"

// What becomes of sign-ins, for metrics.
const (
	outcomeSuccess = "success"
	outcomeWrong   = "wrong"   // an unknown name, a wrong password or a disabled user
	outcomeLocked  = "locked"  // a try while the name was locked
	outcomeNetwork = "network" // refused before a look: the network has used up its allowance
	outcomeBusy    = "busy"    // refused before a look: too many passwords are being checked
)

// Metrics counts sign-ins. A nil one counts nothing.
type Metrics struct{ signIns *prometheus.CounterVec }

// NewMetrics registers the metrics of sign-in.
func NewMetrics(reg prometheus.Registerer, h *Hasher) *Metrics {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sallyport_sign_ins_total", Help: "Sign-ins by outcome: success, wrong, locked, network, busy.",
	}, []string{"outcome"})}
	for _, outcome := range []string{outcomeSuccess, outcomeWrong, outcomeLocked, outcomeNetwork, outcomeBusy} {
		m.signIns.WithLabelValues(outcome) // there from the start, at zero
	}
	reg.MustRegister(m.signIns, prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "sallyport_password_hashes_total", Help: "Password hashes that were computed.",
	}, func() float64 { return float64(h.Hashes()) }), prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "sallyport_password_hash_seconds_total", Help: "Time that password hashes took, without the wait for their turn.",
	}, func() float64 { return h.Spent().Seconds() }))
	return m
}

func (m *Metrics) count(outcome string) {
	if m != nil {
		m.signIns.WithLabelValues(outcome).Inc()
	}
}
