// Package storetest opens databases for tests, and has the suite that every engine of the store must pass.
//
// Tests of other packages use Open, or Each when what they test could differ by engine.
package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest/pgtest"
)

// Open makes an empty SQLite database and closes it when the test ends.
func Open(tb testing.TB, c clock.Clock) *store.DB {
	tb.Helper()
	return OpenAt(tb, NewFile(tb), c)
}

// NewFile makes an empty SQLite database, with the schema, that is not open: its DSN.
func NewFile(tb testing.TB) string {
	tb.Helper()
	file, err := template()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "sallyport.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// template is an SQLite database without content. All migrations take longer than many a test, under the race detector by far; they
// are run once for each test binary.
var template = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "storetest-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "sallyport.db")
	if err := migrated(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // all of it: closing a database leaves no log beside it
})

// postgresTemplate is the same on PostgreSQL.
var postgresTemplate = sync.OnceValues(func() (dsn string, err error) {
	if dsn, _, err = pgtest.Database(); err != nil { // it goes with the cluster
		return "", err
	}
	return dsn, migrated(dsn)
})

// migrated opens a database once.
func migrated(dsn string) error {
	db, err := store.Open(context.Background(), dsn, clock.System{})
	if err != nil {
		return err
	}
	return db.Close()
}

// OpenPostgres makes an empty PostgreSQL database and closes it when the test ends.
func OpenPostgres(tb testing.TB, c clock.Clock) *store.DB {
	tb.Helper()
	return OpenAt(tb, NewPostgres(tb), c)
}

// NewPostgres is NewFile on PostgreSQL.
func NewPostgres(tb testing.TB) string {
	tb.Helper()
	dsn, err := postgresTemplate()
	if err != nil {
		tb.Fatal(err)
	}
	return pgtest.NewCopy(tb, dsn)
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
