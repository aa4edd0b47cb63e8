package trail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/bucket"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/keyring"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/trail"
	"sallyport/internal/trailfile"
)

const (
	bucketName = "audit-logs"
	account    = "999988887777"
)

// house is a deployment with a trail and a clock that the test moves.
type house struct {
	*testing.T
	db     *store.DB
	clock  *clocktest.Clock
	worker *trail.Worker
	dir    string
	in     setting.Values
}

func newHouse(t *testing.T, start time.Time) *house {
	t.Helper()
	c := clocktest.At(start)
	return houseOf(t, storetest.Open(t, c), c, t.TempDir())
}

func houseOf(t *testing.T, db *store.DB, c *clocktest.Clock, dir string) *house {
	t.Helper()
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, db: db, clock: c, dir: dir, in: setting.Defaults()}
	h.in.TrailVerifyEvery = 0
	place := trail.House{Owner: account, Region: "eu-test-1"}
	h.worker = &trail.Worker{
		DB: db, House: place, Keys: &trail.Keys{DB: db, Ring: ring, House: place}, Buckets: &trail.Buckets{Folder: dir, Ring: ring},
		Settings: func(context.Context) (setting.Values, error) { return h.in, nil }, Owner: "node", Log: slog.New(slog.DiscardHandler),
	}
	return h
}

func (h *house) update(fn func(tx *store.Tx) error) {
	h.Helper()
	if err := h.db.Update(h.Context(), fn); err != nil {
		h.Fatal(err)
	}
}

// call is an operation of the API: it is told its event's id, and the event is recorded.
func (h *house) call(name string, fn func(tx *store.Tx, event string) error) {
	h.Helper()
	h.clock.Advance(time.Millisecond)
	h.update(func(tx *store.Tx) error {
		e := &audit.Event{EventName: name, EventSource: "cloudtrail.amazonaws.com", EventID: arn.NewTimeUUID(tx.Now())}
		return errors.Join(fn(tx, e.EventID), e.Store(tx))
	})
}

// begin makes a trail, and has it logged.
func (h *house) begin(name string, change func(*store.TrailSpec)) {
	h.Helper()
	h.update(func(tx *store.Tx) error {
		_, err := h.worker.Buckets.CreateBucket(tx, store.TrailBucket{Name: bucketName}, "", "test")
		if err != nil && !strings.Contains(err.Error(), "already") {
			return err
		}
		spec := store.TrailSpec{Bucket: bucketName, Validation: true}
		if change != nil {
			change(&spec)
		}
		_, err = h.worker.House.Create(tx, name, spec, quota.Limits{})
		return err
	})
	h.call("StartLogging", func(tx *store.Tx, id string) error { return h.worker.House.Start(tx, name, id) })
}

// happen records events, a second apart.
func (h *house) happen(n int) {
	h.Helper()
	for i := range n {
		h.clock.Advance(time.Second)
		h.update(func(tx *store.Tx) error {
			e := &audit.Event{EventName: fmt.Sprint("Event", i), EventSource: "sso.amazonaws.com", ReadOnly: i%2 == 0, RequestParameters: map[string]any{"text": `"}]{` + strings.Repeat(`\`, i)}}
			return e.Store(tx)
		})
	}
}

// write has the worker do all that is due.
func (h *house) write() {
	h.Helper()
	if err := h.worker.Drain(h.Context()); err != nil {
		h.Fatal(err)
	}
}

// at goes on to a time, and writes what is due then.
func (h *house) at(at time.Time) {
	h.Helper()
	h.clock.Advance(at.Sub(h.clock.Now()))
	h.write()
}

func (h *house) bucket() *bucket.Directory {
	h.Helper()
	b, err := bucket.Make(filepath.Join(h.dir, bucketName))
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = b.Close() })
	return b
}

func (h *house) objects() []string {
	h.Helper()
	list, more, err := h.bucket().List(h.Context(), "", "", 10_000)
	if err != nil || more {
		h.Fatal(err, more)
	}
	keys := make([]string, len(list))
	for i, o := range list {
		keys[i] = o.Key
	}
	return keys
}

// check is what an offline verification knows: the bucket and the public keys.
func (h *house) check() *trailfile.Check {
	h.Helper()
	c := &trailfile.Check{Bucket: h.bucket(), Name: bucketName, Place: trailfile.Place{Account: account, Region: "eu-test-1"}, Now: h.clock.Now(), Parallel: 2}
	err := h.db.View(h.Context(), func(tx *store.Tx) error {
		keys, err := trail.PublicKeys(tx, new(time.Time{}), new(h.clock.Now().Add(365*24*time.Hour)))
		for _, k := range keys {
			c.Keys = append(c.Keys, trailfile.Key{Fingerprint: k.Fingerprint, Public: k.Public})
		}
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
	return c
}

func (h *house) run(c *trailfile.Check) *trailfile.Report {
	h.Helper()
	r, err := c.Run(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return r
}

// sound fails the test where an offline verification finds anything.
func (h *house) sound() *trailfile.Report {
	h.Helper()
	r := h.run(h.check())
	for _, f := range r.Faults {
		h.Errorf("fault: %s", f)
	}
	return r
}
