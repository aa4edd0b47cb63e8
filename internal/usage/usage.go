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
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/skim"
	"sallyport/internal/store"
)

// cursor is the worker's name among the readers of the audit log.
const cursor = "usage"

const (
	batch = 1024 // events at a time
	pause = 5 * time.Second
	retry = 10 * time.Second
	lease = 30 * time.Second
)

// Worker fills the ledger.
type Worker struct {
	DB       *store.DB
	Instance arn.Instance
	Owner    string // names this process among the workers
	Log      *slog.Logger
}

// Run works until ctx ends. One node does it at a time; it is right even if two do.
func (w *Worker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := pause
		if err := w.turn(ctx); err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "usage is not counted, will try again", "error", err)
			wait = retry
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// turn counts what there is, if there is anything: a server that nothing happens on writes nothing.
func (w *Worker) turn(ctx context.Context) error {
	idle := false
	err := w.DB.View(ctx, func(tx *store.Tx) error {
		after, err := tx.AuditCursor(cursor)
		if err != nil {
			return err
		}
		next, err := w.DB.AuditAfter(tx, after, 1)
		idle = len(next) == 0
		return err
	})
	if err != nil || idle {
		return err
	}
	l, err := w.DB.AcquireLease(ctx, "usage", w.Owner, lease)
	if errors.Is(err, store.ErrLost) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(w.Drain(ctx), w.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

// Drain counts what is there now.
func (w *Worker) Drain(ctx context.Context) error {
	for {
		n, err := w.step(ctx)
		if errors.Is(err, store.ErrLost) { // another node was faster
			return nil
		}
		if err != nil || n < batch {
			return err
		}
	}
}

// step counts one batch and returns its size. What is costly is done before the transaction that writes.
func (w *Worker) step(ctx context.Context) (int, error) {
	var after, last int64
	var events []store.SealedEvent
	var users, paths []store.Usage
	err := w.DB.View(ctx, func(tx *store.Tx) (err error) {
		if after, err = tx.AuditCursor(cursor); err != nil {
			return fmt.Errorf("read cursor: %w", err)
		}
		if events, err = w.DB.AuditSeen(tx, after, batch); err != nil || len(events) == 0 {
			return err
		}
		last = events[len(events)-1].Seq
		issues, err := w.issues(tx, events)
		if err != nil || len(issues) == 0 {
			return err
		}
		by, err := tx.IssuedBy(issues)
		if err != nil {
			return fmt.Errorf("look for paths of then: %w", err)
		}
		users, paths = sums(issues, by)
		return nil
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	err = w.DB.Update(ctx, func(tx *store.Tx) error {
		if now, err := tx.AuditCursor(cursor); err != nil || now != after {
			return errors.Join(err, store.ErrLost)
		}
		if err := errors.Join(tx.AddUsage(users), tx.AddPathUsage(paths)); err != nil {
			return fmt.Errorf("add usage: %w", err)
		}
		return tx.SetAuditCursor(cursor, last)
	})
	return len(events), err
}

// vended is what the record of a vending says (package vend).
type vended struct {
	errorCode, userID, set, accessKeyID string
	account                             arn.AccountID
	seconds                             int64 // 0: recorded before it was told
}

func readVended(json []byte) (v vended) {
	c := skim.New(json)
	c.Members(func(key string) {
		switch key {
		case "errorCode":
			v.errorCode = c.Text()
		case "userIdentity":
			c.Members(func(key string) {
				if key == "onBehalfOf" {
					c.Members(func(key string) {
						if key == "userId" {
							v.userID = c.Text()
						}
					})
				}
			})
		case "serviceEventDetails":
			c.Members(func(key string) { v.detail(c, key) })
		}
	})
	return v
}

func (v *vended) detail(c *skim.Scanner, key string) {
	switch key {
	case "account_id":
		v.account = arn.AccountID(c.Text())
	case "role_name":
		v.set = c.Text()
	case "access_key_id":
		v.accessKeyID = c.Text()
	case "duration_seconds":
		v.seconds = c.Int()
	}
}

// mark is in every record of a vending, and in few others.
var mark = []byte(`"access_key_id":"`)

// issues are what the events tell was given out. A permission set is told by its name, which is that of one at a time.
func (w *Worker) issues(tx *store.Tx, events []store.SealedEvent) ([]store.Issue, error) {
	var out []store.Issue
	var names []string
	seen := map[string]bool{}
	for _, e := range events {
		if !bytes.Contains(e.JSON, mark) {
			continue
		}
		v := readVended(e.JSON)
		if v.errorCode != "" || v.accessKeyID == "" || v.set == "" || v.userID == "" {
			continue // of something else
		}
		if !seen[v.set] {
			seen[v.set] = true
			names = append(names, v.set)
		}
		out = append(out, store.Issue{UserID: v.userID, Account: v.account, SetID: v.set, At: e.At, For: time.Duration(v.seconds) * time.Second})
	}
	ids, err := tx.SetsByName(w.Instance, names)
	if err != nil {
		return nil, fmt.Errorf("look for permission sets: %w", err)
	}
	for n := range out {
		out[n].SetID = ids[out[n].SetID] // "": nothing is known of it any more
	}
	return out, nil
}

// sums adds up what was issued, by user and by each of the paths that they had it by.
func sums(issues []store.Issue, by [][]store.UsageKey) (users, paths []store.Usage) {
	var perUser, perPath ledger
	for n, e := range issues {
		perUser.add(store.UsageKey{UserID: e.UserID, Account: e.Account, SetID: e.SetID}, e)
		if len(by[n]) == 0 {
			perPath.add(store.UsageKey{Account: e.Account, SetID: e.SetID}, e)
		}
		for _, k := range by[n] {
			perPath.add(k, e)
		}
	}
	return perUser.rows, perPath.rows
}

// ledger sums up by day and key, in the order in which they first came.
type ledger struct {
	rows []store.Usage
	at   map[entry]int
}

type entry struct {
	store.UsageKey
	day int64
}

func (l *ledger) add(k store.UsageKey, e store.Issue) {
	if l.at == nil {
		l.at = map[entry]int{}
	}
	day := store.DayOf(e.At)
	n, ok := l.at[entry{k, day}]
	if !ok {
		n = len(l.rows)
		l.at[entry{k, day}] = n
		l.rows = append(l.rows, store.Usage{UsageKey: k, Day: day})
	}
	u := &l.rows[n]
	u.Issued++
	u.Seconds += int64(e.For / time.Second)
	if e.At.After(u.Last) {
		u.Last = e.At
	}
}
