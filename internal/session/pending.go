package session

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// device is what a device code holds, sealed.
type device struct {
	Key       string `json:"k"` // of the client
	Name      string `json:"n"`
	UserCode  string `json:"u"`
	IP        string `json:"ip"`
	UserAgent string `json:"ua"`
	Started   int64  `json:"t"` // seconds since 1970
}

func (d device) started() time.Time    { return time.Unix(d.Started, 0).UTC() }
func (d device) expires() time.Time    { return d.started().Add(deviceLife) }
func (d device) over(t time.Time) bool { return !t.Before(d.expires()) }

// Bounds of the table of pending device authorizations.
const (
	maxPending        = 10_000
	maxPendingAddress = 200

	pollInterval = time.Second // behaviour reference §5.2
	// A client polls twice at once (wire protocols §8.1), then at the interval; a fifth is for the network's jitter.
	pollBurst = 2
	pollEvery = pollInterval * 4 / 5
)

// pending is how the device page learns what a user code stands for, though no row tells it: a bounded table in memory,
// filled when an authorization starts and again by each poll, since the device code holds all of it. So a restarted
// node, or another one, knows a code after one poll. Its zero value is ready.
type pending struct {
	mu        sync.Mutex
	byHash    map[string]*list.Element
	byCode    map[string]*entry
	byNetwork map[string]int
	order     list.List // of *entry; the one seen last is in front, so that what nobody polls goes first
}

type entry struct {
	device
	hash  string // of the device code
	clash bool   // another device code has the same user code: neither may be approved
	polls *rate.Limiter
}

// add puts an authorization in or moves it to the front, and returns it; nil when its address has too many.
func (p *pending) add(hash string, d device, now time.Time) *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(now)
	if e, ok := p.byHash[hash]; ok {
		p.order.MoveToFront(e)
		return e.Value.(*entry)
	}
	if p.byHash == nil {
		p.byHash, p.byCode, p.byNetwork = map[string]*list.Element{}, map[string]*entry{}, map[string]int{}
	}
	if p.byNetwork[network(d.IP)] >= maxPendingAddress {
		return nil
	}
	e := &entry{device: d, hash: hash, polls: rate.NewLimiter(rate.Every(pollEvery), pollBurst)}
	if other, ok := p.byCode[d.UserCode]; ok {
		e.clash, other.clash = true, true
	}
	p.byHash[hash] = p.order.PushFront(e)
	p.byCode[d.UserCode] = e
	p.byNetwork[network(d.IP)]++
	return e
}

// drop removes the oldest entries while they are expired, or the table is full.
func (p *pending) drop(now time.Time) {
	for back := p.order.Back(); back != nil; back = p.order.Back() {
		e := back.Value.(*entry)
		if p.order.Len() < maxPending && !e.over(now) {
			return
		}
		p.order.Remove(back)
		delete(p.byHash, e.hash)
		if p.byCode[e.UserCode] == e {
			delete(p.byCode, e.UserCode)
		}
		if p.byNetwork[network(e.IP)]--; p.byNetwork[network(e.IP)] == 0 {
			delete(p.byNetwork, network(e.IP))
		}
	}
}

// find is the authorization that a user code stands for.
func (p *pending) find(userCode string, now time.Time) (device, string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.byCode[userCode]
	if !ok || e.clash || e.over(now) {
		return device{}, "", false
	}
	return e.device, e.hash, true
}

// clashes says whether the entry's user code is another's too.
func (p *pending) clashes(e *entry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return e.clash
}
