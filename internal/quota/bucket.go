package quota

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKeys bounds how many keys buckets remember. Whoever makes them forget another one by using that many keys gains nothing:
// the bound is about the cost of one.
const maxKeys = 10_000

// Buckets bound a rate for each key. The zero value is ready, and bounds at the rate of the first call for a key. They are safe
// for concurrent use.
type Buckets struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	order list.List // of *bucket; the one used last is in front
}

type bucket struct {
	key  string
	rate *rate.Limiter
}

// Get is the rate of a key.
func (b *Buckets) Get(key string, every time.Duration, burst int) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.byKey[key]; ok {
		b.order.MoveToFront(e)
		return e.Value.(*bucket).rate
	}
	if b.byKey == nil {
		b.byKey = map[string]*list.Element{}
	}
	if b.order.Len() >= maxKeys {
		old := b.order.Remove(b.order.Back()).(*bucket)
		delete(b.byKey, old.key)
	}
	r := rate.NewLimiter(rate.Every(every), burst)
	b.byKey[key] = b.order.PushFront(&bucket{key, r})
	return r
}

// Spend takes n tokens of a key's bucket, which gets perSecond of them each second and holds as many. More than it holds are taken from
// a full one, and leave it in debt, so that nothing is too large for ever; the next has to wait for that. If there are not enough, it
// takes none and says how long it takes until there are.
func (b *Buckets) Spend(key string, n, perSecond int, now time.Time) (wait time.Duration) {
	if n <= 0 {
		return 0
	}
	l := b.Get(key, time.Second/time.Duration(perSecond), perSecond)
	first := l.ReserveN(now, min(n, perSecond))
	if wait = first.DelayFrom(now); wait > 0 {
		first.CancelAt(now)
		return wait
	}
	for n -= perSecond; n > 0; n -= perSecond {
		l.ReserveN(now, min(n, perSecond))
	}
	return 0
}

// Take takes a token of a key's bucket, which gets perSecond of them each second and holds as many. If there is none it says how
// long it takes until there is.
func (b *Buckets) Take(key string, perSecond int, now time.Time) (wait time.Duration) {
	r := b.Get(key, time.Second/time.Duration(perSecond), perSecond).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}
