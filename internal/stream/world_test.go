package stream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/stream"
)

const secret = "a-secret-of-the-receiver"

// world is a log, and a worker that ships it. No time passes but by the clock.
type world struct {
	t      testing.TB
	db     *store.DB
	clock  *clocktest.Clock
	ring   *keyring.Ring
	worker *stream.Worker
	n      int
}

func newWorld(t testing.TB) *world { return newWorldOn(t, storetest.Open) }

func newWorldOn(t testing.TB, open func(testing.TB, clock.Clock) *store.DB) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))}
	w.db = open(t, w.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	if w.ring, err = keyring.Open(t.Context(), w.db, kek); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		return tx.InsertInstance(store.Instance{
			ID: "ssoins-1234567890abcdef", StoreID: "d-1234567890", Owner: "999900000001", Name: "test", Region: "eu-central-1", Status: "ACTIVE", CreatedAt: tx.Now(),
		})
	})
	w.worker = w.newWorker("one")
	return w
}

func (w *world) newWorker(owner string) *stream.Worker {
	return &stream.Worker{DB: w.db, Keys: w.ring, Owner: owner, Log: slog.New(slog.DiscardHandler), Pause: time.Second}
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.View(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// happen records events, on SQLite into the log at once.
func (w *world) happen(n int) {
	w.t.Helper()
	all := make([]*audit.Event, n)
	for i := range all {
		w.n++
		all[i] = &audit.Event{EventName: fmt.Sprint("Event", w.n), EventSource: "sso.amazonaws.com", ReadOnly: w.n%2 == 0}
	}
	if err := audit.Record(w.t.Context(), w.db, all...); err != nil {
		w.t.Fatal(err)
	}
}

// add makes a webhook.
func (w *world) add(name, address string, fromStart bool, more func(*stream.Change)) store.EventSink {
	w.t.Helper()
	c := stream.Change{Name: &name, Address: &address, Secret: new(secret)}
	if more != nil {
		more(&c)
	}
	var made store.EventSink
	w.update(func(tx *store.Tx) (err error) {
		made, err = stream.Create(tx, w.ring, stream.Webhook, c, fromStart, "test")
		return err
	})
	return made
}

func (w *world) sink(id string) (s store.EventSink) {
	w.t.Helper()
	w.view(func(tx *store.Tx) (err error) { s, err = tx.EventSink(id); return err })
	return s
}

func (w *world) drain() {
	w.t.Helper()
	if err := w.worker.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// told counts the events of the log that are about sinks.
func (w *world) told() map[string]int {
	w.t.Helper()
	names := map[string]int{}
	w.view(func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 10_000)
		for _, e := range all {
			for _, name := range []string{"EventSinkFailing", "EventSinkRecovered", "EventSinkRefused"} {
				if slices.Contains(fields(e.JSON), name) {
					names[name]++
				}
			}
		}
		return err
	})
	return names
}

// fake is a sink that does as a test says.
type fake struct {
	mu     sync.Mutex
	do     func(ctx context.Context, batch []store.SealedEvent) error
	asked  [][]int64 // numbers of each batch that it was given
	got    []int64   // and of what it has taken
	closed int
}

func (f *fake) Name() string { return "fake" }

func (f *fake) Close() error { f.closed++; return nil }

func (f *fake) Write(ctx context.Context, batch []store.SealedEvent) error {
	f.mu.Lock()
	f.asked = append(f.asked, seqs(batch))
	do := f.do
	f.mu.Unlock()
	var err error
	if do != nil {
		err = do(ctx, batch)
	}
	r := (*audit.Refused)(nil)
	if err != nil && !errors.As(err, &r) {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range batch {
		if r == nil || !slices.Contains(r.Seqs, e.Seq) {
			f.got = append(f.got, e.Seq)
		}
	}
	return err
}

func (f *fake) will(do func(ctx context.Context, batch []store.SealedEvent) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.do = do
}

func (f *fake) has() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

func (w *world) use(f audit.Sink) {
	w.worker.Open = func(stream.Config) (audit.Sink, error) { return f, nil }
}

func seqs(batch []store.SealedEvent) (out []int64) {
	for _, e := range batch {
		out = append(out, e.Seq)
	}
	return out
}

func upTo(from, to int64) (out []int64) {
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

// fields are the quoted words of a JSON text.
func fields(json []byte) (out []string) {
	word, in := []byte{}, false
	for _, c := range json {
		switch {
		case c == '"' && in:
			out, word, in = append(out, string(word)), word[:0], false
		case c == '"':
			in = true
		case in:
			word = append(word, c)
		}
	}
	return out
}
