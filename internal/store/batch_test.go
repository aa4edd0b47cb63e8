package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"sallyport/internal/arn"
)

var errInjected = errors.New("injected")

// caller is a closure in a batch, and what came of it.
type caller struct {
	fn    func(*Tx) error
	ctx   context.Context
	runs  atomic.Int32
	err   error
	panic any
	done  chan struct{}
}

// batch queues the closures behind one that keeps the writer busy, in order, and lets them go: with it they make one batch.
func batch(t *testing.T, db *DB, callers ...*caller) {
	t.Helper()
	goOn := make(chan struct{})
	queueBatch(t, db, goOn, callers...)
	close(goOn)
	for _, c := range callers {
		<-c.done
	}
}

func queueBatch(t *testing.T, db *DB, goOn chan struct{}, callers ...*caller) {
	t.Helper()
	w := db.engine.(*lite).writer
	busy := make(chan struct{})
	go func() {
		started := sync.OnceFunc(func() { close(busy) })
		_ = db.Update(context.Background(), func(*Tx) error {
			started()
			<-goOn
			return nil
		})
	}()
	<-busy
	for i, c := range callers {
		c.done = make(chan struct{})
		if c.ctx == nil {
			c.ctx = t.Context()
		}
		go func() {
			defer close(c.done)
			defer func() { c.panic = recover() }()
			c.err = db.Update(c.ctx, func(tx *Tx) error {
				c.runs.Add(1)
				return c.fn(tx)
			})
		}()
		for len(w.queue) < i+1 && c.ctx.Err() == nil {
			runtime.Gosched()
		}
	}
}

// put inserts an account, and an event with it.
func put(id string) *caller {
	return &caller{fn: func(tx *Tx) error {
		if err := tx.AppendEvent(Event{ID: id, At: tx.now, JSON: []byte(`{}`)}); err != nil {
			return err
		}
		return tx.InsertAccount(Account{ID: arn.AccountID(id)})
	}}
}

// kept checks which accounts there are, and that the log has their events, each once.
func kept(t *testing.T, db *DB, want ...string) {
	t.Helper()
	var got, logged []string
	err := db.View(t.Context(), func(tx *Tx) error {
		accounts, err := tx.Accounts("", 1000)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			got = append(got, string(a.ID))
		}
		events, err := tx.AuditLog(0, 1000)
		for _, e := range events {
			logged = append(logged, e.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(logged) != fmt.Sprint(want) {
		t.Errorf("accounts %v, events %v; want %v", got, logged, want)
	}
	if _, _, err := db.VerifyAudit(t.Context(), 0, nil); err != nil {
		t.Error(err)
	}
}

// outcomes checks how often each closure ran and whether it failed.
func outcomes(t *testing.T, runs int32, failed string, callers ...*caller) {
	t.Helper()
	for i, c := range callers {
		if got := c.runs.Load(); got != runs {
			t.Errorf("closure %d ran %d times, want %d", i, got, runs)
		}
		if (c.err != nil || c.panic != nil) != (failed[i] == 'x') {
			t.Errorf("closure %d: %v, panic %v", i, c.err, c.panic)
		}
	}
}
