package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/internal/clock"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestProperty does what comes to no client's mind, in both dialects by turns, beside a model in memory: each answer's status is the
// model's, and so is, in the end, what the lists of both dialects and the database say.
func TestProperty(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, store.StrictSCIM, open)
		w.set(func(v *setting.Values) { v.SCIMGuardWindow = 0 }) // more is taken out than a guard lets
		tokens := map[store.Dialect]string{store.StrictSCIM: w.token, store.CompleteSCIM: w.newToken(tenant, store.CompleteSCIM)}
		const bound = 4 * time.Second
		begun, runs, failing := clock.System{}.Now(), 0, false
		rapid.Check(t, func(t *rapid.T) {
			if !failing && (clock.System{}).Now().Sub(begun) > bound { // what fails is made small however long that takes
				return
			}
			runs++
			failing = true
			m := &scimModel{world: w, t: t, tokens: tokens, users: map[string]*modelUser{}, groups: map[string]*modelGroup{}}
			m.empty()
			t.Repeat(m.actions())
			m.compare()
			failing = false
		})
		if t.Logf("%d runs", runs); runs < 2 {
			t.Errorf("only %d runs in %v", runs, bound)
		}
	})
}

// scimModel is what there should be.
type scimModel struct {
	*world
	t      *rapid.T
	tokens map[store.Dialect]string
	strict bool // the dialect of the request at hand
	users  map[string]*modelUser
	groups map[string]*modelGroup
	made   []string // ids, in order
	gone   []string
}

type modelUser struct {
	name, external, title string
	active                bool
}

type modelGroup struct {
	name, external string
	members        map[string]bool
}

// empty begins anew: everybody and every group is deleted.
func (m *scimModel) empty() {
	m.speak(store.StrictSCIM)
	for _, kind := range []string{"/Users", "/Groups"} {
		for {
			ids := m.do("GET", kind, "").ids()
			if len(ids) == 0 {
				break
			}
			for _, id := range ids {
				m.do("DELETE", kind+"/"+id, "")
			}
		}
	}
}

func (m *scimModel) speak(d store.Dialect) {
	m.strict, m.token = d == store.StrictSCIM, m.tokens[d]
}

// actions are what is drawn from; each in a dialect that is drawn too.
func (m *scimModel) actions() map[string]func(*rapid.T) {
	out := map[string]func(*rapid.T){}
	for name, do := range map[string]func(){
		"createUser": m.createUser, "putUser": m.putUser, "patchUser": m.patchUser, "deleteUser": m.deleteUser, "find": m.find, "getUnknown": m.getUnknown,
		"createGroup": m.createGroup, "patchGroup": m.patchGroup, "patchGroupAgain": m.patchGroup, "putGroup": m.putGroup, "deleteGroup": m.deleteGroup,
	} {
		out[name] = func(t *rapid.T) {
			m.t = t
			m.speak(rapid.SampledFrom([]store.Dialect{store.StrictSCIM, store.CompleteSCIM}).Draw(t, "dialect"))
			do()
		}
	}
	return out
}

// ask sends a request and says whether it was done; want is what the model has for it, and what else may be refused with.
func (m *scimModel) ask(method, path, body string, want ...int) (reply, bool) {
	a := m.do(method, path, body)
	if !slices.Contains(want, a.status) {
		m.t.Fatalf("%s (strict: %v): %d %v, want %v", a.asked, m.strict, a.status, a.body, want)
	}
	return a, a.status < 300
}

func pick[T any](m *scimModel, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(m.t, label)
}

func (m *scimModel) userName() string {
	return pick(m, "name", "anna", "ANNA", "bea", "carl", "dora", "Dora", "emil")
}
func (m *scimModel) groupName() string { return pick(m, "group name", "G", "g", "H", `I "quoted"`) }
func (m *scimModel) externalID() string {
	return pick(m, "external id", "", "", "e1", "e2", "E2", "urn:x:3")
}

// id is one of those that are known, in the order of their making so that what is drawn can be drawn again, or, now and then, one that
// is gone or never was.
func id[T any](m *scimModel, label string, known map[string]T) string {
	var from []string
	for _, id := range m.made {
		if _, ok := known[id]; ok {
			from = append(from, id)
		}
	}
	if len(from) > 0 && rapid.IntRange(0, 5).Draw(m.t, "known") > 0 {
		return pick(m, label, from...)
	}
	return pick(m, label, append(slices.Clone(m.gone[max(0, len(m.gone)-2):]), "00000000-0000-0000-0000-000000000000")...)
}

// takenUser says whether another user has the name or the external id.
func (m *scimModel) takenUser(id string, u modelUser) bool {
	for other, v := range m.users {
		if other != id && (strings.EqualFold(v.name, u.name) || u.external != "" && v.external == u.external) {
			return true
		}
	}
	return false
}

func (m *scimModel) takenGroup(id string, g modelGroup) bool {
	for other, v := range m.groups {
		if other != id && (strings.EqualFold(v.name, g.name) || g.external != "" && v.external == g.external) {
			return true
		}
	}
	return false
}

// userBody draws a user; active is "" when it is not said.
func (m *scimModel) userBody() (u modelUser, active, body string) {
	u = modelUser{name: m.userName(), external: m.externalID(), title: pick(m, "title", "", "T"), active: true}
	active = pick(m, "active", "", "true", "false", `"False"`, `"nobody"`)
	more := []string{fmt.Sprintf(`"externalId":%q`, u.external), fmt.Sprintf(`"title":%q`, u.title)}
	if active != "" {
		more = append(more, `"active":`+active)
	}
	return u, active, userJSON(u.name, more...)
}

func (m *scimModel) createUser() {
	u, active, body := m.userBody()
	want := http.StatusCreated
	switch {
	case active == `"nobody"`:
		want = http.StatusBadRequest
	case m.takenUser("", u):
		want = http.StatusConflict
	}
	u.active = active == "" || active == "true"
	if a, ok := m.ask("POST", "/Users", body, want); ok {
		m.users[a.id()], m.made = &u, append(m.made, a.id())
	}
}

func (m *scimModel) putUser() {
	id := id(m, "user", m.users)
	u, active, body := m.userBody()
	want := http.StatusOK
	was := m.users[id]
	switch {
	case was == nil:
		want = http.StatusNotFound
	case active == `"nobody"`:
		want = http.StatusBadRequest
	case m.takenUser(id, u):
		want = http.StatusConflict
	}
	if _, ok := m.ask("PUT", "/Users/"+id, body, want); ok {
		u.active = active == "true" || active == "" && was.active
		m.users[id] = &u
	}
}

func (m *scimModel) patchUser() {
	id := id(m, "user", m.users)
	var u modelUser
	if was := m.users[id]; was != nil {
		u = *was
	}
	var ops []string
	bad, named, set := false, 0, 0
	for range rapid.IntRange(1, 3).Draw(m.t, "ops") {
		switch pick(m, "op", "name", "active", "title", "untitle", "external", "shoe", "unname") {
		case "name":
			u.name = m.userName()
			named++
			ops = append(ops, fmt.Sprintf(`{"op":"replace","path":"userName","value":%q}`, u.name))
		case "active":
			u.active = rapid.Bool().Draw(m.t, "active")
			set++
			ops = append(ops, fmt.Sprintf(`{"op":"Replace","value":{"active":"%v"}}`, u.active))
		case "title":
			u.title = "U"
			ops = append(ops, `{"op":"add","path":"title","value":"U"}`)
		case "untitle":
			u.title = ""
			ops = append(ops, `{"op":"remove","path":"title"}`)
		case "external":
			u.external = m.externalID()
			ops = append(ops, fmt.Sprintf(`{"op":"replace","path":"externalId","value":%q}`, u.external))
		case "shoe":
			bad = true
			ops = append(ops, `{"op":"replace","path":"shoe[","value":"x"}`)
		case "unname":
			bad = true
			ops = append(ops, `{"op":"remove","path":"userName"}`)
		}
	}
	want := http.StatusOK
	switch {
	case m.users[id] == nil:
		want = http.StatusNotFound
	case bad || m.strict && (named > 1 || set > 1):
		want = http.StatusBadRequest
	case m.takenUser(id, u):
		want = http.StatusConflict
	}
	if _, ok := m.ask("PATCH", "/Users/"+id, patch(ops...), want); ok {
		m.users[id] = &u
	}
}

func (m *scimModel) deleteUser() {
	id := id(m, "user", m.users)
	want := http.StatusNoContent
	if m.users[id] == nil {
		want = http.StatusNotFound
	}
	if _, ok := m.ask("DELETE", "/Users/"+id, "", want); ok {
		delete(m.users, id)
		for _, g := range m.groups {
			delete(g.members, id)
		}
		m.gone = append(m.gone, id)
	}
}

// find looks somebody up by name and by external id, in any case.
func (m *scimModel) find() {
	name, external := m.userName(), m.externalID()
	var byName, byExternal []string
	for id, u := range m.users {
		if strings.EqualFold(u.name, name) {
			byName = append(byName, id)
		}
		if external != "" && u.external == external {
			byExternal = append(byExternal, id)
		}
	}
	for filter, want := range map[string][]string{fmt.Sprintf("userName eq %q", name): byName, fmt.Sprintf("externalId eq %q", external): byExternal} {
		if strings.HasSuffix(filter, `""`) {
			continue
		}
		a, _ := m.ask("GET", "/Users?filter="+url.QueryEscape(filter), "", http.StatusOK)
		if !slices.Equal(a.ids(), want) {
			m.t.Fatalf("%s: %v, want %v", filter, a.ids(), want)
		}
	}
}

func (m *scimModel) getUnknown() {
	id := pick(m, "gone", append(slices.Clone(m.gone), "00000000-0000-0000-0000-000000000000", "nonsense")...)
	m.ask("GET", "/Users/"+id, "", http.StatusNotFound)
	m.ask("GET", "/Groups/"+id, "", http.StatusNotFound)
}
