// Package page has keyset pages: what a list is asked for, and the authenticated token that leads to the next page.
package page

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
