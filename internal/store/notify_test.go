package store

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"sallyport/internal/clock"
	"sallyport/internal/store/storetest/pgtest"
)

// openPG opens a node's view of a database.
func openPG(t *testing.T, dsn string) *DB {
	t.Helper()
	db, err := Open(t.Context(), dsn, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func tell(t *testing.T, db *DB) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); db.TellChanges(ctx, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() { stop(); <-ended })
}

// woken waits for the bell.
func woken(t *testing.T, db *DB, why string) {
	t.Helper()
	select {
	case <-db.ChangesWake():
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: the bell does not ring", why)
	}
}

// TestChangesAreTold: a change on one node rings the bell of another, also after the connection that listens was lost; the node's
// own changes ring nothing.
func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	dsn := newPostgres(t)
	here, there := openPG(t, dsn), openPG(t, dsn)
	tell(t, here)
	tell(t, there)
	woken(t, here, "listening here")
	woken(t, there, "listening there")
	change := func() {
		t.Helper()
		if err := here.Update(t.Context(), func(tx *Tx) error { return tx.Changed("user:u") }); err != nil {
			t.Fatal(err)
		}
	}
	change()
	woken(t, there, "a change")
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var cut int
	err = admin.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`).Scan(&cut)
	if err != nil || cut != 2 {
		t.Fatalf("cut %d connections, %v", cut, err)
	}
	woken(t, here, "listening again") // so that nothing told meanwhile is missed
	woken(t, there, "listening again")
	for range 100 { // share notifications
		change()
	}
	woken(t, there, "changes after the connection was lost")
	select {
	case <-here.ChangesWake():
		t.Error("a node is woken by its own changes")
	default:
	}
}

// TestStandby: a standby is refused where it can be seen to be one, and where reads go to one that lags, a poll says so.
func TestStandby(t *testing.T) {
	t.Parallel()
	dsn := newPostgres(t)
	db := openPG(t, dsn)
	p, err := db.PollChanges(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	standby := pgtest.NewStandby(t, dsn, time.Hour)
	if db, err := Open(t.Context(), standby, clock.System{}); err == nil {
		t.Error("a standby was opened")
		_ = db.Close()
	}
	if err := db.Update(t.Context(), func(tx *Tx) error { return tx.Changed("user:u") }); err != nil {
		t.Fatal(err)
	}
	cfg, err := parsePostgres(standby)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ValidateConnect = nil // as if something between us and the server shared reads out
	e := db.engine.(*postgres)
	primary := e.reads
	defer func() { e.reads = primary }()
	e.reads = stdlib.OpenDB(*cfg)
	defer e.reads.Close()
	time.Sleep(BeatEvery) // what it shows is then too old to be taken for news
	if p, err := db.PollChanges(t.Context(), p.Cursor); err == nil || !strings.Contains(err.Error(), "lags") {
		t.Errorf("polled a standby: %+v, %v", p, err)
	}
}
