package scim_test

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/scim"
)

func (w *world) reminder(node string) *scim.Reminder {
	return &scim.Reminder{DB: w.db, Owner: "111122223333", Region: "us-east-1", Node: node, Log: slog.New(slog.DiscardHandler)}
}

// TestReminders: of a token's end is reminded weekly from 90 days before on, daily in the last two weeks, each time once.
func TestReminders(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) { // its token is good for 365 days
		const day = 24 * time.Hour
		var got []int
		w.clock.Advance(270 * day)
		for hour := 0; hour <= 97*24; hour += 6 {
			for range 2 {
				n, err := w.reminder("one").Remind(t.Context())
				if err != nil || n > 1 {
					t.Fatal(n, err)
				}
				if n == 1 {
					got = append(got, 95-hour/24)
				}
			}
			w.clock.Advance(6 * time.Hour)
		}
		want := []int{90, 83, 76, 69, 62, 55, 48, 41, 34, 27, 20, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}
		if !slices.Equal(got, want) {
			t.Errorf("reminded %v days before the end", got)
		}
		events := w.details("ScimTokenExpiring")
		if len(events) != len(want) {
			t.Fatalf("%d events", len(events))
		}
		for i, e := range events {
			if e["source"] != tenant || e["tokenId"] == nil || e["expiresAt"] != "2027-11-25T09:00:00Z" || e["daysLeft"] != float64(want[i]) {
				t.Errorf("event %v", e)
			}
		}
	})
}

// TestRemindersAfterDowntime: what fell due while nobody was there is one reminder, and the next comes when it would have.
func TestRemindersAfterDowntime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	w := newWorld(t, "STRICT")
	var got []string
	for _, step := range []time.Duration{270 * day, 5 * day, 40 * day, 0, day, day, day, day, 39 * day, 6*day + time.Hour, 0, 23 * time.Hour} {
		w.clock.Advance(step)
		n, err := w.reminder("one").Remind(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d:%d", scim.DaysLeft(time.Date(2027, 11, 25, 9, 0, 0, 0, time.UTC), w.clock.Now()), n))
	}
	if want := []string{"95:0", "90:1", "50:1", "50:0", "49:0", "48:1", "47:0", "46:0", "7:1", "1:1", "1:0", "0:0"}; !slices.Equal(got, want) {
		t.Errorf("days left and reminders: %v", got)
	}
}

// TestOneReminds: of many nodes one reminds.
func TestOneReminds(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		w.clock.Advance(300 * 24 * time.Hour)
		var sum atomic.Int32
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for range 5 {
					n, err := w.reminder(fmt.Sprint(i)).Remind(t.Context())
					if err != nil {
						t.Error(err)
					}
					sum.Add(int32(n))
				}
			})
		}
		all.Wait()
		if n := len(w.details("ScimTokenExpiring")); sum.Load() != 1 || n != 1 {
			t.Errorf("%d reminders, %d events", sum.Load(), n)
		}
	})
}
