package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/store/storetest/pgtest"
)

const mailStore = "d-1234567890"

// TestAnyEmail: users are found by each of their addresses, those too that were there before these were kept apart; by none that they
// have no longer, and each once.
func TestAnyEmail(t *testing.T) {
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
			if err := migrateFrom(t.Context(), engine.dialect, raw, before(t, "0096")); err != nil {
				t.Fatal(err)
			}
			if engine.dialect == goose.DialectSQLite3 {
				if _, err := raw.Exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
					t.Fatal(err)
				}
			}
			for _, u := range []User{
				mailed("old1", "a@x.test", "shared@x.test", "Shared@x.test"), mailed("old2", "", "MÜLLER@x.test", "plain@x.test"), mailed("old3", "c@x.test"), mailed("old4", ""),
				{ID: "odd", UserAttrs: UserAttrs{Extensions: map[string]json.RawMessage{"aws:identitystore:enterprise": json.RawMessage(`{"a":"\u0000 \\u0000 \ud800x","emails":[{"value":"no@x.test"}]}`)}}},
			} {
				insertOld(t, raw, u)
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := Open(t.Context(), engine.open, clock.System{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			anyEmail(t, db)
		})
	}
}

// mailed is a user with a primary address, unless it is empty, and others.
func mailed(id, primary string, others ...string) User {
	u := User{ID: id, StoreID: mailStore, UserName: id, Status: UserEnabled}
	if primary != "" {
		u.Emails = append(u.Emails, TypedValue{Value: primary, Primary: true})
	}
	for _, v := range others {
		u.Emails = append(u.Emails, TypedValue{Value: v})
	}
	return u
}

// insertOld writes a user as the program did before the migration.
func insertOld(t *testing.T, raw *sql.DB, u User) {
	t.Helper()
	attrs, err := json.Marshal(u.UserAttrs)
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.Exec(`INSERT INTO directory_user (id, store_id, user_name, user_name_ci, email_ci, display_name, status, revision, attrs, created_at, created_by, updated_at, updated_by, source)
		VALUES ($1, $2, $3, $4, $5, '', 'ENABLED', 1, $6, 1, '', 1, '', '')`, u.ID, mailStore, u.ID, fold(u.ID), nullable(fold(u.PrimaryEmail())), string(attrs))
	if err != nil {
		t.Fatal(err)
	}
}

func anyEmail(t *testing.T, db *DB) {
	t.Helper()
	expect := func(email, want string) {
		t.Helper()
		var got []string
		err := db.View(t.Context(), func(tx *Tx) error {
			got = nil
			for q := (page.Query{Limit: 2}); ; {
				users, next, err := tx.UsersByAnyEmail(mailStore, email, q)
				for _, u := range users {
					if slices.ContainsFunc(u.Emails, func(e TypedValue) bool { return fold(e.Value) == fold(email) }) {
						got = append(got, u.ID)
					}
				}
				if q.After = next; next == nil || err != nil {
					return err
				}
			}
		})
		if text := strings.Join(got, " "); err != nil || text != want {
			t.Errorf("%s: %s, not %s: %v", email, text, want, err)
		}
	}
	update := func(fn func(*Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	expect("A@X.test", "old1")
	expect("sHared@x.test", "old1")
	expect("müller@x.test", "old2")
	expect("Plain@x.test", "old2")
	expect("c@x.test", "old3")
	expect("no@x.test", "")
	update(func(tx *Tx) error {
		elsewhere := mailed("new0", "e@x.test", "shared@x.test")
		elsewhere.StoreID = "d-ffffffffff"
		for _, u := range []User{elsewhere, mailed("new1", "shared@x.test"), mailed("new2", "n2@x.test", "shared@x.test"), mailed("new3", "n3@x.test", "SHARED@x.test", "n3@x.test"), mailed("new4", "n4@x.test", "shared@x.test")} {
			if err := tx.InsertUser(u); err != nil {
				return err
			}
		}
		return nil
	})
	expect("shared@x.test", "new1 new2 new3 new4 old1")
	expect("n3@x.test", "new3")
	update(func(tx *Tx) error {
		if err := tx.DeleteUser("new3"); err != nil {
			return err
		}
		if err := tx.UpdateUser(mailed("new4", "shared2@x.test", "n4@x.test")); err != nil { // they change places
			return err
		}
		return tx.UpdateUser(mailed("old2", "", "Müller@x.test"))
	})
	expect("shared@x.test", "new1 new2 old1")
	expect("n4@x.test", "new4")
	expect("MÜLLER@x.test", "old2")
	expect("plain@x.test", "")
	rows := 0
	err := db.View(t.Context(), func(tx *Tx) (err error) {
		rows, err = get(tx, `SELECT COUNT(*) FROM directory_email WHERE user_id IN ('new1', 'new3', 'old2', 'old3')`, scanCount)
		return err
	})
	if err != nil || rows != 1 {
		t.Errorf("%d rows, of which one is needed: %v", rows, err)
	}
}
