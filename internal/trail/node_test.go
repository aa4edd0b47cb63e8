package trail_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sallyport/internal/bucket"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/store/storetest/pgtest"
	"sallyport/internal/trail"
)

// grave is a bucket whose process ends while it writes a file, so that its lease stays, and its connections go.
type grave struct {
	bucket.Bucket
	slow bool
	die  func() bool
}

func (g grave) Put(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if g.slow {
		time.Sleep(400 * time.Millisecond) // the lease runs out meanwhile, and another takes it
	}
	if g.die() {
		return errors.Join(g.Bucket.Put(ctx, key, body, meta), errCut)
	}
	return g.Bucket.Put(ctx, key, body, meta)
}

// TestNodes: three nodes on PostgreSQL write one trail, of which one ends in the midst of writing. Leases run out while nodes are at it. There
// is one chain, each event is in one file, and no file is there that is not on record.
func TestNodes(t *testing.T) {
	t.Parallel()
	dsn, c := pgtest.NewDatabase(t), clocktest.At(morning)
	h := houseOf(t, storetest.OpenAt(t, dsn, c), c, t.TempDir())
	h.in.TrailDigestEvery, h.in.TrailLogEvery = 10*time.Minute, time.Minute
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = h.db.RunSealer(ctx, "test") })
	h.begin("main", nil)
	var mu sync.Mutex
	doomed, dead := false, make(chan struct{})
	wrote := map[int]int{}
	for i := range 3 {
		db, err := store.Open(t.Context(), dsn, c)
		if err != nil {
			t.Fatal(err)
		}
		node := h.node(db, fmt.Sprint("node", i))
		node.Buckets.Through = func(b bucket.Bucket) bucket.Bucket {
			return grave{b, i == 1, func() bool {
				mu.Lock()
				defer mu.Unlock()
				wrote[i]++
				if i != 2 || !doomed {
					return false
				}
				select {
				case <-dead:
				default:
					_ = db.Close() // as the end of a process does, whatever is at it
					close(dead)
				}
				return true
			}}
		}
		all.Go(func() {
			defer db.Close()
			for ctx.Err() == nil {
				if err := node.Drain(ctx); errors.Is(err, errCut) { // other errors are that another has taken the lease
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	round := func() {
		h.happen(3)
		h.settle()
		h.clock.Advance(40 * time.Second)
	}
	for range 20 {
		round()
	}
	mu.Lock()
	doomed = true
	mu.Unlock()
	for deadline := time.Now().Add(time.Minute); ; round() {
		select {
		case <-dead:
		default:
			if time.Now().After(deadline) {
				t.Fatal("the third node writes nothing")
			}
			continue
		}
		break
	}
	for range 10 {
		round()
	}
	h.clock.Advance(10 * time.Minute)
	h.settle()
	stop()
	all.Wait()
	h.onlyPlanned(wrote)
}

// node is another server on a database.
func (h *house) node(db *store.DB, name string) *trail.Worker {
	ring := h.worker.Keys.Ring
	return &trail.Worker{
		DB: db, House: h.worker.House, Keys: &trail.Keys{DB: db, Ring: ring, House: h.worker.House}, Buckets: &trail.Buckets{Folder: h.dir, Ring: ring},
		Settings: h.worker.Settings, Owner: name, Log: h.worker.Log,
	}
}

// onlyPlanned writes what is left to be written, and holds the files against the record.
func (h *house) onlyPlanned(wrote map[int]int) {
	h.Helper()
	h.clock.Advance(time.Minute) // leases of the dead run out
	h.write()
	var t store.LogTrail
	err := h.db.View(h.Context(), func(tx *store.Tx) (err error) { t, err = tx.TrailByName("main"); return err })
	if err != nil {
		h.Fatal(err)
	}
	if there := len(h.objects()); int64(there) != t.Objects || len(wrote) != 3 || t.Objects < 10 {
		h.Errorf("%d files are there, and %d on record; by node %v", there, t.Objects, wrote)
	}
	for _, f := range h.online("main").Faults {
		h.Errorf("fault: %s", f)
	}
	h.sound()
}
