package scim_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// TestSearch: a SearchRequest asks as a query string does (RFC 7644 §3.4.3).
func TestSearch(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world) {
		ids := w.few()
		out := w.do("POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName sw \"c\" or userName sw \"d\"","attributes":["userName","groups"],"sortBy":"userName","sortOrder":"descending","startIndex":1,"count":"10"}`).expect(http.StatusOK)
		if diff := cmp.Diff([]string{ids["dan"], ids["cyd"]}, out.ids()); diff != "" {
			t.Error(diff)
		}
		last := out.at("Resources").([]any)[1].(map[string]any)
		if last["userName"] != "cyd" || last["meta"] != nil || last["groups"].([]any)[0].(map[string]any)["value"] != ids["G"] {
			t.Errorf("shown is %v", last)
		}
		out = w.do("POST", "/Groups/.search", `{"filter":"displayName pr","excludedAttributes":["members"],"count":1}`).expect(http.StatusOK)
		if out.at("totalResults") != float64(2) || len(out.ids()) != 1 || out.at("Resources").([]any)[0].(map[string]any)["members"] != nil {
			t.Errorf("groups: %v", out.body)
		}
		all := w.do("POST", "/.search", `{"filter":"userName sw \"a\" or displayName eq \"G\" and meta.resourceType eq \"Group\""}`).expect(http.StatusOK)
		if diff := cmp.Diff([]string{ids["ann"], ids["G"]}, all.ids()); diff != "" {
			t.Error(diff)
		}
		var got []string
		for cursor := ""; ; {
			out := w.do("POST", "/.search", `{"count":2,"cursor":"`+cursor+`"}`).expect(http.StatusOK)
			if got = append(got, out.ids()...); out.at("totalResults") != float64(6) {
				t.Errorf("total %v", out.at("totalResults"))
			}
			if cursor, _ = out.at("nextCursor").(string); cursor == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{ids["ann"], ids["Bob"], ids["cyd"], ids["dan"], ids["G"], ids["H"]}, got); diff != "" {
			t.Error(diff)
		}
		for _, body := range []string{`{"filter":4}`, `{"count":"x"}`, `{"cursor":4}`, `{"filter":"shoe pr"}`, `{"attributes":["id"],"excludedAttributes":["name"]}`, `[]`} {
			w.do("POST", "/Users/.search", body).expect(http.StatusBadRequest)
		}
	})
}

// TestOthersAreNotSeen: nothing is found of what comes from another source, by an index or by a scan.
func TestOthersAreNotSeen(t *testing.T) {
	t.Parallel()
	w := completeWorld(t)
	ids := w.few()
	w.update(func(tx *store.Tx) error {
		g, err := tx.Group(ids["G"])
		if err != nil {
			return err
		}
		u, err := tx.User(ids["ann"])
		if err != nil {
			return err
		}
		g.Source, u.Source = "22222222222-2222-3333-4444-555555555555", "22222222222-2222-3333-4444-555555555555"
		return errors.Join(tx.UpdateGroup(g), tx.UpdateUser(u))
	})
	for kind, filters := range map[string][]string{
		"/Users":  {`groups.value eq "` + ids["G"] + `"`, `groups.display eq "G"`, `userName eq "ann"`, `userName sw "ann"`, `id eq "` + ids["ann"] + `"`, `externalId eq "x0"`, `emails[primary eq true and value eq "ann@x.test"]`, `groups.value eq "` + ids["H"] + `"`},
		"/Groups": {`displayName eq "G"`, `displayName sw "G"`, `id eq "` + ids["G"] + `"`, `members.value eq "` + ids["cyd"] + `"`},
	} {
		for _, filter := range filters {
			if got := w.listed(kind, filter); got != nil {
				t.Errorf("%s finds %v", filter, got)
			}
		}
	}
	if out := w.do("GET", "/Users/"+ids["cyd"]+"?attributes=groups", ""); out.at("groups") != nil {
		t.Errorf("a group of another source is shown: %v", out.body)
	}
	if out := w.do("GET", "/Users", ""); out.at("totalResults") != float64(3) || slices.Contains(out.ids(), ids["ann"]) {
		t.Errorf("listed are %v", out.ids())
	}
}

// TestScansWait: one scan at a time, and who waits goes when the client does.
func TestScansWait(t *testing.T) {
	w := completeWorld(t)
	ids := w.few()
	leave := w.holdTurn()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", "https://id.example.test/"+tenant+"/scim/v2/Users?filter=title+pr", nil)
	r.Header.Set("Authorization", "Bearer "+w.token)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if rec.Code != http.StatusTooManyRequests {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	w.do("GET", "/Users?filter=userName+eq+%22ann%22", "").expect(http.StatusOK) // an index serves it
	w.do("GET", "/Users", "").expect(http.StatusOK)
	for _, filter := range []string{
		`emails eq "ANN@home.test"`, `emails.value eq "ann@home.test"`, `emails[value eq "ann@home.test"] and active eq true`, `emails[type eq "work"].value eq "ann@x.test"`,
		`emails[not (type eq "work")].value eq "ann@home.test"`, `emails[primary eq true].value eq "ann@x.test"`, `emails.value eq "ann@x.test" and emails.value eq "ann@home.test"`,
	} {
		if got := w.listed("/Users", filter); !slices.Equal(got, []string{ids["ann"]}) {
			t.Errorf("%s: %v", filter, got)
		}
	}
	for _, filter := range []string{`emails[type eq "work"].value eq "ann@home.test"`, `emails.value eq "nobody@x.test"`, `emails.value eq "ann@x.test" and emails.value eq "bob@x.test"`} {
		if got := w.listed("/Users", filter); got != nil {
			t.Errorf("%s: %v", filter, got)
		}
	}
	leave()
	if n := len(w.do("GET", "/Users?filter=title+pr", "").expect(http.StatusOK).ids()); n != 2 {
		t.Errorf("%d found", n)
	}
}
