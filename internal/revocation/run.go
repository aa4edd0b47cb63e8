package revocation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

const (
	// Bound is how old news of changes may be before credentials are refused, unless a server is told otherwise.
	Bound = 3 * time.Second

	pollsPerBound = 15 // 200 ms apart by default
	wokenPerPoll  = 10 // how much closer polls may be that another node has woken
	pruneEvery    = time.Hour
)

// Within sets how old news of changes may be before credentials are refused. It is for before Start.
func (g *Gate) Within(bound time.Duration) { g.bound = bound }

// Deafen has the gate learn by polls alone, not by what other nodes tell. It is for before Run.
func (g *Gate) Deafen() { g.deaf = true }

// Outage is a time without news of changes, in which credentials were refused.
type Outage struct {
	Last    time.Time // when there had been news last
	Over    time.Time
	Refused uint64 // uses of credentials
	Err     error  // why there was no news
}

// Report has fn told of outages that are over, again and again until it returns nil: the database that was out of reach may be
// where it is to be put on record. It is for before Run.
func (g *Gate) Report(fn func(context.Context, Outage) error) { g.report = fn }

// Run keeps learning of the changes that other nodes make, and forgets old ones, until ctx ends.
func (g *Gate) Run(ctx context.Context, log *slog.Logger) {
	var busy sync.WaitGroup
	defer busy.Wait()
	busy.Go(func() { g.prune(ctx, log) })
	if g.db.PushesChanges() {
		return
	}
	if !g.deaf {
		busy.Go(func() { g.db.TellChanges(ctx, log) })
	}
	g.keepPolling(ctx, &watch{gate: g, log: log, last: g.Stats()})
}

// keepPolling polls at its pace, and sooner when it is woken, though not much sooner again and again.
func (g *Gate) keepPolling(ctx context.Context, w *watch) {
	every := g.bound / pollsPerBound
	poll := time.NewTicker(every)
	defer poll.Stop()
	wake, rest := g.db.ChangesWake(), (<-chan time.Time)(nil)
	if g.deaf {
		wake = nil
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		case <-wake:
			wake, rest = nil, time.After(every/wokenPerPoll)
			g.count(func(s *Stats) { s.Woken++ })
		case <-rest:
			wake, rest = g.db.ChangesWake(), nil
			continue
		}
		w.polled(ctx, g.poll(ctx))
	}
}

func (g *Gate) prune(ctx context.Context, log *slog.Logger) {
	prune := time.NewTicker(pruneEvery)
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-prune.C:
			if _, err := g.db.PruneChanges(ctx); err != nil && ctx.Err() == nil {
				log.Error("prune changes", "error", err)
			}
		}
	}
}

// watch tells people how the polls go: in the log, and afterwards on record.
type watch struct {
	gate *Gate
	log  *slog.Logger

	last     Stats // at the last good poll
	failing  bool
	alarm    bool // has been given
	err      error
	unstored *Outage // is over, and not on record yet
}

// polled takes note of a poll's outcome.
func (w *watch) polled(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.failed(err)
		return
	}
	s := w.gate.Stats()
	if w.gate.lapsed {
		w.unstored = &Outage{Last: w.last.Last, Over: s.Last, Refused: s.Refused - w.last.Refused, Err: w.err}
		w.log.Error("credentials are honoured again: there is news of revocations", "last_news", w.last.Last, "refused", w.unstored.Refused)
	} else if w.failing {
		w.log.Info("news of revocations again")
	}
	w.last, w.failing, w.alarm, w.err = s, false, false, nil
	if w.unstored == nil {
		return
	}
	if err := w.gate.report(ctx, *w.unstored); err != nil {
		w.log.Warn("that credentials were refused is not on record yet, will try again", "error", err)
		return
	}
	w.unstored = nil
}

func (w *watch) failed(err error) {
	if !w.failing {
		w.log.Warn("no news of revocations", "error", err, "refusing_after", w.gate.bound)
	}
	w.failing, w.err = true, err
	if !w.alarm && !w.gate.fresh.ok() {
		w.alarm = true
		w.log.Error("credentials are refused: it cannot be told which were revoked", "error", err, "last_news", w.last.Last, "bound", w.gate.bound)
	}
}

// life is how long a poll's news is good for, counted from before the question. What a poll has read may be older than it looks
// by as much as a heartbeat may be.
func (g *Gate) life() time.Duration { return g.bound - store.BeatEvery }

// poll asks the database for changes. Freshness counts from before the question.
func (g *Gate) poll(ctx context.Context) error {
	timer := time.NewTimer(g.life())
	patience := g.life()
	if g.cursor == "" {
		patience = maxEvaluate // there may be very many, and until they are there nothing passes
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := g.db.PollChanges(ctx, g.cursor)
	if err == nil && p.ServerTime.Sub(p.Heartbeat) > g.bound {
		err = fmt.Errorf("the database server lags: its last heartbeat is of %v, its time %v", p.Heartbeat, p.ServerTime)
	}
	if err != nil {
		timer.Stop()
		return err
	}
	pushes := g.db.PushesChanges()
	g.mu.Lock()
	g.changes.arrive(p.Changes)
	g.changes.sweep(p.ServerTime)
	g.cursor = p.Cursor
	g.stats.Last, g.stats.Polls = p.ServerTime, g.stats.Polls+1
	if !pushes {
		g.changes.turn()
	}
	g.mu.Unlock()
	if pushes {
		timer.Stop()
		g.fresh.pushed()
	} else {
		g.lapsed = g.fresh.good(timer)
	}
	return nil
}

// Ready says why credentials are refused altogether; nil when they are not.
func (g *Gate) Ready() error {
	if g.fresh.ok() {
		return nil
	}
	return &fault.Error{
		Kind: fault.Throttled, Reason: ReasonCutOff, RetryAfter: time.Second,
		Message: fmt.Sprintf("It cannot be told at present whether these credentials were revoked: this node has no news from its database that is less than %v old. Try again in a moment.", g.bound),
	}
}

// Stats are for people and monitoring.
type Stats struct {
	Last        time.Time // database's time of the last news
	Polls       uint64    // good ones
	Woken       uint64    // polls that another node has woken
	Live        int       // changes that are told apart
	Coarsened   uint64    // how often there were too many of them
	Arrived     uint64    // changes
	Evaluations uint64
	Refused     uint64 // uses of credentials without news
}

// Stats returns the counts since New.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Live, s.Coarsened, s.Arrived, s.Evaluations = len(g.changes.latest), g.changes.coarse, g.changes.count, g.flown
	return s
}

func (g *Gate) count(fn func(*Stats)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fn(&g.stats)
}

// Bound is how old news may be.
func (g *Gate) Bound() time.Duration { return g.bound }

// Age is how long ago the last news was; 0 where changes are pushed.
func (g *Gate) Age() time.Duration {
	if g.db.PushesChanges() {
		return 0
	}
	return g.db.Now().Sub(g.Stats().Last)
}
