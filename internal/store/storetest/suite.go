package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
)

// newDSN names an empty database of the engine under test.
type newDSN func(testing.TB) string

// Run is the suite that every engine must pass.
func Run(t *testing.T, dsn func(testing.TB) string) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*testing.T, newDSN)
	}{
		{"answered update is visible and survives a restart", survives},
		{"error keeps nothing", errorKeepsNothing},
		{"failed statement ends the transaction", failedStatement},
		{"panic arrives at its caller", panicArrives},
		{"end of the goroutine arrives at its caller", goexitArrives},
		{"view is one snapshot and cannot write", snapshot},
		{"now is one instant", oneInstant},
		{"contexts and closing", endings},
		{"parallel updates lose nothing", parallelUpdates},
		{"write skew is refused", writeSkew},
		{"unique key under race", uniqueRace},
		{"text is bytes", textIsBytes},
		{"pages are stable under inserts", stablePages},
		{"unrelated updates", unrelatedUpdates},
		{"jobs in order", jobsInOrder},
		{"jobs of one key never side by side", jobsNeverSideBySide},
		{"claims run out", claimsRunOut},
		{"retried job holds its key", retriedJob},
		{"job wake-up", jobWake},
		{"leases", leases},
		{"audit log is whole and in order", auditOrder},
		{"sealers take over", sealersTakeOver},
		{"audit cursor goes forward", auditCursor},
		{"events are looked up", lookups},
		{"look-ups have pages", lookupPages},
		{"changes are told before the answer", changesTold},
		{"changes are polled and pruned", changesPolled},
		{"slow change is not missed", slowChange},
	} {
		t.Run(c.name, func(t *testing.T) { t.Parallel(); c.run(t, dsn) })
	}
}

// start is when the clock of the suite begins.
var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// fresh opens an empty database under a clock that stands still.
func fresh(t *testing.T, dsn newDSN) (*store.DB, *clocktest.Clock) {
	t.Helper()
	c := clocktest.At(start)
	return OpenAt(t, dsn(t), c), c
}

// live opens an empty database under the machine's clock.
func live(t *testing.T, dsn newDSN) *store.DB {
	t.Helper()
	return OpenAt(t, dsn(t), clock.System{})
}

// update is an Update that must succeed.
func update(t *testing.T, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// meta reads a value; "" when there is none.
func meta(t *testing.T, db *store.DB, name string) (value string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) (err error) {
		value, err = tx.Meta(name)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return value
}

func setMeta(name, value string) func(*store.Tx) error {
	return func(tx *store.Tx) error { return tx.SetMeta(name, value) }
}

// worker runs fn until the test ends, and waits for it before the database is closed.
func worker(t *testing.T, fn func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := fn(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

// parallel runs fn n times at once.
func parallel(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // "" counts as none
	return n
}
