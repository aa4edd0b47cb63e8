// Package storetest opens databases for tests, and has the suite that every engine of the store must pass.
//
// Tests of other packages use Open, or Each when what they test could differ by engine.
package storetest

import (
	"path/filepath"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest/pgtest"
)

// Open makes an empty SQLite database and closes it when the test ends.
func Open(tb testing.TB, c clock.Clock) *store.DB {
	tb.Helper()
	return OpenAt(tb, filepath.Join(tb.TempDir(), "sallyport.db"), c)
}

// OpenPostgres makes an empty PostgreSQL database and closes it when the test ends.
func OpenPostgres(tb testing.TB, c clock.Clock) *store.DB {
	tb.Helper()
	return OpenAt(tb, pgtest.NewDatabase(tb), c)
}

// OpenAt opens the database of a dsn and closes it when the test ends.
func OpenAt(tb testing.TB, dsn string, c clock.Clock) *store.DB {
	tb.Helper()
	db, err := store.Open(tb.Context(), dsn, c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// Each runs a test on each engine.
func Each(t *testing.T, test func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, Open) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, OpenPostgres) })
}
