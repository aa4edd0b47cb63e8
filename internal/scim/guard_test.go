package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// TestGuardOfUsers: a tenth of its users is what a source may delete in an hour. Then it is told to try again, and that works when
// somebody has approved of it. Disabling goes on.
func TestGuardOfUsers(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		users, _ := w.crowd(130, "")
		if n := w.remove("/Users/", users[:20]); n != 13 {
			t.Fatalf("%d of 130 were deleted", n)
		}
		got := w.trips()
		if len(got) != 1 || words(got[0]["source"], got[0]["kind"], got[0]["removed"], got[0]["refused"], got[0]["owned"], got[0]["share"], got[0]["window"], got[0]["operation"]) != tenant+" USERS 13 1 130 10 1h DeleteUser" {
			t.Fatalf("trips %v", got)
		}
		if len(w.log()) != 14 {
			t.Errorf("refused requests are on record one by one: %d events", len(w.log()))
		}
		w.stopped(store.SCIMUsers)
		w.do("GET", "/Users/"+users[13], "").expect(http.StatusOK)
		for _, id := range users[13:40] {
			w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"active","value":false}`)).expect(http.StatusOK)
		}

		w.clock.Advance(23 * time.Hour) // shut, as long as it is asked
		w.refusal(w.do("DELETE", "/Users/"+users[13], ""))
		w.clock.Advance(23 * time.Hour)
		w.refusal(w.do("DELETE", "/Users/"+users[13], ""))
		if n := len(w.trips()); n != 1 {
			t.Errorf("%d events", n)
		}

		w.approve(time.Hour)
		w.stopped()
		if n := w.remove("/Users/", users[13:60]); n != 47 {
			t.Errorf("%d of 47 were deleted with approval", n)
		}
		w.clock.Advance(time.Hour) // the approval is over; nothing of before counts
		if n := w.remove("/Users/", users[60:80]); n != 10 {
			t.Errorf("%d of 70 were deleted after the approval", n)
		}
		if got := w.trips(); len(got) != 2 || words(got[1]["removed"], got[1]["owned"]) != "10 70" {
			t.Errorf("trips %v", got)
		}
		w.clock.Advance(24 * time.Hour) // nobody has asked for a day
		if n := w.remove("/Users/", users[70:71]); n != 1 {
			t.Error("the guard stays shut for ever")
		}
	})
}

// TestGuardWindow: what was removed counts for as long as the window, and what was added meanwhile raises what may go.
func TestGuardWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.CompleteSCIM)
	users, _ := w.crowd(100, "")
	for n := range 4 { // a tenth of what is left, each hour
		want := []int{10, 9, 8, 7}[n]
		if done := w.remove("/Users/", users[10*n:10*n+want]); done != want {
			t.Fatalf("hour %d: %d of %d", n, done, want)
		}
		w.clock.Advance(time.Hour)
	}
	more, _ := w.crowd(200, "more")
	if done := w.remove("/Users/", more[:25]); done != 25 {
		t.Errorf("%d of 25 from 266 were deleted", done)
	}
	if n := len(w.trips()); n != 0 {
		t.Errorf("%d trips", n)
	}
}

// TestGuardFloor: small directories work, and where the floor is 0, the share alone counts.
func TestGuardFloor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.CompleteSCIM)
	users, _ := w.crowd(12, "")
	if n := w.remove("/Users/", users[:11]); n != 10 {
		t.Errorf("%d of 12 were deleted", n)
	}
	w = newWorld(t, store.CompleteSCIM)
	w.set(func(in *setting.Values) { in.SCIMGuardFloor, in.SCIMGuardShare = 0, 25 })
	users, _ = w.crowd(12, "")
	if n := w.remove("/Users/", users[:4]); n != 3 {
		t.Errorf("without a floor %d of 12 were deleted", n)
	}
	for name, off := range map[string]func(*setting.Values){
		"share": func(in *setting.Values) { in.SCIMGuardShare = 0 }, "window": func(in *setting.Values) { in.SCIMGuardWindow = 0 },
	} {
		w = newWorld(t, store.CompleteSCIM)
		w.set(off)
		users, _ = w.crowd(20, "")
		if n := w.remove("/Users/", users); n != 20 {
			t.Errorf("%s is 0, and %d of 20 were deleted", name, n)
		}
	}
}

// TestGuardIsNotAWS: clients of AWS's dialect know no such answer.
func TestGuardIsNotAWS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	users, _ := w.crowd(20, "")
	if n := w.remove("/Users/", users); n != 20 {
		t.Errorf("%d of 20 were deleted", n)
	}
}

// TestGuardOfGroups: deleting groups counts as groups, and as the memberships that go with them.
func TestGuardOfGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.CompleteSCIM)
	if n := w.remove("/Groups/", w.groups(15)); n != 10 {
		t.Errorf("%d of 15 groups were deleted", n)
	}
	if got := w.trips(); len(got) != 1 || got[0]["kind"] != "GROUPS" {
		t.Errorf("trips %v", got)
	}

	w = newWorld(t, store.CompleteSCIM)
	_, large := w.crowd(40, "large")
	_, small := w.crowd(5, "small")
	if n := w.remove("/Groups/", []string{large, small}); n != 0 {
		t.Errorf("%d groups were deleted", n)
	}
	if got := w.trips(); len(got) != 1 || words(got[0]["kind"], got[0]["refused"], got[0]["owned"], got[0]["groupId"]) != "MEMBERSHIPS 40 45 <nil>" {
		t.Errorf("trips %v", got)
	}
}

// removing is a PATCH that removes members.
func removing(ids []string) string {
	var all []string
	for _, id := range ids {
		all = append(all, fmt.Sprintf(`{"value":%q}`, id))
	}
	return patch(fmt.Sprintf(`{"op":"remove","path":"members","value":[%s]}`, strings.Join(all, ",")))
}

// TestGuardOfMembers: half of a group, and a tenth of all memberships, are what may go; a request that asks for more does nothing.
func TestGuardOfMembers(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		_, _ = w.crowd(500, "everybody")
		users, g := w.crowd(30, "team")
		path := "/Groups/" + g
		w.do("PATCH", path, removing(users[:8])).expect(http.StatusNoContent)
		both := patch(`{"op":"replace","path":"displayName","value":"Renamed"}`, fmt.Sprintf(`{"op":"replace","path":"members","value":[{"value":%q}]}`, users[29]))
		w.refusal(w.do("PATCH", path, both))
		if got := w.do("GET", path, "").expect(http.StatusOK); got.at("displayName") != "team" || len(w.members(g)) != 22 {
			t.Errorf("a refused request has renamed the group to %v and left %d members", got.at("displayName"), len(w.members(g)))
		}
		if got := w.trips(); len(got) != 1 || words(got[0]["kind"], got[0]["removed"], got[0]["refused"], got[0]["owned"], got[0]["share"], got[0]["groupId"]) != "MEMBERSHIPS 8 21 30 50 "+g {
			t.Errorf("trips %v", got)
		}
		other, second := w.crowd(60, "other")
		w.do("PATCH", "/Groups/"+second, removing(other[:28])).expect(http.StatusNoContent) // its own half; with the 8 a tenth of less than 590
		third, g3 := w.crowd(60, "third")
		w.refusal(w.do("PATCH", "/Groups/"+g3, removing(third[:30])))
		if got := w.trips(); len(got) != 2 || words(got[1]["removed"], got[1]["owned"], got[1]["share"], got[1]["groupId"]) != "36 650 10 <nil>" {
			t.Errorf("trips %v", got)
		}
		w.approve(time.Hour)
		w.do("PATCH", path, patch(`{"op":"remove","path":"members"}`)).expect(http.StatusNoContent)
		if left := w.members(g); len(left) != 0 {
			t.Errorf("left are %v", left)
		}
	})
}

// TestGuardCountsAll: of those who remove at once none is missed, and the trip is told once.
func TestGuardCountsAll(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		users, _ := w.crowd(120, "")
		var done, refused atomic.Int32
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for _, id := range users[5*n : 5*n+5] {
					for {
						switch a := w.do("DELETE", "/Users/"+id, ""); a.status {
						case http.StatusNoContent:
							done.Add(1)
						case http.StatusServiceUnavailable:
							refused.Add(1)
						case http.StatusTooManyRequests: // the database was too busy
							continue
						default:
							t.Errorf("%d %v", a.status, a.body)
						}
						break
					}
				}
			})
		}
		all.Wait()
		if done.Load() != 12 || refused.Load() != 28 {
			t.Errorf("%d of 120 were deleted, %d refused", done.Load(), refused.Load())
		}
		if n := len(w.trips()); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}
