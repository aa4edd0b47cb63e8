package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgres: it has arrays.
const insertInboxAll query = `INSERT INTO audit_inbox (id, at, event) SELECT * FROM unnest($1::TEXT[], $2::BIGINT[], $3::TEXT[])`

// commits is how many statements with events that come alone run at a time on a node.
const commits = 2

// recorder makes events that tell of no change durable, those of many callers with one statement: whoever comes while it runs is in the
// next one. Each alone would cost the database server three round trips and a share of a flush.
type recorder struct {
	mu      sync.Mutex
	waiting []*recording
	turns   chan struct{} // held by whoever writes for all who wait
}

// recording is what a caller waits for.
type recording struct {
	events []Event
	done   chan error
}

func newRecorder() *recorder { return &recorder{turns: make(chan struct{}, commits)} }

func (r *recorder) add(one *recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, one)
}

// take is all who wait, from now on in the caller's hands.
func (r *recorder) take() []*recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.waiting
	r.waiting = nil
	return all
}

// leave takes back what nobody has begun with.
func (r *recorder) leave(one *recording) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.waiting, one)
	if i < 0 {
		return false
	}
	r.waiting = slices.Delete(r.waiting, i, i+1)
	return true
}

func (p *postgres) record(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	one := &recording{events, make(chan error, 1)}
	p.recorder.add(one)
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		if p.recorder.leave(one) {
			return ctx.Err()
		}
	case p.recorder.turns <- struct{}{}:
		p.recordAll(p.recorder.take()) // none, where another one's turn has come before
		<-p.recorder.turns
	}
	return <-one.done
}

// recordAll writes what callers wait for and answers them. Where the database refuses it, each is tried alone: an error is its own caller's.
// After any other failure nobody knows what was written, and all are told.
func (p *postgres) recordAll(all []*recording) {
	if len(all) == 0 {
		return
	}
	err := p.insertEvents(all...)
	var refused *pgconn.PgError
	if len(all) > 1 && errors.As(err, &refused) {
		for _, one := range all {
			one.done <- untold(p.insertEvents(one))
		}
		return
	}
	for _, one := range all {
		one.done <- untold(err)
	}
}

func untold(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("record events: %w", pgTx{}.translate(err))
}

// insertEvents puts events into the inbox. Callers may give up meanwhile: others' events are among them.
func (p *postgres) insertEvents(all ...*recording) error {
	if p.closed.Load() {
		return ErrClosed
	}
	var ids, texts []string
	var times []int64
	for _, one := range all {
		for _, e := range one.events {
			ids, times, texts = append(ids, e.ID), append(times, micros(e.At)), append(texts, string(e.JSON))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxTransaction)
	defer cancel()
	p.began.Add(1)
	_, err := p.writes.ExecContext(ctx, string(insertInboxAll), ids, times, texts)
	if err == nil {
		p.db.inbox.fire()
	}
	return err
}
