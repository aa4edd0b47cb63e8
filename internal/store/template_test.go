package store

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/store/storetest/pgtest"
)

// Empty databases, copied: as in package storetest, which this package's own tests cannot import.
var (
	fileTemplate = sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "store-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "sallyport.db")
		if err := migrateOnce(path); err != nil {
			return nil, err
		}
		return os.ReadFile(path)
	})
	postgresTemplate = sync.OnceValues(func() (string, error) {
		dsn, _, err := pgtest.Database() // it goes with the cluster
		if err != nil {
			return "", err
		}
		return dsn, migrateOnce(dsn)
	})
)

func migrateOnce(dsn string) error {
	db, err := Open(context.Background(), dsn, clock.System{})
	if err != nil {
		return err
	}
	return db.Close()
}

// newFile is the path of an SQLite database with the schema and nothing in it.
func newFile(tb testing.TB) string {
	tb.Helper()
	file, err := fileTemplate()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "sallyport.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// newPostgres is the same on PostgreSQL: the DSN.
func newPostgres(tb testing.TB) string {
	tb.Helper()
	dsn, err := postgresTemplate()
	if err != nil {
		tb.Fatal(err)
	}
	return pgtest.NewCopy(tb, dsn)
}
