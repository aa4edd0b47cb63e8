package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/store"
)

// Evaluator reads the audit log and finds what rules want. Any number of processes may run one: the one with the lease works.
type Evaluator struct {
	DB    *store.DB
	Owner string // names this process among the workers
	Log   *slog.Logger

	book   *book
	seq    int64 // of the last event that was read
	kept   int64 // of those, the last that the database knows of
	keptAt time.Time
	flood  flood
	known  map[sighting]time.Time
}

// Times and bounds of the work.
const (
	sink      = "alerts" // the cursor's name
	leaseName = "alerts"
	lease     = 10 * time.Second
	poll      = 250 * time.Millisecond // other nodes' events have no bell
	gather    = 50 * time.Millisecond  // from the first event to the look at what has come, so that many are read at once
	keepEvery = 5 * time.Second        // how often the cursor is stored where nothing was found
	batch     = 500
)

// Run works until ctx ends.
func (e *Evaluator) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		l, err := e.DB.AcquireLease(ctx, leaseName, e.Owner, lease)
		if err == nil {
			err = e.hold(ctx, l)
		}
		if err != nil && !errors.Is(err, store.ErrLost) && ctx.Err() == nil {
			e.Log.ErrorContext(ctx, "evaluating alert rules failed, will try again", "error", err)
		}
		wait(ctx, time.Second, nil)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-wake:
	case <-time.After(d):
	}
}

// hold works under the lease until it is lost.
func (e *Evaluator) hold(ctx context.Context, l store.Lease) (err error) {
	if err := e.begin(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil && err == nil {
		if l.Until.Sub(e.DB.Now()) < lease/2 {
			if l, err = e.DB.RenewLease(ctx, l, lease); err != nil {
				return err
			}
		}
		wake := e.DB.AuditWake()
		var more bool
		if more, err = e.step(ctx, l); err == nil && !more {
			wait(ctx, poll, wake)
			wait(ctx, gather, nil)
		}
	}
	last := context.WithoutCancel(ctx)
	return errors.Join(err, e.keep(last, l), e.DB.ReleaseLease(last, l))
}

// Drain finds what there is to find in the log now, then returns: for programs and tests that do not run the worker.
func (e *Evaluator) Drain(ctx context.Context) error {
	l, err := e.DB.AcquireLease(ctx, leaseName, e.Owner, lease)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err = e.begin(ctx)
	for more := true; more && err == nil; {
		more, err = e.step(ctx, l)
	}
	return errors.Join(err, e.keep(ctx, l), e.DB.ReleaseLease(ctx, l))
}

func (e *Evaluator) begin(ctx context.Context) error {
	e.book, e.flood, e.known = nil, flood{}, map[sighting]time.Time{}
	return e.DB.View(ctx, func(tx *store.Tx) (err error) {
		e.seq, err = tx.AuditCursor(sink)
		e.kept, e.keptAt = e.seq, tx.Now()
		return wrap(err, "read cursor")
	})
}

// step evaluates a batch of events.
func (e *Evaluator) step(ctx context.Context, l store.Lease) (more bool, err error) {
	var b *work
	err = e.DB.View(ctx, func(tx *store.Tx) (err error) {
		if e.book, err = e.book.follow(tx, e.Log); err != nil {
			return err
		}
		events, err := e.DB.AuditSeen(tx, e.seq, batch)
		if err != nil {
			return fmt.Errorf("read audit log: %w", err)
		}
		b = &work{e: e, book: e.book, last: e.seq, read: len(events)}
		return b.match(tx, events)
	})
	if err != nil || b.read == 0 {
		return false, err
	}
	if len(b.hits) == 0 && len(b.saw) == 0 {
		if e.seq = b.last; e.DB.Now().Sub(e.keptAt) < keepEvery {
			return b.read == batch, nil
		}
		return b.read == batch, e.keep(ctx, l)
	}
	if err := b.store(ctx, l); err != nil {
		return false, err
	}
	e.seq, e.kept, e.keptAt = b.last, b.last, e.DB.Now()
	return b.read == batch, nil
}

// keep stores how far the log was read.
func (e *Evaluator) keep(ctx context.Context, l store.Lease) error {
	if e.seq == e.kept {
		return nil
	}
	err := e.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
		if err := tx.Holds(l); err != nil {
			return err
		}
		return tx.SetAuditCursor(sink, e.seq)
	})
	if err != nil {
		return fmt.Errorf("store cursor: %w", err)
	}
	e.kept, e.keptAt = e.seq, e.DB.Now()
	return nil
}

// hit is that a rule's pattern matches an event.
type hit struct {
	rule  *rule
	event found
}

// work is what one batch comes to.
type work struct {
	e    *Evaluator
	book *book
	read int
	last int64
	hits []hit
	saw  []sighting // that are to be remembered
}

// match holds the events against the rules. Most events are none that a rule wants: those are not read beyond their names.
func (b *work) match(tx *store.Tx, events []store.SealedEvent) error {
	x := &enricher{tx: tx, callers: b.book.callers, known: b.e.known}
	for _, sealed := range events {
		b.last = sealed.Seq
		glance := sealed.Glance()
		fresh, err := x.address(glance)
		if err != nil {
			return err
		}
		rules := b.book.candidates(glance)
		if len(rules) == 0 {
			continue
		}
		f, err := present(sealed.Event)
		if err != nil { // nobody can have written such an event; if one is there, it must not stop all others
			b.e.Log.Error("an audit event cannot be read, and no alert rule is held against it", "seq", sealed.Seq, "error", err)
			continue
		}
		if f.detail["sallyport"], err = x.enrich(f.detail, fresh); err != nil {
			return err
		}
		for _, r := range rules {
			if r.covers(f.recorded) && r.pattern.Matches(f.envelope) {
				b.hits = append(b.hits, hit{r, f})
			}
		}
	}
	b.saw = x.saw
	return nil
}
