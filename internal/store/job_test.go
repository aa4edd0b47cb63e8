package store

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestLateJob: a job may become visible after a later one of its key has been claimed, since PostgreSQL commits out of
// order. It waits; even while the claim of the other is not committed yet and nobody can see it.
func TestLateJob(t *testing.T) {
	t.Parallel()
	db := faultyPostgres(t, &faults{})
	enqueue := func(id string) func(*Tx) error {
		return func(tx *Tx) error { return tx.Enqueue(Job{ID: id, Kind: "k", Key: "x"}) }
	}
	var all sync.WaitGroup
	defer all.Wait()
	// hold runs fn in a transaction that stays open until the function it returns is called.
	hold := func(run func(func(*Tx) error) error, fn func(*Tx) error) (commit func()) {
		ran, goOn := make(chan struct{}), make(chan struct{})
		done := make(chan struct{})
		all.Go(func() {
			defer close(done)
			once := sync.OnceFunc(func() { close(ran); <-goOn })
			if err := run(func(tx *Tx) error { defer once(); return fn(tx) }); err != nil {
				t.Error(err)
			}
		})
		<-ran
		return sync.OnceFunc(func() { close(goOn); <-done })
	}
	update := func(fn func(*Tx) error) error { return db.Update(t.Context(), fn) }
	relaxed := func(fn func(*Tx) error) error { return db.UpdateRelaxed(t.Context(), fn) }

	commitEarly := hold(update, enqueue("early"))
	defer commitEarly()
	if err := update(enqueue("late")); err != nil {
		t.Fatal(err)
	}
	var late []Job
	commitClaim := hold(relaxed, func(tx *Tx) (err error) {
		late, err = tx.claim("k", "w", 9, time.Minute)
		return err
	})
	defer commitClaim()
	if len(late) != 1 || late[0].ID != "late" {
		t.Fatalf("claimed %+v", late)
	}
	commitEarly()

	other := make(chan []Job, 1)
	all.Go(func() {
		jobs, err := db.ClaimJobs(t.Context(), "k", "v", 9, time.Minute)
		if err != nil {
			t.Error(err)
		}
		other <- jobs
	})
	for waiting := false; !waiting && len(other) == 0; runtime.Gosched() {
		q := `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		if err := db.engine.(*postgres).reads.QueryRow(q).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	commitClaim()
	if jobs := <-other; len(jobs) > 0 {
		t.Errorf("claimed beside another of its key: %+v", jobs)
	}
	if err := update(func(tx *Tx) error { return tx.FinishJob(late[0]) }); err != nil {
		t.Error(err)
	}
	if jobs, err := db.ClaimJobs(t.Context(), "k", "v", 9, time.Minute); err != nil || len(jobs) != 1 || jobs[0].ID != "early" {
		t.Errorf("then %+v, %v", jobs, err)
	}
}
