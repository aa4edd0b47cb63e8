package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// morning is when the events of these tests begin.
var morning = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// told are events as package audit writes them, by their ids: what they can be looked up by is in the JSON alone.
var told = map[string]string{
	"a": `{"eventTime":"2026-11-02T09:00:00Z","eventName":"CreateUser","eventSource":"identitystore.amazonaws.com","readOnly":false,
		"userIdentity":{"type":"IAMUser","userName":"operator","accessKeyId":"AKIA1"},"requestParameters":{"userName":"anna"},"responseElements":{"userId":"u-1"}}`,
	"b": `{"eventTime":"2026-11-02T09:00:01Z","eventName":"ListUsers","eventSource":"identitystore.amazonaws.com","readOnly":true,
		"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/Admin/anna","accessKeyId":"ASIA2","onBehalfOf":{"userId":"u-1"},"credentialId":"sign-in"}}`,
	"c": `{"eventTime":"2026-11-02T09:00:01Z","eventName":"CreateAccountAssignment","eventSource":"sso.amazonaws.com","readOnly":false,
		"userIdentity":{"type":"IAMUser","userName":"operator","accessKeyId":"AKIA1"},
		"requestParameters":{"permissionSetArn":"arn:ps","principalId":"g-1","principalType":"GROUP","targetId":"111122223333","targetType":"AWS_ACCOUNT"}}`,
	"d": `{"eventTime":"2026-11-02T09:00:02Z","eventName":"UserAuthentication","eventSource":"signin.amazonaws.com","readOnly":false,
		"userIdentity":{"type":"Unknown"},"additionalEventData":{"AuthWorkflowID":"flow","UserName":"\u0061nna"},"resources":[{"ARN":"d-1","type":"IdentityStoreId"},{"ARN":"d-1","type":"IdentityStoreId"}]}`,
	"e": `{"eventTime":7,"requestParameters":"none","eventName":"ListUsers"}`, // not as events are: found by what it has
}

// writeTold writes them, a second apart.
func writeTold(t *testing.T, db *store.DB) {
	t.Helper()
	update(t, db, func(tx *store.Tx) error {
		for i, id := range []string{"a", "b", "c", "d", "e"} {
			if err := tx.AppendEvent(store.Event{ID: id, At: morning.Add(time.Duration(i) * time.Second), JSON: []byte(told[id])}); err != nil {
				return err
			}
		}
		return nil
	})
	sealed(t, db, len(told))
}

// found are the ids of events that are looked up, and where the page after them begins.
func found(t *testing.T, db *store.DB, q store.Lookup) (ids []string, next int64) {
	t.Helper()
	if q.Until.IsZero() {
		q.Until = morning.Add(24 * time.Hour)
	}
	if q.Limit == 0 {
		q.Limit = 50
	}
	err := db.View(t.Context(), func(tx *store.Tx) error {
		events, after, err := tx.LookupEvents(q)
		ids, next = nil, after
		for _, e := range events {
			ids = append(ids, e.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids, next
}

// looked is every attribute with what it finds, the newest first.
var looked = []struct {
	by    store.Attribute
	value string
	want  []string
}{
	{store.ByEventID, "c", []string{"c"}},
	{store.ByEventName, "ListUsers", []string{"e", "b"}},
	{store.ByEventName, "listusers", nil},
	{store.ByReadOnly, "true", []string{"b"}},
	{store.ByUsername, "operator", []string{"c", "a"}},
	{store.ByUsername, "anna", []string{"d", "b"}},
	{store.ByUsername, "u-1", []string{"b"}},
	{store.ByEventSource, "identitystore.amazonaws.com", []string{"b", "a"}},
	{store.ByAccessKeyID, "AKIA1", []string{"c", "a"}},
	{store.ByResourceName, "u-1", []string{"a"}},
	{store.ByResourceName, "arn:ps", []string{"c"}},
	{store.ByResourceName, "g-1", []string{"c"}},
	{store.ByResourceName, "111122223333", []string{"c"}},
	{store.ByResourceName, "d-1", []string{"d"}},
	{store.ByResourceName, "flow", []string{"d"}},
	{store.ByResourceName, "sign-in", []string{"b"}},
	{store.ByResourceType, "AWS::IdentityStore::Group", []string{"c"}},
	{store.ByResourceType, "AWS::IdentityStore::User", []string{"a"}},
	{store.ByResourceType, "operator", nil},
}

// lookups: every attribute and time find what they should, before the worker has been there and after.
func lookups(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	worker(t, func(ctx context.Context) error { return db.RunSealer(ctx, "s") })
	writeTold(t, db)
	checkLooked(t, db)
	later := make([]store.Event, 130) // the first of them fill the node that the others are in
	for i := range later {
		later[i] = store.Event{ID: fmt.Sprintf("later-%d", i), At: morning.Add(time.Hour), JSON: []byte(`{"eventName":"Later"}`)}
	}
	if err := db.AppendEvents(t.Context(), later...); err != nil {
		t.Fatal(err)
	}
	sealed(t, db, len(told)+len(later))
	checkLooked(t, db)
	index(t, db)
	checkLooked(t, db)
	if ids, _ := found(t, db, store.Lookup{By: store.ByEventName, Value: "Later", Limit: 200}); len(ids) != len(later) {
		t.Errorf("%d events are found, want %d", len(ids), len(later))
	}
}

// index brings the index up to date.
func index(t *testing.T, db *store.DB) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = db.IndexSome(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func checkLooked(t *testing.T, db *store.DB) {
	t.Helper()
	for _, c := range looked {
		got, next := found(t, db, store.Lookup{By: c.by, Value: c.value})
		if diff := cmp.Diff(c.want, got); diff != "" || next != 0 {
			t.Errorf("%s %s, next %d: %s", c.by, c.value, next, diff)
		}
	}
	for name, c := range map[string]struct {
		since, until time.Duration
		want         []string
	}{
		"all":                  {0, time.Minute, []string{"e", "d", "c", "b", "a"}},
		"both ends are in":     {time.Second, 2 * time.Second, []string{"d", "c", "b"}},
		"one second":           {time.Second, time.Second, []string{"c", "b"}},
		"begins within second": {time.Second + 1, 3 * time.Second, []string{"d"}},
		"ends within second":   {0, 2*time.Second - 1, []string{"c", "b", "a"}},
		"before all":           {-time.Hour, -time.Second, nil},
	} {
		// The fifth has a time of its own, that of its row.
		got, _ := found(t, db, store.Lookup{Since: morning.Add(c.since), Until: morning.Add(c.until)})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// lookupPages: while others write and workers index, pages have all that was there at the beginning, each once, in order.
func lookupPages(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	worker(t, func(ctx context.Context) error { return db.RunSealer(ctx, "s") })
	const before = 300
	write := func(prefix string, n int) error {
		events := make([]store.Event, n)
		for i := range events {
			events[i] = store.Event{ID: fmt.Sprintf("%s%03d", prefix, i), At: db.Now(), JSON: []byte(`{"eventName":"Page"}`)}
		}
		return db.AppendEvents(t.Context(), events...)
	}
	if err := write("", before); err != nil {
		t.Fatal(err)
	}
	sealed(t, db, before)
	for range 2 {
		worker(t, func(ctx context.Context) error { return db.RunIndexer(ctx, rand.Text()) })
	}
	worker(t, func(ctx context.Context) error {
		for i := 0; ctx.Err() == nil; i++ {
			if err := write(fmt.Sprintf("later-%d-", i), 50); err != nil && t.Context().Err() == nil { // which ends before ctx does
				return err
			}
		}
		return nil
	})
	var seen []string
	for next := int64(-1); next != 0; {
		var ids []string
		ids, next = found(t, db, store.Lookup{By: store.ByEventName, Value: "Page", Until: morning.AddDate(1000, 0, 0), Before: max(0, next), Limit: 20})
		for _, id := range ids {
			if !strings.HasPrefix(id, "later-") {
				seen = append(seen, id)
			}
		}
	}
	for i := range before {
		if want := fmt.Sprintf("%03d", before-1-i); i >= len(seen) || seen[i] != want {
			t.Fatalf("event %s is not in its place: %v", want, seen)
		}
	}
	if len(seen) != before {
		t.Errorf("%d events are there twice", len(seen)-before)
	}
}
