package store_test

import (
	"path/filepath"
	"testing"

	"sallyport/internal/store/storetest"
	"sallyport/internal/store/storetest/pgtest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "sallyport.db") })
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) string { return pgtest.NewDatabase(tb) })
}
