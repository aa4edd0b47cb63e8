package trail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Worker writes the files of all trails. Every node runs one; a lease for each trail picks who writes.
type Worker struct {
	DB       *store.DB
	House    House
	Keys     *Keys
	Buckets  *Buckets
	Settings func(context.Context) (setting.Values, error)
	Owner    string
	Log      *slog.Logger
	Metrics  *Metrics // nil: none
	// Dropped is told in the same transaction that events up to a number are gone from the log; nil: nobody cares.
	Dropped func(tx *store.Tx, upTo int64) error

	mu    sync.Mutex
	retry map[string]time.Time // by trail, after a failure
	// nextPrune is when it is looked again for files to be deleted.
	nextPrune time.Time
}

// How often it is looked, how long a lease lasts without being renewed, and how long a trail rests after a failure.
const (
	poll     = time.Second
	leaseTTL = 30 * time.Second
	rest     = 15 * time.Second
	// flushAt is how many events make a log file before its time.
	flushAt = 10_000
	// pruneEvery is how often it is looked for files to be deleted.
	pruneEvery = time.Minute
)

// Run writes files until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	var work store.PerKey
	defer work.Wait()
	for {
		all, in, err := w.trails(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, t := range all {
			if w.resting(t.ID) {
				continue
			}
			work.Go(t.ID, func() { w.told(ctx, t, w.serve(ctx, t.ID, in)) })
			if w.verifyDue(t, in) {
				work.Go("verify/"+t.ID, func() { w.told(ctx, t, w.verifyAll(ctx, t, in)) })
			}
		}
		if w.pruneDue() {
			work.Go("retention", func() { w.pruned(ctx) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(poll):
		}
	}
}

// Drain does what is due, one trail after the other: for tests, and programs that do not run the worker.
func (w *Worker) Drain(ctx context.Context) error {
	all, in, err := w.trails(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		err = errors.Join(err, w.serve(ctx, t.ID, in))
		if w.verifyDue(t, in) {
			err = errors.Join(err, w.verifyAll(ctx, t, in))
		}
	}
	_, e := w.PruneFiles(ctx)
	return errors.Join(err, e)
}

// trails are those that there may be something to do for.
func (w *Worker) trails(ctx context.Context) (due []store.LogTrail, in setting.Values, err error) {
	if in, err = w.Settings(ctx); err != nil {
		return nil, in, fmt.Errorf("read settings: %w", err)
	}
	err = w.DB.View(ctx, func(tx *store.Tx) error {
		due = nil
		all, err := tx.AllTrails()
		if err != nil || len(all) == 0 {
			return err
		}
		head, _, err := tx.AuditEnd()
		if err != nil {
			return fmt.Errorf("find the log's end: %w", err)
		}
		for _, t := range all { // five, mostly
			_, err := tx.PendingTrailObject(t.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("find what is planned: %w", err)
			}
			if err == nil || w.due(t, head, in) {
				due = append(due, t)
			}
		}
		return nil
	})
	return due, in, err
}

// due tells whether anything is to be planned, or may be.
func (w *Worker) due(t store.LogTrail, head int64, in setting.Values) bool {
	if !t.Live || len(t.Runs) > 0 && (t.Runs[0].Ended || t.Runs[0].Stop != "" || !t.Runs[0].Begun) {
		return true
	}
	return w.verifyDue(t, in) || len(t.Runs) > 0 && (w.logDue(t, head, in) || w.digestDue(t, in))
}

func (w *Worker) logDue(t store.LogTrail, head int64, in setting.Values) bool {
	return head > t.Seq && (head-t.Seq >= flushAt || !w.DB.Now().Before(later(t.FlushedAt, t.Runs[0].StartAt).Add(in.TrailLogEvery)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// most is how many digests a trail is behind before one stands for several periods.
const most = 10_000

// nextDigest is the time at which the digest ends that comes next: a whole period after 0001-01-01, UTC.
func nextDigest(t store.LogTrail, now time.Time, period time.Duration) time.Time {
	base := digestBase(t)
	if now.Sub(base) > most*period {
		return now.Truncate(period)
	}
	return base.Truncate(period).Add(period)
}

// digestBase is the end of the digest before, or when logging was started.
func digestBase(t store.LogTrail) time.Time {
	return later(t.DigestTo, t.Runs[0].StartAt.Truncate(time.Second))
}

func (w *Worker) digestDue(t store.LogTrail, in setting.Values) bool {
	now := w.DB.Now()
	return t.Validation && !now.Before(nextDigest(t, now, in.TrailDigestEvery))
}

func (w *Worker) resting(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.DB.Now().Before(w.retry[id])
}

func (w *Worker) rests(id string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.retry == nil {
		w.retry = map[string]time.Time{}
	}
	w.retry[id] = w.DB.Now().Add(d)
}

// told makes known how the work on a trail went.
func (w *Worker) told(ctx context.Context, t store.LogTrail, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, store.ErrLost) {
		return
	}
	w.rests(t.ID, rest)
	w.Metrics.failed()
	w.Log.ErrorContext(ctx, "writing a trail failed, will try again", "trail", t.Name, "error", err)
	err = w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
		now, e := tx.LogTrail(t.ID)
		if e != nil {
			return e
		}
		now.AttemptedAt, now.Problem = tx.Now(), problem(err)
		return tx.UpdateTrail(now)
	})
	if err != nil {
		w.Log.ErrorContext(ctx, "a trail's failure was not recorded", "trail", t.Name, "error", err)
	}
}

// maxProblem bounds what GetTrailStatus tells of a failure.
const maxProblem = 500

func problem(err error) string {
	s := err.Error()
	if len(s) > maxProblem {
		s = s[:maxProblem]
	}
	return s
}

// serve writes what is due of one trail, under its lease.
func (w *Worker) serve(ctx context.Context, id string, in setting.Values) error {
	l, err := w.DB.AcquireLease(ctx, cursor(id), w.Owner, leaseTTL)
	if errors.Is(err, store.ErrLost) { // another node is at it
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go w.hold(ctx, l, cancel)
	for more := true; more && err == nil && ctx.Err() == nil; {
		more, err = w.step(ctx, l, id, in)
	}
	return errors.Join(err, w.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

// hold keeps the lease for as long as the work under it takes, and ends the work when it is lost.
func (w *Worker) hold(ctx context.Context, l store.Lease, lost func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(leaseTTL / 3):
		}
		if _, err := w.DB.RenewLease(ctx, l, leaseTTL); errors.Is(err, store.ErrLost) {
			lost()
			return
		}
	}
}

// step does the next thing for a trail, and tells whether there may be another.
func (w *Worker) step(ctx context.Context, l store.Lease, id string, in setting.Values) (more bool, err error) {
	var t store.LogTrail
	var o store.TrailObject
	var head int64
	err = w.DB.View(ctx, func(tx *store.Tx) (err error) {
		if t, err = tx.LogTrail(id); err != nil {
			return fmt.Errorf("load trail: %w", err)
		}
		if head, _, err = tx.AuditEnd(); err != nil {
			return fmt.Errorf("find the log's end: %w", err)
		}
		o, err = tx.PendingTrailObject(id)
		return err
	})
	switch {
	case err == nil:
		return true, w.finish(ctx, l, t, o)
	case !errors.Is(err, store.ErrNotFound) || t.ID == "":
		return false, ignoreGone(err)
	case len(t.Runs) == 0:
		return false, w.close(ctx, l, t)
	case t.Runs[0].Ended:
		return true, w.endRun(ctx, l, t, in)
	}
	until, digest := w.DB.Now().Add(time.Hour), w.digestDue(t, in) // the clocks of nodes may differ
	if digest {
		until = nextDigest(t, w.DB.Now(), in.TrailDigestEvery)
	}
	if !digest && !w.logDue(t, head, in) && t.Runs[0].Begun && t.Runs[0].Stop == "" {
		return false, nil
	}
	win, err := w.read(ctx, t, until)
	if err != nil {
		return false, err
	}
	flush := digest || win.full || win.run.Ended || w.logDue(t, head, in)
	switch {
	case flush && win.events > 0:
		return true, w.planLog(ctx, l, t, win)
	case digest && t.Runs[0].Begun:
		return true, w.planDigest(ctx, l, t, win, until, false, in)
	case win.run.Ended, win.run.Begun != t.Runs[0].Begun:
		return true, w.move(ctx, l, t, win)
	case flush && win.seq > t.Seq: // nothing that the trail would have
		return false, w.move(ctx, l, t, win)
	}
	return false, nil
}

func ignoreGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
