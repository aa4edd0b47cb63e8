package ssf

import (
	"context"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestTwoServers: two servers tell each other, one pushing and one polled; what ends at one ends at the other within a moment, it
// is not told to and fro for ever, and new keys are taken.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		a, b := newWorldOn(t, open), newWorldOn(t, open)
		fromA, token := b.receiver(a.URL, nil)
		pushed := a.pushTo(b.URL+"/signals/"+fromA.ID, token)
		polled, token := b.stream(nil)
		a.receiver(b.URL, func(r *store.SignalReceiver) {
			r.Delivery, r.PollURL, r.TokenHash = store.SignalPoll, b.URL+"/signals/poll/"+polled.ID, ""
			r.PollToken = a.Ring.SealRecord("signal_receiver", "poll_token", r.ID, []byte(token))
		})
		ctx, stop := context.WithCancel(t.Context())
		var busy sync.WaitGroup
		defer busy.Wait()
		defer stop()
		for _, w := range []*world{a, b} {
			busy.Go(func() { w.Push(ctx) })
			busy.Go(func() { w.Poll(ctx) })
		}
		for _, c := range []struct{ here, there *world }{{a, b}, {b, a}, {a, b}, {b, a}} {
			c.there.signIn(c.there.user)
			c.here.signIn(c.here.user)
			c.here.update(func(tx *store.Tx) error {
				_, err := c.here.sessions.EndAllOf(tx, c.here.user.ID, "arn:aws:iam::1:user/op")
				return err
			})
			eventually(t, "the session to end", func() bool { return c.there.live(c.there.user) == 0 })
		}
		b.update(func(tx *store.Tx) error { return b.login.Disable(tx, b.user.ID, "arn:aws:iam::1:user/op") })
		eventually(t, "the person to be disabled", func() bool { return a.status(a.user) == store.UserDisabled })
		quiet := func() bool { return a.waiting(pushed) == 0 && b.waiting(polled) == 0 }
		eventually(t, "silence", quiet)
		for range 10 { // and it stays so
			time.Sleep(50 * time.Millisecond)
			if !quiet() {
				eventually(t, "silence again", quiet)
			}
		}
		total := len(a.events("ReceiveSignal")) + len(b.events("ReceiveSignal"))
		if total > 20 {
			t.Errorf("%d signals went to and fro", total)
		}
	})
}

// TestLostAcknowledgement: a receiver that has acted and could not say so acts once when the signal comes again.
func TestLostAcknowledgement(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t), newWorld(t)
	s, token := a.stream(nil)
	r, _ := b.receiver(a.URL, func(r *store.SignalReceiver) {
		r.Delivery, r.PollURL, r.TokenHash = store.SignalPoll, a.URL+"/signals/poll/"+s.ID, ""
		r.PollToken = b.Ring.SealRecord("signal_receiver", "poll_token", r.ID, []byte(token))
	})
	a.update(func(tx *store.Tx) error { _, err := a.sessions.EndAllOf(tx, a.user.ID, "test"); return err })
	b.signIn(b.user)
	done, err := b.fetch(t.Context(), r, pollRequest{})
	if err != nil || len(done.Ack) != 1 || b.live(b.user) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	b.signIn(b.user)
	if done, err = b.fetch(t.Context(), r, pollRequest{}); err != nil || len(done.Ack) != 1 || b.live(b.user) != 1 {
		t.Errorf("the second time: %+v, %v, %d sessions", done, err, b.live(b.user))
	}
	if done, err = b.fetch(t.Context(), r, done); err != nil || len(done.Ack) != 0 || a.waiting(s) != 0 {
		t.Errorf("acknowledged: %+v, %v, %d wait", done, err, a.waiting(s))
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 400 {
		if is() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}
