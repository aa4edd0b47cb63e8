package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// eachEngine tests the complete dialect on both databases.
func eachEngine(t *testing.T, test func(*testing.T, *world)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, store.CompleteSCIM, open)
		ctx, stop := context.WithCancel(t.Context())
		sealed := make(chan struct{})
		go func() { defer close(sealed); _ = w.db.RunSealer(ctx, "test") }()
		defer func() { stop(); <-sealed }()
		test(t, w)
	})
}

// crowd makes users of the source, in one group if it has a name.
func (w *world) crowd(n int, name string) (users []string, group string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		users = nil
		if name != "" {
			g, err := directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: name, Source: tenant}, "test")
			if err != nil {
				return err
			}
			group = g.ID
		}
		for i := range n {
			u := store.User{StoreID: storeID, UserName: fmt.Sprintf("%s-user-%d", name, i), DisplayName: "U", Source: tenant, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "G", FamilyName: "F"}}}
			u, err := directory.CreateUser(tx, u, "test")
			if err != nil {
				return err
			}
			users = append(users, u.ID)
			if name == "" {
				continue
			}
			if _, err := directory.AddMember(tx, storeID, group, u.ID, "test"); err != nil {
				return err
			}
		}
		return nil
	})
	return users, group
}

// groups makes groups of the source.
func (w *world) groups(n int) (ids []string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		ids = nil
		for i := range n {
			g, err := directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: fmt.Sprint("group ", i), Source: tenant}, "test")
			if err != nil {
				return err
			}
			ids = append(ids, g.ID)
		}
		return nil
	})
	return ids
}

// set changes the settings of the server.
func (w *world) set(change func(*setting.Values)) {
	in := setting.Defaults()
	change(&in)
	w.Settings = func(context.Context) (setting.Values, error) { return in, nil }
}

// remove deletes users or groups and says how many of them were.
func (w *world) remove(path string, ids []string) (done int) {
	w.t.Helper()
	for _, id := range ids {
		a := w.do("DELETE", path+id, "")
		if a.status == http.StatusNoContent {
			done++
			continue
		}
		w.refusal(a)
	}
	return done
}

// refusal fails unless the answer is one that a client tries again after.
func (w *world) refusal(a reply) {
	w.t.Helper()
	a.refused(http.StatusServiceUnavailable, "sallyport scim approve "+tenant)
	if a.header.Get("Retry-After") != "300" || a.body["scimType"] != nil {
		w.t.Errorf("Retry-After %q, %v", a.header.Get("Retry-After"), a.body)
	}
}

// approve is what an operator does.
func (w *world) approve(life time.Duration) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		if err := tx.ClearSCIMGuards(tenant); err != nil {
			return err
		}
		return tx.ApproveSCIM(store.SCIMApproval{TenantID: tenant, Until: tx.Now().Add(life), By: "test"})
	})
}

// words are values with spaces between them.
func words(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

// stopped fails unless just those kinds are stopped, and there is an approval when none is.
func (w *world) stopped(want ...store.SCIMKind) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		all, err := tx.SCIMGuardsRefused(tx.Now().Add(-time.Hour), 10)
		if err != nil {
			return err
		}
		var got []store.SCIMKind
		for _, g := range all {
			got = append(got, g.Kind)
		}
		approved, err := tx.SCIMApprovals(tx.Now(), 10)
		if !slices.Equal(got, want) || len(approved) == 1 != (len(want) == 0) {
			w.t.Errorf("stopped are %v, approved %v", got, approved)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// trips are the details of the events of the guard.
func (w *world) trips() (out []map[string]any) { return w.details("ScimGuardTripped") }

// details are those of the events of a name.
func (w *world) details(name string) (out []map[string]any) {
	w.t.Helper()
	for _, e := range w.log() {
		if e["eventName"] != name {
			continue
		}
		if e["eventType"] != "AwsServiceEvent" || e["eventSource"] != "sallyport" || e["recipientAccountId"] != "111122223333" {
			w.t.Errorf("event %v", e)
		}
		details, _ := e["serviceEventDetails"].(map[string]any)
		out = append(out, details)
	}
	return out
}

// log are all events that are on record. They are read when one that is stored now has come into the log, which on PostgreSQL takes
// a while.
func (w *world) log() (out []map[string]any) {
	w.t.Helper()
	last := audit.Event{EventName: "Last", RequestID: arn.NewUUID()}
	if err := audit.Record(w.t.Context(), w.db, &last); err != nil {
		w.t.Fatal(err)
	}
	for range 1000 {
		out = nil
		found := false
		err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
			rows, err := tx.AuditLog(0, 10_000)
			for _, r := range rows {
				var e map[string]any
				if err := json.Unmarshal(r.JSON, &e); err != nil {
					return err
				}
				if e["eventName"] != "Last" {
					out = append(out, e)
				}
				found = found || e["requestID"] == last.RequestID
			}
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if found {
			return out
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatal("events do not come into the log")
	return nil
}
