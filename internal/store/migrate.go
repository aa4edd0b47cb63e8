package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"sallyport/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. One timeline serves both engines.
func migrate(ctx context.Context, engine goose.Dialect, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	return migrateFrom(ctx, engine, db, dir)
}

func migrateFrom(ctx context.Context, engine goose.Dialect, db *sql.DB, dir fs.FS) error {
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if engine == goose.DialectPostgres { // nodes that start together take turns; SQLite's file lock does it there
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(250*time.Millisecond, 1200))
		if err != nil {
			return fmt.Errorf("make migration lock: %w", err)
		}
		opts = append(opts, goose.WithLocker(locker))
	}
	p, err := goose.NewProvider(engine, db, sections{dir, string(engine)}, opts...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, newest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > newest {
		return fault.Invalidf("The database was last used by a newer Sallyport: its schema is %d, this program knows %d. Start the newer program, or restore a backup from before the upgrade.", have, newest)
	}
	if have == newest {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// sections is a folder of migrations as one engine sees it. A line "-- +engine sqlite" or "-- +engine postgres" begins
// what is for that engine only, "-- +engine both" ends it.
type sections struct {
	fs.FS
	engine string
}

const sectionMark = "-- +engine "

// Open opens a file; a migration has only the engine's sections.
func (s sections) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	whole, err := fs.ReadFile(s.FS, name)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	text, err := section(string(whole), s.engine)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return migration{f, bytes.NewReader([]byte(text))}, nil
}

func section(whole, engine string) (string, error) {
	var b strings.Builder
	mine := true
	for line := range strings.Lines(whole) {
		mark, ok := strings.CutPrefix(strings.TrimSpace(line), sectionMark)
		switch {
		case !ok && mine:
			b.WriteString(line)
		case !ok:
		case mark == "both":
			mine = true
		case mark == string(goose.DialectPostgres), mark == "sqlite":
			mine = strings.HasPrefix(engine, mark) // goose calls SQLite sqlite3
		default:
			return "", fmt.Errorf("no engine is called %q", mark)
		}
	}
	return b.String(), nil
}

// migration is an open file with other contents.
type migration struct {
	fs.File
	*bytes.Reader
}

func (m migration) Read(p []byte) (int, error) { return m.Reader.Read(p) }
