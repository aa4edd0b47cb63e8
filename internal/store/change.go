package store

import (
	"fmt"
	"slices"
	"time"
)

// Change says that something a credential depends on has changed (hard part 3). Keys are
// user:<id>, session:<id>, grant:<account>/<permission set ARN>, role:<ARN>, account:<id>, key:<access key id>, all.
type Change struct {
	ID  string
	Key string
	At  time.Time
}

const insertChange query = `INSERT INTO change (id, key, at) VALUES ($1, $2, $3)`

// Changed records, in the transaction that changes it, that a dependency of credentials has changed.
func (tx *Tx) Changed(key string) error {
	if slices.ContainsFunc(tx.changes, func(c Change) bool { return c.Key == key }) {
		return nil
	}
	c := Change{ID: newID(tx.now), Key: key, At: tx.now}
	if _, err := tx.exec(insertChange, c.ID, c.Key, micros(c.At)); err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	tx.changes = append(tx.changes, c)
	return nil
}

// WatchChanges has fn told of this process's own changes, after their commit and before their callers are answered, so
// that none who has been answered finds a revoked credential working here. fn must be quick, for on SQLite the writer
// waits, and safe for concurrent use, which PostgreSQL's callers make of it.
func (db *DB) WatchChanges(fn func([]Change)) { db.watch.Store(&fn) }
