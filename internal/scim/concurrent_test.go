package scim_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// Requests that change one group at the same time lose nothing of each other: in the end exactly those are in who were put in last,
// and what each request did is on record.
func TestConcurrentPatches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		for _, d := range []store.Dialect{store.StrictSCIM, store.CompleteSCIM} {
			t.Run(string(d), func(t *testing.T) { t.Parallel(); concurrentPatches(t, newWorldOn(t, d, open)) })
		}
	})
}

func concurrentPatches(t *testing.T, w *world) {
	w.set(func(v *setting.Values) { v.SCIMGuardWindow = 0 }) // more is taken out than a guard lets
	const clients, own = 20, 3
	var people [clients][own]string
	for i := range people {
		for j := range people[i] {
			people[i][j] = w.user(fmt.Sprintf("u%02d-%d", i, j))
		}
	}
	stays := w.user("stays")
	g := w.group("G", stays)

	var all sync.WaitGroup
	for i, mine := range people {
		all.Go(func() {
			for n, body := range []string{
				patch(in(mine[0], mine[1])), patch(out(mine[0])), patch(in(mine[2]), out(mine[1])), patch(in(mine[0])), patch(in(mine[0]), in(mine[1])), patch(out(mine[0])),
			} {
				if a := w.do("PATCH", "/Groups/"+g, body); a.status != http.StatusNoContent {
					t.Errorf("request %d of client %d: %d %v", n, i, a.status, a.body)
				}
			}
		})
	}
	all.Wait()

	want := []string{stays}
	events := []string{"AddMemberToGroup " + stays} // the group was made with
	for _, mine := range people {
		want = append(want, mine[1], mine[2])
		for _, id := range []string{mine[0], mine[1], mine[2], mine[0], mine[1]} {
			events = append(events, "AddMemberToGroup "+id)
		}
		for _, id := range []string{mine[0], mine[1], mine[0]} {
			events = append(events, "RemoveMemberFromGroup "+id)
		}
		events = append(events, slices.Repeat([]string{"PatchGroup"}, 6)...)
	}
	got, recorded := w.members(g), w.changesOnRecord()
	for _, list := range [][]string{want, got, events, recorded} {
		slices.Sort(list)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(events, recorded); diff != "" {
		t.Error(diff)
	}
}

// changesOnRecord are the names of the events of PATCHes of groups, and those of members with the member, when all are in the log.
func (w *world) changesOnRecord() (out []string) {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	sealing := make(chan error, 1)
	go func() { sealing <- w.db.RunSealer(ctx, "test") }()
	w.clock.Advance(time.Millisecond) // what is older than the last is in the log no later than that
	last := &audit.Event{EventName: "Last", EventSource: "test"}
	w.update(last.Store)
	for {
		wake := w.db.AuditWake()
		all := w.recorded()
		if slices.ContainsFunc(all, func(e audit.Event) bool { return e.EventID == last.EventID }) {
			stop()
			if err := <-sealing; err != nil {
				w.t.Error(err)
			}
			for _, e := range all {
				switch e.EventName {
				case "PatchGroup":
					out = append(out, e.EventName)
				case "AddMemberToGroup", "RemoveMemberFromGroup":
					out = append(out, fmt.Sprint(e.EventName, " ", e.ServiceEventDetails["memberId"]))
				}
			}
			return out
		}
		<-wake
	}
}

// in and out are operations on members.
func in(ids ...string) string {
	value := ""
	for _, id := range ids {
		value += fmt.Sprintf(`,{"value":%q}`, id)
	}
	return `{"op":"add","path":"members","value":[` + value[1:] + `]}`
}

func out(id string) string {
	return fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id)
}
