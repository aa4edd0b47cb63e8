package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/keyring"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// world is a database with rules, and what works on it.
type world struct {
	t     testing.TB
	clock *clocktest.Clock
	db    *store.DB
	keys  *keyring.Ring
	*Evaluator
	out *Deliverer
}

var began = time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC) // the night in which Europe's clocks go back

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.At(began)}
	w.db = storetest.Open(t, w.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	if w.keys, err = keyring.Open(t.Context(), w.db, kek); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	w.Evaluator = w.node("a")
	w.out = &Deliverer{
		DB: w.db, Keys: w.keys, Portal: "https://sso.example.org", Owner: "a", Log: quiet, Limit: 200 * time.Millisecond,
		Mail: &mail.Outbox{DB: w.db, Keys: w.keys, Log: quiet, Owner: "a", Server: &mail.Server{Address: "localhost:25", From: "a@example.org"}},
	}
	return w
}

func (w *world) node(name string) *Evaluator {
	return &Evaluator{DB: w.db, Owner: name, Log: slog.New(slog.DiscardHandler)}
}

func (w *world) update(f func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// rule adds a rule of events of a name.
func (w *world) rule(name, event string, change ...func(*store.AlertRule)) store.AlertRule {
	w.t.Helper()
	r := store.AlertRule{Name: name, Severity: High, Enabled: true, Count: 1, Pattern: fmt.Sprintf(`{"detail":{"eventName":[%q]}}`, event)}
	for _, f := range change {
		f(&r)
	}
	w.update(func(tx *store.Tx) (err error) { r, err = PutRule(tx, r, nil, "test"); return err })
	w.clock.Advance(time.Microsecond)
	return r
}

// event records an event of a name, from an address.
func (w *world) event(name, from string, change ...func(*audit.Event)) string {
	w.t.Helper()
	w.clock.Advance(time.Microsecond)
	e := &audit.Event{EventSource: "test.amazonaws.com", EventName: name, SourceIPAddress: from, EventID: arn.NewUUID()}
	for _, f := range change {
		f(e)
	}
	w.update(e.Store)
	return e.EventID
}

func (w *world) find() {
	w.t.Helper()
	if err := w.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// alerts lists what was found, the newest first.
func (w *world) alerts() (all []store.Alert) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) (err error) {
		all, _, err = tx.Alerts("", "", page.Query{Limit: 10_000})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// want compares how many alerts there are, and how many repeats.
func (w *world) want(about string, alerts, repeats int) {
	w.t.Helper()
	w.find()
	all := w.alerts()
	sum := 0
	for _, a := range all {
		sum += int(a.Repeats)
	}
	if len(all) != alerts || sum != repeats {
		b, _ := json.Marshal(all)
		w.t.Errorf("%s: %d alerts and %d repeats, want %d and %d: %s", about, len(all), sum, alerts, repeats, b)
	}
}

func (w *world) target(name, kind, place string) store.AlertTarget {
	w.t.Helper()
	var t store.AlertTarget
	w.update(func(tx *store.Tx) (err error) {
		t, err = PutTarget(tx, w.keys, Target{Name: name, Kind: kind, Place: place}, "test")
		return err
	})
	return t
}

func (w *world) deliver() {
	w.t.Helper()
	if err := w.out.Drain(context.WithoutCancel(w.t.Context())); err != nil {
		w.t.Fatal(err)
	}
}

func fromTrail(e *audit.Event) { e.EventSource = "cloudtrail.amazonaws.com" }
