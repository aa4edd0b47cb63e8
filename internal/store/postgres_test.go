package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/internal/fault"
)

// refuse makes the first n statements that contain text fail with an SQLSTATE.
func refuse(f *faults, text, sqlstate string, n int) {
	f.set(func(_ driver.Conn, q string) error {
		if n > 0 && strings.Contains(q, text) {
			n--
			return &pgconn.PgError{Code: sqlstate, Message: "injected"}
		}
		return nil
	})
}

// TestCollisionsAreRetried: the whole transaction runs again, from the start, with a Now of its own.
func TestCollisionsAreRetried(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultyPostgres(t, f)
	for _, c := range []struct {
		name, text, sqlstate string
		times, runs          int
		kind                 fault.Kind
	}{
		{"statement, twice", "INSERT INTO meta", serializationFailure, 2, 3, fault.Internal},
		{"deadlock", "INSERT INTO meta", deadlockDetected, 1, 2, fault.Internal},
		{"commit", "COMMIT", serializationFailure, 4, 5, fault.Internal},
		{"for ever", "INSERT INTO meta", serializationFailure, 1 << 30, maxTries, fault.Throttled},
		{"other error", "INSERT INTO meta", "53100", 1, 1, fault.Internal}, // disk full
	} {
		refuse(f, c.text, c.sqlstate, c.times)
		before, runs := db.Stats(), 0
		var seen []time.Time
		err := db.Update(t.Context(), func(tx *Tx) error {
			runs++
			seen = append(seen, tx.Now())
			_ = tx.SetMeta("a", c.name) // a closure that keeps silent about the error changes nothing
			return tx.AppendEvent(Event{ID: c.name, At: tx.now, JSON: []byte(`{}`)})
		})
		f.set(nil)
		if runs != c.runs || fault.KindOf(err) != c.kind || (err == nil) != (c.times < maxTries && c.sqlstate[0] == '4') {
			t.Errorf("%s: %v after %d runs", c.name, err, runs)
		}
		if got := db.Stats().Transactions - before.Transactions; got != uint64(runs) {
			t.Errorf("%s: counted %d transactions", c.name, got)
		}
		for i := 1; i < len(seen); i++ {
			if !seen[i].After(seen[i-1]) {
				t.Errorf("%s: a later try had the time of an earlier one", c.name)
			}
		}
		var got string
		_ = db.View(t.Context(), func(tx *Tx) (err error) { got, err = tx.Meta("a"); return err })
		if (got == c.name) != (err == nil) {
			t.Errorf("%s: kept %q", c.name, got)
		}
	}
}

// TestErrorOfClosureIsNotRetried: what the closure says of its own is an answer.
func TestErrorOfClosureIsNotRetried(t *testing.T) {
	t.Parallel()
	db := faultyPostgres(t, &faults{})
	runs := 0
	err := db.Update(t.Context(), func(*Tx) error { runs++; return errInjected })
	if !errors.Is(err, errInjected) || runs != 1 {
		t.Errorf("%v after %d runs", err, runs)
	}
}

// TestConnectionEnds: a server that goes away in the middle fails the callers that it had, and nobody after them.
func TestConnectionEnds(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultyPostgres(t, f)
	err := db.Update(t.Context(), func(tx *Tx) error {
		if err := tx.SetMeta("a", "1"); err != nil {
			return err
		}
		_, err := tx.exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
		return err
	})
	if err == nil {
		t.Error("a change was answered for although its connection had gone")
	}
	if err := db.Update(t.Context(), func(tx *Tx) error { return tx.SetMeta("b", "1") }); err != nil {
		t.Error(err)
	}
	err = db.View(t.Context(), func(tx *Tx) error { _, err := tx.Meta("a"); return err })
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("half a change was kept: %v", err)
	}
}

// TestServerEndsWhatTakesTooLong: should this node hang, the server must not wait for it: revocation reaches back only so
// far (hard part 3).
func TestServerEndsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	db := faultyPostgres(t, &faults{})
	p := db.engine.(*postgres)
	for name, pool := range map[string]*sql.DB{"writes": p.writes, "reads": p.reads} {
		want := map[string]string{"statement_timeout": "10s", "idle_in_transaction_session_timeout": "10s", "synchronous_commit": "on"}
		if pool == p.writes {
			want["enable_seqscan"] = "off"
		}
		for setting, want := range want {
			var got string
			if err := pool.QueryRow("SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %q, %v", name, setting, got, err)
			}
		}
	}
}

// TestSealerIsFenced: a sealer that has lost its lease without noticing numbers nothing.
func TestSealerIsFenced(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultyPostgres(t, f)
	put := func(id string) {
		t.Helper()
		if err := db.Update(t.Context(), func(tx *Tx) error {
			return tx.AppendEvent(Event{ID: id, At: tx.now, JSON: []byte(`{}`)})
		}); err != nil {
			t.Fatal(err)
		}
	}
	put("1")
	slow, err := db.AcquireLease(t.Context(), sealerLease, "slow", -time.Second) // runs out at once
	if err != nil {
		t.Fatal(err)
	}
	next, err := db.AcquireLease(t.Context(), sealerLease, "next", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := db.sealSome(t.Context(), slow); n != 0 || !errors.Is(err, ErrLost) {
		t.Errorf("slow sealer: %d, %v", n, err)
	}
	// A crash between the statements and the commit leaves the event where it was.
	refuse(f, "COMMIT", "57P01", 1)
	if n, err := db.sealSome(t.Context(), next); n != 0 || err == nil {
		t.Errorf("sealer whose commit fails: %d, %v", n, err)
	}
	f.set(nil)
	put("2")
	if n, err := db.sealSome(t.Context(), next); n != 2 || err != nil {
		t.Errorf("sealer: %d, %v", n, err)
	}
	if seq, _, err := db.VerifyAudit(t.Context(), 0, nil); seq != 2 || err != nil {
		t.Errorf("log has %d events, %v", seq, err)
	}
}

// TestDatabaseTime: nodes whose clocks differ share the database's.
func TestDatabaseTime(t *testing.T) {
	t.Parallel()
	db := faultyPostgres(t, &faults{})
	here := db.clock.Now()
	db.followServer(here, here.Add(10*time.Millisecond), here.Add(time.Hour))
	if ahead := db.Now().Sub(db.clock.Now()); ahead < time.Hour-time.Second || ahead > time.Hour {
		t.Errorf("followed a server that is an hour ahead by %v", ahead)
	}
	if _, err := db.PollChanges(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if ahead := db.Now().Sub(db.clock.Now()); ahead.Abs() > 5*time.Second {
		t.Errorf("a poll did not set the clock right: %v", ahead)
	}
}

// TestSealerEndsInOrder: what was stored before a sealer is told to end is in the log when it has ended, and its lease is free.
func TestSealerEndsInOrder(t *testing.T) {
	t.Parallel()
	db := faultyPostgres(t, &faults{})
	for i := range int64(6) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- db.RunSealer(ctx, fmt.Sprint("sealer ", i)) }()
		add := func() {
			err := db.Update(t.Context(), func(tx *Tx) error { return tx.AppendEvent(Event{ID: newID(tx.now), At: tx.now, JSON: []byte(`{}`)}) })
			if err != nil {
				t.Fatal(err)
			}
		}
		head := func() (n int64) {
			if err := db.View(t.Context(), func(tx *Tx) (err error) { n, err = tx.AuditHead(); return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for add(); head() <= 2*i; { // until it has the lease
		}
		add()
		stop()
		if err := <-done; err != nil || head() != 2*i+2 {
			t.Fatalf("round %d: %d events are sealed, %v", i, head(), err)
		}
	}
}
