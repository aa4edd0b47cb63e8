package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	sealerLease = "audit-sealer"
	sealerTTL   = 10 * time.Second
	sealerPoll  = time.Second     // other nodes' events have no bell
	sealerLast  = 2 * time.Second // for the last round
	sealBatch   = 512
)

// takeInbox removes what it returns: an event that commits meanwhile, with an earlier id, stays for the next round.
const takeInbox query = `DELETE FROM audit_inbox WHERE id IN (SELECT id FROM audit_inbox ORDER BY id LIMIT $1) RETURNING id, at, event`

// RunSealer runs the worker that moves the events of committed changes into the audit log, until ctx ends. Every node
// runs it; a lease picks one. On SQLite the writer seals and there is nothing to do. An error of the database is for the
// caller to report; call again after a pause.
func (db *DB) RunSealer(ctx context.Context, owner string) error {
	err := db.engine.runSealer(ctx, owner)
	if ctx.Err() != nil {
		return nil // the end that was asked for
	}
	return wrapIf("seal audit events", err)
}

func (l *lite) runSealer(ctx context.Context, _ string) error {
	<-ctx.Done()
	return nil
}

func (p *postgres) runSealer(ctx context.Context, owner string) error {
	work, cancel := lingering(ctx, sealerLast) // a commit that is cut off leaves locks behind, for as long as the database server takes to see it
	defer cancel()
	for {
		lease, err := p.db.AcquireLease(work, sealerLease, owner, sealerTTL)
		switch {
		case err == nil:
			err = p.sealUnder(ctx, work, lease)
			if !errors.Is(err, ErrLost) {
				// Even when all time is over: another node need not wait for the lease to run out.
				return errors.Join(err, p.db.ReleaseLease(context.WithoutCancel(ctx), lease))
			}
		case !errors.Is(err, ErrLost):
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sealerTTL / 3):
		}
	}
}

// lingering is a context that ends some time after another one.
func lingering(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return out, func() { stop(); cancel() }
}

// sealUnder seals for as long as the lease is held. When ctx ends it seals what is there then: in an orderly stop nobody adds to it any more.
func (p *postgres) sealUnder(ctx, work context.Context, lease Lease) error {
	for last := false; ; {
		wake := p.db.inbox.wait()
		n, err := p.db.sealSome(work, lease)
		if err != nil {
			return err
		}
		if n == sealBatch {
			continue
		}
		if last {
			return nil
		}
		select {
		case <-ctx.Done():
			last = true
		case <-wake:
		case <-time.After(sealerPoll):
		}
	}
}

// sealSome moves a batch of events from the inbox to the log and extends the lease, all in one transaction: a sealer
// that dies leaves nothing half done, and one that has lost its lease cannot number an event twice.
func (db *DB) sealSome(ctx context.Context, lease Lease) (int, error) {
	var events []Event
	err := db.UpdateRelaxed(ctx, func(tx *Tx) (err error) {
		if err := tx.Holds(lease); err != nil {
			return err
		}
		if err := one(tx.exec(extendLease, micros(tx.now.Add(sealerTTL)), lease.Name, lease.Fence)); err != nil {
			return err
		}
		if events, err = list(tx, takeInbox, scanEvent, sealBatch); err != nil || len(events) == 0 {
			return err
		}
		slices.SortFunc(events, func(a, b Event) int { return strings.Compare(a.ID, b.ID) })
		head, err := tx.logHead()
		if err != nil {
			return err
		}
		_, err = tx.appendLog(&head, events)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("seal batch: %w", err)
	}
	if len(events) > 0 {
		db.audit.fire()
	}
	return len(events), nil
}

func scanEvent(r row) (e Event, err error) {
	var at int64
	var json string
	err = r.Scan(&e.ID, &at, &json)
	e.At, e.JSON = fromMicros(at), []byte(json)
	return e, err
}
