package store

import (
	"context"
	"fmt"
	"time"
)

// ChangeRetention is how long changes are kept: as long as the longest credential lives, 36 h, and a margin.
const ChangeRetention = 37 * time.Hour

// pruneBatch bounds the transaction that forgets changes.
const pruneBatch = 1000

// Poll is what one look at the changes of all nodes has found.
type Poll struct {
	Changes    []Change  // by time; some may have been seen in an earlier poll
	Cursor     string    // for the next poll
	ServerTime time.Time // the database's, at the snapshot
	Heartbeat  time.Time // when a node last proved, by writing, that this database takes changes
}

const (
	changesAfter query = `SELECT id, key, at FROM change WHERE at > $1 ORDER BY at, id`
	pruneChanges query = `DELETE FROM change WHERE id IN (SELECT id FROM change WHERE at < $1 ORDER BY at LIMIT $2)`
)

func scanChange(r row) (c Change, err error) {
	var at int64
	err = r.Scan(&c.ID, &c.Key, &at)
	c.At = fromMicros(at)
	return c, err
}

// PushesChanges says that WatchChanges tells of all changes there are, so that polling is needed only once, for those of
// before the start.
func (db *DB) PushesChanges() bool { return db.engine.pushes() }

// PollChanges reads the changes that have become visible since the poll that returned the cursor; the empty cursor reads
// all that are kept. No change is ever skipped, however long its transaction stays open (hard part 3).
func (db *DB) PollChanges(ctx context.Context, cursor string) (Poll, error) {
	p, err := db.engine.poll(ctx, cursor)
	return p, wrapIf("poll changes", err)
}

// PruneChanges forgets changes that no living credential can be older than, and returns how many.
func (db *DB) PruneChanges(ctx context.Context) (int, error) {
	total := 0
	for {
		var n int64
		err := db.UpdateRelaxed(ctx, func(tx *Tx) (err error) {
			n, err = tx.exec(pruneChanges, micros(tx.now.Add(-ChangeRetention)), pruneBatch)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("prune changes: %w", err)
		}
		total += int(n)
		if n < pruneBatch {
			return total, nil
		}
	}
}

func (l *lite) pushes() bool { return true }

func (l *lite) tell() {}

// poll reads all that is kept: the writer tells of what comes later.
func (l *lite) poll(ctx context.Context, _ string) (p Poll, err error) {
	err = l.view(ctx, func(tx *Tx) error {
		p.ServerTime, p.Heartbeat = tx.now, tx.now
		p.Changes, err = list(tx, changesAfter, scanChange, micros(tx.now.Add(-ChangeRetention)))
		return err
	})
	return p, err
}
