package server

import (
	"slices"
	"sync"
)

// fact is something that a right rests on: a user is enabled, a session was not ended, a path grants. While it is being
// changed nobody can say which way it is.
type fact struct {
	mu sync.Mutex
	view
}

// view is a fact at a moment.
type view struct {
	version     int
	on, certain bool
}

func newFact(on bool) *fact { return &fact{view: view{on: on, certain: true}} }

func (f *fact) look() view {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.view
}

// change makes the fact what it is not yet. It is certain again when do has returned.
func (f *fact) change(on bool, do func() error) error {
	f.set(f.look().on, false)
	err := do()
	f.set(on, true)
	return err
}

func (f *fact) set(on, certain bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.view = view{f.version + 1, on, certain}
}

// verdict says whether something stood throughout a time.
type verdict int8

const (
	no    verdict = -1
	maybe verdict = 0
	yes   verdict = 1
)

func all(vs ...verdict) verdict { return slices.Min(vs) }
func some(vs ...verdict) verdict {
	return slices.Max(append(vs, no))
}

// during calls use and returns what can be said of facts throughout the call.
func during(facts []*fact, use func()) []verdict {
	before := make([]view, len(facts))
	for i, f := range facts {
		before[i] = f.look()
	}
	use()
	out := make([]verdict, len(facts))
	for i, f := range facts {
		switch after := f.look(); {
		case after != before[i] || !after.certain:
			out[i] = maybe
		case after.on:
			out[i] = yes
		default:
			out[i] = no
		}
	}
	return out
}

// dice makes choices that are the same in every run (xorshift; Marsaglia, 2003).
type dice uint64

func (d *dice) roll(n int) int {
	*d ^= *d << 13
	*d ^= *d >> 7
	*d ^= *d << 17
	return int(uint64(*d) % uint64(n))
}
