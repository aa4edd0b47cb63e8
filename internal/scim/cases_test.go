package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// each runs a case in both dialects.
func each(t *testing.T, test func(*testing.T, *world)) {
	for _, d := range []store.Dialect{store.StrictSCIM, store.CompleteSCIM} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, d))
		})
	}
}

func TestS01RemoveOneMember(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b, c := w.user("a"), w.user("b"), w.user("c")
		g := w.group("G", a, b)
		for _, id := range []string{strings.ToUpper(a), c, "00000000-0000-0000-0000-000000000000"} {
			w.do("PATCH", "/Groups/"+g, patch(fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id))).expect(http.StatusNoContent)
		}
		if diff := cmp.Diff([]string{b}, w.members(g)); diff != "" {
			t.Error(diff)
		}
		w.do("PATCH", "/Groups/"+g, patch(fmt.Sprintf(`{"op":"Remove","path":"members","value":[{"value":%q}]}`, b))).expect(http.StatusNoContent)
		if left := w.members(g); left != nil {
			t.Errorf("left are %v", left)
		}
	})
}

func TestS02BooleansAsText(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.user("a")
		for _, value := range []string{`"False"`, `"false"`, `false`, `"FALSE"`} {
			w.do("PATCH", "/Users/"+id, patch(`{"op":"add","path":"active","value":"True"}`)).expect(http.StatusOK)
			out := w.do("PATCH", "/Users/"+id, patch(`{"op":"Replace","path":"active","value":`+value+`}`)).expect(http.StatusOK)
			if out.at("active") != false {
				t.Errorf("%s: active is %v", value, out.at("active"))
			}
		}
		for _, value := range []string{`"no"`, `"0"`, `0`, `"f"`, `{}`, `[]`} {
			w.do("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"active","value":`+value+`}`)).refused(http.StatusBadRequest, "active must be true or false")
		}
		if w.do("GET", "/Users/"+id, "").at("active") != false {
			t.Error("the user is active again")
		}
	})
}

func TestS03TypedMailThatIsNotThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.user("a")
		for n := range 3 {
			for _, op := range []string{"add", "replace"} {
				value := fmt.Sprintf("%s%d@x.test", op, n)
				out := w.do("PATCH", "/Users/"+id, patch(fmt.Sprintf(`{"op":%q,"path":"emails[type eq \"work\"].value","value":%q}`, op, value))).expect(http.StatusOK)
				want := []any{map[string]any{"type": "work", "value": value, "primary": true}}
				if diff := cmp.Diff(want, out.at("emails")); diff != "" {
					t.Error(diff)
				}
			}
		}
	})
}

func TestS04NamesInAnyCase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.user("Anna@x.test")
		w.do("POST", "/Users", userJSON("anna@X.TEST")).refused(http.StatusConflict, "Duplicate UserName")
		out := w.do("GET", "/Users?filter="+url.QueryEscape(`userName eq "ANNA@X.TEST"`), "").expect(http.StatusOK)
		if diff := cmp.Diff([]string{id}, out.ids()); diff != "" {
			t.Error(diff)
		}
		if name := w.do("GET", "/Users/"+id, "").at("userName"); name != "Anna@x.test" {
			t.Errorf("written as %v", name)
		}
	})
}

func TestS05FiltersInAnyCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	id := w.user("a", `"externalId":"e1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"m1"}}`)
	for filter, want := range map[string][]string{
		`USERNAME EQ "a"`: {id}, `externalid eq "e1"`: {id}, `ID eq "` + id + `" AND Manager EQ "m1"`: {id}, `manager eq "m1" and id eq "` + id + `"`: {id},
		`manager eq "m2" and id eq "` + id + `"`: nil, `userName eq "b"`: nil, `externalId eq "E1"`: nil,
	} {
		if diff := cmp.Diff(want, w.do("GET", "/Users?filter="+url.QueryEscape(filter), "").expect(http.StatusOK).ids()); diff != "" {
			t.Errorf("%s: %s", filter, diff)
		}
	}
	for _, filter := range []string{
		`userName co "a"`, `userName eq "a" or userName eq "b"`, `not (userName eq "a")`, `userName pr`, `userName eq 3`, `userName`, `userName eq "a" and externalId eq "e1"`,
		`emails[type eq "work"]`, `title eq "x"`, `(`, strings.Repeat("(", 2000), `userName eq "` + strings.Repeat("a", 2000) + `"`,
	} {
		w.do("GET", "/Users?filter="+url.QueryEscape(filter), "").refused(http.StatusBadRequest, "Invalid Filter format")
	}
	if got := w.do("GET", "/Users?filter=userName%20eq%20%22%61%22", "").ids(); !slices.Equal(got, []string{id}) {
		t.Errorf("got %v", got)
	}
}

func TestS06QuotesInFilters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{`A "quoted" \ name`, `x" and userName eq "x`, `' OR 1=1 --`, `ünï "`} {
			id := w.group(name)
			quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)
			out := w.do("GET", "/Groups?filter="+url.QueryEscape(`displayName eq "`+quoted+`"`), "").expect(http.StatusOK)
			if diff := cmp.Diff([]string{id}, out.ids()); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

func TestS07Paging(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	var all []string
	for n := range 51 {
		all = append(all, w.user(fmt.Sprintf("u%02d", n)))
	}
	slices.Sort(all)
	for query, want := range map[string]int{"": 51, "?count=10": 10, "?count=0": 0, "?count=-1": 0, "?count=1000": 51, "?startIndex=40": 51} {
		out := w.do("GET", "/Users"+query, "").expect(http.StatusOK)
		if len(out.ids()) != want || out.at("totalResults") != float64(want) || out.at("startIndex") != float64(1) || out.at("nextCursor") != nil {
			t.Errorf("%q: %d users, %v of %v", query, len(out.ids()), out.at("itemsPerPage"), out.at("totalResults"))
		}
	}
	var got []string
	for cursor := ""; ; {
		out := w.do("GET", "/Users?count=7&cursor="+url.QueryEscape(cursor), "").expect(http.StatusOK)
		if _, old := out.body["totalResults"]; old {
			t.Error("the old form with a cursor")
		}
		got = append(got, out.ids()...)
		if cursor, _ = out.at("nextCursor").(string); cursor == "" {
			break
		}
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}
	w.do("GET", "/Users?cursor=made-up", "").refused(http.StatusBadRequest, "pagination token")
	w.do("GET", "/Users?count=x", "").refused(http.StatusBadRequest, "count")
}

func TestS08ManyMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	var ops []string
	for n := range 101 {
		ops = append(ops, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, w.user(fmt.Sprintf("u%d", n))))
	}
	g := w.group("G")
	w.do("PATCH", "/Groups/"+g, patch(ops...)).refused(http.StatusBadRequest, "At most 100 members")
	if got := w.members(g); got != nil {
		t.Errorf("%d were added all the same", len(got))
	}
	w.do("PATCH", "/Groups/"+g, patch(ops[:100]...)).expect(http.StatusNoContent)
	if got := w.members(g); len(got) != 100 {
		t.Errorf("%d were added", len(got))
	}
	// One unknown among many: nothing is applied.
	other := w.group("H")
	w.do("PATCH", "/Groups/"+other, patch(ops[0], `{"op":"add","path":"members","value":[{"value":"00000000-0000-0000-0000-000000000000"}]}`)).refused(http.StatusNotFound, "USER not found")
	if got := w.members(other); got != nil {
		t.Errorf("half was done: %v", got)
	}
}

func TestS09MembersAreHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	a, b := w.user("a"), w.user("b")
	g := w.group("G", a)
	for _, path := range []string{"/Groups/" + g, "/Groups?filter=" + url.QueryEscape(`displayName eq "G"`)} {
		out := w.do("GET", path, "").expect(http.StatusOK)
		one := out.body
		if all, ok := out.body["Resources"].([]any); ok {
			one, _ = all[0].(map[string]any)
		}
		if members, ok := one["members"].([]any); !ok || len(members) != 0 {
			t.Errorf("%s: members are %v", path, one["members"])
		}
	}
	for user, want := range map[string][]string{a: {g}, b: nil} {
		for _, filter := range []string{`id eq "%s" and members eq "%s"`, `id eq "%s" and members.value eq "%s"`} {
			if diff := cmp.Diff(want, w.do("GET", "/Groups?filter="+url.QueryEscape(fmt.Sprintf(filter, g, user)), "").expect(http.StatusOK).ids()); diff != "" {
				t.Error(diff)
			}
		}
		if diff := cmp.Diff(want, w.do("GET", "/Groups?filter="+url.QueryEscape(fmt.Sprintf(`members eq "%s"`, user)), "").ids()); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{a}, w.do("GET", "/Users?filter="+url.QueryEscape(fmt.Sprintf(`groups.value eq "%s"`, g)), "").ids()); diff != "" {
		t.Error(diff)
	}
}

func TestS10WholeMemberLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.StrictSCIM)
	a, b := w.user("a"), w.user("b")
	g := w.group("G", a, b)
	for _, op := range []string{`{"op":"replace","path":"members","value":[{"value":"` + a + `"}]}`, `{"op":"remove","path":"members"}`, `{"op":"replace","value":{"members":[]}}`} {
		w.do("PATCH", "/Groups/"+g, patch(op)).refused(http.StatusBadRequest, "cannot be replaced or removed at once")
	}
	w.do("PUT", "/Groups/"+g, `{"displayName":"G"}`).refused(http.StatusMethodNotAllowed, "PUT is not supported")
	if got := w.members(g); len(got) != 2 {
		t.Errorf("left are %v", got)
	}
}

func TestS11SlashesAndContentTypes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for n, kind := range []string{"application/json", "application/scim+json; charset=utf-8", "application/json;charset=UTF-8", ""} {
			w.do("POST", "//Users/", userJSON(fmt.Sprintf("u%d", n)), "Content-Type", kind).expect(http.StatusCreated)
		}
		w.do("POST", "/Users", userJSON("x"), "Content-Type", "text/plain").refused(http.StatusBadRequest, "content type")
		w.do("POST", "/Users", "{", "Content-Type", "application/json").refused(http.StatusBadRequest, "Invalid JSON from RequestBody")
		w.do("POST", "/Users", `[]`).refused(http.StatusBadRequest, "unparsable")
		w.do("POST", "/Users", `{"userName":"a","USERNAME":"b"}`).refused(http.StatusBadRequest, "unparsable")
	})
}

func TestS13DuplicateCreate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.group("G")
		if out := w.do("POST", "/Groups", `{"displayName":"g"}`).refused(http.StatusConflict, "Duplicate GroupDisplayName"); out.at("scimType") != "uniqueness" {
			t.Errorf("scimType is %v", out.at("scimType"))
		}
		if got := w.do("GET", "/Groups?filter="+url.QueryEscape(`displayName eq "G"`), "").ids(); !slices.Equal(got, []string{id}) {
			t.Errorf("found %v", got)
		}
	})
}
