package store_test

import (
	"errors"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestSweeper: a job that fails keeps nothing, waits, and holds up no other.
func TestSweeper(t *testing.T) {
	t.Parallel()
	c := clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	db := storetest.Open(t, c)
	update := func(fn func(*store.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *store.Tx) error {
		return errors.Join(
			tx.Enqueue(store.Job{Kind: "sweep", Key: "bad", Payload: []byte("{}")}), tx.Enqueue(store.Job{Kind: "sweep", Key: "good", Payload: []byte("{}")}))
	})
	broken, done := errors.New("broken"), []string{}
	s := &store.Sweeper{DB: db, Kind: "sweep", Owner: "test", Do: func(tx *store.Tx, j store.Job) error {
		if err := tx.SetMeta("sweep."+j.Key, "done"); err != nil {
			return err
		}
		if done = append(done, j.Key); j.Key == "bad" {
			return broken
		}
		return nil
	}}
	if err := s.Drain(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := s.Drain(t.Context()); err != nil || len(done) != 2 || done[1] != "good" {
		t.Errorf("after the failure: %v, %v", done, err)
	}
	update(func(tx *store.Tx) error {
		if _, err := tx.Meta("sweep.bad"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what failed was kept: %v", err)
		}
		_, err := tx.Meta("sweep.good")
		return err
	})
	broken = nil
	c.Advance(time.Minute)
	if err := s.Drain(t.Context()); err != nil || len(done) != 3 || done[2] != "bad" {
		t.Errorf("a minute later: %v, %v", done, err)
	}
}
