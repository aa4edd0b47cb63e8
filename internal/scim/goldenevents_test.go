package scim_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

var update = flag.Bool("update", false, "write the golden events anew")

// TestGoldenEvents holds what requests of a source leave in the log, whole, against a file: a new user, a group's new member with the event
// of his own, and a token that is used from where it is not good (behaviour reference §10.4 and 10.5 by example).
func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	anna := w.user("anna", `"emails":[{"value":"anna@example.test","type":"work","primary":true}]`)
	ops := w.group("Operators")
	w.do("PATCH", "/Groups/"+ops, patch(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, anna))).expect(http.StatusNoContent)
	w.token = w.newToken(tenant, store.StrictSCIM, "198.51.100.0/24")
	w.do("DELETE", "/Users/"+anna, "").expect(http.StatusForbidden)

	got, file := w.golden(), filepath.Join("testdata", "events.jsonl")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Error(diff)
	}
}

var anyUUID = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// golden is the log, an event a line, with ids as numbers: the same id has the same number, so that it is seen what joins events.
func (w *world) golden() string {
	w.t.Helper()
	var out strings.Builder
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 1000)
		for _, e := range all {
			out.Write(append(e.JSON, '\n'))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	names := map[string]string{}
	return anyUUID.ReplaceAllStringFunc(out.String(), func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("id-%d", len(names)+1)
		}
		return names[id]
	})
}
