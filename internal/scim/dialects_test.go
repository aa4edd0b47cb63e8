package scim_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// TestChangedDialect: a person who came by a token of the complete dialect is changed by one of AWS's. What that cannot say stays, and
// what it says is done.
func TestChangedDialect(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	complete, strict := w.token, w.newToken(tenant, store.StrictSCIM)
	id := w.user("a", `"emails":[{"value":"a@x.test","type":"work","primary":true,"display":"A"},{"value":"b@x.test","type":"home","display":"B"}]`,
		`"phoneNumbers":[{"value":"1","display":"One"},{"value":"2"}]`, `"roles":[{"value":"r1","display":"R"},{"value":"r2"}]`, `"photos":[{"value":"https://x.test/p","display":"P"}]`,
		`"addresses":[{"locality":"Bern"},{"locality":"Basel","primary":true}]`)
	see := func() map[string]any {
		t.Helper()
		w.token = complete
		body := w.do("GET", "/Users/"+id, "").expect(http.StatusOK).body
		delete(body, "meta")
		w.token = strict
		return body
	}
	want := see()
	expect := func(doing string) {
		t.Helper()
		if diff := cmp.Diff(want, see()); diff != "" {
			t.Errorf("%s: %s", doing, diff)
		}
	}
	email := func(i int) map[string]any { return want["emails"].([]any)[i].(map[string]any) }

	w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"T"}`)).expect(http.StatusOK)
	want["title"] = "T"
	expect("PATCH of the title")

	w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"emails[type eq \"home\"].value","value":"c@x.test"}`)).expect(http.StatusOK)
	email(1)["value"] = "c@x.test"
	expect("PATCH of an address")

	body := w.do("GET", "/Users/"+id, "").expect(http.StatusOK).body // sent back as it is shown, but for the title
	body["title"] = "U"
	w.do("PUT", "/Users/"+id, jsonText(t, body)).expect(http.StatusOK)
	want["title"] = "U"
	expect("PUT of what is shown")

	w.do("PATCH", "/Users/"+id, patch(`{"op":"add","path":"emails","value":[{"value":"d@x.test","type":"other"}]}`)).refused(http.StatusBadRequest, "exceeds allowed limit of 2")
	expect("a third address")

	w.do("PUT", "/Users/"+id, userJSON("a", `"emails":[{"value":"a@x.test","type":"work","primary":true}]`)).expect(http.StatusOK)
	for _, name := range []string{"phoneNumbers", "roles", "addresses", "title"} {
		delete(want, name)
	}
	want["emails"] = []any{map[string]any{"value": "a@x.test", "type": "work", "primary": true, "display": "A"}}
	expect("PUT of one address")
}
