package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

func TestRepeatsAreAddedToAnAlert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule("each", "A")
	w.rule("some", "B", func(r *store.AlertRule) {
		r.DedupWindow, r.DedupKey = time.Hour, []string{"detail.sourceIPAddress"}
	})
	w.event("A", "192.0.2.1")
	w.event("A", "192.0.2.1")
	w.want("without a key", 2, 0)
	w.event("B", "192.0.2.1")
	w.event("B", "192.0.2.1")
	w.event("B", "192.0.2.2")
	w.want("one for each address", 4, 1)
	w.find()
	w.want("nothing new", 4, 1)
	w.clock.Advance(time.Hour - time.Second)
	w.event("B", "192.0.2.1")
	w.want("just within the hour", 4, 2)
	w.clock.Advance(time.Second)
	w.event("B", "192.0.2.1")
	w.want("after it", 5, 2)
	w.update(func(tx *store.Tx) error { _, err := Close(tx, w.alerts()[0].ID, "done", "me"); return err })
	w.event("B", "192.0.2.1")
	w.want("after it was closed", 6, 2)
}

// TestFlood: a rule that wants everything makes so many alerts in a minute, and adds the others to the last.
func TestFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule("all", "A")
	for range maxPerMinute + 40 {
		w.event("A", "192.0.2.1")
	}
	w.want("in a minute", maxPerMinute, 40)
	w.clock.Advance(time.Minute)
	w.event("A", "192.0.2.1")
	w.want("in the next one", maxPerMinute+1, 40)
}

func TestSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule("a", "A", func(r *store.AlertRule) { r.DedupWindow = time.Hour })
	w.target("hook", Webhook, "http://127.0.0.1:1/")
	sent := func(about string, want int) {
		t.Helper()
		w.find()
		n := 0
		for _, a := range w.alerts() {
			err := w.db.View(t.Context(), func(tx *store.Tx) error {
				all, err := tx.DeliveriesOf(a.ID)
				n += len(all)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n != want {
			t.Errorf("%s: %d are sent, want %d", about, n, want)
		}
	}
	var s store.AlertSilence
	w.event("A", "192.0.2.9") // before the silence is made, though it is found after
	w.update(func(tx *store.Tx) (err error) {
		s, err = Silence(tx, "a", `{"detail":{"sourceIPAddress":[{"cidr":"192.0.2.0/24"}]}}`, tx.Now().Add(time.Hour), "works", "me")
		return err
	})
	sent("made before", 1)
	w.update(func(tx *store.Tx) error { _, err := Close(tx, w.alerts()[0].ID, "", "me"); return err })
	w.event("A", "192.0.2.1")
	sent("silenced", 1)
	if a := w.alerts()[0]; a.SilenceID != s.ID {
		t.Errorf("alert %+v is not silenced", a)
	}
	w.event("A", "198.51.100.1")
	sent("of another address", 2)
	w.update(func(tx *store.Tx) error { _, err := Close(tx, w.alerts()[0].ID, "", "me"); return err })
	w.clock.Advance(time.Hour - time.Second)
	w.event("A", "192.0.2.1")
	sent("just before its end", 2)
	w.clock.Advance(2 * time.Second)
	w.event("A", "192.0.2.1") // of the same key as the silenced one, which nobody was told of
	sent("after its end", 3)

	for _, bad := range []struct {
		rule, pattern string
		life          time.Duration
	}{{"", "", time.Hour}, {"a", "", 0}, {"a", "", maxSilence + 1}, {"a", "{}", time.Hour}, {"no", "", time.Hour}} {
		err := w.db.Update(t.Context(), func(tx *store.Tx) error {
			_, err := Silence(tx, bad.rule, bad.pattern, tx.Now().Add(bad.life), "x", "me")
			return err
		})
		if k := fault.KindOf(err); k != fault.Invalid && k != fault.NotFound {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestThresholdEdges: a window is what lies less than its length before an event, whatever clocks on walls do.
func TestThresholdEdges(t *testing.T) {
	t.Parallel()
	at := func(text string) func(*audit.Event) { return func(e *audit.Event) { e.EventTime = text } }
	for name, c := range map[string]struct {
		times []string
		want  int
	}{
		"within":                        {[]string{"2026-10-24T21:00:00Z", "2026-10-24T21:04:30Z", "2026-10-24T21:09:59Z"}, 1},
		"exactly the window":            {[]string{"2026-10-24T21:00:00Z", "2026-10-24T21:05:00Z", "2026-10-24T21:10:00Z"}, 0},
		"out of order":                  {[]string{"2026-10-24T21:09:00Z", "2026-10-24T21:01:00Z", "2026-10-24T21:05:00Z"}, 1},
		"late, in an older window":      {[]string{"2026-10-24T20:00:00Z", "2026-10-24T21:00:00Z", "2026-10-24T20:01:00Z"}, 0},
		"the hour that comes twice":     {[]string{"2026-10-25T02:55:00+02:00", "2026-10-25T02:58:00+02:00", "2026-10-25T02:03:00+01:00"}, 1},
		"the hour that comes twice, no": {[]string{"2026-10-25T02:05:00+02:00", "2026-10-25T02:06:00+02:00", "2026-10-25T02:07:00+01:00"}, 0},
		"a leap second":                 {[]string{"2016-12-31T23:59:58Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"}, 0}, // its own time cannot be read: the record's counts
		"over the leap second":          {[]string{"2016-12-31T23:59:58Z", "2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z"}, 1},
		"the future":                    {[]string{"2999-01-01T00:00:00Z", "2026-10-25T03:59:58Z", "2026-10-25T03:59:59Z"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.clock.Advance(6 * time.Hour)
			w.rule("three", "A", func(r *store.AlertRule) {
				r.Count, r.Window, r.GroupBy = 3, 10*time.Minute, []string{"detail.sourceIPAddress"}
			})
			for _, text := range c.times {
				w.event("A", "192.0.2.1", at(text))
				w.event("A", "192.0.2.2")
				w.clock.Advance(time.Hour) // of the other address there is one in each hour
				w.find()                   // so that counts are kept in between
			}
			w.want("", c.want, 0)
		})
	}
}

func TestThresholdOfDifferentValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule("users", "A", func(r *store.AlertRule) {
		r.Count, r.Window, r.GroupBy, r.Distinct = 3, time.Minute, []string{"detail.sourceIPAddress"}, "detail.userAgent"
	})
	agent := func(name string) func(*audit.Event) { return func(e *audit.Event) { e.UserAgent = name } }
	for range 5 {
		w.event("A", "192.0.2.1", agent("one"))
		w.event("A", "192.0.2.1", agent("two"))
	}
	w.want("two", 0, 0)
	ids := []string{w.event("A", "192.0.2.1", agent("one")), w.event("A", "192.0.2.1", agent("two")), w.event("A", "192.0.2.1", agent("three"))}
	w.want("three", 1, 0)
	if got := w.alerts()[0].EventIDs; !slices.Equal(got, ids) {
		t.Errorf("events %v, want %v", got, ids)
	}
	w.event("A", "192.0.2.1", agent("one"))
	w.want("and on", 1, 1)
	w.clock.Advance(time.Minute)
	w.event("A", "192.0.2.1", agent("one"))
	w.want("in the next minute", 1, 1)
}

// TestLostLease: whoever has lost the lease stores nothing, and who has it now finds everything once.
func TestLostLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule("a", "A")
	w.rule("two", "A", func(r *store.AlertRule) { r.Count, r.Window = 2, time.Hour })
	w.event("A", "192.0.2.1")
	w.find()
	l, err := w.db.AcquireLease(t.Context(), leaseName, "a", lease)
	if err != nil {
		t.Fatal(err)
	}
	w.event("A", "192.0.2.1")
	w.clock.Advance(lease + time.Second) // it hangs
	b := w.node("b")
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.step(t.Context(), l); !errors.Is(err, store.ErrLost) {
		t.Errorf("the slow one goes on: %v", err)
	}
	w.want("both", 3, 0)
}

// TestNodesThatDie: four processes evaluate, and die at any moment, while events come. Each event has its alert once, and the threshold that
// they reach together is counted right.
func TestNodesThatDie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule("each", "A", func(r *store.AlertRule) { r.Pattern = `{"detail":{"eventName":["A"],"userAgent":["alert"]}}` })
	w.rule("all", "A", func(r *store.AlertRule) { r.Count, r.Window = 300, 24*time.Hour })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan struct{})
	go func() { // a node after the other, each killed without giving the lease back
		defer close(done)
		for i := 0; ctx.Err() == nil; i++ {
			dying, kill := context.WithTimeout(ctx, time.Duration(i%7)*3*time.Millisecond)
			e := w.node(fmt.Sprint("node", i%4))
			if l, err := w.db.AcquireLease(dying, leaseName, e.Owner, lease); err == nil && e.begin(dying) == nil {
				for err == nil && dying.Err() == nil {
					_, err = e.step(dying, l)
				}
			}
			kill()
			w.clock.Advance(lease) // so that the next one gets it
		}
	}()
	for i := range 300 {
		w.event("A", "192.0.2.1", func(e *audit.Event) {
			if e.UserAgent = "none"; i%10 == 0 {
				e.UserAgent = "alert"
			}
		})
	}
	stop()
	<-done
	w.clock.Advance(lease)
	w.want("thirty and one", 31, 0)
}

// TestChangedRules: an event is held against the rules as they were when it happened, so that who turns one off is told of.
func TestChangedRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule("a", "A")
	w.find()
	w.clock.Advance(time.Hour)
	w.event("A", "192.0.2.1")
	w.update(func(tx *store.Tx) error { // the event of the change itself is in the same transaction
		_, err := EnableRule(tx, "a", false, "mallory")
		e := &audit.Event{EventName: "A"}
		return errors.Join(err, e.Store(tx))
	})
	w.rule("a", "B")
	w.event("A", "192.0.2.1")
	w.want("before it was off", 2, 0)
	w.event("B", "192.0.2.1")
	w.want("as it is now", 3, 0)
}

func TestRefusedRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := store.AlertRule{Name: "x", Severity: Low, Enabled: true, Count: 1, Pattern: `{"source":["a"]}`}
	for name, change := range map[string]func(*store.AlertRule){
		"pattern":          func(r *store.AlertRule) { r.Pattern = "{}" },
		"severity":         func(r *store.AlertRule) { r.Severity = "URGENT" },
		"no count":         func(r *store.AlertRule) { r.Count = 0 },
		"large count":      func(r *store.AlertRule) { r.Count, r.Window = maxCount+1, time.Minute },
		"no window":        func(r *store.AlertRule) { r.Count = 2 },
		"long window":      func(r *store.AlertRule) { r.Count, r.Window = 2, maxWindow+1 },
		"needless window":  func(r *store.AlertRule) { r.Window = time.Minute },
		"needless group":   func(r *store.AlertRule) { r.GroupBy = []string{"a"} },
		"bad group":        func(r *store.AlertRule) { r.Count, r.Window, r.GroupBy = 2, time.Minute, []string{"a..b"} },
		"many groups":      func(r *store.AlertRule) { r.Count, r.Window, r.GroupBy = 2, time.Minute, make([]string, 6) },
		"bad key":          func(r *store.AlertRule) { r.DedupKey = []string{""} },
		"long repeat time": func(r *store.AlertRule) { r.DedupWindow = maxDedup + 1 },
	} {
		r := good
		change(&r)
		err := w.db.Update(t.Context(), func(tx *store.Tx) error { _, err := PutRule(tx, r, nil, "me"); return err })
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := w.db.Update(t.Context(), func(tx *store.Tx) error { _, err := PutRule(tx, good, []string{"nowhere"}, "me"); return err })
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("target: %v", err)
	}
}
