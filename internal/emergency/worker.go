package emergency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/page"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Times of the worker's work.
const (
	poll     = 10 * time.Second
	lease    = time.Minute
	mostDue  = 100
	aDay     = 24 * time.Hour
	leaseFor = "emergency"
)

// Worker ends what is over, tests every access once a day, and reminds of open reviews. Any number of processes may run one: one works at
// a time. That it is late makes nothing last longer: grants and credentials end by themselves.
type Worker struct {
	*Service
	Node string // names this process among the workers
	Log  *slog.Logger
}

// Run works until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	for {
		if err := w.Work(ctx); err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "looking after emergency accesses failed, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(poll):
		}
	}
}

// due is what there is to do.
type due struct {
	over, late, reviews []store.Opening
	tests               []string // ids of accesses
}

func (d due) nothing() bool { return len(d.over)+len(d.late)+len(d.reviews)+len(d.tests) == 0 }

// Work does what is due, once.
func (w *Worker) Work(ctx context.Context) error {
	d, err := w.look(ctx)
	if err != nil || d.nothing() {
		return err
	}
	l, err := w.DB.AcquireLease(ctx, leaseFor, w.Node, lease)
	if errors.Is(err, store.ErrLost) {
		return nil
	}
	if err != nil {
		return err
	}
	if d, err = w.look(ctx); err == nil { // another may have done it before us
		err = w.do(ctx, l, d)
	}
	return errors.Join(err, w.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

func (w *Worker) look(ctx context.Context) (d due, err error) {
	err = w.DB.View(ctx, func(tx *store.Tx) error {
		d = due{}
		if d.over, err = tx.OpeningsDue(store.OpeningOpen, mostDue); err != nil {
			return fmt.Errorf("look for openings that are over: %w", err)
		}
		if d.late, err = tx.OpeningsDue(store.OpeningPending, mostDue); err != nil {
			return fmt.Errorf("look for requests that are over: %w", err)
		}
		if d.reviews, err = tx.ReviewsDue(tx.Now().Add(-remindEvery), mostDue); err != nil {
			return fmt.Errorf("look for open reviews: %w", err)
		}
		in, err := setting.Load(tx)
		if err != nil {
			return err
		}
		all, _, err := tx.EmergencyAccesses(page.Query{Limit: maxAccesses})
		if err != nil {
			return fmt.Errorf("list emergency accesses: %w", err)
		}
		since := lastHour(tx.Now(), in.EmergencyTestHour)
		for _, e := range all {
			if later(e.CreatedAt, e.TestedAt).Before(since) {
				d.tests = append(d.tests, e.ID)
			}
		}
		return nil
	})
	return d, err
}

// lastHour is when it was last that hour of the day, UTC.
func lastHour(now time.Time, hour int) time.Time {
	at := now.UTC().Truncate(aDay).Add(time.Duration(hour) * time.Hour)
	if at.After(now) {
		at = at.Add(-aDay)
	}
	return at
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *Worker) do(ctx context.Context, l store.Lease, d due) error {
	var failed error
	under := func(o store.Opening, as func(*store.Tx, store.Opening) error) {
		err := w.DB.Update(ctx, func(tx *store.Tx) error {
			if err := tx.Holds(l); err != nil {
				return err
			}
			now, err := tx.Opening(o.ID)
			if err != nil {
				return fmt.Errorf("load opening: %w", err)
			}
			if now.State != o.State || now.Review != o.Review || !now.RemindedAt.Equal(o.RemindedAt) { // somebody was quicker
				return nil
			}
			return as(tx, now)
		})
		failed = errors.Join(failed, err)
	}
	for _, o := range d.over {
		under(o, w.over)
	}
	for _, o := range d.late {
		under(o, w.late)
	}
	for _, o := range d.reviews {
		under(o, w.remind)
	}
	for _, id := range d.tests {
		held, err := w.DB.RenewLease(ctx, l, lease)
		if err != nil {
			return errors.Join(failed, err)
		}
		l = held
		failures, err := w.Test(ctx, id)
		if len(failures) > 0 {
			w.Log.ErrorContext(ctx, "an emergency access could not be opened today", "access", id, "reasons", failures)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// over ends an opening whose time is over.
func (w *Worker) over(tx *store.Tx, o store.Opening) error {
	if err := w.end(tx, o, store.OpeningEnded, "its time"); err != nil {
		return err
	}
	e := w.serviceEvent("EndEmergencyAccess")
	o.State = store.OpeningEnded
	e.ServiceEventDetails = details(o, nil)
	e.Emergency = o.ID
	return e.Store(tx)
}

// late ends a request that nobody has answered.
func (w *Worker) late(tx *store.Tx, o store.Opening) error {
	if err := w.end(tx, o, store.OpeningExpired, "its time"); err != nil {
		return err
	}
	e := w.serviceEvent("ExpireEmergencyRequest")
	o.State = store.OpeningExpired
	e.ServiceEventDetails = details(o, nil)
	return e.Store(tx)
}

// Prune forgets sign-ins that are good for nothing any more, and openings that were over and reviewed longer ago than the setting
// history.keep. Call it again while it says that there may be more.
func Prune(tx *store.Tx) (more bool, err error) {
	const limit = 500
	n, err := tx.PruneEmergencySignIns(tx.Now().Add(-Fresh), limit)
	if err != nil {
		return false, fmt.Errorf("forget sign-ins for emergencies: %w", err)
	}
	in, err := setting.Load(tx)
	if err != nil {
		return false, err
	}
	more, err = tx.PruneOpening(tx.Now().Add(-in.HistoryKeep), limit)
	return more || n >= limit, wrap(err, "forget openings")
}
