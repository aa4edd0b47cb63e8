package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	indexLease = "audit-index"
	indexTTL   = 10 * time.Second
	// indexBatch is how many events one transaction adds, about 80 KB; of upper levels it is 64 rows, as much.
	indexBatch = 2048
	// indexPause is from the first event to the look at what has come, so that many are added at once: every look costs the writer's
	// neighbours. Those that wait are found by reading them.
	indexPause = 200 * time.Millisecond
	indexPoll  = time.Second // other nodes' events have no bell
)

// RunIndexer runs the worker that makes events ready to be looked up, until ctx ends. Every node runs it; a lease picks one. What it
// has not come to is found all the same, by reading the log. An error of the database is for the caller to report; call again after
// a pause.
func (db *DB) RunIndexer(ctx context.Context, owner string) error {
	for ctx.Err() == nil {
		lease, err := db.AcquireLease(ctx, indexLease, owner, indexTTL)
		if err == nil {
			if err = db.indexUnder(ctx, lease); !errors.Is(err, ErrLost) {
				err = errors.Join(err, db.ReleaseLease(context.WithoutCancel(ctx), lease))
			}
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrLost) {
			return fmt.Errorf("index audit events: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(indexTTL / 3):
		}
	}
	return nil
}

// indexUnder indexes for as long as the lease is held.
func (db *DB) indexUnder(ctx context.Context, lease Lease) error {
	for ctx.Err() == nil {
		if lease.Until.Sub(db.Now()) < indexTTL/2 {
			var err error
			if lease, err = db.RenewLease(ctx, lease, indexTTL); err != nil {
				return err
			}
		}
		wake := db.AuditWake()
		more, err := db.IndexSome(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(indexPoll):
		case <-wake:
			select {
			case <-ctx.Done():
			case <-time.After(indexPause):
			}
		}
	}
	return nil
}

// IndexSome adds a batch of events to the index, and 64 rows to a level above, where there are enough to add. It tells whether there
// is more to add. What it reads and computes, it does outside the transaction that writes.
func (db *DB) IndexSome(ctx context.Context) (more bool, err error) {
	var grown []*growth
	err = db.View(ctx, func(tx *Tx) error {
		m, err := tx.indexMade()
		if err != nil {
			return err
		}
		events, err := db.AuditAfter(tx, m.events(), indexBatch)
		if err != nil {
			return err
		}
		level := m.due()
		more = len(events) == indexBatch
		if g := leaves(&m, events); g != nil {
			grown, m[1] = append(grown, g), g.to
		}
		if level > 0 {
			g, err := tx.merge(&m, level)
			if err != nil {
				return err
			}
			grown, m[level] = append(grown, g), g.to
		}
		more = more || m.due() > 0
		return nil
	})
	if err != nil || len(grown) == 0 {
		return false, err
	}
	return more, db.UpdateRelaxed(ctx, func(tx *Tx) error {
		for _, g := range grown { // two at most
			if err := tx.grow(g); err != nil {
				return err
			}
		}
		return nil
	})
}
