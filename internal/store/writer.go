package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A batch of the writer is bounded, so that the first caller in it does not wait for long and the WAL stays short.
const (
	maxBatch     = 512
	maxBatchTime = 10 * time.Millisecond
	queueDepth   = 4 * maxBatch
)

const (
	begin  query = `BEGIN IMMEDIATE`
	commit query = `COMMIT`
	save   query = `SAVEPOINT closure`
	keep   query = `RELEASE closure`
	undo   query = `ROLLBACK TO closure`
)

// writer makes all changes of an SQLite database, on one goroutine and one connection: it opens a transaction, runs every
// closure that waits, each inside a savepoint, commits once, and only then answers the callers (hard part 1). It never
// waits to fill a batch: the batch is whoever came while the last commit was flushing.
//
// What must hold: a caller is answered, with an error too, only after the commit, for an error may rest on a neighbour's
// row; and an error of one closure never touches its neighbours. SQLite may answer a full disk or an I/O error by rolling
// the whole transaction back (https://sqlite.org/lang_transaction.html §3). Then, and when COMMIT fails, nobody is
// answered and the batch is run again, one closure per transaction.
type writer struct {
	db     *DB
	conn   *liteConn
	points *checkpointer
	most   time.Duration // of a batch
	queue  chan *request
	stop   chan struct{}
	done   chan struct{}
	closed sync.Once
	ran    atomic.Uint64 // closures
	kept   atomic.Uint64 // commits

	// These belong to the goroutine.
	head    head       // of the audit log, as committed
	batch   []*request // begun in the present transaction
	again   []*request // to be run again, each in its own transaction
	current *request   // whose closure is running
}

func newWriter(db *DB, pool *sql.DB, points *checkpointer) (*writer, error) {
	conn, err := newLiteConn(pool)
	return &writer{
		db: db, conn: conn, points: points, most: maxBatchTime,
		queue: make(chan *request, queueDepth), stop: make(chan struct{}), done: make(chan struct{}),
	}, err
}

// update queues r and waits for the answer. A caller who gives up before r has begun does not wait; r never runs then.
func (w *writer) update(r *request) error {
	ctx := r.ctx
	if err := ctx.Err(); err != nil {
		return err
	}
	r.answered = make(chan struct{})
	select {
	case <-w.stop:
		return ErrClosed
	default:
	}
	select {
	case w.queue <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return ErrClosed
	}
	select {
	case <-r.answered:
		return r.outcome()
	case <-ctx.Done():
		if r.take() {
			return ctx.Err()
		}
	case <-w.done:
		if r.take() { // queued after the writer had looked for the last time
			return ErrClosed
		}
	}
	<-r.answered
	return r.outcome()
}

// run serves requests until close. A closure that ends its goroutine, as testing.T.FailNow does, ends this one: another
// takes over and runs the closure's neighbours again.
func (w *writer) run() {
	finished := false
	defer func() {
		if finished {
			w.conn.drop()
			close(w.done)
			return
		}
		if w.current == nil {
			return // a panic of the store itself: let it end the process
		}
		w.current.ended = true
		w.current.answer(nil)
		w.setAside()
		go w.run()
	}()
	w.singly()
	for {
		select {
		case r := <-w.queue:
			w.serve(r)
		case <-w.stop:
			for len(w.queue) > 0 {
				w.serve(<-w.queue)
			}
			finished = true
			return
		}
	}
}

// serve runs a batch that starts with r.
func (w *writer) serve(r *request) {
	late := time.NewTimer(w.most)
	defer late.Stop()
	n := 0
	next := func() *request {
		if n++; n == 1 {
			return r
		}
		select {
		case <-late.C:
			n = maxBatch
		default:
		}
		if n >= maxBatch {
			return nil
		}
		select {
		case r := <-w.queue:
			return r
		default:
			return nil
		}
	}
	if err := w.attempt(next); err != nil {
		w.setAside()
		w.singly()
	}
}

// setAside keeps those whose transaction is gone, to be run again. Nobody has heard of it.
func (w *writer) setAside() {
	for _, r := range w.batch {
		if r != w.current {
			w.again = append(w.again, r)
		}
	}
	w.batch, w.current = nil, nil
	w.conn.drop() // and with it whatever the error has left open
}

// singly runs what was set aside, each closure in its own transaction. Now an error is that closure's own.
func (w *writer) singly() {
	for len(w.again) > 0 {
		r := w.again[0]
		w.again = w.again[1:]
		once := r
		err := w.attempt(func() *request { n := once; once = nil; return n })
		if err != nil {
			w.batch = nil
			w.conn.drop()
			r.answer(err)
		}
	}
}

// attempt runs the closures that next gives, in one transaction, commits it and answers. After an error the transaction
// is gone, nobody in w.batch has been answered, and the connection must be dropped.
func (w *writer) attempt(next func() *request) error {
	w.points.turn.Lock()
	defer w.points.turn.Unlock()
	for r := next(); r != nil; r = next() {
		if !r.start() {
			continue
		}
		w.batch = append(w.batch, r)
		if len(w.batch) == 1 {
			if err := w.conn.do(begin); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
		}
		if err := w.closure(r); err != nil {
			return err
		}
	}
	if len(w.batch) == 0 {
		return nil
	}
	return w.finish()
}

// closure runs one closure inside a savepoint. It fails when the whole transaction is gone. No statement can have run
// since then: a Tx lets none run after a failed one.
func (w *writer) closure(r *request) error {
	if r.fn == nil { // events alone: there is nothing to run, and so nothing to undo
		r.tx = &Tx{q: w.conn, events: r.events}
		return nil
	}
	if err := w.conn.do(save); err != nil {
		return fmt.Errorf("open savepoint: %w", err)
	}
	ctx, cancel := context.WithTimeout(r.ctx, maxTransaction)
	defer cancel()
	r.tx = &Tx{ctx: ctx, db: w.db, q: w.conn, now: w.db.Now(), writable: true}
	w.current = r
	r.call()
	w.current = nil
	if r.failed() {
		if err := w.conn.do(undo); err != nil { // "no such savepoint": this is how SQLite tells that all is gone
			return fmt.Errorf("transaction rolled back by SQLite: %w", r.err)
		}
	}
	if err := w.conn.do(keep); err != nil {
		return fmt.Errorf("close savepoint: %w", err)
	}
	return nil
}

// finish seals the audit events of the batch, commits, tells the process, and answers the callers, in this order.
func (w *writer) finish() error {
	head, sealed, err := w.seal()
	if err != nil {
		return err
	}
	if err := w.conn.do(commit); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	w.head = head
	w.db.tail.add(sealed)
	w.ran.Add(uint64(len(w.batch)))
	w.kept.Add(1)
	w.points.committed()
	for _, r := range w.batch {
		if !r.failed() {
			w.db.settled(r.tx)
		}
	}
	for _, r := range w.batch {
		r.answer(r.err)
	}
	clear(w.batch)
	w.batch = w.batch[:0]
	return nil
}

// seal appends the events of the batch to the audit log.
func (w *writer) seal() (head, []SealedEvent, error) {
	tx := &Tx{ctx: context.Background(), db: w.db, q: w.conn, writable: true}
	head := w.head
	var events []Event
	for _, r := range w.batch {
		if !r.failed() {
			events = append(events, r.tx.events...)
		}
	}
	sealed, err := tx.appendLog(&head, events)
	if err != nil {
		return head, nil, fmt.Errorf("append to audit log: %w", err)
	}
	return head, sealed, nil
}

func (w *writer) close() {
	w.closed.Do(func() { close(w.stop) })
	<-w.done
}
