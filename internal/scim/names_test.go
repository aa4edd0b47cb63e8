package scim_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// TestNames: the complete dialect asks for a user name alone (RFC 7643 §4.1.1), and makes what the directory wants of what there is.
func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.CompleteSCIM)
	for n, c := range []struct {
		sent   string
		wanted [3]any // display name, given and family name
	}{
		{``, [3]any{"u0", "u0", "u0"}},
		{`"displayName":"Anna Bee"`, [3]any{"Anna Bee", "Anna", "Bee"}},
		{`"displayName":"Mono"`, [3]any{"Mono", "Mono", "Mono"}},
		{`"name":{"givenName":"Anna","familyName":"Bee"}`, [3]any{"Anna Bee", "Anna", "Bee"}},
		{`"name":{"givenName":"Anna","familyName":""}`, [3]any{"Anna", "Anna", "Anna"}},
		{`"name":{"familyName":"Bee"},"displayName":"A"`, [3]any{"A", "Bee", "Bee"}},
		{`"name":{"formatted":"Anna Maria Bee"}`, [3]any{"Anna Maria Bee", "Anna Maria", "Bee"}},
		{`"name":{"formatted":" "},"displayName":" "`, [3]any{" ", " ", " "}},
	} {
		body := fmt.Sprintf(`{"userName":"u%d"`, n)
		if c.sent != "" {
			body += "," + c.sent
		}
		a := w.do("POST", "/Users", body+"}").expect(http.StatusCreated)
		got := [3]any{a.at("displayName"), a.at("name", "givenName"), a.at("name", "familyName")}
		if diff := cmp.Diff(c.wanted, got); diff != "" {
			t.Errorf("%s: %s", c.sent, diff)
		}
	}
	id := w.user("anna")
	a := w.do("PATCH", "/Users/"+id, patch(`{"op":"remove","path":"displayName"}`, `{"op":"remove","path":"name.familyName"}`)).expect(http.StatusOK)
	if a.at("displayName") != "Given" || a.at("name", "familyName") != "Given" {
		t.Errorf("got %v", a.body)
	}
	w.do("POST", "/Users", `{"displayName":"A"}`).refused(http.StatusBadRequest, "UserName is required")
}
