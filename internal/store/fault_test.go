package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
)

// faults stands between the store and a driver. Tests set before and after while nothing runs, or within a call of them.
type faults struct {
	mu sync.Mutex
	// before is called with each statement and the driver's own connection; its error is the statement's, which does not
	// run then.
	before func(conn driver.Conn, statement string) error
	// after is called when a statement has succeeded; its error is what the store sees instead.
	after func(statement string) error
	// connected is called with each new connection.
	connected func(conn driver.Conn) error
	contexts  []context.Context // of the statements, whose end could interrupt them
}

func (f *faults) set(before func(driver.Conn, string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

func (f *faults) setAfter(after func(string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after = after
}

// around runs one statement between before and after.
func around[T any](f *faults, ctx context.Context, conn driver.Conn, statement string, run func() (T, error)) (T, error) {
	f.mu.Lock()
	before, after := f.before, f.after
	if ctx.Done() != nil {
		f.contexts = append(f.contexts, ctx)
	}
	f.mu.Unlock()
	var none T
	if before != nil {
		if err := before(conn, statement); err != nil {
			return none, err
		}
	}
	v, err := run()
	if err == nil && after != nil {
		if err := after(statement); err != nil {
			return none, err
		}
	}
	return v, err
}

func (f *faults) wrap(c driver.Connector) driver.Connector { return faultConnector{c, f} }

type faultConnector struct {
	driver.Connector
	f *faults
}

func (c faultConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if c.f.connected != nil {
		if err := c.f.connected(conn); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return faultConn{conn, c.f}, nil
}

type faultConn struct {
	driver.Conn
	f *faults
}

func (c faultConn) PrepareContext(ctx context.Context, q string) (driver.Stmt, error) {
	s, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	return faultStmt{s, c, q}, nil
}

func (c faultConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	return around(c.f, ctx, c.Conn, q, func() (driver.Result, error) {
		return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
	})
}

func (c faultConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	return around(c.f, ctx, c.Conn, q, func() (driver.Rows, error) {
		return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
	})
}

func (c faultConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	t, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return faultTx{t, c}, nil
}

func (c faultConn) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c faultConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

func (c faultConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type faultTx struct {
	driver.Tx
	c faultConn
}

func (t faultTx) Commit() error {
	_, err := around(t.c.f, context.Background(), t.c.Conn, "COMMIT", func() (any, error) { return nil, t.Tx.Commit() })
	return err
}

type faultStmt struct {
	driver.Stmt
	c faultConn
	q string
}

func (s faultStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return around(s.c.f, ctx, s.c.Conn, s.q, func() (driver.Result, error) {
		return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	})
}

func (s faultStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return around(s.c.f, ctx, s.c.Conn, s.q, func() (driver.Rows, error) {
		return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	})
}

// underneath runs a statement on the driver's own connection, as if the engine had done so.
func underneath(conn driver.Conn, q string) error {
	_, err := conn.(driver.ExecerContext).ExecContext(context.Background(), q, nil)
	return err
}

// faultySQLite opens an SQLite database behind a fault driver.
func faultySQLite(t *testing.T, f *faults) *DB {
	t.Helper()
	return faultySQLiteAt(t, f, newFile(t))
}

func faultySQLiteAt(t *testing.T, f *faults, path string) *DB {
	t.Helper()
	db := &DB{clock: clock.System{}}
	l, err := openSQLite(t.Context(), db, path, f.wrap)
	if err != nil {
		t.Fatal(err)
	}
	db.engine = l
	f.contexts = nil          // of the migrations
	l.writer.most = time.Hour // however slow the machine, a batch is what a test says
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// faultyPostgres opens a PostgreSQL database behind a fault driver.
func faultyPostgres(t *testing.T, f *faults) *DB {
	t.Helper()
	db := &DB{clock: clock.System{}}
	p, err := openPostgres(t.Context(), db, newPostgres(t), f.wrap)
	if err != nil {
		t.Fatal(err)
	}
	db.engine = p
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
