package scimpush_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/directory"
	"sallyport/internal/page"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
)

// foreign is a server of the RFCs' dialect that is nobody's we know: it pages by index, shows members, takes them out by a path with
// a filter, adds what it likes to names, and has booleans as texts.
type foreign struct {
	mu     sync.Mutex
	next   int
	users  map[string]map[string]any
	groups map[string]*crew
}

type crew struct {
	name, external string
	members        []string
}

func newForeign() *foreign {
	return &foreign{users: map[string]map[string]any{}, groups: map[string]*crew{}}
}

var (
	byEq  = regexp.MustCompile(`^(\w+) eq ("(?:[^"\\]|\\.)*")$`)
	byOne = regexp.MustCompile(`^members\[value eq ("(?:[^"\\]|\\.)*")\]$`)
)

func (f *foreign) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/base/"), "/")
	id := ""
	if len(parts) == 2 {
		id = parts[1]
	}
	var body map[string]any
	if r.Method != http.MethodGet && r.Method != http.MethodDelete {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			f.say(w, http.StatusBadRequest, nil)
			return
		}
	}
	if parts[0] == "Users" {
		f.user(w, r, id, body)
		return
	}
	f.group(w, r, id, body)
}

func (f *foreign) say(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (f *foreign) taken(id string, body map[string]any) bool {
	for k, u := range f.users {
		if k != id && strings.EqualFold(u["userName"].(string), body["userName"].(string)) {
			return true
		}
	}
	return false
}

func (f *foreign) put(id string, body map[string]any) map[string]any {
	body["id"] = id
	body["active"] = fmt.Sprint(body["active"])
	if n, ok := body["name"].(map[string]any); ok && n["formatted"] == nil {
		n["formatted"] = fmt.Sprint(n["givenName"], " ", n["familyName"])
	}
	f.users[id] = body
	return body
}

func (f *foreign) remove(id string) {
	delete(f.users, id)
	for _, g := range f.groups {
		g.members = slices.DeleteFunc(g.members, func(m string) bool { return m == id })
	}
}

func (f *foreign) user(w http.ResponseWriter, r *http.Request, id string, body map[string]any) {
	_, there := f.users[id]
	switch {
	case id != "" && !there:
		f.say(w, http.StatusNotFound, nil)
	case (r.Method == http.MethodPost || r.Method == http.MethodPut) && f.taken(id, body):
		f.say(w, http.StatusConflict, map[string]any{"detail": "taken", "scimType": "uniqueness"})
	case r.Method == http.MethodPost:
		f.next++
		f.say(w, http.StatusCreated, f.put(fmt.Sprintf("u%04d", f.next), body))
	case r.Method == http.MethodPut:
		f.say(w, http.StatusOK, f.put(id, body))
	case r.Method == http.MethodPatch:
		f.users[id]["active"] = "False"
		f.say(w, http.StatusNoContent, nil)
	case r.Method == http.MethodDelete:
		f.remove(id)
		f.say(w, http.StatusNoContent, nil)
	case id != "":
		f.say(w, http.StatusOK, f.users[id])
	default:
		var all []any
		for _, k := range sorted(f.users) {
			if matches(r, f.users[k]) {
				all = append(all, f.users[k])
			}
		}
		f.page(w, r, all)
	}
}

func sorted[T any](m map[string]T) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func matches(r *http.Request, resource map[string]any) bool {
	text := r.URL.Query().Get("filter")
	if text == "" {
		return true
	}
	m := byEq.FindStringSubmatch(text)
	var want string
	if m == nil || json.Unmarshal([]byte(m[2]), &want) != nil {
		return false
	}
	have, _ := resource[m[1]].(string)
	return strings.EqualFold(have, want)
}

func (f *foreign) page(w http.ResponseWriter, r *http.Request, all []any) {
	start, _ := strconv.Atoi(r.URL.Query().Get("startIndex"))
	total := len(all)
	all = all[min(max(start-1, 0), total):]
	all = all[:min(len(all), 7)] // fewer than were asked for
	f.say(w, http.StatusOK, map[string]any{"totalResults": total, "startIndex": start, "itemsPerPage": len(all), "Resources": all})
}

func (f *foreign) group(w http.ResponseWriter, r *http.Request, id string, body map[string]any) {
	g := f.groups[id]
	out := func(id string, g *crew) map[string]any {
		members := []any{}
		for _, m := range g.members {
			members = append(members, map[string]any{"value": m})
		}
		return map[string]any{"id": id, "displayName": g.name, "externalId": g.external, "members": members}
	}
	switch {
	case id != "" && g == nil:
		f.say(w, http.StatusNotFound, nil)
	case r.Method == http.MethodPost:
		for _, other := range f.groups {
			if strings.EqualFold(other.name, body["displayName"].(string)) {
				f.say(w, http.StatusConflict, nil)
				return
			}
		}
		f.next++
		id, g := fmt.Sprintf("g%04d", f.next), &crew{name: body["displayName"].(string), external: body["externalId"].(string)}
		f.groups[id] = g
		f.say(w, http.StatusCreated, out(id, g))
	case r.Method == http.MethodPatch:
		f.say(w, f.patch(g, body), nil)
	case r.Method == http.MethodDelete:
		delete(f.groups, id)
		f.say(w, http.StatusNoContent, nil)
	case id != "":
		f.say(w, http.StatusOK, out(id, g))
	default:
		var all []any
		for _, k := range sorted(f.groups) {
			if one := out(k, f.groups[k]); matches(r, one) {
				delete(one, "members")
				all = append(all, one)
			}
		}
		f.page(w, r, all)
	}
}

func (f *foreign) patch(g *crew, body map[string]any) int {
	for _, raw := range body["Operations"].([]any) {
		op := raw.(map[string]any)
		path := op["path"].(string)
		one := byOne.FindStringSubmatch(path)
		switch {
		case op["op"] == "remove" && one != nil:
			var id string
			_ = json.Unmarshal([]byte(one[1]), &id)
			g.members = slices.DeleteFunc(g.members, func(m string) bool { return m == id })
		case op["op"] == "add" && path == "members":
			for _, v := range op["value"].([]any) {
				id := v.(map[string]any)["value"].(string)
				if f.users[id] == nil {
					return http.StatusBadRequest // nobody of that id
				}
				if !slices.Contains(g.members, id) {
					g.members = append(g.members, id)
				}
			}
		case op["op"] == "replace" && path == "displayName":
			g.name = op["value"].(string)
		case op["op"] == "replace" && path == "externalId":
			g.external = op["value"].(string)
		default:
			return http.StatusBadRequest
		}
	}
	return http.StatusNoContent
}

// people describes what is there: who is let in, and who is in which group.
func (f *foreign) people() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out, names := map[string]string{}, map[string]string{}
	for id, u := range f.users {
		names[id] = u["userName"].(string)
		out["user "+names[id]] = strings.ToLower(fmt.Sprint(u["active"]))
	}
	for _, g := range f.groups {
		var in []string
		for _, m := range g.members {
			in = append(in, names[m])
		}
		slices.Sort(in)
		out["group "+g.name] = fmt.Sprint(in)
	}
	return out
}

func (w *world) local() map[string]string {
	out := map[string]string{}
	for k, v := range w.people(w.here, func([]store.ExternalID, string) string { return "" }) {
		if strings.HasPrefix(k, "user ") {
			v = fmt.Sprint(strings.HasPrefix(v, "ENABLED"))
		}
		out[k] = v
	}
	return out
}

func TestForeignServer(t *testing.T) {
	t.Parallel()
	w, f := newWorld(t), newForeign()
	w.wire.handler = withHeaders(f)
	var all []store.User
	for i := range 40 {
		all = append(all, w.user(fmt.Sprint("user", i)))
	}
	g := w.group("Some", all[:30]...)
	w.connect(store.CompleteSCIM, func(c *scimpush.Change) {
		c.URL = new("https://foreign.test/base/")
		c.Deprovision = new(store.LeaveDeleted)
	})
	check := func() {
		t.Helper()
		w.drain()
		if diff := cmp.Diff(w.local(), f.people()); diff != "" {
			t.Error(diff)
		}
	}
	check()
	w.update(func(tx *store.Tx) error {
		for _, u := range all[:10] {
			m, err := tx.MembershipOf(g.ID, u.ID)
			if err != nil {
				return err
			}
			if err := directory.RemoveMember(tx, storeID, m.ID, by); err != nil {
				return err
			}
		}
		all[35].Status = store.UserDisabled
		if _, err := directory.UpdateUser(tx, all[35], "", by); err != nil {
			return err
		}
		return directory.DeleteUser(tx, storeID, all[20].ID, "")
	})
	check()

	// Somebody has been at work there: people are gone, one who was disabled is let in, strangers are in.
	f.mu.Lock()
	for _, k := range sorted(f.users)[:5] {
		f.remove(k)
	}
	for _, u := range f.users {
		if u["userName"] == "user35" {
			u["active"] = true
		}
	}
	for i := range 20 {
		f.users[fmt.Sprintf("s%02d", i)] = map[string]any{"id": fmt.Sprintf("s%02d", i), "userName": fmt.Sprint("stranger", i), "active": true}
	}
	f.mu.Unlock()
	sync := func(prune bool) {
		w.update(func(tx *store.Tx) error { _, err := scimpush.Sync(tx, storeID, w.target.ID, prune); return err })
		w.drain()
	}
	sync(false)
	if s, _ := w.state(); s.Strangers != 20 || len(f.people()) != len(w.local())+20 {
		t.Errorf("%d strangers, %d people", s.Strangers, len(f.people()))
	}
	sync(true)
	check()
	w.wire.reset()
	sync(false)
	if got := w.wire.writes(); len(got) > 0 {
		t.Errorf("nothing differs, and %v", got)
	}
}

// A member who has been deleted there is found in a list that is refused for it, made again, and put in.
func TestMemberIsGoneThere(t *testing.T) {
	t.Parallel()
	w, f := newWorld(t), newForeign()
	w.wire.handler = withHeaders(f)
	var all []store.User
	for i := range 10 {
		all = append(all, w.user(fmt.Sprint("user", i)))
	}
	w.connect(store.CompleteSCIM, func(c *scimpush.Change) { c.URL = new("https://foreign.test/base") })
	w.drain()
	f.mu.Lock()
	f.remove(sorted(f.users)[4])
	f.mu.Unlock()
	w.group("All", all...)
	w.drain()
	if diff := cmp.Diff(w.local(), f.people()); diff != "" {
		t.Error(diff)
	}
}

// The answer to who was put into a group is lost, and they leave it here before it is asked again: they are taken out there.
func TestLostMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ana := w.user("ana")
	w.connect(store.StrictSCIM, nil)
	w.drain()
	g := w.group("Auditors", ana)
	w.wire.after = func(_ int, r *http.Request, res *http.Response) (*http.Response, error) {
		if r.Method == http.MethodPatch {
			return nil, errCut
		}
		return res, nil
	}
	w.once()
	w.update(func(tx *store.Tx) error {
		all, _, err := tx.Members(g.ID, page.Query{Limit: 10})
		if err != nil {
			return err
		}
		return directory.RemoveMember(tx, storeID, all[0].ID, by)
	})
	w.wire.reset()
	w.drain()
	w.same()
}
