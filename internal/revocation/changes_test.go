package revocation

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/store"
)

func change(id, key string, at time.Time) store.Change { return store.Change{ID: id, Key: key, At: at} }

func TestRowsThatComeAgainAreKnown(t *testing.T) {
	t.Parallel()
	c := newChanges(10, true)
	a, b := change("a", "user:u1", start), change("b", "user:u1", start)
	c.arrive([]store.Change{a}) // pushed
	c.turn()                    // by a poll whose snapshot was of before
	c.arrive([]store.Change{a, b})
	c.turn()
	c.arrive([]store.Change{a, b})
	if c.count != 2 {
		t.Errorf("%d arrivals of 2 changes", c.count)
	}
	c.turn()
	c.turn()
	if len(c.known)+len(c.before) != 0 {
		t.Error("ids of old rows are kept")
	}
}

func TestLateArrivalOfAnEarlierChange(t *testing.T) {
	t.Parallel()
	c := newChanges(10, true)
	r := rightOf(caller())
	c.arrive([]store.Change{change("b", "user:u1", start)})
	c.arrive([]store.Change{change("a", "user:u1", start.Add(-9*time.Second))})
	if got := c.since(&r, start); got != 2 {
		t.Errorf("the last arrival is %d", got)
	}
}

func TestTooManyChangesBecomeAll(t *testing.T) {
	t.Parallel()
	c := newChanges(100, false)
	for i := range 1000 {
		c.arrive([]store.Change{change(fmt.Sprint(i), fmt.Sprint("user:", i), start)})
		if len(c.latest) > 100 {
			t.Fatalf("%d keys", len(c.latest))
		}
	}
	for i := range 1000 {
		cl := caller()
		cl.UserID = fmt.Sprint(i)
		r := rightOf(cl)
		if c.since(&r, start) == 0 {
			t.Fatalf("the change of user %d was forgotten", i)
		}
	}
	r := rightOf(caller())
	if c.since(&r, start.Add(margin+time.Second)) != 0 {
		t.Error("later credentials are evaluated as well")
	}
}

func TestOldChangesAreSwept(t *testing.T) {
	t.Parallel()
	c := newChanges(100, false)
	c.arrive([]store.Change{change("a", "user:old", start), change("b", "user:new", start.Add(time.Hour))})
	c.sweep(start.Add(store.ChangeRetention))
	if len(c.latest) != 2 {
		t.Error("swept too early")
	}
	c.sweep(start.Add(store.ChangeRetention + time.Second))
	if len(c.latest) != 2 {
		t.Error("swept twice at once")
	}
	c.sweep(start.Add(store.ChangeRetention + sweepEvery))
	if len(c.latest) != 1 {
		t.Errorf("%d are kept", len(c.latest))
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f freshness
		want := func(ok bool, when string) {
			t.Helper()
			for range 2 { // asking changes nothing
				if f.ok() != ok {
					t.Errorf("%s: ok is %v", when, !ok)
				}
			}
		}
		want(false, "before the first poll")
		timer := time.NewTimer(Bound)
		time.Sleep(time.Second) // the poll takes a second; its news is a second old
		f.good(timer)
		want(true, "after a poll")
		time.Sleep(Bound - time.Second - 1)
		want(true, "just before the bound")
		time.Sleep(time.Nanosecond)
		want(false, "at the bound")
		time.Sleep(time.Hour)
		want(false, "long after")
		f.good(time.NewTimer(Bound))
		want(true, "after the next poll")
		late := time.NewTimer(Bound)
		time.Sleep(2 * Bound)
		f.good(late)
		want(false, "after a poll that took too long")
		f.pushed()
		want(true, "when changes are pushed")
	})
}
