package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/endpoint"
	"sallyport/internal/revocation"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// place is a node that serves a house.
type place struct {
	name   string
	client client
	web    *httptest.Server
	audit  *endpoint.Recorder
}

// newRevokeHouses is a house that two further nodes serve, of which one hears of changes by polls alone.
func newRevokeHouses(t *testing.T) *revokeHouse {
	t.Helper()
	dsn := storetest.NewPostgres(t)
	h := newRevokeHouse(t, func(tb testing.TB, c clock.Clock) *store.DB { return storetest.OpenAt(tb, dsn, c) })
	h.serve(t, "the node that is told", dsn, node{time: h.clock})
	h.serve(t, "the node that polls", dsn, node{time: h.clock, deaf: true})
	t.Cleanup(func() { h.move(0) }) // the story closes what is its own
	return h
}

// serve starts a further node. Like the story's own it does no work but to look for news, and logs to where secrets are looked for.
func (h *revokeHouse) serve(t *testing.T, name, dsn string, o node) {
	t.Helper()
	s := openNode(t, h.cfg, dsn, o)
	s.log = h.log
	s.api.Log, s.pages.Log, s.worker.Log, s.revoker.Log, s.api.Recorder.Log = s.log, s.log, s.log, s.log, s.log
	web := httptest.NewServer(s.handler())
	c := client{web.URL, web.Client(), h.clock, s.instance}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, stop := context.WithCancel(context.Background())
	polling := make(chan struct{})
	go func() { defer close(polling); s.gate.Run(ctx, s.log) }()
	t.Cleanup(func() {
		web.Close()
		stop()
		<-polling
		writeDown(s.api.Recorder) // the story's books are to hold it
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	})
	h.places = append(h.places, place{name, c, web, s.api.Recorder})
}

// writeDown makes a node write what it has to put on record. It can hold only so much.
func writeDown(r *endpoint.Recorder) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	r.Run(ctx)
}

// move makes the calls that follow go to a node.
func (h *revokeHouse) move(to int) string {
	p := h.places[to]
	h.client, h.web = p.client, p.web
	return p.name
}

// everywhere looks whether exactly some kinds of what people hold work, on each node.
func (h *revokeHouse) everywhere(t *testing.T, when string, want int, people ...*held) {
	t.Helper()
	defer h.move(0)
	for i := range h.places {
		on := h.move(i)
		for _, a := range people {
			if got := h.alive(t, a); got != want {
				t.Fatalf("%s%s's work on %s: %s; want %s", when, a.name, on, kindsOf(got), kindsOf(want))
			}
		}
	}
}

// known makes each node remember everything as it is: refreshing on one has given a client tokens that the others have not seen.
func (h *revokeHouse) known(t *testing.T, people ...*held) {
	t.Helper()
	defer h.move(0)
	for i := range h.places {
		on := h.move(i)
		for _, a := range people {
			if got := h.use(t, a, everyKind&^families); got != everyKind&^families {
				t.Fatalf("before, %s's work on %s: %s", a.name, on, kindsOf(got))
			}
		}
	}
}

// cut waits until what somebody holds is refused on a node but for some kinds: on the first at once, on the others within the bound. What
// goes on does so all the while, and nothing that was refused is accepted again.
func (h *revokeHouse) cut(t *testing.T, place int, since time.Time, a *held, spared int) {
	t.Helper()
	defer h.move(0)
	on, left := h.move(place), everyKind
	kinds := everyKind &^ (spared & families) // refreshing again and again is no use of a token that works
	for want := kinds & spared; ; time.Sleep(5 * time.Millisecond) {
		took := clock.System{}.Now().Sub(since)
		got := h.use(t, a, kinds)
		switch over := got &^ want; {
		case want&^got != 0:
			t.Errorf("%s's %s refused on %s", a.name, kindsOf(want&^got), on)
		case got&^left != 0:
			t.Errorf("%s's %s accepted again on %s, %v after the cut", a.name, kindsOf(got&^left), on, took)
		case over != 0 && (place == 0 || took > revocation.Bound):
			t.Errorf("%s's %s still accepted on %s, %v after the cut", a.name, kindsOf(over), on, took)
		case over != 0:
			left = got
			writeDown(h.places[place].audit) // or this, going on, would fill what it holds
			continue
		}
		return
	}
}
