package scimpush

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// Run pushes what is due until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	var work store.PerKey
	defer work.Wait()
	for {
		wake := w.DB.JobsWake()
		due, err := w.due(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "look for what is to be pushed", "error", err)
		}
		for _, t := range due {
			work.Go(t.ID, func() { w.tell(ctx, t, w.push(ctx, t.ID)) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(poll):
		}
	}
}

func (w *Worker) tell(ctx context.Context, t store.SCIMTarget, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrLost) {
		w.Log.WarnContext(ctx, "pushing failed, will try again", "target", t.Name, "error", err)
	}
}

// Drain pushes what is due, one target after the other, then returns: for programs and tests that do not run the worker.
func (w *Worker) Drain(ctx context.Context) error {
	due, err := w.due(ctx)
	if err != nil {
		return err
	}
	for _, t := range due {
		if e := w.push(ctx, t.ID); e != nil && !errors.Is(e, store.ErrLost) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// due are the targets that there is something to do for.
func (w *Worker) due(ctx context.Context) (due []store.SCIMTarget, err error) {
	err = w.DB.View(ctx, func(tx *store.Tx) error {
		due = nil
		all, err := tx.SCIMTargets(w.Store)
		if err != nil {
			return fmt.Errorf("list targets: %w", err)
		}
		for _, t := range all {
			some, err := pending(tx, t, 1)
			if err != nil {
				return err
			}
			if open(tx, t) && (t.Phase != "" || len(some) > 0) {
				due = append(due, t)
			}
		}
		return nil
	})
	return due, err
}

// open says whether a target may be sent anything now.
func open(tx *store.Tx, t store.SCIMTarget) bool {
	return t.State != store.TargetOff && !tx.Now().Before(t.ResumeAt)
}

// pending are records whose time has come, all of one priority: people who are to be kept out before other people, people before groups.
func pending(tx *store.Tx, t store.SCIMTarget, limit int) ([]store.SCIMDirty, error) {
	for priority := store.PushFirst; priority <= store.PushGroups; priority++ {
		if some, err := tx.DueDirty(t.ID, priority, limit); err != nil || len(some) > 0 {
			if err != nil {
				return nil, fmt.Errorf("list what has changed: %w", err)
			}
			return some, nil
		}
	}
	return nil, nil
}

// run is a target that this process pushes to, under its lease.
type run struct {
	w      *Worker
	lease  store.Lease
	target store.SCIMTarget
	peer   *peer
}

// push pushes to a target until nothing is due.
func (w *Worker) push(ctx context.Context, id string) error {
	l, err := w.DB.AcquireLease(ctx, "scim-push/"+id, w.Owner, lease)
	if errors.Is(err, store.ErrLost) { // another node is at it
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go w.hold(ctx, l, cancel)
	r := &run{w: w, lease: l}
	for more := true; more && err == nil; {
		if more, err = r.step(ctx); err == nil && more {
			r.lease, err = w.DB.RenewLease(ctx, r.lease, lease)
		}
	}
	return errors.Join(err, w.DB.ReleaseLease(context.WithoutCancel(ctx), r.lease))
}

// hold keeps a lease for as long as the work under it takes, and ends the work when it is lost.
func (w *Worker) hold(ctx context.Context, l store.Lease, lost func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lease / 3):
		}
		if _, err := w.DB.RenewLease(ctx, l, lease); errors.Is(err, store.ErrLost) {
			lost()
			return
		}
	}
}

// step pushes a batch or, where nothing is due, goes on with the comparison.
func (r *run) step(ctx context.Context) (more bool, err error) {
	var due []store.SCIMDirty
	err = r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
		due = nil
		t, err := tx.SCIMTarget(r.lease.Name[len("scim-push/"):])
		if errors.Is(err, store.ErrNotFound) {
			t, err = store.SCIMTarget{State: store.TargetOff}, nil
		}
		if err != nil {
			return fmt.Errorf("load target: %w", err)
		}
		if r.target = t; !open(tx, t) {
			return nil
		}
		due, err = pending(tx, t, batch)
		return err
	})
	if err != nil || r.target.State == store.TargetOff || r.w.DB.Now().Before(r.target.ResumeAt) || len(due) == 0 && r.target.Phase == "" {
		return false, err
	}
	if err := r.meet(); err != nil {
		return false, err
	}
	if len(due) == 0 {
		err := r.walk(ctx)
		if err == nil {
			return true, r.settle(ctx, nil, 1)
		}
		return false, r.settle(ctx, err, 0)
	}
	return r.all(ctx, due)
}

// meet makes the target ready to be spoken with.
func (r *run) meet() error {
	token, err := r.w.Keys.OpenRecord("scim_target", "token", r.target.ID, r.target.Token)
	if err != nil {
		return fmt.Errorf("open token: %w", err)
	}
	var spacing *pace
	if r.peer != nil {
		spacing = r.peer.pace
	}
	r.peer = r.w.peer(r.target, string(token), spacing)
	return nil
}

func (w *Worker) peer(t store.SCIMTarget, token string, spacing *pace) *peer {
	if spacing == nil {
		spacing = &pace{wait: w.Wait}
		if w.Wait == nil {
			spacing.wait = sleep
		}
	}
	spacing.every = time.Second / time.Duration(max(1, t.Rate))
	through := w.Transport
	if through == nil {
		through = shared()
	}
	return &peer{target: t, token: token, clock: w.DB, pace: spacing, limit: cmp.Or(w.Limit, requestLimit), http: &http.Client{
		Transport: through, CheckRedirect: outbound.NoRedirects,
	}}
}

var shared = sync.OnceValue(func() http.RoundTripper { return outbound.Transport(nil) })

// all pushes a batch of records, several at once.
func (r *run) all(ctx context.Context, due []store.SCIMDirty) (more bool, err error) {
	within, stop := context.WithCancel(ctx)
	defer stop()
	slots := make(chan struct{}, r.parallel())
	var busy sync.WaitGroup
	var mu sync.Mutex
	var worst error
	done := 0
	for _, d := range due {
		slots <- struct{}{}
		busy.Go(func() {
			defer func() { <-slots }()
			if within.Err() != nil {
				return
			}
			err := r.tried(ctx, d, r.one(within, d))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done++
			case brokenOff(err): // and mended by the next attempt
			case worst == nil || stumbled(worst):
				worst = err
			}
			if !stumbled(err) && err != nil {
				stop()
			}
		})
	}
	busy.Wait()
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return worst == nil || stumbled(worst) && done > 0, r.settle(ctx, worst, done)
}

func (r *run) parallel() int {
	if r.w.Parallel > 0 {
		return r.w.Parallel
	}
	return 8
}

func (r *run) one(ctx context.Context, d store.SCIMDirty) error {
	if d.Kind == store.PushUser {
		return r.user(ctx, d)
	}
	return r.group(ctx, d)
}

// record stores what has become of a request: the target was told, so this is done even when the work is to end.
func (r *run) record(ctx context.Context, name string, details map[string]any, fn func(*store.Tx) error) error {
	err := r.w.DB.UpdateRelaxed(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Holds(r.lease); err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		if err := tx.CountPushed(r.target.ID, 1); err != nil {
			return fmt.Errorf("count: %w", err)
		}
		return event(tx, r.target, name, details)
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	return nil
}

// clean takes a record off the list, which is as wanted now.
func (r *run) clean(ctx context.Context, d store.SCIMDirty) error {
	err := r.w.DB.UpdateRelaxed(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return errors.Join(tx.Holds(r.lease), tx.CleanDirty(d))
	})
	if err != nil {
		return fmt.Errorf("clean: %w", err)
	}
	return nil
}
