package revocation

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"sallyport/internal/store"
)

// heap is how many bytes live on the heap.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryIsBounded makes a great many changes: over days, so that a tenth of them is alive at a time and all are told apart, or
// within an hour, so that there are too many to be. Memory stays below what the most keys take, and nothing is forgotten that a
// credential may be older than. It is not parallel: it reads the heap of the whole process.
func TestMemoryIsBounded(t *testing.T) {
	total := 200_000
	if os.Getenv("SALLYPORT_SOAK") == "1" {
		total = 10_000_000
	}
	const perKey = 60 // bytes: 24 of key and mark, and what a map of Go's leaves empty after it has doubled
	for name, over := range map[string]time.Duration{"over days": 10 * store.ChangeRetention, "within an hour": time.Hour} {
		most := total / 5
		before := heap()
		c := newChanges(most, true)
		now, peak := start, uint64(0)
		for i := range total {
			now = now.Add(over / time.Duration(total))
			c.arrive([]store.Change{{ID: fmt.Sprint(i), Key: fmt.Sprint("user:", i), At: now}})
			if i%(total/1000) == 0 { // as polls do
				c.turn()
				c.sweep(now)
			}
			if len(c.latest) > most {
				t.Fatalf("%s: %d keys", name, len(c.latest))
			}
			if i%(total/10) == total/10-1 {
				peak = max(peak, heap()-before)
			}
		}
		t.Logf("%s: %d changes, %d keys at the end, %d times too many, %.1f MB at most", name, total, len(c.latest), c.coarse, float64(peak)/1e6)
		if peak > uint64(most*perKey)+1<<20 {
			t.Errorf("%s: %d bytes for %d keys at most", name, peak, most)
		}
		if (c.coarse > 0) != (over == time.Hour) {
			t.Errorf("%s: coarsened %d times", name, c.coarse)
		}
		alive := total
		if over > store.ChangeRetention {
			alive = total / 10
		}
		for i := total - alive; i < total; i += total / 1000 {
			cl := caller()
			cl.UserID = fmt.Sprint(i)
			if r := rightOf(cl); c.since(&r, start) == 0 {
				t.Fatalf("%s: change %d is forgotten", name, i)
			}
		}
		runtime.KeepAlive(c)
	}
}
