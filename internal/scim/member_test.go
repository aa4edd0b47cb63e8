package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// recorded are the events of changes, in order.
func (w *world) recorded() (out []audit.Event) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		rows, err := tx.AuditLog(0, 1000)
		for _, row := range rows {
			var e audit.Event
			if err := json.Unmarshal(row.JSON, &e); err != nil {
				return err
			}
			out = append(out, e)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// Each member who really changes has an event, joined to the request's by its id (case S10); the last that a request says of
// somebody holds.
func TestEventsOfMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	a, b, c := w.user("a"), w.user("b"), w.user("c")
	g := w.group("Some", a)
	value := func(op, id string) string {
		return fmt.Sprintf(`{"op":%q,"path":"members","value":[{"value":%q}]}`, op, id)
	}
	w.do("PATCH", "/Groups/"+g, patch(value("add", a), value("add", b), value("remove", b), value("remove", c), value("add", c), value("add", c))).expect(http.StatusNoContent)
	w.do("PATCH", "/Groups/"+g, patch(value("remove", a))).expect(http.StatusNoContent)
	var got []string
	requests := map[string]int{}
	for _, e := range w.recorded() {
		if e.EventType != "AwsServiceEvent" {
			requests[e.RequestID] = 0
			continue
		}
		requests[e.RequestID]++
		got = append(got, fmt.Sprint(e.EventName, " ", e.ServiceEventDetails["memberId"], " ", e.ServiceEventDetails["groupId"], " ", e.UserIdentity.UserName))
	}
	want := []string{"AddMemberToGroup " + a, "AddMemberToGroup " + c, "RemoveMemberFromGroup " + a}
	for i := range want {
		want[i] += " " + g + " " + tenant
	}
	if !slices.Equal(got, want) || len(requests) != 6 {
		t.Errorf("%d requests, events %q, want %q", len(requests), got, want)
	}
	if got := w.members(g); !slices.Equal(got, []string{c}) {
		t.Errorf("members %v, want %s", got, c)
	}
}
