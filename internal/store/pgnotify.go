package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// listenForChanges is no query: nothing prepares it, and no pool runs it.
	listenForChanges = `LISTEN sallyport_change`

	// notifyChange wakes the other nodes. It is sent after the transaction that it tells of, not in it: a transaction with a
	// notification holds a lock of the whole server until its commit is on disk, and so no two share a flush. For the same
	// reason it does not wait for the disk itself; a notification that is lost costs a poll's interval.
	// postgres: SQLite has one process.
	notifyChange query = `SELECT set_config('synchronous_commit', 'off', true), pg_notify('sallyport_change', $1)`

	// notifyEvery is the least time between two notifications of a node: changes that are made meanwhile share the next one.
	notifyEvery = 10 * time.Millisecond

	// relisten is how long a node without a listener waits before it tries again.
	relisten = time.Second
)

// ChangesWake has something in it after another node said that it has changed something. It is a hint: it may be missing, late,
// or there for nothing.
func (db *DB) ChangesWake() <-chan struct{} { return db.news }

// TellChanges tells other nodes that there are changes, and hears of theirs, until ctx ends. Without a database that can do
// that, or a way to it, nodes hear of changes when they poll.
func (db *DB) TellChanges(ctx context.Context, log *slog.Logger) {
	if p, ok := db.engine.(*postgres); ok {
		p.tellChanges(ctx, log)
	}
}

// newBell returns a channel that holds one stroke until somebody hears it.
func newBell() chan struct{} { return make(chan struct{}, 1) }

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default: // it has been rung, and nobody has heard it yet
	}
}

func (p *postgres) tellChanges(ctx context.Context, log *slog.Logger) {
	ended := make(chan struct{})
	go func() { defer close(ended); p.announce(ctx) }()
	defer func() { <-ended }()
	failing := false
	for ctx.Err() == nil {
		heard, err := p.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if heard || !failing {
			log.Warn("changes of other nodes are not told, only polled for", "error", err)
		}
		failing = !heard
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
		}
	}
}

// announce notifies other nodes of this one's changes.
func (p *postgres) announce(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		}
		_, _ = p.writes.ExecContext(ctx, string(notifyChange), p.node) // if it fails, the others poll
		select {
		case <-ctx.Done():
			return
		case <-time.After(notifyEvery):
		}
	}
}

// listen rings the bell for other nodes' notifications, until the connection fails. It tells whether there was one.
func (p *postgres) listen(ctx context.Context) (listening bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, p.cfg.Copy())
	if err != nil {
		return false, fmt.Errorf("connect to listen: %w", err)
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		err = errors.Join(err, conn.Close(last))
	}()
	if _, err := conn.Exec(ctx, listenForChanges); err != nil {
		return false, fmt.Errorf("listen: %w", err)
	}
	ring(p.db.news) // for what was told before
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return true, fmt.Errorf("wait for notifications: %w", err)
		}
		if n.Payload != p.node {
			ring(p.db.news)
		}
	}
}
