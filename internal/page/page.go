// Package page has keyset pages: what a list is asked for, and the authenticated token that leads to the next page.
package page

import "slices"

// Key is the last row's sort key; nil means the start.
type Key []string

// Query asks for at most Limit rows after a key.
type Query struct {
	After Key
	Limit int
}

// Trim cuts a list that was read with one row more than the limit. The key is of the last row kept, or nil on the last page.
func Trim[T any](rows []T, limit int, key func(T) Key) ([]T, Key) {
	if len(rows) <= limit {
		return rows, nil
	}
	return rows[:limit], key(rows[limit-1])
}

// Of cuts a page out of rows that are at hand, in the order of their keys. It is for lists that are short by their nature.
func Of[T any](rows []T, q Query, key func(T) Key) ([]T, Key) {
	i := 0
	if q.After != nil {
		i, _ = slices.BinarySearchFunc(rows, q.After, func(row T, after Key) int {
			if slices.Compare(key(row), after) > 0 {
				return 1
			}
			return -1
		})
	}
	return Trim(rows[i:min(len(rows), i+q.Limit+1)], q.Limit, key)
}
