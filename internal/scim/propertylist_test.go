package scim_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// compare compares the model with the database and with the lists of both dialects.
func (m *scimModel) compare() {
	var want []string
	for _, u := range m.users {
		status := "disabled"
		if u.active {
			status = "enabled"
		}
		want = append(want, fmt.Sprintf("user %s %s", u.name, status))
	}
	for _, g := range m.groups {
		var in []string
		for id := range g.members {
			in = append(in, m.users[id].name)
		}
		slices.Sort(in)
		want = append(want, strings.TrimSpace(fmt.Sprintf("group %s: %s", g.name, strings.Join(in, " "))))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, directoryOf(m.world.t, m.db)); diff != "" {
		m.t.Fatal(diff)
	}
	m.compareLists()
}

// compareLists goes through the lists page by page, in the form of each dialect, and asks who is in which group.
func (m *scimModel) compareLists() {
	for _, d := range []store.Dialect{store.StrictSCIM, store.CompleteSCIM} {
		m.speak(d)
		users := map[string]modelUser{}
		for _, r := range m.all("/Users") {
			text := func(k string) string { s, _ := r[k].(string); return s }
			active, _ := r["active"].(bool)
			users[text("id")] = modelUser{text("userName"), text("externalId"), text("title"), active}
		}
		want := map[string]modelUser{}
		for id, u := range m.users {
			want[id] = *u
		}
		if diff := cmp.Diff(want, users, cmp.AllowUnexported(modelUser{})); diff != "" {
			m.t.Fatalf("users, strict %v: %s", m.strict, diff)
		}
		m.compareGroups()
	}
}

func (m *scimModel) compareGroups() {
	listed := m.all("/Groups")
	if len(listed) != len(m.groups) {
		m.t.Fatalf("%d groups are listed, want %d", len(listed), len(m.groups))
	}
	for _, r := range listed {
		id, _ := r["id"].(string)
		g := m.groups[id]
		external, _ := r["externalId"].(string)
		if g == nil || g.name != r["displayName"] || g.external != external {
			m.t.Fatalf("listed is %v, want %v", r, g)
		}
		want := slices.Sorted(maps.Keys(g.members))
		in, _ := m.ask("GET", "/Users?filter="+url.QueryEscape(fmt.Sprintf("groups.value eq %q", id)), "", http.StatusOK)
		got := in.ids()
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			m.t.Fatalf("members by the users, strict %v: %s", m.strict, diff)
		}
		if m.strict {
			continue
		}
		one, _ := m.ask("GET", "/Groups/"+id, "", http.StatusOK)
		var shown []string
		members, _ := one.body["members"].([]any)
		for _, e := range members {
			of, _ := e.(map[string]any)
			shown = append(shown, fmt.Sprint(of["value"]))
		}
		slices.Sort(shown)
		if diff := cmp.Diff(want, shown); diff != "" {
			m.t.Fatalf("members by the group: %s", diff)
		}
	}
}

// all is a whole list, three at a time: by cursor in AWS's dialect, by index in the RFC's.
func (m *scimModel) all(path string) (out []map[string]any) {
	for query := "&cursor="; ; {
		if !m.strict {
			query = fmt.Sprintf("&startIndex=%d", len(out)+1)
		}
		a, _ := m.ask("GET", path+"?count=3"+query, "", http.StatusOK)
		rows, _ := a.body["Resources"].([]any)
		for _, r := range rows {
			one, _ := r.(map[string]any)
			out = append(out, one)
		}
		next, _ := a.body["nextCursor"].(string)
		switch {
		case m.strict && next == "":
			return out
		case m.strict:
			query = "&cursor=" + url.QueryEscape(next)
		case len(rows) == 0:
			if total, _ := a.body["totalResults"].(float64); int(total) != len(out) {
				m.t.Fatalf("%s: %v in all, and %d came", path, total, len(out))
			}
			return out
		}
	}
}
