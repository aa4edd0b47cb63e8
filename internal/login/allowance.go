package login

import (
	"sync"
	"time"

	"sallyport/internal/fault"
)

// What one network may leave behind: sign-ins begun and passwords tried that came to nothing. What succeeds is given back,
// so that an office behind one address is not held to it, however many they are. The rest comes back with time.
const (
	allowance      = 100
	allowanceEvery = 2 * time.Second
	maxNetworks    = 10_000
)

// allowances bounds what strangers can write: rows, failures and audit events, for each network that they come from. It is
// kept in memory, for each node. Its zero value is ready.
type allowances struct {
	mu        sync.Mutex
	byNetwork map[string]*balance
}

type balance struct {
	left    float64
	at      time.Time
	leftOut int64 // refused since the last event that told of it
}

// take takes one, or counts that there was none. When one was taken, leftOut is what has been counted, and now is for the
// caller's event to tell.
func (a *allowances) take(network string, now time.Time) (leftOut int64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.balance(network, now)
	if b.left < 1 {
		b.leftOut++
		return 0, false
	}
	b.left--
	leftOut, b.leftOut = b.leftOut, 0
	return leftOut, true
}

// giveBack returns what was taken for something that succeeded, or was not done after all.
func (a *allowances) giveBack(network string, n float64, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.balance(network, now)
	b.left = min(b.left+n, allowance)
}

// leaveOut puts a count back whose event was not written.
func (a *allowances) leaveOut(network string, n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if b := a.byNetwork[network]; b != nil {
		b.leftOut += n
	}
}

// balance is the network's balance now.
func (a *allowances) balance(network string, now time.Time) *balance {
	if a.byNetwork == nil {
		a.byNetwork = map[string]*balance{}
	}
	b := a.byNetwork[network]
	if b == nil {
		a.forget(now)
		b = &balance{left: allowance, at: now}
		a.byNetwork[network] = b
	}
	if since := now.Sub(b.at); since > 0 {
		b.left, b.at = min(b.left+since.Seconds()/allowanceEvery.Seconds(), allowance), now
	}
	return b
}

// forget makes room: those who have all of their allowance again go, and failing that, anyone. Whoever has so many networks
// that they make it forget one gains nothing by that.
func (a *allowances) forget(now time.Time) {
	if len(a.byNetwork) < maxNetworks {
		return
	}
	for network, b := range a.byNetwork {
		if now.Sub(b.at) >= allowance*allowanceEvery {
			delete(a.byNetwork, network)
		}
	}
	for network := range a.byNetwork {
		if len(a.byNetwork) < maxNetworks {
			return
		}
		delete(a.byNetwork, network)
	}
}

// admit takes one from the browser's network. The fault says no name and is the same for every name.
func (s *Service) admit(from Browser) (notRecorded int64, err error) {
	notRecorded, ok := s.networks.take(from.Network(), s.DB.Now())
	if !ok {
		s.Metrics.count(outcomeNetwork)
		return 0, fault.Newf(fault.Throttled, "Too many sign-ins from your network were begun and not finished, or failed. Wait a minute and try again.")
	}
	return notRecorded, nil
}
