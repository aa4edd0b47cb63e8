package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// claim is a ClaimJobs that must succeed.
func claim(t *testing.T, db *store.DB, owner string, n int) []store.Job {
	t.Helper()
	jobs, err := db.ClaimJobs(t.Context(), "k", owner, n, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// payloads are what tells the suite's jobs apart.
func payloads(jobs []store.Job) (out []string) {
	for _, j := range jobs {
		out = append(out, string(j.Payload))
	}
	return out
}

func enqueue(t *testing.T, db *store.DB, jobs ...store.Job) {
	t.Helper()
	update(t, db, func(tx *store.Tx) error {
		for _, j := range jobs {
			j.Kind = "k"
			if err := tx.Enqueue(j); err != nil {
				return err
			}
		}
		return nil
	})
}

func finish(j store.Job) func(*store.Tx) error {
	return func(tx *store.Tx) error { return tx.FinishJob(j) }
}

// jobsInOrder: within a key the order of Enqueue, though all have the same instant; between keys no order is kept back.
func jobsInOrder(t *testing.T, dsn newDSN) {
	db, _ := fresh(t, dsn)
	var jobs []store.Job
	for i := range 4 {
		for _, key := range []string{"x", "y"} {
			jobs = append(jobs, store.Job{Key: key, Payload: []byte(key + strconv.Itoa(i))})
		}
	}
	enqueue(t, db, jobs...)
	for i := range 4 {
		got := claim(t, db, "w", 10)
		want := []string{"x" + strconv.Itoa(i), "y" + strconv.Itoa(i)}
		if diff := cmp.Diff(want, payloads(got)); diff != "" {
			t.Fatal(diff)
		}
		if more := claim(t, db, "v", 10); len(more) > 0 {
			t.Fatalf("claimed beside others of their keys: %v", payloads(more))
		}
		for _, j := range got {
			if j.Attempts != 1 || j.Fence != 1 {
				t.Errorf("job %+v", j)
			}
			update(t, db, finish(j))
		}
	}
}

func jobsNeverSideBySide(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	const keys, each, workers = 5, 8, 6
	parallel(keys, func(k int) {
		for i := range each {
			enqueue(t, db, store.Job{Key: strconv.Itoa(k), Payload: []byte(strconv.Itoa(i))})
		}
	})
	var mu sync.Mutex
	running, next := map[string]bool{}, map[string]int{}
	finished := 0
	work := func(j store.Job) {
		mu.Lock()
		if running[j.Key] || string(j.Payload) != strconv.Itoa(next[j.Key]) {
			t.Errorf("key %s: job %s runs beside another: %v, or out of order", j.Key, j.Payload, running[j.Key])
		}
		running[j.Key] = true
		next[j.Key]++
		mu.Unlock()
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			mu.Lock()
			running[j.Key] = false // before the commit that lets the next one in
			mu.Unlock()
			return tx.FinishJob(j)
		})
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		finished++
		mu.Unlock()
	}
	parallel(workers, func(w int) {
		for {
			mu.Lock()
			over := finished == keys*each
			mu.Unlock()
			if over || t.Failed() {
				return
			}
			jobs, err := db.ClaimJobs(t.Context(), "k", strconv.Itoa(w), 2, time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			for _, j := range jobs {
				work(j)
			}
		}
	})
}

// claimsRunOut: a worker that is thought dead cannot record anything, nor keep the job from its successor.
func claimsRunOut(t *testing.T, dsn newDSN) {
	db, c := fresh(t, dsn)
	enqueue(t, db, store.Job{Key: "x"}, store.Job{Key: "x"})
	slow := claim(t, db, "slow", 10)
	c.Advance(59 * time.Second)
	if err := db.ExtendJob(t.Context(), slow[0], time.Minute); err != nil {
		t.Fatal(err)
	}
	c.Advance(59 * time.Second)
	if got := claim(t, db, "other", 10); len(got) > 0 {
		t.Fatalf("claimed from a living worker: %v", got)
	}
	c.Advance(2 * time.Second)
	got := claim(t, db, "other", 10)
	if len(got) != 1 || got[0].ID != slow[0].ID || got[0].Fence <= slow[0].Fence || got[0].Attempts != 2 {
		t.Fatalf("after the claim ran out: %+v", got)
	}
	for name, late := range map[string]func(tx *store.Tx) error{
		"finish": finish(slow[0]),
		"retry":  func(tx *store.Tx) error { return tx.RetryJob(slow[0], tx.Now()) },
		"free":   func(tx *store.Tx) error { return tx.ReleaseJob(slow[0]) },
	} {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.SetMeta("result", "slow"), late(tx))
		})
		if !errors.Is(err, store.ErrLost) {
			t.Errorf("%s by the slow worker: %v", name, err)
		}
	}
	if err := db.ExtendJob(t.Context(), slow[0], time.Minute); !errors.Is(err, store.ErrLost) {
		t.Errorf("extended by the slow worker: %v", err)
	}
	if got := meta(t, db, "result"); got != "" {
		t.Errorf("the slow worker recorded %q", got)
	}
	update(t, db, finish(got[0]))
	if err := db.Update(t.Context(), finish(got[0])); !errors.Is(err, store.ErrLost) {
		t.Errorf("finished twice: %v", err)
	}
}

func retriedJob(t *testing.T, dsn newDSN) {
	db, c := fresh(t, dsn)
	enqueue(t, db, store.Job{Key: "x", Payload: []byte("1")}, store.Job{Key: "x", Payload: []byte("2")})
	j := claim(t, db, "w", 10)[0]
	update(t, db, func(tx *store.Tx) error { return tx.RetryJob(j, tx.Now().Add(time.Hour)) })
	if got := claim(t, db, "w", 10); len(got) > 0 {
		t.Fatalf("claimed %v while the first of the key waits", payloads(got))
	}
	c.Advance(time.Hour)
	j = claim(t, db, "w", 10)[0]
	if string(j.Payload) != "1" || j.Attempts != 2 {
		t.Errorf("after back-off: %+v", j)
	}
	update(t, db, func(tx *store.Tx) error { return tx.ReleaseJob(j) })
	j = claim(t, db, "w", 10)[0]
	if string(j.Payload) != "1" || j.Attempts != 2 {
		t.Errorf("after release: %+v", j)
	}
}

func jobWake(t *testing.T, dsn newDSN) {
	db, _ := fresh(t, dsn)
	wake := db.JobsWake()
	update(t, db, setMeta("a", "1"))
	select {
	case <-wake:
		t.Error("woken for nothing")
	default:
	}
	enqueue(t, db, store.Job{Key: "x"}, store.Job{Key: "x"})
	<-wake
	j := claim(t, db, "w", 1)[0]
	wake = db.JobsWake()
	update(t, db, finish(j)) // the second may run now
	<-wake
}

func leases(t *testing.T, dsn newDSN) {
	db, c := fresh(t, dsn)
	var mu sync.Mutex
	var won []store.Lease
	parallel(8, func(i int) {
		l, err := db.AcquireLease(t.Context(), "sync", fmt.Sprint(i), time.Minute)
		switch {
		case err == nil:
			mu.Lock()
			won = append(won, l)
			mu.Unlock()
		case !errors.Is(err, store.ErrLost):
			t.Error(err)
		}
	})
	if len(won) != 1 {
		t.Fatalf("%d owners: %v", len(won), won)
	}
	old := won[0]
	c.Advance(50 * time.Second)
	old, err := db.RenewLease(t.Context(), old, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(59 * time.Second)
	if _, err := db.AcquireLease(t.Context(), "sync", "b", time.Minute); !errors.Is(err, store.ErrLost) {
		t.Errorf("taken from a living owner: %v", err)
	}
	c.Advance(time.Second)
	holds := func(l store.Lease) error {
		return db.UpdateRelaxed(t.Context(), func(tx *store.Tx) error { return tx.Holds(l) })
	}
	if err := holds(old); err != nil {
		t.Errorf("late, but nobody has taken over: %v", err)
	}
	b, err := db.AcquireLease(t.Context(), "sync", "b", time.Minute)
	if err != nil || b.Fence <= old.Fence {
		t.Fatalf("taking over: %+v, %v", b, err)
	}
	if err := holds(old); !errors.Is(err, store.ErrLost) {
		t.Errorf("old owner holds: %v", err)
	}
	if _, err := db.RenewLease(t.Context(), old, time.Minute); !errors.Is(err, store.ErrLost) {
		t.Errorf("old owner renews: %v", err)
	}
	if err := db.ReleaseLease(t.Context(), old); err != nil { // changes nothing
		t.Error(err)
	}
	if err := holds(b); err != nil {
		t.Errorf("new owner: %v", err)
	}
	if err := db.ReleaseLease(t.Context(), b); err != nil {
		t.Error(err)
	}
	if l, err := db.AcquireLease(t.Context(), "sync", "c", time.Minute); err != nil || l.Fence <= b.Fence {
		t.Errorf("after release: %+v, %v", l, err)
	}
}
