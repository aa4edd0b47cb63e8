package store

// getLocked is get that, on PostgreSQL, locks the row until the transaction ends. SQLite has one writer, which needs no lock.
func getLocked[T any](tx *Tx, q query, scan func(row) (T, error), args ...any) (T, error) {
	return get(tx, q+tx.q.locking(" FOR UPDATE"), scan, args...)
}

// listUnlocked is list that, on PostgreSQL, locks the rows of the named table and skips those that others have locked.
func listUnlocked[T any](tx *Tx, q query, table query, scan func(row) (T, error), args ...any) ([]T, error) {
	return list(tx, q+tx.q.locking(" FOR UPDATE OF "+table+" SKIP LOCKED"), scan, args...)
}
