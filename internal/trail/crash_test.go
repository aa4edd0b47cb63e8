package trail_test

import (
	"context"
	"errors"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/bucket"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

var errCut = errors.New("the process has ended")

// cut is a bucket whose process ends before or after it has written, whenever bits of a number say so.
type cut struct {
	bucket.Bucket
	at   *uint64
	tick *int
	puts map[string]int
}

func (c *cut) end() bool {
	*c.tick++
	return bits.RotateLeft64(*c.at, -*c.tick)&1 == 1
}

func (c *cut) Put(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if c.end() {
		return errCut
	}
	if err := c.Bucket.Put(ctx, key, body, meta); err != nil {
		return err
	}
	c.puts[key]++
	if c.end() {
		return errCut
	}
	return nil
}

// TestCrashes: wherever the writing is cut off, before a file is in its bucket or between that and its record, the files are those that
// were planned, each event is in exactly one, and all of it verifies. On both engines.
func TestCrashes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := clocktest.At(morning)
		db := open(t, c)
		ctx, stop := context.WithCancel(t.Context())
		sealed := make(chan struct{})
		go func() { defer close(sealed); _ = db.RunSealer(ctx, "test") }()
		defer func() { stop(); <-sealed }()
		h := houseOf(t, db, c, t.TempDir())
		at, tick, puts := uint64(0xB5AD4ECEDA1CE2A9), 0, map[string]int{}
		h.worker.Buckets.Through = func(b bucket.Bucket) bucket.Bucket { return &cut{b, &at, &tick, puts} }
		h.begin("main", nil)
		cuts := 0
		for i := range 8 {
			h.happen(7)
			h.settle()
			h.clock.Advance(morning.Add(time.Duration(i+1) * 30 * time.Minute).Sub(h.clock.Now()))
			for err := h.worker.Drain(t.Context()); err != nil; err = h.worker.Drain(t.Context()) {
				if !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				cuts++
			}
		}
		at = 0
		h.at(morning.Add(6 * time.Hour))
		r := h.sound()
		twice := 0
		for _, n := range puts {
			if n > 1 {
				twice++
			}
		}
		if cuts < 10 || twice < 3 || r.Events < 1+8*8 || r.Events > 1+8*8+1 { // StartLogging; perhaps that a key was made
			t.Errorf("%d cuts, %d files written twice, %d events", cuts, twice, r.Events)
		}
		if keys := h.objects(); len(keys) != len(puts) || slices.ContainsFunc(keys, func(k string) bool { return strings.Contains(k, "tmp") }) {
			t.Errorf("%d files written, there are %q", len(puts), keys)
		}
	})
}

// settle waits until all events are in the log: on PostgreSQL the sealer brings them there.
func (h *house) settle() {
	h.Helper()
	e := &audit.Event{EventName: "Settle", EventSource: "test"}
	h.update(e.Store)
	for there := false; !there; time.Sleep(time.Millisecond) {
		err := h.db.View(h.Context(), func(tx *store.Tx) error {
			all, err := tx.AuditLog(0, 1000)
			there = slices.ContainsFunc(all, func(s store.SealedEvent) bool { return s.ID == e.EventID })
			return err
		})
		if err != nil {
			h.Fatal(err)
		}
	}
}

// TestFilesAreVerified: what is wrong with a trail's files is an event and in its record, and told again until it is right.
func TestFilesAreVerified(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.in.TrailVerifyEvery = 24 * time.Hour
	h.begin("main", nil)
	h.happen(3)
	h.at(morning.Add(2 * time.Hour))
	told := func() (n int) {
		err := h.db.View(t.Context(), func(tx *store.Tx) error {
			all, err := tx.AuditLog(0, 1000)
			for _, e := range all {
				if strings.Contains(string(e.JSON), `"TrailValidationFailed"`) {
					n++
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	h.at(morning.Add(25 * time.Hour))
	if told() != 0 {
		t.Error("sound files were told to be wrong")
	}
	victim := h.objects()[3]
	o, err := h.bucket().Get(t.Context(), victim)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := h.bucket().Delete(t.Context(), victim); err != nil {
		t.Fatal(err)
	}
	h.at(morning.Add(50 * time.Hour))
	if n := told(); n != 1 {
		t.Errorf("told %d times", n)
	}
	h.at(morning.Add(51 * time.Hour))
	h.at(morning.Add(75 * time.Hour))
	if n := told(); n != 2 {
		t.Errorf("told %d times", n)
	}
}
