package stream_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/stream"
)

// chaotic is a receiver on which things go wrong by the dice, also after it has taken what it was sent. It keeps everything.
type chaotic struct {
	t     *testing.T
	tb    sync.Mutex
	dice  *rand.Rand
	calm  bool
	seqs  []int64             // as they came, twice what came twice
	keys  map[string][32]byte // what came with an idempotency key, by that
	again int                 // batches that came again
}

func newChaotic(t *testing.T, seed uint64) *chaotic {
	return &chaotic{t: t, dice: rand.New(rand.NewPCG(seed, 8)), keys: map[string][32]byte{}}
}

// roll says what goes wrong, before and after the batch is taken.
func (c *chaotic) roll() (before, after int) {
	if c.calm {
		return 0, 0
	}
	return c.dice.IntN(10), c.dice.IntN(8)
}

func (c *chaotic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // the sender is gone
		return
	}
	c.tb.Lock()
	before, after := c.roll()
	c.tb.Unlock()
	switch before {
	case 1:
		panic(http.ErrAbortHandler) // a reset
	case 2:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case 3:
		<-r.Context().Done()
		return
	}
	c.take(r, body)
	switch after {
	case 1:
		panic(http.ErrAbortHandler)
	case 2:
		w.WriteHeader(http.StatusBadGateway)
	case 3:
		<-r.Context().Done()
	}
}

func (c *chaotic) take(r *http.Request, body []byte) {
	c.tb.Lock()
	defer c.tb.Unlock()
	var all []struct {
		Sallyport struct{ Seq int64 }
	}
	if err := json.Unmarshal(body, &all); err != nil {
		c.t.Error(err)
	}
	key, sum := r.Header.Get("Idempotency-Key"), sha256.Sum256(body)
	was, known := c.keys[key]
	if known && was != sum {
		c.t.Errorf("two batches have the key %s", key)
	}
	if known {
		c.again++
	}
	c.keys[key] = sum
	for _, e := range all {
		c.seqs = append(c.seqs, e.Sallyport.Seq)
	}
	first, last := all[0].Sallyport.Seq, all[len(all)-1].Sallyport.Seq
	if r.Header.Get("X-Sallyport-First-Seq") != strconv.FormatInt(first, 10) || r.Header.Get("X-Sallyport-Last-Seq") != strconv.FormatInt(last, 10) {
		c.t.Errorf("headers say %v of %d to %d", r.Header, first, last)
	}
}

func (c *chaotic) quiet() {
	c.tb.Lock()
	defer c.tb.Unlock()
	c.calm = true
}

// first are the numbers as they came the first time.
func (c *chaotic) first() (out []int64, twice int) {
	c.tb.Lock()
	defer c.tb.Unlock()
	seen := map[int64]bool{}
	for _, seq := range c.seqs {
		if !seen[seq] {
			seen[seq], out = true, append(out, seq)
		}
	}
	return out, len(c.seqs) - len(out)
}

// live is a log as it is in a running server.
func live(t *testing.T, db *store.DB) *keyring.Ring {
	t.Helper()
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = db.RunSealer(ctx, "sealer") }()
	t.Cleanup(func() { stop(); <-done })
	return ring
}

func rounds() int {
	if os.Getenv("SALLYPORT_SOAK") != "" {
		return 40
	}
	return 1
}

// TestWhateverHappens: a receiver that fails, hangs and cuts off by the dice, and two nodes that take turns in shipping to it, whose workers
// end at any moment: it has everything, in order, and what comes twice is known by its number and comes in the same batches.
func TestWhateverHappens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		for seed := range uint64(rounds()) {
			whatever(t, open(t, clock.System{}), seed)
		}
	})
}

func whatever(t *testing.T, db *store.DB, seed uint64) {
	ring, re := live(t, db), newChaotic(t, seed)
	web := httptest.NewServer(re)
	t.Cleanup(web.Close)
	var made store.EventSink
	err := db.Update(t.Context(), func(tx *store.Tx) (err error) {
		made, err = stream.Create(tx, ring, stream.Webhook, stream.Change{Name: new("siem"), Address: &web.URL, Secret: new(secret)}, true, "test")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Nodes come and go; mostly two of them are there.
	ctx, stop := context.WithCancel(t.Context())
	var nodes sync.WaitGroup
	for node := range 2 {
		dice := rand.New(rand.NewPCG(seed, uint64(node)))
		nodes.Go(func() {
			for life := 0; ctx.Err() == nil; life++ {
				w := &stream.Worker{
					DB: db, Keys: ring, Owner: fmt.Sprint(node, ".", life), Log: slog.New(slog.DiscardHandler),
					Lease: time.Second, Pause: 10 * time.Millisecond, Limit: 100 * time.Millisecond,
				}
				within, end := context.WithTimeout(ctx, time.Duration(50+dice.IntN(400))*time.Millisecond)
				if err := w.Run(within); err != nil {
					t.Error(err)
				}
				end()
			}
		})
	}
	const total = 1500
	for n := 0; n < total; n += 50 {
		all := make([]*audit.Event, 50)
		for i := range all {
			all[i] = &audit.Event{EventName: fmt.Sprint("E", n+i)}
		}
		if err := audit.Record(t.Context(), db, all...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	re.quiet()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		got, _ := re.first()
		if len(got) == total || time.Now().After(end) {
			break
		}
	}
	stop()
	nodes.Wait()
	got, twice := re.first()
	if !slices.Equal(got, upTo(1, total)) {
		t.Errorf("seed %d: %d of %d events, in order: %t", seed, len(got), total, slices.IsSorted(got))
	}
	if re.again == 0 || twice == 0 {
		t.Errorf("seed %d: nothing came twice: nothing has gone wrong", seed)
	}
	var row store.EventSink
	err = db.View(t.Context(), func(tx *store.Tx) (err error) { row, err = tx.EventSink(made.ID); return err })
	if err != nil || row.Position > total || row.Delivered > row.Position {
		t.Errorf("%+v, %v", row, err)
	}
	t.Logf("seed %d: %d batches, %d came again, %d events came twice, %d failures", seed, len(re.keys), re.again, twice, row.Failed)
}
