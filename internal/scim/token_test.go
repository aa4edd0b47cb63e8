package scim_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// TestTokens: nobody comes in but by a token that is good, of the tenant in the URL, from where it is good.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	good := w.token
	for name, header := range map[string]string{
		"none": "", "no scheme": good, "another scheme": "Basic " + good, "unknown": "Bearer scim_" + strings.Repeat("A", 43), "long": "Bearer " + strings.Repeat("A", 5000),
	} {
		out := w.do("GET", "/Users", "", "Authorization", header).refused(http.StatusUnauthorized, "bearer token")
		if out.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: no challenge", name)
		}
	}
	w.do("GET", "/Users", "", "Authorization", "bearer "+good).expect(http.StatusOK)

	w.token = w.newToken("22222222222-2222-3333-4444-555555555555", store.StrictSCIM)
	w.do("GET", "/Users", "").refused(http.StatusUnauthorized, "of another tenant")
	w.token = w.newToken(tenant, store.StrictSCIM, "198.51.100.0/24")
	w.do("GET", "/Users", "").refused(http.StatusForbidden, "not good from this address")
	w.token = w.newToken(tenant, store.StrictSCIM, "198.51.100.0/24", "192.0.2.0/29")
	w.do("GET", "/Users", "").expect(http.StatusOK)

	w.clock.Advance(365*24*time.Hour - time.Second)
	w.do("GET", "/Users", "").expect(http.StatusOK)
	w.clock.Advance(time.Second)
	w.do("GET", "/Users", "").refused(http.StatusUnauthorized, "expired")
}

// TestSources: a token sees and changes what comes from its tenant, and what comes from none, which it takes over.
func TestSources(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	id, g := w.user("theirs"), w.group("Theirs")
	w.update(func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		u.Source = "22222222222-2222-3333-4444-555555555555"
		if err := tx.UpdateUser(u); err != nil {
			return err
		}
		group, err := tx.Group(g)
		if err != nil {
			return err
		}
		group.Source = u.Source
		return tx.UpdateGroup(group)
	})
	mine, own := w.user("mine"), w.group("Own")
	for _, path := range []string{"/Users/" + id, "/Groups/" + g} {
		w.do("GET", path, "").expect(http.StatusNotFound)
		w.do("DELETE", path, "").expect(http.StatusNotFound)
	}
	w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"x"}`)).expect(http.StatusNotFound)
	w.do("PATCH", "/Groups/"+own, patch(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id))).expect(http.StatusNotFound)
	w.do("POST", "/Users", userJSON("THEIRS")).refused(http.StatusConflict, "Duplicate UserName")
	for path, want := range map[string][]string{
		"/Users": {mine}, "/Users?cursor": {mine}, "/Groups": {own}, "/Users?filter=" + url.QueryEscape(`userName eq "theirs"`): nil,
		"/Groups?filter=" + url.QueryEscape(`displayName eq "Theirs"`): nil, "/Users?filter=" + url.QueryEscape(`id eq "`+id+`"`): nil,
	} {
		if diff := cmp.Diff(want, w.do("GET", path, "").expect(http.StatusOK).ids()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// TestEvents: what is done is on record by the tenant's token, without what it says of people; what nobody known asks is not.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	id := w.user("secret-name", `"emails":[{"value":"secret@x.test","primary":true}]`)
	w.do("POST", "/Users", userJSON("SECRET-name")).expect(http.StatusConflict)
	w.do("PATCH", "/Users/"+id, patch(
		`{"op":"remove","path":"emails[value eq \"secret@x.test\"]"}`, `{"op":"add","value":{"emails[value eq \"secret@y.test\"].type":"secret"}}`,
	)).expect(http.StatusOK)
	w.do("GET", "/Users/"+id, "", "Authorization", "Bearer no").expect(http.StatusUnauthorized)
	w.do("GET", "/Users/"+id, "").expect(http.StatusOK)
	w.do("DELETE", "/Users/"+id, "").expect(http.StatusNoContent)
	var log []string
	err := w.db.View(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.AuditLog(0, 100)
		for _, e := range rows {
			log = append(log, string(e.JSON))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(log, "\n")
	if strings.Contains(strings.ToLower(text), "secret") || strings.Contains(text, w.token) {
		t.Errorf("the log tells of people:\n%s", text)
	}
	for _, words := range []string{`"eventName":"CreateUser"`, `"errorCode":"ConflictException"`, `"eventName":"DeleteUser"`, `"eventSource":"identitystore-scim.amazonaws.com"`, `"type":"WebIdentityUser"`, `"tenantId":"` + tenant, `emails[value eq`} {
		if !strings.Contains(text, words) {
			t.Errorf("the log has no %s:\n%s", words, text)
		}
	}
	if len(log) != 4 || len(w.events) != 1 || w.events[0].EventName != "GetUser" {
		t.Errorf("%d events of writes, %d of reads", len(log), len(w.events))
	}
}

// TestStolenToken: that a token was used from where it is not good is on record, with the address, be it to read or to write.
func TestStolenToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	w.token = w.newToken(tenant, store.StrictSCIM, "198.51.100.0/24")
	w.do("GET", "/Users", "").expect(http.StatusForbidden)
	w.do("POST", "/Users", userJSON("a")).expect(http.StatusForbidden)
	log := w.log()
	if len(log) != 2 {
		t.Fatalf("events %v", log)
	}
	for _, e := range log {
		data, _ := e["additionalEventData"].(map[string]any)
		who, _ := e["userIdentity"].(map[string]any)
		if e["errorCode"] != "AccessDeniedException" || e["sourceIPAddress"] != home || data["tokenRefused"] != "OUTSIDE_NETWORKS" || who["principalId"] == nil {
			t.Errorf("event %v", e)
		}
	}
}

// TestLastUse: it is kept to the hour.
func TestLastUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	used := func() (at time.Time, from string) {
		err := w.db.View(t.Context(), func(tx *store.Tx) error {
			all, err := tx.SCIMTokens(tenant)
			at, from = all[0].UsedAt, all[0].UsedFrom
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return at, from
	}
	first := w.clock.Now()
	for n, want := range []time.Time{first, first, first.Add(time.Hour)} {
		w.do("GET", "/Users", "").expect(http.StatusOK)
		if at, from := used(); !at.Equal(want) || from != home {
			t.Errorf("request %d: used at %v from %s", n, at, from)
		}
		w.clock.Advance(30 * time.Minute)
	}
}

// TestErrorBodies: AWS's dialect has more in an error than RFC 7644 §3.12, and the complete one has not.
func TestErrorBodies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, a := range []reply{w.do("GET", "/Users/none", ""), w.do("POST", "/Users", "{"), w.do("POST", "/Groups", `{"displayName":4}`)} {
			want := []string{"detail", "exceptionRequestId", "schema", "schemas", "scimType", "status", "timeStamp"}
			if strings.HasSuffix(t.Name(), string(store.CompleteSCIM)) {
				want = []string{"detail", "schemas", "scimType", "status"}
			}
			if a.status == http.StatusNotFound {
				want = slices.DeleteFunc(want, func(k string) bool { return k == "scimType" })
			}
			if got := slices.Sorted(maps.Keys(a.body)); !slices.Equal(got, want) {
				t.Errorf("%s: %v", a.asked, got)
			}
		}
	})
}
