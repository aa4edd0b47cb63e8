package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// ErrNotFound says that no row has the key asked for.
var ErrNotFound = errors.New("store: not found")

// ErrExists says that a unique key is taken. The transaction cannot go on.
var ErrExists = errors.New("store: exists")

// errReadOnly is a mistake of the program: a change inside View.
var errReadOnly = errors.New("store: change in a read-only transaction")

// Tx is one transaction. It belongs to the closure it was given to and is not safe for concurrent use.
type Tx struct {
	ctx      context.Context // bounds the transaction; looked at between statements
	db       *DB
	q        querier
	now      time.Time
	writable bool
	failed   error // the first failure of a statement; none runs after it

	instance *Instance // found last, and not changed since
	cause    Cause     // of what is changed from here on

	changes  []Change
	events   []Event
	enqueued bool
}

// querier runs the statements of one transaction.
type querier interface {
	exec(ctx context.Context, q query, args []any) (sql.Result, error)
	query(ctx context.Context, q query, args []any) (*sql.Rows, error)
	// seals says that events go from the transaction to the log without passing the inbox.
	seals() bool
	// locking is a locking clause, where the engine has them.
	locking(clause query) query
	// translate makes an engine's error for a taken unique key ErrExists.
	translate(err error) error
}

// Now is the one instant of the whole transaction, fixed before its snapshot: UTC, whole microseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// ready says whether another statement may run. It is here that a caller's deadline is looked at: on SQLite an
// interrupted statement would roll back the neighbours in the batch as well (hard part 1).
func (tx *Tx) ready() error {
	if tx.failed == nil && tx.ctx.Err() != nil {
		tx.failed = fmt.Errorf("transaction given up: %w", context.Cause(tx.ctx))
	}
	return tx.failed
}

// fail remembers that a statement failed.
func (tx *Tx) fail(err error) error {
	tx.failed = tx.q.translate(err)
	return tx.failed
}

// run calls fn. A failed statement fails the transaction even if fn keeps silent about it.
func (tx *Tx) run(fn func(*Tx) error) error {
	if err := tx.ready(); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.failed
}

// exec runs a statement and returns the number of rows that it changed. A taken unique key is ErrExists.
func (tx *Tx) exec(q query, args ...any) (int64, error) {
	if !tx.writable {
		return 0, errReadOnly
	}
	if err := tx.ready(); err != nil {
		return 0, err
	}
	res, err := tx.q.exec(tx.ctx, q, args)
	if err != nil {
		return 0, tx.fail(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(err)
	}
	return n, nil
}

// row is what a scan function reads one record from.
type row interface{ Scan(dest ...any) error }

// each runs a query and hands its rows to fn until fn has had enough.
func (tx *Tx) each(q query, fn func(row) (more bool, err error), args ...any) (err error) {
	if err := tx.ready(); err != nil {
		return err
	}
	rows, err := tx.q.query(tx.ctx, q, args)
	if err != nil {
		return tx.fail(err)
	}
	defer func() {
		if cerr := rows.Close(); cerr != nil && err == nil {
			err = tx.fail(cerr)
		}
	}()
	for rows.Next() {
		more, err := fn(rows)
		if err != nil {
			return tx.fail(fmt.Errorf("scan row: %w", err))
		}
		if !more {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return tx.fail(err)
	}
	return nil
}

// list runs a query and scans all of its rows.
func list[T any](tx *Tx, q query, scan func(row) (T, error), args ...any) ([]T, error) {
	var out []T
	err := tx.each(q, func(r row) (bool, error) {
		v, err := scan(r)
		out = append(out, v)
		return true, err
	}, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// get runs a query for one row; none is ErrNotFound.
func get[T any](tx *Tx, q query, scan func(row) (T, error), args ...any) (T, error) {
	var out T
	found := false
	err := tx.each(q, func(r row) (_ bool, err error) {
		out, err = scan(r)
		found = true
		return false, err
	}, args...)
	if err == nil && !found {
		err = ErrNotFound
	}
	return out, err
}

// one turns the count of an update by key into ErrNotFound when it changed nothing.
func one(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// micros is how a time is stored: whole microseconds since 1970, UTC. The zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the inverse of micros.
func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// newID makes an id whose order is that of its time.
func newID(t time.Time) string { return arn.NewTimeUUID(t) }
