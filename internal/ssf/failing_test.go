package ssf

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

// TestBackOff: a receiver that is down is asked ever less often, as it wishes, and gets all in order in the end.
func TestBackOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := newSink(t, w, func(n int, rw http.ResponseWriter) bool {
		switch n {
		case 1:
			rw.WriteHeader(http.StatusInternalServerError)
		case 2:
			rw.Header().Set("Retry-After", "120")
			rw.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			reply(rw, http.StatusBadRequest, secevent.Problem{Code: secevent.InvalidKey, Description: "not yet"})
		}
		return n > 3
	})
	s := w.pushTo(to.URL, "theirs")
	w.update(func(tx *store.Tx) error { return w.login.Disable(tx, w.user.ID, "test") })
	w.update(func(tx *store.Tx) error { return w.login.Enable(tx, w.user.ID, "test") })
	for i, c := range []struct {
		wait  time.Duration
		asked int
	}{{0, 1}, {firstWait - time.Second, 1}, {time.Second, 2}, {119 * time.Second, 2}, {time.Second, 3}, {4*firstWait - time.Second, 3}, {time.Second, 6}} {
		w.clock.Advance(c.wait)
		if w.drain(); to.asked != c.asked {
			t.Fatalf("step %d: asked %d times, want %d", i, to.asked, c.asked)
		}
	}
	if got := to.types(); !slices.Equal(got, []string{"account-disabled", "session-revoked", "account-enabled"}) {
		t.Errorf("told %v", got)
	}
	w.update(func(tx *store.Tx) error {
		s, err := tx.SignalStream(s.ID)
		if s.Failures != 0 || s.Problem != "" || s.SentAt.IsZero() {
			t.Errorf("stream %+v", s)
		}
		return err
	})
}

// TestGivenUp: what a receiver cannot read does not hold the rest up; what waits too long goes; both are on record.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := newSink(t, w, func(n int, rw http.ResponseWriter) bool {
		if n == 1 {
			reply(rw, http.StatusBadRequest, secevent.Problem{Code: secevent.InvalidRequest, Description: "what is that?"})
		}
		return n > 1
	})
	s := w.pushTo(to.URL, "theirs")
	w.update(func(tx *store.Tx) error { return w.login.Disable(tx, w.user.ID, "test") })
	w.drain()
	if got := to.types(); !slices.Equal(got, []string{"session-revoked"}) || w.waiting(s) != 0 {
		t.Errorf("told %v, %d wait", got, w.waiting(s))
	}
	polls, token := w.stream(nil)
	w.update(func(tx *store.Tx) error { return w.login.Enable(tx, w.user.ID, "test") })
	for jti := range w.pollOnce(t, polls, token, `{"returnImmediately":true}`).Sets {
		w.pollOnce(t, polls, token, fmt.Sprintf(`{"maxEvents":0,"setErrs":{%q:{"err":"invalid_audience","description":"not\nus"}}}`, jti))
	}
	if w.waiting(polls) != 0 {
		t.Error("what is refused waits on")
	}
	w.update(func(tx *store.Tx) error { return w.login.Disable(tx, w.user.ID, "test") })
	w.clock.Advance(7*24*time.Hour + time.Second)
	if err := w.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.waiting(polls) != 0 || w.waiting(s) != 0 {
		t.Error("what is too old waits on")
	}
	var reasons []string
	for _, e := range w.events("GiveUpSignal") {
		reasons = append(reasons, fmt.Sprint(e.ServiceEventDetails["signals"], " ", e.ServiceEventDetails["reason"]))
	}
	slices.Sort(reasons)
	want := []string{
		"1 the receiver refuses it: invalid_audience: not us", "1 the receiver refuses it: invalid_request: what is that?",
		"2 the receiver has not taken it for 168 hours", "3 the receiver has not taken it for 168 hours",
	}
	if !slices.Equal(reasons, want) {
		t.Errorf("on record:\n%s", strings.Join(reasons, "\n"))
	}
}

// TestRandomFailures: a receiver that fails at random, and workers that are stopped at random in the middle, lose nothing and
// change no order.
func TestRandomFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var stop context.CancelFunc
	to := newSink(t, w, func(_ int, rw http.ResponseWriter) bool {
		switch n, _ := rand.Int(rand.Reader, big.NewInt(5)); n.Int64() {
		case 0:
			rw.WriteHeader(http.StatusBadGateway)
			return false
		case 1:
			stop() // it is taken, and whoever sends does not hear of it
		case 2:
			panic(http.ErrAbortHandler)
		}
		return true
	})
	s := w.pushTo(to.URL, "theirs")
	var want []string
	for i := range 12 {
		w.update(func(tx *store.Tx) error {
			if i%2 == 0 {
				return w.login.Disable(tx, w.user.ID, "test")
			}
			return w.login.Enable(tx, w.user.ID, "test")
		})
		if i%2 == 0 {
			want = append(want, "account-disabled", "session-revoked")
		} else {
			want = append(want, "account-enabled")
		}
	}
	for range 1000 {
		if w.waiting(s) == 0 {
			break
		}
		var ctx context.Context
		to.mu.Lock()
		ctx, stop = context.WithCancel(t.Context())
		to.mu.Unlock()
		w.Owner += "'" // another process
		_ = w.Drain(ctx)
		stop()
		w.clock.Advance(longWait)
	}
	if got := to.types(); !slices.Equal(got, want) || w.waiting(s) != 0 {
		t.Errorf("%d wait, told\n%v, want\n%v", w.waiting(s), got, want)
	}
}
