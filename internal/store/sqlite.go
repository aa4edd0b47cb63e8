package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// readers is how many snapshots are read at a time: enough for the cores of a machine that runs on SQLite.
const readers = 4

const (
	snapshot query = `BEGIN`
	leave    query = `ROLLBACK`

	// The file's lock says that whoever held a lease is gone.
	// full scan: there are few.
	freeLeases query = `UPDATE lease SET owner = '', until = 0 WHERE owner <> ''`
)

// lite is an SQLite database: one writer, a few readers, and the lock that keeps other processes away.
type lite struct {
	db     *DB
	lock   *os.File
	writes *sql.DB // one connection: the writer's
	reads  *sql.DB
	copies *sql.DB        // one connection: the checkpointer's
	idle   chan *liteConn // the readers that nobody uses
	writer *writer
	points *checkpointer
	closed chan struct{}
	once   sync.Once
}

// wrapper stands between the store and the driver; tests inject faults there.
type wrapper func(driver.Connector) driver.Connector

func plain(c driver.Connector) driver.Connector { return c }

func openSQLite(ctx context.Context, db *DB, path string, wrap wrapper) (_ *lite, err error) {
	l := &lite{db: db, idle: make(chan *liteConn, readers), closed: make(chan struct{})}
	if l.lock, err = lockFile(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.release())
		}
	}()
	if err := claimFile(path); err != nil {
		return nil, err
	}
	// As durable as fsync and cheaper: the WAL's size seldom changes. The switch is the whole process's.
	if _, err := sqlite.Fdatasync(true); err != nil {
		return nil, fmt.Errorf("choose fdatasync: %w", err)
	}
	if l.writes, err = pool(path, wrap, 1, "busy_timeout(5000)", "journal_mode(WAL)", "journal_size_limit(67108864)", "cache_size(-16384)"); err != nil {
		return nil, err
	}
	if l.reads, err = pool(path, wrap, readers, "busy_timeout(5000)", "query_only(1)"); err != nil {
		return nil, err
	}
	if l.copies, err = pool(path, wrap, 1, "busy_timeout(50)"); err != nil { // the writer waits as long, at most
		return nil, err
	}
	if err := migrate(ctx, goose.DialectSQLite3, l.writes); err != nil {
		return nil, err
	}
	if _, err := l.writes.ExecContext(ctx, string(freeLeases)); err != nil {
		return nil, fmt.Errorf("free leases: %w", err)
	}
	return l, l.start(ctx)
}

// pool opens up to n connections to the file. Checkpoints are not made by whoever commits: see checkpointer.
func pool(path string, wrap wrapper, n int, pragmas ...string) (*sql.DB, error) {
	v := url.Values{"_pragma": append(pragmas, "synchronous(FULL)", "foreign_keys(1)",
		"trusted_schema(0)", "wal_autocheckpoint(0)", "temp_store(MEMORY)"), "_dqs": {"0"}, "_defensive": {"1"}}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: v.Encode()}
	c, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	db := sql.OpenDB(wrap(c))
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// start opens the connections that are kept and starts the goroutines.
func (l *lite) start(ctx context.Context) (err error) {
	for range readers {
		c, err := newLiteConn(l.reads)
		if err != nil {
			return err
		}
		l.idle <- c
	}
	l.points = newCheckpointer(l.copies)
	if l.writer, err = newWriter(l.db, l.writes, l.points); err != nil {
		return err
	}
	err = l.view(ctx, func(tx *Tx) (err error) { l.writer.head, err = tx.logHead(); return err })
	if err != nil {
		return fmt.Errorf("read head of audit log: %w", err)
	}
	go l.points.run()
	go l.writer.run()
	return nil
}

func (l *lite) update(ctx context.Context, fn func(*Tx) error) error {
	return l.writer.update(&request{ctx: ctx, fn: fn})
}

func (l *lite) relaxed(ctx context.Context, fn func(*Tx) error) error { return l.update(ctx, fn) }

func (l *lite) record(ctx context.Context, events []Event) error {
	return l.writer.update(&request{ctx: ctx, events: events})
}

func (l *lite) view(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *liteConn
	select {
	case <-l.closed:
		return ErrClosed
	default:
	}
	select {
	case c = <-l.idle:
	case <-l.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.idle <- c }()
	now := l.db.Now()
	if err := c.do(snapshot); err != nil {
		c.drop()
		if err = c.do(snapshot); err != nil { // on another connection
			return fmt.Errorf("begin snapshot: %w", err)
		}
	}
	defer func() { // also when fn panics or ends its goroutine
		if end := c.do(leave); end != nil {
			c.drop()
		}
	}()
	tx := &Tx{ctx: ctx, db: l.db, q: c, now: now}
	return tx.run(fn)
}

func (l *lite) stats() Stats {
	return Stats{Transactions: l.writer.ran.Load(), Batches: l.writer.kept.Load()}
}

func (l *lite) close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		l.writer.close()
		for range readers {
			(<-l.idle).drop()
		}
		err = errors.Join(l.points.close(), l.release())
	})
	return err
}

// release gives up what openSQLite has taken so far; the last connection to go empties the WAL.
func (l *lite) release() error {
	for len(l.idle) > 0 {
		(<-l.idle).drop()
	}
	if l.writer != nil {
		l.writer.conn.drop()
	}
	var errs []error
	for _, p := range []*sql.DB{l.reads, l.copies, l.writes} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(append(errs, l.lock.Close())...)
}
