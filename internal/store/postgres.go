package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/internal/fault"
)

const (
	// maxTries is how often a transaction is run before its caller is told to come back later.
	maxTries = 8
	// firstPause is the longest wait before the second try; it doubles with each further one.
	firstPause = 5 * time.Millisecond
	// aloneFrom is the try from which a transaction runs alone on its node: it cannot starve.
	aloneFrom = 3
)

// SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// postgres is a PostgreSQL database. Callers commit concurrently; the server shares flushes between them.
type postgres struct {
	db      *DB
	writes  *sql.DB // prefers index scans: a sequential scan of a small table locks all of it for SERIALIZABLE
	reads   *sql.DB
	cfg     *pgx.ConnConfig
	node    string        // names this process to others
	changed chan struct{} // this node has changed something
	crowd   *crowd        // of serializable transactions
	alone   sync.RWMutex  // shared by them, or held by one that has collided again and again
	closed  atomic.Bool

	recorder *recorder
	began    atomic.Uint64
	retried  atomic.Uint64
}

func (p *postgres) view(ctx context.Context, fn func(*Tx) error) error {
	_, err := p.once(ctx, p.reads, sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, fn)
	return err
}

func (p *postgres) update(ctx context.Context, fn func(*Tx) error) error {
	return p.retry(ctx, func(try int) (*Tx, error) { return p.serializable(ctx, try, fn) })
}

func (p *postgres) relaxed(ctx context.Context, fn func(*Tx) error) error {
	return p.retry(ctx, func(int) (*Tx, error) {
		return p.once(ctx, p.writes, sql.TxOptions{Isolation: sql.LevelReadCommitted}, fn)
	})
}

// serializable runs a try beside few others, or alone.
func (p *postgres) serializable(ctx context.Context, try int, fn func(*Tx) error) (tx *Tx, err error) {
	if err := p.crowd.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { p.crowd.leave(collided(tx, err)) }()
	if try >= aloneFrom {
		p.alone.Lock()
		defer p.alone.Unlock()
	} else {
		p.alone.RLock()
		defer p.alone.RUnlock()
	}
	return p.once(ctx, p.writes, sql.TxOptions{Isolation: sql.LevelSerializable}, fn)
}

// retry runs a transaction until it does not collide with others, a fixed number of times. Each try starts from nothing:
// what a transaction has read before it was refused must not be used.
func (p *postgres) retry(ctx context.Context, run func(try int) (*Tx, error)) error {
	pause := firstPause
	for try := 1; ; try++ {
		p.began.Add(1)
		tx, err := run(try)
		if err == nil {
			p.db.settled(tx)
			return nil
		}
		if !collided(tx, err) {
			return err
		}
		if try == maxTries {
			return &fault.Error{
				Kind: fault.Throttled, Message: "Too many changes are being made at once. Try again.", RetryAfter: time.Second,
				Err: fmt.Errorf("give up after %d tries: %w", try, err),
			}
		}
		p.retried.Add(1)
		select {
		case <-time.After(jitter(pause)):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause *= 2
	}
}

// once runs one transaction. After a failure the Tx says why, even if fn has kept silent or said something else.
func (p *postgres) once(ctx context.Context, pool *sql.DB, opts sql.TxOptions, fn func(*Tx) error) (*Tx, error) {
	if p.closed.Load() {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, maxTransaction)
	defer cancel()
	now := p.db.Now()
	t, err := pool.BeginTx(ctx, &opts)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = t.Rollback() }() // after an error, a panic or the end of the goroutine; nothing after a commit
	tx := &Tx{ctx: ctx, db: p.db, q: pgTx{t}, now: now, writable: !opts.ReadOnly}
	if err := tx.run(fn); err != nil {
		return tx, err
	}
	if err := t.Commit(); err != nil {
		tx.failed = err
		return tx, fmt.Errorf("commit: %w", err)
	}
	return tx, nil
}

// collided says that the transaction failed only because of others that ran beside it.
func collided(tx *Tx, err error) bool {
	if tx != nil && tx.failed != nil {
		err = tx.failed
	}
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == serializationFailure || e.Code == deadlockDetected)
}

// jitter is a random time up to most, so that those who collided do not meet again.
func jitter(most time.Duration) time.Duration {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process rather than return an error
	return time.Duration(binary.NativeEndian.Uint64(b[:]) % uint64(most))
}

func (p *postgres) stats() Stats {
	return Stats{Transactions: p.began.Load(), Retries: p.retried.Load()}
}

func (p *postgres) close() error {
	p.closed.Store(true)
	return errors.Join(p.reads.Close(), p.writes.Close())
}

// pgTx runs the statements of one transaction. The driver prepares each statement once per connection.
type pgTx struct{ t *sql.Tx }

func (t pgTx) exec(ctx context.Context, q query, args []any) (sql.Result, error) {
	return t.t.ExecContext(ctx, string(q), args...)
}

func (t pgTx) query(ctx context.Context, q query, args []any) (*sql.Rows, error) {
	return t.t.QueryContext(ctx, string(q), args...)
}

func (pgTx) seals() bool { return false }

func (pgTx) locking(clause query) query { return clause }

func (pgTx) translate(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == uniqueViolation {
		return ErrExists
	}
	return err
}
