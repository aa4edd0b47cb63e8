package trail_test

import (
	"testing"
	"time"

	"sallyport/internal/store"
	"sallyport/internal/trail"
)

var morning = time.Date(2026, 3, 2, 8, 20, 0, 0, time.UTC)

// TestHours: log files after five minutes, digests each hour, also of hours in which nothing happened; all of it verifies.
func TestHours(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.begin("main", nil)
	h.happen(10)
	h.write()
	if got := h.objects(); len(got) != 0 {
		t.Fatalf("written too early: %q", got)
	}
	h.at(morning.Add(6 * time.Minute))
	if got := h.objects(); len(got) != 1 {
		t.Fatalf("after five minutes: %q", got)
	}
	h.happen(3)
	h.at(morning.Add(40 * time.Minute)) // 09:00
	if got := h.objects(); len(got) != 3 {
		t.Fatalf("after the hour: %q", got)
	}
	h.at(morning.Add(4*time.Hour + time.Minute)) // 12:21: three more, of which two list nothing
	r := h.sound()
	if r.Digests != 4 || r.Logs < 2 || r.Events != 15 { // StartLogging, and that a key was made
		t.Errorf("%d digests, %d logs, %d events", r.Digests, r.Logs, r.Events)
	}
}

// TestStopAndStart: what happens while a trail is stopped is in none of its files; what happened before and after is, exactly.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.happen(5)
	h.begin("main", nil)
	h.happen(5)
	h.call("StopLogging", func(tx *store.Tx, id string) error { return h.worker.House.Stop(tx, "main", id) })
	h.happen(7)
	h.call("StartLogging", func(tx *store.Tx, id string) error { return h.worker.House.Start(tx, "main", id) })
	h.happen(2)
	h.write()
	h.at(morning.Add(time.Hour))
	r := h.sound()
	if r.Events != 1+5+1+1+2+1 { // the last is of the key that the closing digest needed: it came after StartLogging
		t.Errorf("%d events", r.Events)
	}
	h.call("DeleteTrail", func(tx *store.Tx, id string) error { return h.worker.House.Delete(tx, "main", id) })
	h.begin("main", nil)
	h.happen(2)
	h.at(morning.Add(2 * time.Hour))
	if r = h.sound(); r.Digests < 4 || len(r.Notes) == 0 {
		t.Errorf("%d digests, notes %q", r.Digests, r.Notes)
	}
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.AllTrails()
		if len(all) != 1 {
			t.Errorf("%d trails are left", len(all))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestNights: digests end at whole hours of UTC through daylight saving, leap days and the turn of years, each once.
func TestNights(t *testing.T) {
	t.Parallel()
	for _, start := range []time.Time{
		time.Date(2028, 2, 28, 22, 30, 0, 0, time.UTC), time.Date(2026, 12, 31, 21, 59, 59, 0, time.UTC), time.Date(2027, 2, 28, 22, 30, 0, 0, time.UTC),
		time.Date(2026, 3, 29, 0, 30, 0, 0, time.FixedZone("CET", 3600)), time.Date(2026, 10, 25, 0, 30, 0, 0, time.FixedZone("CEST", 7200)),
	} {
		h := newHouse(t, start)
		h.begin("main", nil)
		for i := range 5 {
			h.happen(2)
			h.at(start.Truncate(time.Hour).Add(time.Duration(i+1) * time.Hour))
		}
		if r := h.sound(); r.Digests != 5 {
			t.Errorf("%s: %d digests", start, r.Digests)
		}
	}
}

// TestSelectors: a trail has the events that its selectors take; its digests say that it is not whole, and verify.
func TestSelectors(t *testing.T) {
	t.Parallel()
	h := newHouse(t, morning)
	h.begin("main", nil)
	h.happen(4)
	h.at(morning.Add(6 * time.Minute))
	h.call("PutEventSelectors", func(tx *store.Tx, _ string) error {
		_, err := h.worker.House.SetSelectors(tx, "main", basicWrites(), nil)
		return err
	})
	h.happen(10)
	h.at(morning.Add(time.Hour))
	r := h.sound()
	if r.Events < 1+4+1+5 || r.Events > 1+4+1+5+2 {
		t.Errorf("%d events", r.Events)
	}
}

func basicWrites() []trail.BasicSelector { return []trail.BasicSelector{{ReadWriteType: "WriteOnly"}} }
