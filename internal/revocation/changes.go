package revocation

import (
	"hash/maphash"
	"time"

	"sallyport/internal/store"
)

const (
	// margin is how far behind the issue of a credential a change may lie and yet have been missing from the snapshot that
	// the credential was issued from: a transaction may take 10 s, and the clocks of the two nodes may each be 30 s off, one
	// ahead and one behind (hard part 3).
	margin = 90 * time.Second

	// maxKeys bounds the dependencies that are told apart, and with them memory: a million take 57 MB, all of these 113 MB.
	maxKeys = 2_000_000

	sweepEvery = 10 * time.Minute
)

// changes is what has changed lately: of each dependency the latest time, and the number at which its last change arrived.
// It is guarded by the gate's mutex.
//
// Dependencies are kept by a hash of 64 bits under a key of this process's own, which takes a fifth of the memory. Should
// two of them ever share one, a credential is evaluated for the other's change: that costs a read, and nothing passes by it.
type changes struct {
	max    int
	seed   maphash.Seed
	all    uint64 // the hash of everything
	latest map[uint64]mark
	coarse uint64            // how often too many changes were made one of all
	count  uint64            // of arrivals
	kinds  map[string]uint64 // the same, by kind: there are few
	swept  time.Time

	// Polls return rows again as long as transactions were open beside them, but a row that neither of the last two has
	// returned comes no more. So two generations of ids tell which rows are known. Both are nil where nothing is polled.
	known, before map[string]struct{}
}

type mark struct {
	at      int64 // microseconds since 1970
	arrival uint64
}

func newChanges(max int, polled bool) *changes {
	c := &changes{max: max, seed: maphash.MakeSeed(), latest: map[uint64]mark{}, kinds: map[string]uint64{}}
	c.all = c.hash(everything)
	if polled {
		c.turn()
	}
	return c
}

func (c *changes) hash(d dependency) uint64 { return maphash.Comparable(c.seed, d) }

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
	h := c.hash(d)
	if _, ok := c.latest[h]; !ok && len(c.latest) >= c.max {
		c.coarsen()
	}
	m := c.latest[h]
	c.latest[h] = mark{max(m.at, at.UnixMicro()), c.count}
}

// coarsen forgets which dependencies changed: from now on all did. Each credential is then evaluated once, at most.
func (c *changes) coarsen() {
	all := mark{arrival: c.count}
	for _, m := range c.latest {
		all.at = max(all.at, m.at)
	}
	clear(c.latest)
	c.latest[c.all] = all
	c.coarse++
}

// sweep drops changes that no living credential can be older than.
func (c *changes) sweep(now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = now
	oldest := now.Add(-store.ChangeRetention).UnixMicro()
	for h, m := range c.latest {
		if m.at < oldest {
			delete(c.latest, h)
		}
	}
}

// since is the arrival of the last change that may be newer than a credential for the right issued at a time; 0: none is.
func (c *changes) since(r *right, issued time.Time) uint64 {
	var last uint64
	from := issued.Add(-margin).UnixMicro()
	r.dependencies(func(d dependency) {
		if m, ok := c.latest[c.hash(d)]; ok && m.at >= from && m.arrival > last {
			last = m.arrival
		}
	})
	return last
}
