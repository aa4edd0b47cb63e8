package scim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

func throttled(in *setting.Values) { in.LimitsThrottle = setting.AWSRates }

// limited fails unless the answer is that of AWS to requests that are too many.
func (a reply) limited(after string) {
	a.t.Helper()
	a.refused(http.StatusTooManyRequests, "Rate exceeded")
	if a.header.Get("Retry-After") != after || a.body["scimType"] != nil {
		a.t.Errorf("Retry-After %q, want %s; %v", a.header.Get("Retry-After"), after, a.body)
	}
}

// TestThrottle: 25 writes and 40 reads a second for each identity store, whichever of its tokens asks. Nobody else empties the bucket,
// and refused requests are no events.
func TestThrottle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.user("a")
		w.set(throttled)
		good, other := w.token, w.newToken(tenant, w.dialect)
		for range 50 {
			w.do("GET", "/Users", "", "Authorization", "Bearer no").expect(http.StatusUnauthorized)
		}
		for n := range 40 {
			w.token = []string{good, other}[n%2]
			w.do("GET", "/Users/"+id, "").expect(http.StatusOK)
		}
		before := len(w.log())
		w.do("GET", "/Users/"+id, "").limited("1")
		w.do("GET", "/ServiceProviderConfig", "").limited("1")
		for range 24 {
			w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"x"}`)).expect(http.StatusOK)
		}
		w.do("POST", "/Users", `{`).expect(http.StatusBadRequest) // nobody is asked for: it takes nothing
		w.user("b")
		w.do("POST", "/Users", userJSON("c")).limited("1")
		w.do("DELETE", "/Users/"+id, "").limited("1")
		if n := len(w.log()) - before; n != 25 {
			t.Errorf("%d events", n)
		}
		w.clock.Advance(time.Second)
		w.do("DELETE", "/Users/"+id, "").expect(http.StatusNoContent)
	})
}

// TestThrottleIsOff: by default nothing is counted.
func TestThrottleIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	for range 60 {
		w.do("GET", "/Users", "").expect(http.StatusOK)
	}
}

// TestThrottleMembers: each member that is added or removed counts, for as long as it takes; what is refused is not done.
func TestThrottleMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.CompleteSCIM)
	users, g := w.crowd(150, "team")
	w.set(func(in *setting.Values) { throttled(in); in.SCIMGuardShare, in.SCIMGuardGroupShare = 0, 0 })
	path := "/Groups/" + g
	w.do("PATCH", path, removing(users[:70])).expect(http.StatusNoContent)
	w.do("PATCH", path, removing(users[70:110])).limited("1")
	if n := len(w.members(g)); n != 80 {
		t.Errorf("a refused request has left %d of 80 members", n)
	}
	w.do("PATCH", path, removing(users[:70])).expect(http.StatusNoContent) // they are gone already
	w.clock.Advance(time.Second)
	w.do("PATCH", path, patch(`{"op":"remove","path":"members"}`)).expect(http.StatusNoContent)
	w.do("PATCH", path, removing(users[:1])).expect(http.StatusNoContent)
	more, _ := w.crowd(30, "")
	adding := strings.ReplaceAll(removing(more), `"remove"`, `"add"`)
	w.do("PATCH", path, adding).limited("1")
	w.clock.Advance(time.Second)
	w.do("PATCH", path, adding).expect(http.StatusNoContent)

	w.set(func(in *setting.Values) { in.SCIMGuardShare, in.SCIMGuardGroupShare = 0, 0 })
	crowd, large := w.crowd(450, "large")
	w.set(func(in *setting.Values) { throttled(in); in.SCIMGuardShare, in.SCIMGuardGroupShare = 0, 0 })
	w.clock.Advance(time.Minute)
	w.do("PATCH", "/Groups/"+large, removing(crowd)).expect(http.StatusNoContent) // none is too large for ever, but the next waits
	w.do("PATCH", path, removing(more)).limited("4")
	w.clock.Advance(4 * time.Second)
	w.do("PATCH", path, removing(more)).expect(http.StatusNoContent)
}
