package store

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"sallyport/internal/clock"
)

// ErrClosed says that the database has been closed.
var ErrClosed = errors.New("store: closed")

// maxTransaction is how long a transaction may take. The margin by which a revocation reaches back in time rests on it
// (hard part 3).
const maxTransaction = 10 * time.Second

// DB is an open database. It is safe for concurrent use.
type DB struct {
	clock  clock.Clock
	offset atomic.Int64 // nanoseconds from the clock to the database server's
	engine engine
	watch  atomic.Pointer[func([]Change)]
	news   chan struct{} // other nodes have changed something
	jobs   signal        // jobs that may be claimed
	inbox  signal        // events to be sealed
	audit  signal        // events in the log
	tail   tail          // of the log, on SQLite
}

// engine is what SQLite and PostgreSQL do differently.
type engine interface {
	view(ctx context.Context, fn func(*Tx) error) error
	update(ctx context.Context, fn func(*Tx) error) error
	relaxed(ctx context.Context, fn func(*Tx) error) error
	record(ctx context.Context, events []Event) error
	pushes() bool
	tell() // other nodes of changes
	poll(ctx context.Context, cursor string) (Poll, error)
	runSealer(ctx context.Context, owner string) error
	stats() Stats
	close() error
}

// Stats counts since Open, for metrics.
type Stats struct {
	Transactions uint64 // changes, retried ones included
	Retries      uint64 // of PostgreSQL's, after a collision
	Batches      uint64 // commits of SQLite's writer
}

// Stats returns the counts.
func (db *DB) Stats() Stats { return db.engine.stats() }

// Open opens a database and brings its schema up to date. The dsn is the path of an SQLite file, which is made when it
// is missing, or a postgres:// URL. An error that is a fault says in one sentence what the operator should do.
func Open(ctx context.Context, dsn string, c clock.Clock) (*DB, error) {
	db := &DB{clock: c, news: newBell()}
	var err error
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		db.engine, err = openPostgres(ctx, db, dsn, plain)
	} else {
		db.engine, err = openSQLite(ctx, db, dsn, plain)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// Close closes the database. Transactions that have begun end as they would have; later ones get ErrClosed.
func (db *DB) Close() error { return db.engine.close() }

// View runs fn on one snapshot, read-only. What Update has answered for before View was called is in the snapshot.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error { return db.engine.view(ctx, fn) }

// Update runs fn in a serializable transaction and returns when its change is durable. The transaction is kept when fn
// returns nil. fn may run twice; a database that is too busy to serialize it ends in a Throttled fault. Transactions do
// not nest: an Update inside fn would wait for itself.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return db.engine.update(ctx, fn)
}

// UpdateRelaxed is Update at READ COMMITTED, where the engine has it: for queues, leases and stamps, whose correctness
// rests on the rows that they lock and on fencing numbers, not on what they read.
func (db *DB) UpdateRelaxed(ctx context.Context, fn func(*Tx) error) error {
	return db.engine.relaxed(ctx, fn)
}

// Now is the database's time, which is what all nodes of a deployment share: the clock given to Open, moved by what the
// database server's clock differs from it. So a DB is a clock.Clock.
func (db *DB) Now() time.Time {
	return db.clock.Now().Add(time.Duration(db.offset.Load())).UTC().Truncate(time.Microsecond)
}

// settled tells the rest of the process what a committed transaction has done. It runs before the caller is answered.
func (db *DB) settled(tx *Tx) {
	if fn := db.watch.Load(); fn != nil && len(tx.changes) > 0 {
		(*fn)(tx.changes)
	}
	if len(tx.changes) > 0 {
		db.engine.tell()
	}
	if tx.enqueued {
		db.jobs.fire()
	}
	switch {
	case len(tx.events) == 0:
	case tx.q.seals():
		db.audit.fire()
	default:
		db.inbox.fire()
	}
}
