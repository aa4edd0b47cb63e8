package policy_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"sallyport/internal/policy"
)

func numbered(i int) string {
	return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::data-%06d"}}`, i)
}

func mustLoad(t testing.TB, c *policy.Cache, doc string) *policy.Policy {
	t.Helper()
	p, err := c.Load(doc, func() (string, error) { return doc, nil }) // the text is as good a name as its hash
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCacheKeepsByContent(t *testing.T) {
	t.Parallel()
	c := policy.NewCache(1 << 20)
	first := mustLoad(t, c, numbered(1))
	if mustLoad(t, c, strings.Clone(numbered(1))) != first {
		t.Error("equal content is compiled twice")
	}
	if mustLoad(t, c, numbered(2)) == first {
		t.Error("other content gives the same policy")
	}
	if _, err := c.Load("x", func() (string, error) { return "{}", nil }); err == nil {
		t.Error("a document that is no policy is loaded")
	}
}

// TestCacheIsBounded loads far more than fits, and uses one document all the time.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := policy.NewCache(64 << 10)
	kept, dropped := mustLoad(t, c, numbered(0)), mustLoad(t, c, numbered(1))
	for i := 2; i < 2000; i++ {
		mustLoad(t, c, numbered(i))
		if mustLoad(t, c, numbered(0)) != kept {
			t.Fatalf("the document in use was dropped after %d others", i)
		}
	}
	if mustLoad(t, c, numbered(1)) == dropped {
		t.Error("the cache keeps everything")
	}
	none := policy.NewCache(0)
	if first, second := mustLoad(t, none, numbered(0)), mustLoad(t, none, numbered(0)); first == second {
		t.Error("a cache of no bytes keeps something")
	}
}

// TestCacheCost measures what a full cache takes, so that its bound means bytes of memory.
func TestCacheCost(t *testing.T) {
	const bound = 8 << 20
	c := policy.NewCache(bound)
	before := heap()
	for i := range 20000 {
		mustLoad(t, c, numbered(i))
	}
	for i := range 200 {
		mustLoad(t, c, strings.Replace(tenStatements(), "Last", fmt.Sprint("Last", i), 1))
	}
	used := heap() - before
	t.Logf("a cache of %d bytes takes %d", bound, used)
	if used > bound*3/2 {
		t.Errorf("a cache of %d bytes takes %d", bound, used)
	}
	runtime.KeepAlive(c)
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestCacheFromManyGoroutines(t *testing.T) {
	t.Parallel()
	c := policy.NewCache(16 << 10)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				mustLoad(t, c, numbered((i*7+g)%100))
			}
		})
	}
	wg.Wait()
}
