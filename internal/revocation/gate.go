package revocation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

const (
	maxOutcomes = 50_000           // remembered evaluations; some 20 MB
	maxEvaluate = 10 * time.Second // the longest transaction
)

// ReasonCutOff is the reason of the Throttled fault that a node gives which cannot tell what was revoked.
const ReasonCutOff = "revocation-unknown"

// Gate lets credentials pass whose right stands. It is safe for concurrent use.
type Gate struct {
	db       *store.DB
	evaluate func(*store.Tx, credential.Caller) error
	bound    time.Duration // of the age of news
	deaf     bool          // to what other nodes tell
	report   func(context.Context, Outage) error
	fresh    freshness

	mu       sync.Mutex
	changes  *changes
	outcomes map[right]outcome
	flights  map[right]*flight
	flown    uint64 // flights begun
	cursor   string
	stats    Stats
	lapsed   bool // before the last poll news had become too old
}

// outcome is that an evaluation found the right standing, and how many changes had arrived before its snapshot. Refusals are
// not remembered: on PostgreSQL others may see a right that was given back a moment before its change arrives here, and a
// refused call that reads once more costs less than an innocent one that is refused.
type outcome struct {
	arrival uint64
}

// flight is an evaluation under way.
type flight struct {
	outcome
	number uint64
	err    error
	done   chan struct{}
}

// New returns a gate that nothing passes before Start. evaluate returns nil when the caller's right stands, an
// Unauthenticated fault when it does not, another error when it cannot tell. It may look at the caller's ids only.
func New(db *store.DB, evaluate func(*store.Tx, credential.Caller) error) *Gate {
	return &Gate{
		db: db, evaluate: evaluate, bound: Bound, report: func(context.Context, Outage) error { return nil },
		changes: newChanges(maxKeys, !db.PushesChanges()), outcomes: map[right]outcome{}, flights: map[right]*flight{},
	}
}

// Start learns all changes that are kept, and from then on each one that this process makes.
func (g *Gate) Start(ctx context.Context) error {
	g.db.WatchChanges(g.learn) // first, so that nothing falls between the two
	if err := g.poll(ctx); err != nil {
		return fmt.Errorf("load changes: %w", err)
	}
	return nil
}

// learn takes note of changes that this process has committed, before their callers are answered.
func (g *Gate) learn(list []store.Change) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes.arrive(list)
	g.changes.sweep(g.db.Now())
}

// Check returns nil when the caller's right stands. Otherwise the fault is Unauthenticated with reason AuthRevoked, or
// Throttled with ReasonCutOff.
func (g *Gate) Check(ctx context.Context, c credential.Caller) error {
	if err := g.Ready(); err != nil {
		g.count(func(s *Stats) { s.Refused++ })
		return err
	}
	r := rightOf(c)
	g.mu.Lock()
	before := g.flown
	for {
		needed := g.changes.since(&r, c.Issued)
		if o, ok := g.outcomes[r]; needed == 0 || ok && o.arrival >= needed {
			g.mu.Unlock()
			return nil
		}
		f, ok := g.flights[r]
		if !ok || f.arrival < needed {
			break
		}
		g.mu.Unlock()
		err := f.wait(ctx)
		if f.number > before || fault.KindOf(err) != fault.Unauthenticated || err == nil {
			return err
		}
		g.mu.Lock() // it began before this call, and the right may have been given back since: look again
	}
	g.flown++
	f := &flight{number: g.flown, outcome: outcome{arrival: g.changes.count}, done: make(chan struct{})} // counted before the snapshot is opened
	g.flights[r] = f
	g.mu.Unlock()
	return g.fly(ctx, r, c, f)
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fly evaluates for all who wait for f. The one caller who does it may go away; the others may not suffer from it.
func (g *Gate) fly(ctx context.Context, r right, c credential.Caller, f *flight) error {
	f.err = errors.New("evaluation of a right was abandoned") // what the others get if evaluate panics
	defer g.land(r, f)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxEvaluate)
	defer cancel()
	err := g.db.View(ctx, func(tx *store.Tx) error { return g.evaluate(tx, c) })
	if err != nil && fault.KindOf(err) != fault.Unauthenticated {
		err = fmt.Errorf("evaluate right: %w", err)
	}
	f.err = err
	return err
}

// land remembers that f has found the right standing, unless a later evaluation was quicker.
func (g *Gate) land(r right, f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer close(f.done)
	if g.flights[r] == f {
		delete(g.flights, r)
	}
	if f.err != nil {
		return
	}
	old, ok := g.outcomes[r]
	if ok && old.arrival > f.arrival {
		return
	}
	if !ok && len(g.outcomes) >= maxOutcomes {
		for k := range g.outcomes { // any one: whose outcome is forgotten costs one read
			delete(g.outcomes, k)
			break
		}
	}
	g.outcomes[r] = f.outcome
}
