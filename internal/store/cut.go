package store

import (
	"errors"
	"fmt"
	"strconv"
)

// metaCuts names the number of the last cut. It is kept apart from the rows, which are forgotten: a number must not come again.
const metaCuts = "cuts"

const (
	putCut    query = `INSERT INTO cut (key, number, at) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET number = excluded.number, at = excluded.at`
	latestCut query = `SELECT COALESCE(MAX(number), 0) FROM cut WHERE key IN ($1, $2, $3, $4)`
	pruneCuts query = `DELETE FROM cut WHERE key IN (SELECT key FROM cut WHERE at < $1 ORDER BY at LIMIT $2)`
)

// Cut refuses from now on all credentials that rest on something, by its key as in [Tx.Changed], and were given out before. It is
// a change of that key.
//
// Cuts are numbered in the order in which they are committed, for the number is read and written in a serializable transaction.
func (tx *Tx) Cut(key string) error {
	last, err := tx.Meta(metaCuts)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("read number of cuts: %w", err)
	}
	number := int64(1)
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return fmt.Errorf("read number of cuts: %w", err)
		}
		number = n + 1
	}
	if err := tx.SetMeta(metaCuts, strconv.FormatInt(number, 10)); err != nil {
		return fmt.Errorf("write number of cuts: %w", err)
	}
	if _, err := tx.exec(putCut, key, number, micros(tx.now)); err != nil {
		return fmt.Errorf("cut: %w", err)
	}
	return tx.Changed(key)
}

// LatestCut is the number of the last cut of one of the keys; 0: none. An empty key is none.
func (tx *Tx) LatestCut(keys [4]string) (int64, error) {
	return get(tx, latestCut, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }, keys[0], keys[1], keys[2], keys[3])
}

// PruneCuts forgets up to limit cuts that no living credential can be older than, and returns how many.
func (tx *Tx) PruneCuts(limit int) (int64, error) {
	return tx.exec(pruneCuts, micros(tx.now.Add(-ChangeRetention)), limit)
}
