package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/directory"
	"sallyport/internal/store"
)

// TestOthersMembers: an administrator may put anybody into any group. Of who comes from another source, and of whoever is in a group from
// there, a token learns nothing by any filter, and it takes nobody out.
func TestOthersMembers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const elsewhere = "22222222222-2222-3333-4444-555555555555"
		mine, theirs := w.user("mine"), w.user("theirs")
		own, group := w.group("Own", mine, theirs), w.group("Theirs", mine)
		w.update(func(tx *store.Tx) error {
			u, err := tx.User(theirs)
			if err != nil {
				return err
			}
			g, err := tx.Group(group)
			if err != nil {
				return err
			}
			u.Source, g.Source = elsewhere, elsewhere
			if _, err := directory.UpdateUser(tx, u, "", "test"); err != nil {
				return err
			}
			_, err = directory.UpdateGroup(tx, g, "", "test")
			return err
		})
		filters := map[string][]string{
			`/Users groups.value eq "` + group + `"`: nil, `/Users groups eq "` + group + `"`: nil, `/Users groups.value eq "` + own + `"`: {mine},
			`/Groups members.value eq "` + theirs + `"`: nil, `/Groups members eq "` + theirs + `"`: nil, `/Groups id eq "` + own + `" and members eq "` + theirs + `"`: nil,
			`/Groups members.value eq "` + mine + `"`: {own}, `/Groups id eq "` + own + `" and members eq "` + mine + `"`: {own}, `/Groups id eq "` + group + `" and members eq "` + mine + `"`: nil,
		}
		if w.dialect == store.CompleteSCIM {
			filters[`/Groups members.display eq "The theirs"`] = nil
			filters[`/Groups not (members.value eq "`+theirs+`")`] = []string{own}
			filters[`/Users groups.display eq "Theirs"`] = nil
			if diff := cmp.Diff([]string{mine}, w.do("GET", "/Groups/"+own, "").expect(http.StatusOK).shownMembers()); diff != "" {
				t.Errorf("shown: %s", diff)
			}
		}
		for text, want := range filters {
			path, filter, _ := strings.Cut(text, " ")
			if diff := cmp.Diff(want, w.do("GET", path+"?filter="+url.QueryEscape(filter), "").expect(http.StatusOK).ids()); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		}
		w.do("PATCH", "/Groups/"+own, patch(fmt.Sprintf(`{"op":"remove","path":"members","value":[{"value":%q}]}`, theirs))).expect(http.StatusNoContent)
		if w.dialect == store.CompleteSCIM {
			w.do("PUT", "/Groups/"+own, `{"displayName":"Own"}`).expect(http.StatusOK)
			if diff := cmp.Diff([]string{theirs}, w.members(own)); diff != "" {
				t.Errorf("after a PUT without members: %s", diff)
			}
		} else if len(w.members(own)) != 2 {
			t.Errorf("left are %v", w.members(own))
		}
	})
}
