package trail_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/bucket"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/trailfile"
)

const aDay = 24 * time.Hour

// days lets days pass, with events and digests twice a day.
func (h *house) days(n int) {
	h.Helper()
	for range 2 * n {
		h.happen(3)
		h.settle()
		h.at(h.clock.Now().Add(aDay / 2))
	}
}

// told counts the events of a name, and returns the details of the last.
func (h *house) told(name string) (n int, details map[string]any) {
	h.Helper()
	h.settle()
	err := h.db.View(h.Context(), func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 10_000)
		for _, e := range all {
			var event struct {
				EventName           string
				ServiceEventDetails map[string]any
			}
			if err := json.Unmarshal(e.JSON, &event); err != nil {
				return err
			}
			if event.EventName == name {
				n, details = n+1, event.ServiceEventDetails
			}
		}
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
	return n, details
}

// online is what a verification finds that knows what the server does.
func (h *house) online(name string) *trailfile.Report {
	h.Helper()
	var t store.LogTrail
	err := h.db.View(h.Context(), func(tx *store.Tx) (err error) { t, err = tx.TrailByName(name); return err })
	if err != nil {
		h.Fatal(err)
	}
	t.VerifiedAt = time.Time{} // all of it
	r, err := h.worker.Verify(h.Context(), t, h.in, nil)
	if err != nil {
		h.Fatal(err)
	}
	return r
}

// both sees that files verify with and without the server, and returns the notes of the latter.
func (h *house) both() string {
	h.Helper()
	for _, f := range h.online("main").Faults {
		h.Errorf("by what the server knows: %s", f)
	}
	return strings.Join(h.sound().Notes, "\n")
}

func digestsOf(keys []string) (list []string) {
	for _, k := range keys {
		if strings.Contains(k, "-Digest_") {
			list = append(list, k)
		}
	}
	return list
}

// TestPruneFiles: old files go, oldest first and once an event that tells of it is in a digest; the rest verifies, with the server and by
// the event alone. What else is missing is still found. On both engines.
func TestPruneFiles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := clocktest.At(morning)
		db := open(t, c)
		ctx, stop := context.WithCancel(t.Context())
		sealed := make(chan struct{})
		go func() { defer close(sealed); _ = db.RunSealer(ctx, "test") }()
		defer func() { stop(); <-sealed }()
		h := houseOf(t, db, c, t.TempDir())
		h.in.TrailRetention, h.in.TrailDigestEvery = 7*aDay, aDay/2
		h.begin("main", nil)
		h.days(7)
		all := h.objects()
		if n, _ := h.told(trailfile.PruneEvent); n != 0 || len(digestsOf(all)) < 14 {
			t.Fatalf("%d events in the first week, %d files", n, len(all))
		}
		h.days(1)
		n, said := h.told(trailfile.PruneEvent)
		if n != 1 || !slices.Contains(all, said["digestS3Object"].(string)) || said["policy"] != "trail.retention=7d" {
			t.Fatalf("%d events, %v", n, said)
		}
		for _, k := range all {
			if !slices.Contains(h.objects(), k) {
				t.Errorf("%s is gone, and the event of that in no digest", k)
			}
		}
		h.both()
		h.days(2)
		left := h.objects()
		if left[0] <= digestsOf(all)[1] {
			t.Errorf("the oldest digest is still %s", left[0])
		}
		if notes := h.both(); !strings.Contains(notes, "was deleted by policy (trail.retention=7d), as the event PruneTrailFiles ") {
			t.Errorf("notes: %s", notes)
		}
		digests := digestsOf(left) // of which the first two are to go next, and the third may
		for _, victim := range []string{digests[3], digests[5], left[len(left)-3]} {
			o := h.taken(victim)
			want := map[bool]string{true: trailfile.DigestMissing, false: trailfile.LogMissing}[strings.Contains(victim, "-Digest_")]
			for _, r := range []*trailfile.Report{h.online("main"), h.run(h.check())} {
				if !slices.ContainsFunc(r.Faults, func(f trailfile.Fault) bool { return f.Kind == want }) {
					t.Errorf("without %s: %v %q %d", victim, r.Faults, r.Notes, r.Gone)
				}
			}
			o()
		}
		h.both()
	})
}

// taken takes a file away, until what it returns is called.
func (h *house) taken(key string) (back func()) {
	h.Helper()
	c := &crime{T: h.T, b: h.bucket()}
	_, meta := c.get(key)
	body := c.raw(key)
	c.remove(key)
	return func() { c.putRaw(key, body, meta) }
}

// scissors is a bucket whose process ends before or after it has deleted, as a function says.
type scissors struct {
	bucket.Bucket
	end func() bool
}

func (s scissors) Delete(ctx context.Context, key string) error {
	if s.end() {
		return errCut
	}
	if err := s.Bucket.Delete(ctx, key); err != nil || !s.end() {
		return err
	}
	return errCut
}

// TestPruneCrashes: wherever the deleting is cut off, before a file goes or between that and its record, what is there verifies, with the
// server and without, and in the end no more and no less is gone.
func TestPruneCrashes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.in.TrailDigestEvery = aDay / 2
	h.begin("main", nil)
	h.days(12)
	h.in.TrailRetention = 7 * aDay
	h.write() // it is planned, and told of by the next digest
	cuts, calls := 0, 0
	h.worker.Buckets.Through = func(b bucket.Bucket) bucket.Bucket {
		return scissors{b, func() bool { calls++; return calls%5 == 1 || calls%7 == 6 }}
	}
	before := len(h.objects())
	h.clock.Advance(aDay / 2)
	for err := h.worker.Drain(t.Context()); err != nil; err = h.worker.Drain(t.Context()) {
		if cuts++; !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		h.both()
	}
	n, said := h.told(trailfile.PruneEvent)
	if gone := before + 2 - len(h.objects()); cuts < 5 || n != 1 || gone != int(said["files"].(float64)) { // a log file and a digest came
		t.Errorf("%d cuts, %d of %d files are gone, %v", cuts, gone, before, said)
	}
	if left, last := digestsOf(h.objects()), said["digestS3Object"].(string); left[0] <= last {
		t.Errorf("%s is left, and all up to %s was to go", left[0], last)
	}
	h.both()
}

// TestPruneHolds: nothing is deleted in which something is wrong, and that is told once a day; when it is right again, it goes.
func TestPruneHolds(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{0, aDay} {
		h := newHouse(t, morning)
		h.in.TrailRetention, h.in.TrailDigestEvery = 7*aDay, aDay/2
		h.begin("main", nil)
		h.days(6)
		h.in.TrailVerifyEvery = every // what was wrong since is older than what the next verification looks at
		c := &crime{T: t, b: h.bucket()}
		victim := h.objects()[len(digestsOf(h.objects()))] // the oldest log file
		plain, _ := c.get(victim)
		c.put(victim, []byte(strings.Replace(string(plain), "Event1", "Event2", 1)), nil)
		before := h.objects()
		h.days(4)
		if n, _ := h.told("TrailValidationFailed"); n < 1 || n > 4 {
			t.Errorf("told %d times", n)
		}
		for _, k := range before {
			if !slices.Contains(h.objects(), k) {
				t.Fatalf("%s is gone", k)
			}
		}
		c.put(victim, plain, nil)
		h.days(3)
		if n, _ := h.told(trailfile.PruneEvent); n == 0 || slices.Contains(h.objects(), victim) {
			t.Errorf("%d deletions when it was right again", n)
		}
		h.both()
	}
}

// TestPruneOwnRule: where the bucket's own rule deletes, in any order, what is older than the setting may be missing, and no more.
func TestPruneOwnRule(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.in.TrailRetention, h.in.TrailDigestEvery = 7*aDay, aDay/2
	h.begin("main", nil)
	h.days(7)
	c := &crime{T: t, b: h.bucket()}
	for _, k := range h.objects() {
		if strings.Contains(k, "20260302T12") || strings.Contains(k, "20260302T20") || strings.Contains(k, "20260303T08") {
			c.remove(k)
		}
	}
	h.clock.Advance(aDay)
	if r := h.online("main"); len(r.Faults) > 0 || r.Gone != 2 { // a digest, and a log file that one lists which is there
		t.Errorf("%d gone, %v", r.Gone, r.Faults)
	}
	h.write()
	if n, said := h.told(trailfile.PruneEvent); n != 1 || said["digests"] != 1.0 || said["files"] != 0.0 {
		t.Errorf("%d deletions, %v", n, said)
	}
	h.days(2)
	h.both()
	h.in.TrailRetention = 8 * aDay
	digests := digestsOf(h.objects())
	back := h.taken(digests[2])
	if r := h.online("main"); len(r.Faults) == 0 {
		t.Errorf("%s is missing, and too new for the rule", digests[2])
	}
	back()
}

// TestPruneAnchor: the oldest digest must be the one that follows on what was deleted.
func TestPruneAnchor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.in.TrailRetention, h.in.TrailDigestEvery = 7*aDay, aDay/2
	h.begin("main", nil)
	h.days(10)
	h.in.TrailRetention = 0
	h.days(1) // what was planned is gone
	h.both()
	change := func(fn func(*store.TrailAnchor)) {
		h.update(func(tx *store.Tx) error {
			id, err := tx.TrailByName("main")
			if err != nil {
				return err
			}
			a, err := tx.TrailAnchor(id.ID)
			fn(&a)
			return errors.Join(err, tx.PutTrailAnchor(a))
		})
	}
	for want, fn := range map[string]func(a *store.TrailAnchor){
		trailfile.ChainBroken:   func(a *store.TrailAnchor) { a.Signature, a.Hash = a.Hash, a.Signature },
		trailfile.EventsChanged: func(a *store.TrailAnchor) { a.ToHash = append([]byte{^a.ToHash[0]}, a.ToHash[1:]...) },
		trailfile.DigestMissing: func(a *store.TrailAnchor) { a.Key = strings.Replace(a.Key, "T120000Z", "T000000Z", 1) },
	} {
		var was store.TrailAnchor
		change(func(a *store.TrailAnchor) { was = *a; fn(a) })
		if r := h.online("main"); !slices.ContainsFunc(r.Faults, func(f trailfile.Fault) bool { return f.Kind == want }) {
			t.Errorf("want %s: %v", want, r.Faults)
		}
		change(func(a *store.TrailAnchor) { *a = was })
	}
	h.both()
}

// TestPruneOthers: files that no digest lists, and files that are not ours, stay; those of a trail that is gone go wholly.
func TestPruneOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.in.TrailRetention, h.in.TrailDigestEvery = 7*aDay, aDay/2
	h.begin("silent", func(s *store.TrailSpec) { s.Validation, s.Prefix = false, "silent" })
	h.begin("main", nil)
	h.days(1)
	h.call("DeleteTrail", func(tx *store.Tx, id string) error { return h.worker.House.Delete(tx, "main", id) })
	h.days(1)
	old := h.objects()
	foreign := digestsOf(old)[0] + ".old"
	(&crime{T: t, b: h.bucket()}).putRaw(foreign, []byte("x"), nil)
	h.begin("main", nil)
	h.days(9)
	left := h.objects()
	if !slices.Contains(left, foreign) {
		t.Error("a file that is not ours is gone")
	}
	for _, k := range old {
		if ours := strings.HasPrefix(k, "AWSLogs/"); slices.Contains(left, k) == ours {
			t.Errorf("%s: there is %v", k, !ours)
		}
	}
	(&crime{T: t, b: h.bucket()}).remove(foreign)
	for _, f := range h.online("main").Faults {
		t.Errorf("fault: %s", f)
	}
}
