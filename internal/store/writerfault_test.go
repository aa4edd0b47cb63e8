package store

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"sallyport/internal/clock"
)

// TestFullDisk lets SQLite run into a real SQLITE_FULL, at which it rolls the whole transaction back, neighbours and all.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	f := &faults{connected: func(c driver.Conn) error { return underneath(c, "PRAGMA max_page_count = 700") }}
	db := faultySQLite(t, f)
	huge := &caller{fn: func(tx *Tx) error {
		return tx.InsertAccount(Account{ID: "huge", Name: strings.Repeat("x", 4<<20)})
	}}
	all := []*caller{put("1"), huge, put("2")}
	batch(t, db, all...)
	var e *sqlite.Error
	if !errors.As(huge.err, &e) || e.Code() != sqlite3.SQLITE_FULL {
		t.Errorf("got %v", huge.err)
	}
	if all[0].err != nil || all[2].err != nil || all[0].runs.Load() != 2 {
		t.Errorf("neighbours: %v after %d runs, %v", all[0].err, all[0].runs.Load(), all[2].err)
	}
	kept(t, db, "1", "2")
}

// TestTransactionLost: an I/O error in the middle of a batch takes the transaction with it. No later statement may run on
// its own, and all are run again.
func TestTransactionLost(t *testing.T) {
	t.Parallel()
	for name, times := range map[string]int{"once": 1, "for ever": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &faults{}
			db := faultySQLite(t, f)
			inTransaction, failed := false, 0
			f.set(func(conn driver.Conn, q string) error {
				switch {
				case q == string(begin):
					inTransaction = true
				case q == string(commit):
					inTransaction = false
				case q == string(upsertMeta) && failed < times:
					failed++
					inTransaction = false
					return errors.Join(errInjected, underneath(conn, "ROLLBACK"))
				case strings.HasPrefix(q, "INSERT") && !inTransaction:
					t.Errorf("ran outside a transaction: %s", q)
				}
				return nil
			})
			sick := &caller{fn: func(tx *Tx) error {
				_ = tx.SetMeta("sick", "1")                      // keeps silent about the error
				return tx.InsertAccount(Account{ID: "follower"}) // and goes on
			}}
			all := []*caller{put("1"), sick, put("2")}
			batch(t, db, all...)
			if all[0].err != nil || all[2].err != nil || all[0].runs.Load() != 2 || sick.runs.Load() != 2 {
				t.Errorf("neighbours: %v, %v", all[0].err, all[2].err)
			}
			f.set(nil)
			var accounts []Account
			if err := db.View(t.Context(), func(tx *Tx) (err error) { accounts, err = tx.Accounts("", 9); return err }); err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: 3, false: 2}[times == 1]; len(accounts) != want {
				t.Errorf("%d accounts, want %d", len(accounts), want)
			}
			if (sick.err == nil) != (times == 1) || times > 1 && !errors.Is(sick.err, errInjected) {
				t.Errorf("sick closure: %v", sick.err)
			}
		})
	}
}

// TestCommitFails: nobody is answered, and the batch is run again, one closure per transaction.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultySQLite(t, f)
	goOn := make(chan struct{})
	all := []*caller{put("1"), put("2"), put("3")}
	queueBatch(t, db, goOn, all...)
	commits := 0
	f.set(func(_ driver.Conn, q string) error {
		if q == string(commit) {
			commits++
			if commits == 1 || commits == 4 { // the batch, and then the third of its closures, of which the first keeps busy
				return errInjected
			}
		}
		return nil
	})
	close(goOn)
	for _, c := range all {
		<-c.done
	}
	outcomes(t, 2, ".x.", all...)
	if !errors.Is(all[1].err, errInjected) || commits != 5 {
		t.Errorf("%v after %d commits", all[1].err, commits)
	}
	kept(t, db, "1", "3")
}

// TestCrash takes the files as a crash would leave them: before the commit nothing of the batch is there, after it all
// is, with its audit events.
func TestCrash(t *testing.T) {
	t.Parallel()
	f := &faults{}
	path := newFile(t)
	db := faultySQLiteAt(t, f, path)
	if err := db.Update(t.Context(), put("0").fn); err != nil {
		t.Fatal(err)
	}
	before, after := filepath.Join(t.TempDir(), "before.db"), filepath.Join(t.TempDir(), "after.db")
	snap := func(to string) error {
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil {
				return err
			}
			if err := os.WriteFile(to+suffix, b, 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	goOn := make(chan struct{})
	all := []*caller{put("1"), put("2")}
	queueBatch(t, db, goOn, all...)
	f.set(func(_ driver.Conn, q string) error {
		if q != string(commit) {
			return nil
		}
		return snap(before)
	})
	f.setAfter(func(q string) error {
		if q != string(commit) {
			return nil
		}
		return snap(after)
	})
	close(goOn)
	for _, c := range all {
		<-c.done
	}
	for where, want := range map[string][]string{before: {"0"}, after: {"0", "1", "2"}} {
		crashed := faultySQLiteAt(t, &faults{}, where)
		kept(t, crashed, want...)
		if err := crashed.Update(t.Context(), put("9").fn); err != nil {
			t.Error(err)
		}
		kept(t, crashed, append(want, "9")...)
	}
}

// TestCancelledCallers: one who gives up while waiting is answered at once and never runs; one who gives up in the middle
// is stopped between two statements. No context that can end reaches a statement.
func TestCancelledCallers(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultySQLite(t, f)
	gone, cancel := context.WithCancel(t.Context())
	waiting := put("1")
	waiting.ctx = gone
	middle, stop := context.WithCancel(t.Context())
	stopped := &caller{ctx: middle, fn: func(tx *Tx) error {
		if err := tx.InsertAccount(Account{ID: "x"}); err != nil {
			return err
		}
		stop()
		return tx.InsertAccount(Account{ID: "y"})
	}}
	goOn := make(chan struct{})
	other := put("2")
	queueBatch(t, db, goOn, waiting, stopped, other)
	cancel()
	<-waiting.done // although the writer is busy
	close(goOn)
	<-stopped.done
	<-other.done
	if !errors.Is(waiting.err, context.Canceled) || waiting.runs.Load() != 0 {
		t.Errorf("waiting caller: %v after %d runs", waiting.err, waiting.runs.Load())
	}
	if !errors.Is(stopped.err, context.Canceled) || stopped.runs.Load() != 1 {
		t.Errorf("caller in the middle: %v", stopped.err)
	}
	if other.err != nil || other.runs.Load() != 1 {
		t.Errorf("neighbour: %v after %d runs", other.err, other.runs.Load())
	}
	kept(t, db, "2")
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.contexts) > 0 {
		t.Errorf("%d statements could have been interrupted", len(f.contexts))
	}
}

// TestGoexitInBatch: a closure that ends the goroutine takes nobody with it.
func TestGoexitInBatch(t *testing.T) {
	t.Parallel()
	db := faultySQLite(t, &faults{})
	quits := put("quits")
	insert := quits.fn
	quits.fn = func(tx *Tx) error { _ = insert(tx); runtime.Goexit(); return nil }
	all := []*caller{put("1"), quits, put("2")}
	batch(t, db, all...)
	if quits.err != nil || quits.runs.Load() != 1 || all[0].err != nil || all[2].err != nil {
		t.Errorf("%v, %v", all[0].err, all[2].err)
	}
	kept(t, db, "1", "2")
}

// TestConnectionLost: a reader or writer whose connection has gone gets another.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultySQLite(t, f)
	lose := true
	f.set(func(_ driver.Conn, q string) error {
		if lose && (q == string(begin) || q == string(snapshot)) {
			lose = false
			return driver.ErrBadConn
		}
		return nil
	})
	if err := db.Update(t.Context(), put("1").fn); err != nil {
		t.Error(err)
	}
	lose = true
	if err := db.View(t.Context(), func(*Tx) error { return nil }); err != nil {
		t.Error(err)
	}
	kept(t, db, "1")
}

// TestWALStartsAnew: a writer that never rests does not let the WAL grow for ever.
func TestWALStartsAnew(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db, err := Open(t.Context(), path, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	points := db.engine.(*lite).points
	n := 0
	write := func() {
		n++
		big := strings.Repeat(fmt.Sprintf("%04d", n), 25<<10)
		if err := db.Update(t.Context(), func(tx *Tx) error { return tx.SetMeta("big", big) }); err != nil {
			t.Fatal(err)
		}
	}
	err = db.View(t.Context(), func(tx *Tx) error { // while somebody reads, the WAL can only grow
		if _, err := tx.Meta("big"); !errors.Is(err, ErrNotFound) {
			return err
		}
		for range 20 {
			write()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if frames, err := points.checkpoint(checkpointPassive); err != nil || frames < 20*25 {
		t.Fatalf("%d frames, %v", frames, err)
	}
	points.restart()
	write()
	if frames, err := points.checkpoint(checkpointPassive); err != nil || frames > 3*25 {
		t.Errorf("%d frames after the restart, %v", frames, err)
	}
	head := make([]byte, len(liteMagic))
	b, err := os.ReadFile(path)
	if copy(head, b); err != nil || !bytes.Equal(head, []byte(liteMagic)) {
		t.Errorf("the database file begins with %q, %v", head, err)
	}
}
