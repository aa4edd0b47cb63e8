package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// both runs a test of the complete dialect on both databases.
func both(t *testing.T, test func(*testing.T, *world)) {
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		test(t, newWorldOn(t, store.CompleteSCIM, open))
	})
}

// few makes people and groups to look for.
func (w *world) few() (ids map[string]string) {
	ids = map[string]string{}
	for i, name := range []string{"ann", "Bob", "cyd", "dan"} {
		more := []string{fmt.Sprintf(`"externalId":"x%d"`, i), fmt.Sprintf(`"active":%t`, i%2 == 0), fmt.Sprintf(`"emails":[{"value":"%s@x.test","type":"work","primary":true},{"value":"%s@home.test"}]`, name, name)}
		if i < 2 {
			more = append(more, `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}`, `"title":"T`+fmt.Sprint(9-i)+`"`)
		}
		ids[name] = w.user(name, more...)
		w.clock.Advance(time.Second)
	}
	ids["G"] = w.group("G", ids["ann"], ids["cyd"])
	w.clock.Advance(time.Second)
	ids["H"] = w.group("H", ids["ann"])
	return ids
}

// TestCompleteFilters: what an index finds and what a scan does is one answer (cases S05, S06).
func TestCompleteFilters(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		ids := w.few()
		other := w.newToken("22222222222-2222-3333-4444-555555555555", store.CompleteSCIM)
		pick := func(names ...string) (out []string) {
			for _, n := range names {
				out = append(out, ids[n])
			}
			return out
		}
		g, ann := ids["G"], ids["ann"]
		for filter, want := range map[string][]string{
			`userName eq "BOB"`: pick("Bob"), `userName eq "bob" and active eq true`: nil, `userName eq "bob" and not (active eq true)`: pick("Bob"), `id eq "` + ann + `"`: pick("ann"), `externalId eq "x2"`: pick("cyd"),
			`externalId eq "X2"`: nil, `emails.value eq "DAN@home.test"`: pick("dan"), `emails[primary eq true and value eq "DAN@x.test"]`: pick("dan"), `emails[primary eq true and value eq "dan@home.test"]`: nil,
			`groups.value eq "` + g + `"`: pick("ann", "cyd"), `groups eq "` + strings.ToUpper(g) + `" and userName sw "c"`: pick("cyd"), `groups.value eq "` + g + `" and groups.display eq "h"`: pick("ann"),
			`groups.display eq "G"`: pick("ann", "cyd"), `not (groups pr)`: pick("Bob", "dan"), `groups.value eq "nothing"`: nil, `id eq "` + ann + `" and groups.value eq "` + g + `"`: pick("ann"),
			`userName co "n" or title pr`: pick("ann", "Bob", "dan"), `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "sales" and active eq false`: pick("Bob"),
			`meta.created gt "` + w.do("GET", "/Users/"+ids["cyd"], "").at("meta", "created").(string) + `"`: pick("dan"), `name.familyName eq "family" and emails ew "@home.test" and (userName sw "a" or userName sw "d")`: pick("ann", "dan"),
		} {
			if diff := cmp.Diff(want, w.listed("/Users", filter)); diff != "" {
				t.Errorf("%s: %s", filter, diff)
			}
		}
		for filter, want := range map[string][]string{
			`displayName eq "g"`: pick("G"), `members.value eq "` + ann + `"`: pick("G", "H"), `members eq "` + ids["cyd"] + `"`: pick("G"), `members.value eq "` + ann + `" and members.display eq "the cyd"`: pick("G"),
			`id eq "` + g + `" and members eq "` + strings.ToUpper(ann) + `"`: pick("G"), `id eq "` + ids["H"] + `" and members eq "` + ids["cyd"] + `"`: nil, `members.display co "CYD"`: pick("G"), `displayName gt "G"`: pick("H"), `externalId pr`: nil,
			`displayName eq "G" and not (members[value eq "` + ann + `"])`: nil, `id eq "` + g + `"`: pick("G"),
		} {
			if diff := cmp.Diff(want, w.listed("/Groups", filter)); diff != "" {
				t.Errorf("%s: %s", filter, diff)
			}
		}
		for _, filter := range []string{`shoe eq 1`, `title`, `(`, `userName eq "a" andd title pr`} {
			if out := w.do("GET", "/Users?filter="+url.QueryEscape(filter), "").refused(http.StatusBadRequest, "not understood"); out.at("scimType") != "invalidFilter" {
				t.Errorf("%s: %v", filter, out.body)
			}
		}
		w.token = other // and nobody finds what is another's
		r := httptest.NewRequest("GET", "https://id.example.test/22222222222-2222-3333-4444-555555555555/scim/v2/Users?filter="+url.QueryEscape(`userName pr or id eq "`+ann+`"`), nil)
		r.Header.Set("Authorization", "Bearer "+other)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if !strings.Contains(rec.Body.String(), `"totalResults":0`) {
			t.Errorf("another source sees %s", rec.Body)
		}
	})
}

// TestCompletePaging: case S07 with true totals.
func TestCompletePaging(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	var all []string
	for n := range 51 {
		all = append(all, w.made(fmt.Sprintf("u%02d", n)))
		w.clock.Advance(time.Second)
	}
	for _, filter := range []string{"", "&filter=userName+sw+%22u%22", "&sortBy=meta.created"} {
		for query, want := range map[string][3]int{ // how many, from which, startIndex
			"": {51, 0, 1}, "count=10": {10, 0, 1}, "count=0": {0, 0, 1}, "count=-1": {0, 0, 1}, "count=100000": {51, 0, 1}, "startIndex=0&count=2": {2, 0, 1}, "startIndex=-5&count=2": {2, 0, 1},
			"startIndex=50": {2, 49, 50}, "startIndex=51&count=7": {1, 50, 51}, "startIndex=52": {0, 0, 52}, "startIndex=1000000000": {0, 0, 1000000000}, "startIndex=3&count=4": {4, 2, 3},
		} {
			out := w.do("GET", "/Users?"+query+filter, "").expect(http.StatusOK)
			if diff := cmp.Diff(append([]string(nil), all[want[1]:want[1]+want[0]]...), out.ids()); diff != "" {
				t.Errorf("%s%s: %s", query, filter, diff)
			}
			if out.at("totalResults") != float64(51) || out.at("itemsPerPage") != float64(want[0]) || out.at("startIndex") != float64(want[2]) {
				t.Errorf("%s%s: %v of %v from %v", query, filter, out.at("itemsPerPage"), out.at("totalResults"), out.at("startIndex"))
			}
		}
	}
	w.do("GET", "/Users?count=x", "").refused(http.StatusBadRequest, "count")
	w.do("GET", "/Users?startIndex=x", "").refused(http.StatusBadRequest, "startIndex")
	w.do("GET", "/Users?sortBy=shoe", "").refused(http.StatusBadRequest, "no attribute")
	w.do("GET", "/Users?sortBy=userName&sortOrder=up", "").refused(http.StatusBadRequest, "sortOrder")
}

// TestCursors: pages by cursor have everyone once while others come and go (RFC 9865).
func TestCursors(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		w.approve(24 * time.Hour)
		var all []string
		for n := range 23 {
			all = append(all, w.made(fmt.Sprintf("u%02d", 50-n)))
		}
		slices.Sort(all)
		for i, query := range []string{"", "&filter=userName+sw+%22u%22", "&sortBy=userName", "&sortBy=userName&sortOrder=descending&filter=userName+sw+%22u%22", "&sortBy=title", "&filter=id+pr&sortBy=active"} {
			var got []string
			for page, cursor := 0, ""; ; page++ {
				out := w.do("GET", "/Users?count=4&cursor="+url.QueryEscape(cursor)+query, "").expect(http.StatusOK)
				if out.at("totalResults").(float64) < 23 || out.at("startIndex") != nil {
					t.Errorf("%s: %v", query, out.body)
				}
				got = append(got, out.ids()...)
				if cursor, _ = out.at("nextCursor").(string); cursor == "" {
					break
				}
				w.clock.Advance(time.Second)
				w.do("DELETE", "/Users/"+w.user(fmt.Sprintf("v%d%d", i, page)), "").expect(http.StatusNoContent)
				w.made(fmt.Sprintf("w%d%d", i, page))
			}
			slices.Sort(got)
			if unique := slices.Compact(slices.Clone(got)); len(unique) != len(got) {
				t.Errorf("%s: some twice", query)
			}
			for _, id := range all {
				if _, found := slices.BinarySearch(got, id); !found {
					t.Errorf("%s: %s is missing", query, id)
				}
			}
		}
		next := w.do("GET", "/Users?count=4&cursor", "").at("nextCursor").(string)
		for query, reason := range map[string]string{
			"cursor=made-up": "invalidCursor", "cursor=" + url.QueryEscape(next) + "&sortBy=title": "invalidCursor", "cursor&count=-1": "invalidCount", "cursor&count=x": "invalidCount",
		} {
			if out := w.do("GET", "/Users?"+query, "").expect(http.StatusBadRequest); out.at("scimType") != reason {
				t.Errorf("%s: %v", query, out.body)
			}
		}
		w.clock.Advance(25 * time.Hour)
		if out := w.do("GET", "/Users?cursor="+url.QueryEscape(next), "").expect(http.StatusBadRequest); out.at("scimType") != "expiredCursor" {
			t.Errorf("an old cursor: %v", out.body)
		}
	})
}

// TestIndexPaging: pages by index do not repeat anybody when others are made.
func TestIndexPaging(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	for n := range 20 {
		w.made(fmt.Sprintf("u%02d", n))
	}
	for _, filter := range []string{"", "&filter=userName+sw+%22u%22"} {
		var got []string
		for start := 1; ; start += 7 {
			ids := w.do("GET", fmt.Sprintf("/Users?startIndex=%d&count=7%s", start, filter), "").ids()
			if got = append(got, ids...); len(ids) < 7 {
				break
			}
			w.clock.Advance(time.Second)
			w.made(fmt.Sprintf("v%d%s", start, filter))
		}
		slices.Sort(got)
		if n := len(slices.Compact(got)); n != len(got) || n < 20 {
			t.Errorf("%q: %d users, %d of them once", filter, len(got), n)
		}
	}
}

func TestSorting(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		ids := w.few()
		for query, want := range map[string]string{
			"sortBy=userName": "ann Bob cyd dan", "sortBy=userName&sortOrder=descending": "dan cyd Bob ann", "sortBy=title": "Bob ann cyd dan", "sortBy=title&sortOrder=descending": "cyd dan ann Bob",
			"sortBy=active&sortOrder=ascending": "Bob dan ann cyd", "sortBy=emails.value&sortOrder=descending&count=2": "dan cyd", "sortBy=meta.created&sortOrder=descending&startIndex=2&count=2": "cyd Bob", "sortBy=ims": "ann Bob cyd dan",
		} {
			var wanted []string
			for name := range strings.FieldsSeq(want) {
				wanted = append(wanted, ids[name])
			}
			if diff := cmp.Diff(wanted, w.do("GET", "/Users?"+query, "").expect(http.StatusOK).ids()); diff != "" {
				t.Errorf("%s: %s", query, diff)
			}
		}
	})
}
