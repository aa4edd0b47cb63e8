package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// run is a sink that this process ships to, under its lease. One goroutine uses it.
type run struct {
	w     *Worker
	lease store.Lease
	id    string
	off   bool // there is nothing more to do under this lease
	idle  bool // the last step had nothing to do

	row    store.EventSink
	sink   audit.Sink // nil: not opened yet
	filter Filter
	opened int64 // the version of the row that it was opened with

	window []store.SealedEvent // what comes after the row's position, in the bounds that are stored or will be
	again  []store.SealedEvent // what was refused and is to be sent again
}

// close closes the sink.
func (r *run) close() error {
	if r.sink == nil {
		return nil
	}
	s := r.sink
	r.sink = nil
	if err := shut(s); err != nil {
		return fmt.Errorf("close sink: %w", err)
	}
	return nil
}

// pause is how long to wait for the bell.
func (r *run) pause() time.Duration {
	if left := r.row.ResumeAt.Sub(r.w.DB.Now()); left > 0 {
		return min(left, lookEvery)
	}
	return lookEvery
}

// step sends one batch; more says that there is more to send at once.
func (r *run) step(ctx context.Context) (more bool, err error) {
	r.idle = true
	if err := r.load(ctx); err != nil || r.off || r.row.ResumeAt.After(r.w.DB.Now()) {
		return false, err
	}
	if len(r.window) == 0 && len(r.again) == 0 {
		return false, nil
	}
	r.idle = false
	if err := r.meet(); err != nil {
		return false, r.failed(ctx, err)
	}
	if len(r.again) > 0 {
		return r.revive(ctx)
	}
	end := r.window[len(r.window)-1].Seq
	if r.row.Planned != end {
		err := r.update(ctx, func(tx *store.Tx) error { return tx.PlanEventSink(r.row, end) })
		if errors.Is(err, store.ErrLost) {
			return r.moved(ctx)
		}
		if err != nil {
			return false, fmt.Errorf("store bounds of batch: %w", err)
		}
		r.row.Planned = end
	}
	return r.send(ctx, r.filter.pass(r.window), end)
}

// moved finds out what an update has missed: another owner of the lease, or an operator who has changed the sink.
func (r *run) moved(ctx context.Context) (more bool, err error) {
	r.window = nil
	err = r.w.DB.View(ctx, func(tx *store.Tx) error { return tx.Holds(r.lease) })
	return err == nil, err
}

// load reads how the sink stands, and what there is to send. A batch that has been begun has its bounds already.
func (r *run) load(ctx context.Context) error {
	was := r.row
	err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
		r.row, err = tx.EventSink(r.id)
		if errors.Is(err, store.ErrNotFound) {
			r.off = true
			return nil
		}
		if err != nil {
			return err
		}
		if r.off = r.row.State != store.SinkOn; r.off {
			return nil
		}
		if r.again, err = tx.DeadEventsAgain(r.id, deadBatch); err != nil {
			return err
		}
		if len(r.window) > 0 && r.row.Position == was.Position && r.row.Version == was.Version {
			return nil
		}
		limit, bytes := maxEvents, maxBytes
		if n := r.row.Planned - r.row.Position; n > 0 {
			limit, bytes = int(n), int(n)*audit.MaxSize
		}
		r.window, err = r.w.DB.AuditWindow(tx, r.row.Position, limit, bytes)
		return err
	})
	if err != nil {
		return fmt.Errorf("read what there is to send: %w", err)
	}
	return nil
}

// meet opens the sink, anew when an operator has changed it.
func (r *run) meet() error {
	if r.sink != nil && r.opened == r.row.Version {
		return nil
	}
	if err := r.close(); err != nil {
		return err
	}
	s, c, err := r.w.open(r.row)
	if err != nil {
		return err
	}
	r.sink, r.filter, r.opened = s, c.Filter, r.row.Version
	return nil
}

// send sends what of a window passes the filter, and moves the cursor to its end.
func (r *run) send(ctx context.Context, batch []store.SealedEvent, end int64) (more bool, err error) {
	var refused *audit.Refused
	if len(batch) > 0 {
		if err := r.write(ctx, batch); err != nil && !errors.As(err, &refused) {
			return false, r.failed(ctx, err)
		}
	}
	dead := among(batch, refused)
	next, err := r.after(ctx, end)
	if err != nil {
		return false, err
	}
	planned := int64(0)
	if len(next) > 0 {
		planned = next[len(next)-1].Seq
	}
	full := false
	err = r.update(ctx, func(tx *store.Tx) (err error) {
		if full, err = r.bury(tx, dead, refused); err != nil || full {
			return err
		}
		if err := r.well(tx); err != nil {
			return err
		}
		return tx.MoveEventSink(r.row, end, planned, len(batch)-len(dead))
	})
	switch {
	case errors.Is(err, store.ErrLost):
		return r.moved(ctx)
	case err != nil:
		return false, fmt.Errorf("move cursor: %w", err)
	case full:
		return false, r.failed(ctx, fmt.Errorf("%d refused events wait for an operator, as many as there may be; and another is refused: %s", Dead, refused.Reason))
	}
	r.row.Position, r.window = end, next // what is planned is read again with the row
	return len(next) > 0, nil
}

// write gives the sink a batch. When the work is to end it may finish, within reason; when the lease is lost it may not.
func (r *run) write(ctx context.Context, batch []store.SealedEvent) error {
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), store.ErrLost) {
			wait(within, lastWords)
		}
		cancel()
	})()
	return r.sink.Write(within, batch)
}

// after reads the window after a number when there is so much that it is worth going on at once. What is less may grow.
func (r *run) after(ctx context.Context, end int64) (next []store.SealedEvent, err error) {
	err = r.w.DB.View(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		next, err = r.w.DB.AuditWindow(tx, end, maxEvents, maxBytes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what comes next: %w", err)
	}
	if len(next) < maxEvents/4 {
		next = nil
	}
	return next, nil
}

// update records something of the sink, unless the lease is lost. The receiver was told, so this is done even when the work is to end.
func (r *run) update(ctx context.Context, fn func(*store.Tx) error) error {
	back, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer stop()
	return r.w.DB.UpdateRelaxed(back, func(tx *store.Tx) error {
		if err := tx.Holds(r.lease); err != nil {
			return err
		}
		return fn(tx)
	})
}

// among are the events of a batch that were refused.
func among(batch []store.SealedEvent, refused *audit.Refused) (dead []store.SealedEvent) {
	if refused == nil {
		return nil
	}
	seqs := map[int64]bool{}
	for _, seq := range refused.Seqs {
		seqs[seq] = true
	}
	for _, e := range batch {
		if seqs[e.Seq] {
			dead = append(dead, e)
		}
	}
	return dead
}
