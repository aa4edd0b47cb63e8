package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// numbers are those of the events in a file.
func numbers(t *testing.T, path string) (seqs []int64) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		var l struct{ Sallyport struct{ Seq int64 } }
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, l.Sallyport.Seq)
	}
	return seqs
}

// TestFilesOfNodes: each node's file has every event, once and in order, though both ship from one log; also after one was moved away, and
// after one was replaced by an older copy of itself.
func TestFilesOfNodes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(time.Unix(1_800_000_000, 0)))
		ctx, stop := context.WithCancel(t.Context())
		sealed := make(chan struct{})
		go func() { defer close(sealed); _ = db.RunSealer(ctx, "test") }()
		defer func() { stop(); <-sealed }()
		happen := func(n int64) {
			t.Helper()
			e := &audit.Event{EventName: fmt.Sprint("E", n)}
			if err := db.Update(ctx, e.Store); err != nil {
				t.Fatal(err)
			}
			for head := int64(0); head < n; {
				if err := db.View(ctx, func(tx *store.Tx) (err error) { head, err = tx.AuditHead(); return err }); err != nil {
					t.Fatal(err)
				}
			}
		}
		ship := func(path string) {
			t.Helper()
			f, err := audit.OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := &audit.Shipper{DB: db, File: f, Log: slog.New(slog.DiscardHandler)}
			if err := errors.Join(s.Drain(ctx), f.Close()); err != nil {
				t.Error(err)
			}
		}
		one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
		want := func(path, seqs string) {
			t.Helper()
			if got := fmt.Sprint(numbers(t, path)); got != seqs {
				t.Errorf("%s has %s, want %s", filepath.Base(path), got, seqs)
			}
		}
		happen(1)
		ship(one)
		happen(2)
		ship(two)
		ship(one)
		want(one, "[1 2]")
		want(two, "[1 2]")
		older, err := os.ReadFile(one)
		if err != nil {
			t.Fatal(err)
		}
		happen(3)
		ship(one)
		if err := os.WriteFile(one, older, 0o600); err != nil {
			t.Fatal(err)
		}
		ship(one)
		want(one, "[1 2 3]")
		if err := os.Rename(one, one+".1"); err != nil {
			t.Fatal(err)
		}
		ship(one) // and says nothing of the beginning
		happen(4)
		ship(one)
		ship(two)
		want(one, "[4]")
		want(two, "[1 2 3 4]")
	})
}
