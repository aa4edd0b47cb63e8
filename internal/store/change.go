package store

import (
	"fmt"
	"slices"
	"time"
)

// Change says that something a credential depends on has changed (hard part 3). Keys are
// user:<id>, session:<id>, grant:<account>/<permission set ARN>, role:<ARN>, account:<id>, key:<access key id>, emergency:<opening>, all.
type Change struct {
	ID  string
	Key string
	At  time.Time
}

const insertChange query = `INSERT INTO change (id, key, at) VALUES ($1, $2, $3)`

// Changed records, in the transaction that changes them, that dependencies of credentials have changed.
func (tx *Tx) Changed(keys ...string) error {
	var fresh []Change
	for _, key := range keys {
		same := func(c Change) bool { return c.Key == key }
		if !slices.ContainsFunc(tx.changes, same) && !slices.ContainsFunc(fresh, same) {
			fresh = append(fresh, Change{ID: newID(tx.now), Key: key, At: tx.now})
		}
	}
	for all := fresh; len(all) > 0; {
		size := largest(len(all))
		args := make([]any, 0, 3*size)
		for _, c := range all[:size] {
			args = append(args, c.ID, c.Key, micros(c.At))
		}
		if _, err := tx.exec(insertChange.rows(size), args...); err != nil {
			return fmt.Errorf("record change: %w", err)
		}
		all = all[size:]
	}
	tx.changes = append(tx.changes, fresh...)
	return nil
}

// WatchChanges has fn told of this process's own changes, after their commit and before their callers are answered, so
// that none who has been answered finds a revoked credential working here. fn must be quick, for on SQLite the writer
// waits, and safe for concurrent use, which PostgreSQL's callers make of it.
func (db *DB) WatchChanges(fn func([]Change)) { db.watch.Store(&fn) }
