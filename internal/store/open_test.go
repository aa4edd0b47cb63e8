package store

import (
	"database/sql"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pressly/goose/v3"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/store/storetest/pgtest"
)

// refused opens a database that must be refused with one sentence that says the words, and nothing secret.
func refused(t *testing.T, dsn string, words ...string) {
	t.Helper()
	db, err := Open(t.Context(), dsn, clock.System{})
	if err == nil {
		t.Errorf("%s was opened", dsn)
		_ = db.Close()
		return
	}
	sentence(t, err, words...)
}

func sentence(t *testing.T, err error, words ...string) {
	t.Helper()
	f := fault.As(err)
	if f == nil {
		t.Errorf("not a sentence for people: %v", err)
		return
	}
	text := f.Error()
	if strings.Contains(text, "\n") || !strings.HasSuffix(text, ".") || strings.Contains(text, "geheim") {
		t.Errorf("not one clear sentence: %q", text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

func TestSQLiteRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	refused(t, filepath.Join(dir, "nowhere", "x.db"), "does not exist")
	refused(t, filepath.Join(write("file", ""), "x.db"), "not a directory")
	refused(t, write("notes.txt", "short"), "not a database", "notes.txt")
	refused(t, write("long.txt", strings.Repeat("long ", 100)), "not a database")

	foreign := filepath.Join(dir, "foreign.db")
	other, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(`CREATE TABLE t (a)`); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, foreign, "another program")

	ours := filepath.Join(dir, "ours.db")
	db, err := Open(t.Context(), ours, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, ours, "in use by another process")
	newer := func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
		return err
	}
	if err := db.Update(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, ours, "newer Sallyport", "99999")
	refused(t, ours, "newer Sallyport") // the lock was given up

	info, err := os.Stat(ours)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the database: %v, %v", info.Mode(), err)
	}
	// Root may write everywhere, so this one is not tried out.
	for _, err := range []error{fs.ErrPermission, syscall.EROFS} {
		sentence(t, unusable("/data/x.db", err), "/data", "cannot be written")
	}
}

// TestOddPaths: no character of a path means anything to SQLite.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b", "a?mode=memory", "a%20b", "a#b", "ä", ":memory:", "a;b'c\"d"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.Rename(newFile(t), path); err != nil {
			t.Fatal(err)
		}
		db, err := Open(t.Context(), path, clock.System{})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if err := db.Update(t.Context(), func(tx *Tx) error { return tx.SetMeta("a", "written here") }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), "written here") {
			t.Errorf("%q is not where the database is: %v", name, err)
		}
	}
}

func TestPostgreSQLRefusals(t *testing.T) {
	t.Parallel()
	good := pgtest.NewDatabase(t)
	admin, err := sql.Open("pgx", good)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	other := func(name string) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		return u.String()
	}
	for name, options := range map[string]string{"sorted": "LOCALE 'C.UTF-8' ENCODING 'UTF8'", "bytes": "LOCALE 'C' ENCODING 'SQL_ASCII'"} {
		if _, err := admin.Exec(`CREATE DATABASE ` + name + ` TEMPLATE template0 ` + options); err != nil {
			t.Fatal(err)
		}
		refused(t, other(name), "collation", "--locale=C")
		if _, err := admin.Exec(`DROP DATABASE ` + name); err != nil {
			t.Error(err)
		}
	}
	refused(t, other("nowhere"), "refuses", "nowhere")
	refused(t, good+"&default_query_exec_mode=simple_protocol", "simple protocol")
	refused(t, "postgres://u:geheim@db.example.com/x", "encrypted", "db.example.com")
	refused(t, "postgres://u:geheim@db.example.com/x?sslmode=disable", "encrypted")
	refused(t, "postgres://u:geheim@127.0.0.1,db.example.com/x?sslmode=prefer", "encrypted")
	refused(t, "postgres://u:geheim@[::1", "cannot be read")
	refused(t, "postgres://u:geheim@127.0.0.1:bad/x", "cannot be read")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, "postgres://u:geheim@"+closed+"/x", closed, "connection refused")
	refused(t, "postgres://u:geheim@unknown.invalid/x?sslmode=verify-full", "unknown.invalid", "cannot be found")

	if _, err := admin.Exec(`CREATE TABLE orders (a int)`); err != nil {
		t.Fatal(err)
	}
	refused(t, good, "another program")
	if _, err := admin.Exec(`DROP TABLE orders`); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), good, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := admin.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`); err != nil {
		t.Fatal(err)
	}
	refused(t, good, "newer Sallyport", "99999")
	sentence(t, tooOld(140011), "PostgreSQL 14", "15")
	if err := tooOld(150000); err != nil {
		t.Error(err)
	}
}

// TestNodesStartTogether: on an empty database one of them makes the schema, and all of them start.
func TestNodesStartTogether(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := Open(t.Context(), dsn, clock.System{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestSections(t *testing.T) {
	t.Parallel()
	const file = "a\n-- +engine sqlite\nlite\n-- +engine postgres\npg\n-- +engine both\nb\n"
	for engine, want := range map[goose.Dialect]string{goose.DialectSQLite3: "a\nlite\nb\n", goose.DialectPostgres: "a\npg\nb\n"} {
		if got, err := section(file, string(engine)); got != want || err != nil {
			t.Errorf("%s: %q, %v", engine, got, err)
		}
	}
	if _, err := section("-- +engine mysql\n", "sqlite3"); err == nil {
		t.Error("an unknown engine was accepted")
	}
}
