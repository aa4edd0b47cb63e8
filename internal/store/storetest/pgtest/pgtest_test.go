package pgtest

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

func TestNewDatabase(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open("pgx", NewDatabase(t))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var collation, encoding, fsync string
			const query = `SELECT datcollate, pg_encoding_to_char(encoding), current_setting('fsync') FROM pg_database WHERE datname = current_database()`
			if err := db.QueryRow(query).Scan(&collation, &encoding, &fsync); err != nil {
				t.Fatal(err)
			}
			if collation != "C" || encoding != "UTF8" || fsync != "on" {
				t.Errorf("collation %s, encoding %s, fsync %s", collation, encoding, fsync)
			}
			// Both tests make the same table: they see only their own database.
			if _, err := db.Exec(`CREATE TABLE t (a int)`); err != nil {
				t.Fatal(err)
			}
		})
	}
}
