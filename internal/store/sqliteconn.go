package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// liteConn is one SQLite connection with the statements prepared on it. One goroutine at a time uses it.
//
// No statement is given a context that can end. Interrupting a statement of a batch would roll back the whole batch
// (hard part 1), and reads are short; Tx looks at the caller's context between statements instead.
type liteConn struct {
	pool  *sql.DB
	conn  *sql.Conn
	stmts map[query]*sql.Stmt
}

func newLiteConn(pool *sql.DB) (*liteConn, error) {
	c := &liteConn{pool: pool}
	return c, c.connect()
}

func (c *liteConn) connect() error {
	conn, err := c.pool.Conn(context.Background())
	if err != nil {
		return fmt.Errorf("open SQLite connection: %w", err)
	}
	c.conn, c.stmts = conn, map[query]*sql.Stmt{}
	return nil
}

// drop closes the connection for good, and with it whatever transaction an error left open; the next statement opens
// another. Told that it is bad, database/sql does not take the connection back into the pool.
func (c *liteConn) drop() {
	if c.conn == nil {
		return
	}
	alive := c.conn.Raw(func(any) error { return nil }) == nil
	if alive { // the driver must not be asked to close statements of a connection that is closed
		for _, s := range c.stmts {
			_ = s.Close() // the connection goes anyhow
		}
		_ = c.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	c.conn, c.stmts = nil, nil
}

// prepare returns the statement of a query, which is prepared once per connection.
func (c *liteConn) prepare(q query) (*sql.Stmt, error) {
	if s := c.stmts[q]; s != nil {
		return s, nil
	}
	if c.conn == nil {
		if err := c.connect(); err != nil {
			return nil, err
		}
	}
	s, err := c.conn.PrepareContext(context.Background(), string(q))
	if err != nil {
		return nil, err
	}
	c.stmts[q] = s
	return s, nil
}

func (c *liteConn) exec(_ context.Context, q query, args []any) (sql.Result, error) {
	s, err := c.prepare(q)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

func (c *liteConn) query(_ context.Context, q query, args []any) (*sql.Rows, error) {
	s, err := c.prepare(q)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

// do runs a statement that controls the transaction.
func (c *liteConn) do(q query) error {
	_, err := c.exec(context.Background(), q, nil)
	return err
}

func (*liteConn) seals() bool { return true }

func (*liteConn) locking(query) query { return "" }

func (*liteConn) translate(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return ErrExists
	}
	return err
}
