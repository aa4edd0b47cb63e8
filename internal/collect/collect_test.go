package collect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/collect"
	"sallyport/internal/credential"
	"sallyport/internal/keyring"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// world is a collector with a source, and the log of the deployment that is the source.
type world struct {
	*collect.Collector
	t      *testing.T
	clock  *clocktest.Clock
	source store.EventSource
	secret credential.Secret
	theirs []store.SealedEvent
}

func newWorld(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.At(time.Unix(1_800_000_000, 0))}
	db := open(t, w.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	w.Collector = &collect.Collector{DB: db, Keys: ring, Log: slog.New(slog.DiscardHandler), Region: "us-east-1", Owner: "111122223333"}
	w.update(func(tx *store.Tx) (err error) {
		w.source, w.secret, err = collect.Create(tx, ring, "branch", "test")
		return err
	})
	w.theirs = log(t, 40)
	return w
}

// log is the sealed log of another deployment.
func log(t *testing.T, n int) (all []store.SealedEvent) {
	t.Helper()
	db := storetest.Open(t, clocktest.At(time.Unix(1_790_000_000, 0)))
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			if err := (&audit.Event{EventName: fmt.Sprintf("Event%d", i), EventSource: "test"}).Store(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = db.View(t.Context(), func(tx *store.Tx) error { all, err = tx.AuditLog(0, n); return err })
	}
	if err != nil || len(all) != n {
		t.Fatalf("%d events, %v", len(all), err)
	}
	return all
}

func (w *world) update(f func(*store.Tx) error) {
	w.t.Helper()
	if err := w.DB.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func body(batch []store.SealedEvent) []byte {
	var b bytes.Buffer
	for _, e := range batch {
		line, err := format.CloudTrail{}.Format(e)
		if err != nil {
			panic(err) // no event of ours is no object
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

// post sends a body with a signature that was made at a time, and returns the status and what is said.
func (w *world) post(id, secret string, at time.Time, body []byte) (int, string) {
	r := httptest.NewRequest(http.MethodPost, collect.Base+id, bytes.NewReader(body))
	r.Header.Set(outbound.SignatureHeader, outbound.Sign(secret, at, body))
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

func (w *world) send(batch []store.SealedEvent) (int, string) {
	return w.post(w.source.ID, string(w.secret), w.clock.Now(), body(batch))
}

// expect sends a batch, and holds the answer and what is kept afterwards against what is wanted.
func (w *world) expect(batch []store.SealedEvent, status int, says string, kept int) {
	w.t.Helper()
	if got, said := w.send(batch); got != status || !strings.Contains(said, says) {
		w.t.Fatalf("%d %s; want %d with %q", got, said, status, says)
	}
	if got := w.kept(); len(got) != kept {
		w.t.Fatalf("%d events are kept, want %d", len(got), kept)
	}
}

func (w *world) kept() (all []store.SealedEvent) {
	w.t.Helper()
	err := w.DB.View(w.t.Context(), func(tx *store.Tx) (err error) {
		all, err = tx.CollectedAfter(w.source.ID, 0, 1000)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// alarms counts the events that say that the chain is broken.
func (w *world) alarms() (n int) {
	w.t.Helper()
	err := w.DB.View(w.t.Context(), func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 1000)
		for _, e := range all {
			n += bytes.Count(e.JSON, []byte(`"CollectedChainBroken"`))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestTake: what a sink sends is kept once and as it was, however often it comes.
func TestTake(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorld(t, open)
		w.expect(w.theirs[:3], 200, `{"accepted":3,"duplicates":0,"lastSequence":3}`, 3)
		w.expect(w.theirs[:3], 200, `{"accepted":0,"duplicates":3,"lastSequence":3}`, 3)
		w.expect(w.theirs[1:5], 200, `{"accepted":2,"duplicates":2,"lastSequence":5}`, 5)
		var many sync.WaitGroup
		for range 8 {
			many.Go(func() {
				for i := 5; i < len(w.theirs); i += 5 {
					for {
						if status, _ := w.send(w.theirs[i : i+5]); status == 200 {
							break
						}
					}
				}
			})
		}
		many.Wait()
		got := w.kept()
		if len(got) != len(w.theirs) {
			t.Fatalf("%d events are kept, want %d", len(got), len(w.theirs))
		}
		for i, e := range w.theirs {
			if got[i].Seq != e.Seq || got[i].ID != e.ID || !bytes.Equal(got[i].JSON, e.JSON) || !bytes.Equal(got[i].Hash, e.Hash) {
				t.Fatalf("event %d is kept as %s", e.Seq, got[i].JSON)
			}
		}
	})
}

// TestArrays of events are taken as lines are, and the test of a sink is nothing.
func TestArrays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open)
	test, err := (&audit.Event{EventName: "EventSinkTest"}).Unsealed(w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.expect([]store.SealedEvent{test}, 200, `"accepted":0`, 0)
	var raw []json.RawMessage
	for _, e := range w.theirs[:2] {
		raw = append(raw, bytes.TrimSpace(body([]store.SealedEvent{e})))
	}
	array := append(append([]byte("["), bytes.Join([][]byte{raw[0], raw[1]}, []byte(",\n"))...), ']')
	if status, said := w.post(w.source.ID, string(w.secret), w.clock.Now(), array); status != 200 || !strings.Contains(said, `"accepted":2`) {
		t.Errorf("%d %s", status, said)
	}
}

// TestBrokenChains are refused whole, are on record once, and heal when what is missing comes.
func TestBrokenChains(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(theirs []store.SealedEvent) []store.SealedEvent // what is sent after the first ten
		says   string
	}{
		"left out": {func(l []store.SealedEvent) []store.SealedEvent { return l[12:15] }, "those between are missing"},
		"changed": {func(l []store.SealedEvent) []store.SealedEvent {
			l[11].JSON = bytes.Replace(l[11].JSON, []byte("Event11"), []byte("Event99"), 1)
			return l[10:15]
		}, "one of them was changed"},
		"changed with its hash": {func(l []store.SealedEvent) []store.SealedEvent {
			l[11].Hash = bytes.Repeat([]byte{1}, 32)
			return l[10:15]
		}, "one of them was changed"},
		"another past": {func(l []store.SealedEvent) []store.SealedEvent {
			l[9].JSON = bytes.Replace(l[9].JSON, []byte("Event9"), []byte("Event0"), 1)
			return l[9:15]
		}, "the source's log was rewritten"},
		"other order": {func(l []store.SealedEvent) []store.SealedEvent {
			return []store.SealedEvent{l[10], l[12], l[11]}
		}, "those between are missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Open)
			w.expect(w.theirs[:10], 200, "", 10)
			good := append([]store.SealedEvent(nil), w.theirs...)
			bad := c.change(w.theirs)
			for range 3 { // a sink tries again and again
				w.expect(bad, 409, c.says, 10)
			}
			if n := w.alarms(); n != 1 {
				t.Errorf("%d alarms, want 1", n)
			}
			w.expect(good[10:12], 200, `"accepted":2`, 12)
			w.update(func(tx *store.Tx) error {
				s, err := tx.EventSource(w.source.ID)
				if err == nil && s.Problem != "" {
					t.Errorf("the source still says %q", s.Problem)
				}
				return err
			})
		})
	}
}

// TestFromTheMiddle: the first event that comes is the anchor of a sink that began late. Nothing comes before it.
func TestFromTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open)
	w.expect(w.theirs[20:25], 200, `"lastSequence":25`, 5)
	w.expect(w.theirs[:25], 409, "before event 21, the first that ever came", 5)
}

// TestStrangers get one answer, whatever is wrong.
func TestStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open)
	now, good := w.clock.Now(), body(w.theirs[:1])
	var first string
	for name, c := range map[string]struct {
		id, secret string
		at         time.Time
	}{
		"no such source": {"nobody", string(w.secret), now},
		"other secret":   {w.source.ID, "another-secret-of-36-characters", now},
		"too old":        {w.source.ID, string(w.secret), now.Add(-6 * time.Minute)},
		"from later":     {w.source.ID, string(w.secret), now.Add(6 * time.Minute)},
	} {
		status, said := w.post(c.id, c.secret, c.at, good)
		if first == "" {
			first = said
		}
		if status != 401 || said != first {
			t.Errorf("%s: %d %s", name, status, said)
		}
	}
	for name, b := range map[string]string{"empty": "", "no events": `[{"a":1}]`, "no JSON": "[", "no number": `{"eventID":"x"}`} {
		if status, _ := w.post(w.source.ID, string(w.secret), now, []byte(b)); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	w.expect(nil, 400, "", 0)
}

// TestDelete: what a source has sent goes after it.
func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open)
	w.expect(w.theirs, 200, "", 40)
	w.update(func(tx *store.Tx) error { return collect.Delete(tx, w.source.ID) })
	if status, _ := w.send(w.theirs); status != 401 {
		t.Errorf("a deleted source is answered %d", status)
	}
	if err := collect.NewSweeper(w.DB, "test").Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.kept()); n != 0 {
		t.Errorf("%d events are left", n)
	}
}
