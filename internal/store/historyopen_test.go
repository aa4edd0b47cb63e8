package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/store/storetest/pgtest"
)

// upgraded checks, on each engine, a database that had the statements carried out before the migration with the number.
func upgraded(t *testing.T, number string, statements []string, check func(t *testing.T, db *DB)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sallyport.db")
	url := pgtest.NewDatabase(t)
	for name, engine := range map[string]struct {
		driver, dsn string
		dialect     goose.Dialect
		mark        string
	}{
		"sqlite":   {"sqlite", file, goose.DialectSQLite3, fmt.Sprintf("PRAGMA application_id = %d", applicationID)},
		"postgres": {"pgx", url, goose.DialectPostgres, "SELECT 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := sql.Open(engine.driver, engine.dsn)
			if err != nil {
				t.Fatal(err)
			}
			if err := migrateFrom(t.Context(), engine.dialect, raw, before(t, number)); err != nil {
				t.Fatal(err)
			}
			for _, s := range append([]string{engine.mark}, statements...) {
				if _, err := raw.Exec(s); err != nil {
					t.Fatal(err)
				}
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := Open(t.Context(), engine.dsn, clock.System{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			check(t, db)
		})
	}
}

// TestHistoryBeginsWithWhatIsThere: after an upgrade what stands is told since it was made, without an event, and ends as anything else.
func TestHistoryBeginsWithWhatIsThere(t *testing.T) {
	t.Parallel()
	upgraded(t, "0160", []string{
		`INSERT INTO directory_user (id, store_id, user_name, user_name_ci, display_name, status, revision, attrs, created_at, created_by, updated_at, updated_by) VALUES ('u', 'd-1', 'ana', 'ANA', 'Ana', 'ENABLED', 1, '{}', 1000000, 'x', 1000000, 'x')`,
		`INSERT INTO directory_group (id, store_id, display_name, display_name_ci, description, revision, attrs, created_at, created_by, updated_at, updated_by) VALUES ('g', 'd-1', 'ops', 'OPS', '', 1, '{}', 1000000, 'x', 1000000, 'x')`,
		`INSERT INTO membership (id, store_id, group_id, user_id, created_at, created_by) VALUES ('m', 'd-1', 'g', 'u', 3000000, 'carol')`,
		`INSERT INTO assignment (account_id, permission_set, principal_type, principal_id, instance_id, state, created_at) VALUES ('111122223333', 'ps-1', 'GROUP', 'g', 'ssoins-1', 'GRANTED', 2000000)`,
	}, func(t *testing.T, db *DB) {
		told := func(at time.Time) (out string) {
			err := db.View(t.Context(), func(tx *Tx) error {
				paths, _, err := tx.PathsOfUser("ssoins-1", "u", "", at, page.Query{Limit: 10})
				for _, p := range paths {
					out += fmt.Sprintf("%d %s %s %t;", p.Since().At.Unix(), p.Since().By, p.Since().Event, p.Until().At.IsZero())
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if got, want := told(db.Now()), "3 carol  true;"; got != want {
			t.Errorf("now %q, want %q", got, want)
		}
		if got := told(time.Unix(2, 500_000_000)); got != "" {
			t.Errorf("before they were in the group: %q", got)
		}
		if err := db.Update(t.Context(), func(tx *Tx) error { return tx.DeleteMembers("g", []string{"u"}) }); err != nil {
			t.Fatal(err)
		}
		if got, want := told(time.Unix(4, 0)), "3 carol  false;"; got != want {
			t.Errorf("of then, when it has ended: %q, want %q", got, want)
		}
		if got := told(db.Now()); got != "" {
			t.Errorf("when it has ended: %q", got)
		}
	})
}

// TestAccountsOfBeforeAreNotKnown: an account may have been closed and reopened before that was written down.
func TestAccountsOfBeforeAreNotKnown(t *testing.T) {
	t.Parallel()
	const id arn.AccountID = "111122223333"
	upgraded(t, "0175", []string{
		`INSERT INTO account (id, name, email, backend, status, created_at) VALUES ('111122223333', 'a', '', 'local', 'SUSPENDED', 2000000)`,
	}, func(t *testing.T, db *DB) {
		for _, c := range []struct {
			at     time.Time
			status string
			there  bool
		}{{time.Unix(1, 0), "", false}, {time.Unix(3, 0), "", true}, {db.Now().Add(time.Minute), AccountSuspended, true}} {
			err := db.View(t.Context(), func(tx *Tx) error {
				all, err := tx.AccountsAt([]string{string(id)}, c.at)
				if a, ok := all[id]; ok != c.there || a.Status != c.status {
					t.Errorf("at %s: %+v", c.at, a)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
