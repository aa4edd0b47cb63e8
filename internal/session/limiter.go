package session

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"sallyport/internal/quota"
)

// Network is the part of the address that one party controls, for bounds elsewhere.
func (o Origin) Network() string { return network(o.IP) }

// network is the part of an address that one party controls: an IPv6 customer has at least a /64.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}

// admit bounds the operations that are open to anyone.
func (s *Service) admit(from Origin) error {
	const each, burst = time.Second / 50, 200 // an office behind one address may poll for a hundred people
	if s.opened.Get(network(from.IP), each, burst).AllowN(s.Clock.Now(), 1) {
		return nil
	}
	return refuse(slowDown, "Too many requests came from your address. Try again in a few seconds.")
}

// tries bounds the guessing of user codes. Only failures count.
type tries struct{ byPortal, byNetwork quota.Buckets }

func (t *tries) rates(portalID string, from Origin) [2]*rate.Limiter {
	return [2]*rate.Limiter{
		t.byPortal.Get(portalID, time.Minute, 10),
		t.byNetwork.Get(network(from.IP), 10*time.Second, 50),
	}
}

// blocked says whether so many tries have failed that the next one has to wait.
func (t *tries) blocked(portalID string, from Origin, now time.Time) bool {
	for _, r := range t.rates(portalID, from) {
		if r.TokensAt(now) < 1 {
			return true
		}
	}
	return false
}

// failed counts a failure.
func (t *tries) failed(portalID string, from Origin, now time.Time) {
	for _, r := range t.rates(portalID, from) {
		r.AllowN(now, 1)
	}
}
