package revocation

import (
	"fmt"
	"testing"
	"time"
)

// live is how many changes the benchmarks have at most: a million within the life of the longest credential.
const live = 1_000_000

// BenchmarkCheck is what each use of a credential costs beside the look-ups of a map, with as many changes alive as the name says.
// The keys of the look-ups are spread, so that they miss the processor's caches as those of real credentials do.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1000, live} {
		w := newBench(b)
		plain := map[string]time.Time{}
		for i := range n {
			id := fmt.Sprint("other ", i)
			w.changes.add(dependency{kind: "user", id: id}, start)
			plain["user:"+id] = start
		}
		const spread = 4096
		callers, keys := make([]func() error, spread), make([]string, spread)
		for i := range spread {
			c := caller()
			c.UserID, c.SessionID, c.ParentID = fmt.Sprint("u", i), fmt.Sprint("s", i), fmt.Sprint("p", i)
			callers[i], keys[i] = func() error { return w.Check(b.Context(), c) }, "user:"+c.UserID
		}
		b.Run(fmt.Sprintf("unchanged/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if callers[i%spread]() != nil {
					b.Fatal("refused")
				}
			}
		})
		b.Run(fmt.Sprintf("map/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, ok := plain[keys[i%spread]]; ok {
					b.Fatal("found")
				}
			}
		})
		c := caller()
		w.change(b, "user:u1")
		b.Run(fmt.Sprintf("evaluated/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = w.Check(b.Context(), c)
			}
		})
	}
}
