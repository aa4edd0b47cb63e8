package revocation

import (
	"time"

	"sallyport/internal/store"
)

const (
	// margin is how far behind the issue of a credential a change may lie and yet have been missing from the snapshot that
	// the credential was issued from: a transaction may take 10 s, and clocks differ (hard part 3).
	margin = 60 * time.Second

	// maxKeys bounds the dependencies that are told apart; some 20 MB.
	maxKeys = 100_000

	sweepEvery = 10 * time.Minute
)

// changes is what has changed lately: of each dependency the latest time, and the number at which its last change arrived.
// It is guarded by the gate's mutex.
type changes struct {
	max    int
	latest map[dependency]mark
	count  uint64            // of arrivals
	kinds  map[string]uint64 // the same, by kind: there are few
	swept  time.Time

	// Polls return rows again as long as transactions were open beside them, but a row that neither of the last two has
	// returned comes no more. So two generations of ids tell which rows are known. Both are nil where nothing is polled.
	known, before map[string]struct{}
}

type mark struct {
	at      time.Time
	arrival uint64
}

func newChanges(max int, polled bool) *changes {
	c := &changes{max: max, latest: map[dependency]mark{}, kinds: map[string]uint64{}}
	if polled {
		c.turn()
	}
	return c
}

// arrive takes note of changes.
func (c *changes) arrive(list []store.Change) {
	for _, ch := range list {
		_, known := c.known[ch.ID]
		if _, before := c.before[ch.ID]; !known && !before {
			c.add(parse(ch.Key), ch.At)
		}
		if c.known != nil {
			c.known[ch.ID] = struct{}{}
		}
	}
}

// turn begins a new generation of known ids.
func (c *changes) turn() { c.known, c.before = map[string]struct{}{}, c.known }

func (c *changes) add(d dependency, at time.Time) {
	c.count++
	c.kinds[d.kind]++
	if _, ok := c.latest[d]; !ok && len(c.latest) >= c.max {
		c.coarsen()
	}
	m := c.latest[d]
	if at.After(m.at) {
		m.at = at
	}
	m.arrival = c.count
	c.latest[d] = m
}

// coarsen forgets which dependencies changed: from now on all did. Each credential is then evaluated once, at most.
func (c *changes) coarsen() {
	var all mark
	for _, m := range c.latest {
		if m.at.After(all.at) {
			all.at = m.at
		}
	}
	all.arrival = c.count
	clear(c.latest)
	c.latest[everything] = all
}

// sweep drops changes that no living credential can be older than.
func (c *changes) sweep(now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = now
	for d, m := range c.latest {
		if now.Sub(m.at) > store.ChangeRetention {
			delete(c.latest, d)
		}
	}
}

// since is the arrival of the last change that may be newer than a credential for the right issued at a time; 0: none is.
func (c *changes) since(r *right, issued time.Time) uint64 {
	var last uint64
	from := issued.Add(-margin)
	r.dependencies(func(d dependency) {
		if m, ok := c.latest[d]; ok && !m.at.Before(from) && m.arrival > last {
			last = m.arrival
		}
	})
	return last
}
