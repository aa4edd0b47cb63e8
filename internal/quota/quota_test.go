package quota

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/fault"
)

func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[Name]bool{}
	for _, l := range Table {
		if seen[l.Name] || l.Name == "" || l.Bounds == "" || l.Source == "" {
			t.Errorf("row %+v", l)
		}
		seen[l.Name] = true
		if l.AWS < 1 || l.Relaxed != None && l.Relaxed < l.AWS {
			t.Errorf("%s: %d on AWS, relaxed %d", l.Name, l.AWS, l.Relaxed)
		}
		if l.Kind == Model && l.Relaxed != l.AWS {
			t.Errorf("%s is part of AWS's model, which holds in either mode", l.Name)
		}
		if (l.Kind == Rate) != strings.HasPrefix(string(l.Name), "rate-") {
			t.Errorf("%s: kind %d", l.Name, l.Kind)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	var zero Limits
	if zero.Mode() != Strict || zero.Of(Regions) != 6 || !zero.Exceeds(Regions, 7) || zero.Exceeds(Regions, 6) {
		t.Errorf("zero limits: %s, %d regions", zero.Mode(), zero.Of(Regions))
	}
	relaxed := (&Book{}).In(Relaxed)
	if relaxed.Mode() != Relaxed || relaxed.Of(Regions) != 30 || relaxed.Exceeds(Outstanding, 1_000_000) || relaxed.Rate(AdminRate) != 20 {
		t.Errorf("relaxed: %s, %d regions", relaxed.Mode(), relaxed.Of(Regions))
	}
	replaced := (&Book{Replace: map[Name]int{Regions: 1}}).In(Relaxed)
	if replaced.Of(Regions) != 1 || replaced.Of(Tags) != 50 {
		t.Errorf("replaced: %d regions, %d tags", replaced.Of(Regions), replaced.Of(Tags))
	}
	f := zero.Reached(TokenIssuers)
	if f.Kind != fault.Quota || f.Message != "A limit is reached: there can be at most 10 trusted token issuers in an instance." {
		t.Errorf("reached: %+v", f)
	}
}

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// hoard is something that is counted.
type hoard struct{ have, counts int }

func (h *hoard) count(bound int) (int, error) {
	h.counts++
	return min(h.have, bound), nil
}

// add creates until the limit refuses, and tells how many there are then.
func (h *hoard) add(t *testing.T, l Limits, n int) {
	t.Helper()
	for range n {
		if err := l.Admit(Users, "s", start, h.count); fault.KindOf(err) == fault.Quota {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		h.have++
	}
}

func TestAdmitIsExact(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 3, margin, margin + share, 5_000, 200_000} {
		for name, l := range map[string]Limits{
			"with a book": (&Book{Replace: map[Name]int{Users: limit}}).In(Strict),
			"without":     {},
		} {
			want := limit
			if l.book == nil {
				if want = l.Of(Users); want != limit {
					continue
				}
			}
			h := &hoard{have: limit - min(limit, 4_000)}
			h.add(t, l, 5_000)
			if h.have != want {
				t.Errorf("%s: there are %d, limit %d", name, h.have, want)
			}
			if l.book != nil && limit == 200_000 && h.counts > 500 {
				t.Errorf("%d counts for the last 4,000 of 200,000", h.counts)
			}
		}
	}
}

func TestAdmitCountsSeldom(t *testing.T) {
	t.Parallel()
	l := (&Book{}).In(Strict)
	h := &hoard{}
	h.add(t, l, 10_000)
	if h.have != 10_000 || h.counts != 1 {
		t.Errorf("%d counts for %d users", h.counts, h.have)
	}
	if err := l.Admit(Users, "other", start, h.count); err != nil || h.counts != 2 {
		t.Errorf("another store: %v, %d counts", err, h.counts)
	}
	if err := l.Admit(Users, "s", start.Add(countLife), h.count); err != nil || h.counts != 3 {
		t.Errorf("later: %v, %d counts", err, h.counts)
	}
	cause := errors.New("no")
	if err := l.Admit(Groups, "s", start, func(int) (int, error) { return 0, cause }); !errors.Is(err, cause) {
		t.Errorf("a count that fails: %v", err)
	}
	before := h.counts
	if err := l.book.In(Relaxed).Admit(Outstanding, "s", start, h.count); err != nil || h.counts != before {
		t.Errorf("no bound: %v, counted %d times", err, h.counts-before)
	}
}

func TestBookForgets(t *testing.T) {
	t.Parallel()
	b := &Book{}
	l := b.In(Strict)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range maxRooms {
				h := &hoard{}
				if err := l.Admit(Users, fmt.Sprint(n, "/", i), start, h.count); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(b.rooms) > maxRooms {
		t.Errorf("%d counts are remembered", len(b.rooms))
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	var b Buckets
	for i := range 20 {
		if wait := b.Take("k", 20, start); wait != 0 {
			t.Fatalf("call %d waits %v", i, wait)
		}
	}
	for range 100 { // a refused call takes nothing
		if wait := b.Take("k", 20, start); wait != 50*time.Millisecond {
			t.Fatalf("an empty bucket: wait %v", wait)
		}
	}
	if wait := b.Take("other", 20, start); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	if wait := b.Take("k", 20, start.Add(50*time.Millisecond)); wait != 0 {
		t.Errorf("after the time that was said: wait %v", wait)
	}
}

func TestBucketsForget(t *testing.T) {
	t.Parallel()
	var b Buckets
	for i := range 2 * maxKeys {
		b.Get(fmt.Sprint(i), time.Second, 1)
	}
	if b.order.Len() > maxKeys || len(b.byKey) != b.order.Len() {
		t.Errorf("the buckets remember %d keys in order, %d by name", b.order.Len(), len(b.byKey))
	}
}

// TestSpend: what is larger than a bucket is taken from a full one and leaves a debt; what is refused takes nothing.
func TestSpend(t *testing.T) {
	t.Parallel()
	var b Buckets
	for _, step := range []struct {
		n    int
		at   time.Duration
		wait time.Duration
	}{
		{-1, 0, 0},
		{0, 0, 0},
		{60, 0, 0},
		{60, 0, 200 * time.Millisecond},
		{60, 0, 200 * time.Millisecond},
		{40, 0, 0},
		{350, 0, time.Second},
		{350, time.Second, 0},
		{1, time.Second, 2510 * time.Millisecond},
		{1, 3510 * time.Millisecond, 0},
	} {
		if wait := b.Spend("k", step.n, 100, start.Add(step.at)); wait != step.wait {
			t.Errorf("%d at %v: wait %v, want %v", step.n, step.at, wait, step.wait)
		}
	}
}
