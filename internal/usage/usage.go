// Package usage keeps the ledger of what was given out: how many role credentials, for how long, to whom, by which group as of then, of
// which permission set, in which account. It costs those who ask for credentials nothing: a worker reads the audit log behind them, from
// a cursor that moves in the same transaction as the sums, so that every event counts once, whatever crashes and however many nodes run it.
//
// What was given out may have been used for less than its time: it is an upper bound of the hours, and what is billed and reviewed by.
package usage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
	"unique"

	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// cursor is the worker's name among the readers of the audit log.
const cursor = "usage"

const (
	batch = 1024                   // events at a time
	soon  = 200 * time.Millisecond // between looks at what has come while much comes: it is still in memory
	pause = 5 * time.Second        // between two sums that are stored, and between looks while little comes
	retry = 10 * time.Second
	lease = 30 * time.Second
	most  = 50_000 // issues that are kept in memory
)

// Worker fills the ledger.
type Worker struct {
	DB       *store.DB
	Instance arn.Instance
	Owner    string // names this process among the workers
	Log      *slog.Logger

	stored, read int64     // how far the log is summed up in the database, and read
	since        time.Time // when the first was read of what is not stored
	issues       []store.Issue
}

// Run works until ctx ends. One node does it at a time; it is right even if two do.
func (w *Worker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wake := w.DB.AuditWake()
		wait := pause
		switch err := w.turn(ctx); {
		case errors.Is(err, store.ErrLost): // another node does it
			wake = nil
		case err != nil && ctx.Err() == nil:
			w.Log.ErrorContext(ctx, "usage is not counted, will try again", "error", err)
			wake, wait = nil, retry
		}
		sleep(ctx, wait, wake)
		sleep(ctx, soon, nil)
	}
}

func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-wake:
	case <-time.After(d):
	}
}

// turn counts for as long as there is anything to count: a server that nothing happens on writes nothing. It is store.ErrLost where another
// node does it.
func (w *Worker) turn(ctx context.Context) error {
	n, err := w.begin(ctx)
	if err != nil || n == 0 {
		return err
	}
	l, err := w.DB.AcquireLease(ctx, cursor, w.Owner, lease)
	if err == nil {
		err = errors.Join(w.hold(ctx, l), w.DB.ReleaseLease(context.WithoutCancel(ctx), l))
	}
	return err
}

// hold reads along, and stores the sums now and then, until nothing more comes. What is read and not stored when it ends is read again.
func (w *Worker) hold(ctx context.Context, l store.Lease) error {
	for n := batch; ctx.Err() == nil && (n > 0 || w.read > w.stored); {
		var err error
		if n, err = w.gather(ctx); err != nil {
			return err
		}
		if w.read > w.stored && (len(w.issues) >= most || w.DB.Now().Sub(w.since) >= pause) {
			if err := w.store(ctx); err != nil {
				return err
			}
			if l, err = w.DB.RenewLease(ctx, l, lease); err != nil {
				return err
			}
		}
		if n < batch {
			sleep(ctx, soon, nil)
		}
	}
	return nil
}

// Drain counts what is there now.
func (w *Worker) Drain(ctx context.Context) error {
	n, err := w.begin(ctx)
	for n == batch && err == nil {
		if n, err = w.gather(ctx); err == nil && len(w.issues) >= most {
			err = w.store(ctx)
		}
	}
	if err == nil {
		err = w.store(ctx)
	}
	if errors.Is(err, store.ErrLost) { // another node was faster
		return nil
	}
	return err
}

// begin takes up where the database says, and gathers.
func (w *Worker) begin(ctx context.Context) (int, error) {
	err := w.DB.View(ctx, func(tx *store.Tx) (err error) { w.stored, err = tx.AuditCursor(cursor); return err })
	if err != nil {
		return 0, fmt.Errorf("read cursor: %w", err)
	}
	w.read, w.issues = w.stored, nil
	return w.gather(ctx)
}

// gather reads what comes next of the log, and returns how many events that were.
func (w *Worker) gather(ctx context.Context) (int, error) {
	var events []store.SealedEvent
	err := w.DB.View(ctx, func(tx *store.Tx) (err error) { events, err = w.DB.AuditAfter(tx, w.read, batch); return err })
	if err != nil {
		return 0, fmt.Errorf("read audit log: %w", err)
	}
	if len(events) == 0 {
		return 0, nil
	}
	if w.read == w.stored {
		w.since = w.DB.Now()
	}
	w.read = events[len(events)-1].Seq
	for _, e := range events {
		if !bytes.Contains(e.JSON, mark) {
			continue
		}
		if v := readVended(e.JSON); v.errorCode == "" && v.accessKeyID != "" && v.set != "" && v.userID != "" { // else of something else
			w.issues = append(w.issues, store.Issue{
				UserID: kept(v.userID), Account: arn.AccountID(kept(v.account)), SetID: kept(v.set), At: e.At, For: time.Duration(v.seconds) * time.Second,
			})
		}
	}
	return len(events), nil
}

// kept is a text in memory of its own, which it shares with all that are alike.
func kept(s string) string { return unique.Make(s).Value() }

// store adds what was gathered to the sums. What is costly is done before the transaction that writes. All that the events rest on is in
// the database by now.
func (w *Worker) store(ctx context.Context) error {
	if w.read == w.stored {
		return nil
	}
	var users, paths []store.Usage
	err := w.DB.View(ctx, func(tx *store.Tx) error {
		issues, err := w.named(tx)
		if err != nil || len(issues) == 0 {
			return err
		}
		by, err := tx.IssuedBy(issues)
		if err == nil {
			users, paths = sums(issues, by)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = w.DB.Update(ctx, func(tx *store.Tx) error {
		if now, err := tx.AuditCursor(cursor); err != nil || now != w.stored {
			return errors.Join(err, store.ErrLost)
		}
		if err := errors.Join(tx.AddUsage(users), tx.AddPathUsage(paths)); err != nil {
			return fmt.Errorf("add usage: %w", err)
		}
		return tx.SetAuditCursor(cursor, w.read)
	})
	if err == nil {
		w.stored, w.issues = w.read, w.issues[:0]
	}
	return err
}

// named are the issues with the ids of permission sets, which events tell by name: that of one at a time.
func (w *Worker) named(tx *store.Tx) ([]store.Issue, error) {
	var names []string
	seen := map[string]bool{}
	for _, e := range w.issues {
		if !seen[e.SetID] {
			seen[e.SetID] = true
			names = append(names, e.SetID)
		}
	}
	ids, err := tx.SetsByName(w.Instance, names)
	if err != nil {
		return nil, fmt.Errorf("look for permission sets: %w", err)
	}
	out := slices.Clone(w.issues)
	for n := range out {
		out[n].SetID = ids[out[n].SetID] // "": nothing is known of it any more
	}
	return out, nil
}
