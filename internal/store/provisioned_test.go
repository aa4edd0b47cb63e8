package store

import (
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/store/storetest/pgtest"
)

// TestRolesOfBeforeAreRecorded: what was provisioned before there was a record of it is taken as it stands, so that an upgrade makes no
// role look like a stranger's.
func TestRolesOfBeforeAreRecorded(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sallyport.db")
	url := pgtest.NewDatabase(t)
	for name, engine := range map[string]struct {
		driver, dsn, open string
		dialect           goose.Dialect
	}{
		"sqlite": {"sqlite", file, file, goose.DialectSQLite3}, "postgres": {"pgx", url, url, goose.DialectPostgres},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := sql.Open(engine.driver, engine.dsn)
			if err != nil {
				t.Fatal(err)
			}
			if err := migrateFrom(t.Context(), engine.dialect, raw, before(t, "0080")); err != nil {
				t.Fatal(err)
			}
			if engine.dialect == goose.DialectSQLite3 {
				if _, err := raw.Exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
					t.Fatal(err)
				}
			}
			for _, set := range []string{"'ps-1111111111111111'", "''"} {
				_, err := raw.Exec(`INSERT INTO role (account_id, name, role_id, path, instance_id, permission_set, revision, spec, created_at, updated_at)
					VALUES ('111122223333', 'r' || ` + set + `, 'AROA' || ` + set + `, '/p/', 'ssoins-1', ` + set + `, 7, '{"trust":"abc","sessionDuration":3600000000000}', 1, 2)`)
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := Open(t.Context(), engine.open, clock.System{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = db.View(t.Context(), func(tx *Tx) error {
				all, err := tx.ProvisionedIn("111122223333", "", 10)
				if len(all) != 1 || all[0].Name != "rps-1111111111111111" || all[0].Revision != 7 || all[0].Latest != 7 || all[0].Path != "/p/" ||
					all[0].Set != (arn.PermissionSet{Instance: "ssoins-1", ID: "ps-1111111111111111"}) || all[0].Spec.Trust != "abc" {
					t.Errorf("%+v", all)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// before are the migrations up to a number, which is left out.
func before(t *testing.T, number string) fs.FS {
	t.Helper()
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if short := strings.TrimPrefix(name, "migrations/"); short < number {
			out[short] = &fstest.MapFile{Data: text}
		}
	}
	return out
}
