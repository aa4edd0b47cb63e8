package scim_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

	"pgregory.net/rapid"
)

// someMembers draws members, of whom one may be nobody.
func (m *scimModel) someMembers(label string) (ids []string, unknown bool, list string) {
	for range rapid.IntRange(0, 3).Draw(m.t, label) {
		id := id(m, label, m.users)
		ids = append(ids, id)
		unknown = unknown || m.users[id] == nil
	}
	var all []string
	for _, id := range ids {
		all = append(all, fmt.Sprintf(`{"value":%q}`, id))
	}
	return ids, unknown, "[" + strings.Join(all, ",") + "]"
}

func setOf(ids []string) map[string]bool {
	out := map[string]bool{}
	for _, id := range ids {
		out[id] = true
	}
	return out
}

func (m *scimModel) createGroup() {
	ids, unknown, list := m.someMembers("members")
	g := modelGroup{name: m.groupName(), external: m.externalID(), members: setOf(ids)}
	var want []int
	if m.takenGroup("", g) {
		want = append(want, http.StatusConflict)
	}
	if unknown {
		want = append(want, http.StatusNotFound)
	}
	if want == nil {
		want = []int{http.StatusCreated}
	}
	if a, ok := m.ask("POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"externalId":%q,"members":%s}`, g.name, g.external, list), want...); ok {
		m.groups[a.id()], m.made = &g, append(m.made, a.id())
	}
}

func (m *scimModel) deleteGroup() {
	id := id(m, "group", m.groups)
	want := http.StatusNoContent
	if m.groups[id] == nil {
		want = http.StatusNotFound
	}
	if _, ok := m.ask("DELETE", "/Groups/"+id, "", want); ok {
		delete(m.groups, id)
		m.gone = append(m.gone, id)
	}
}

// putGroup makes a group what is said, in the dialect that has it.
func (m *scimModel) putGroup() {
	id := id(m, "group", m.groups)
	ids, unknown, list := m.someMembers("members")
	g := modelGroup{name: m.groupName(), external: m.externalID(), members: setOf(ids)}
	body := fmt.Sprintf(`{"displayName":%q,"externalId":%q,"members":%s}`, g.name, g.external, list)
	if m.strict {
		m.ask("PUT", "/Groups/"+id, body, http.StatusMethodNotAllowed)
		return
	}
	var want []int
	switch {
	case m.groups[id] == nil:
		want = []int{http.StatusNotFound}
	case m.takenGroup(id, g):
		want = append(want, http.StatusConflict)
		fallthrough
	default:
		if unknown {
			want = append(want, http.StatusNotFound)
		}
		if want == nil {
			want = []int{http.StatusOK}
		}
	}
	if _, ok := m.ask("PUT", "/Groups/"+id, body, want...); ok {
		m.groups[id] = &g
	}
}

// groupPatch is a PATCH of a group as it is drawn, op by op.
type groupPatch struct {
	g          modelGroup
	ops        []string
	whole, bad bool // members all at once; not to be done in any dialect
	missing    bool
}

func (m *scimModel) patchGroup() {
	id := id(m, "group", m.groups)
	p := groupPatch{g: modelGroup{members: map[string]bool{}}}
	if was := m.groups[id]; was != nil {
		p.g = modelGroup{was.name, was.external, maps.Clone(was.members)}
	}
	for range rapid.IntRange(1, 4).Draw(m.t, "ops") {
		m.drawGroupOp(&p)
	}
	var want []int
	switch {
	case m.groups[id] == nil:
		want = []int{http.StatusNotFound}
	case p.bad || m.strict && p.whole:
		want = []int{http.StatusBadRequest}
	default:
		if m.takenGroup(id, p.g) {
			want = append(want, http.StatusConflict)
		}
		for member := range p.g.members {
			if m.users[member] == nil {
				want = append(want, http.StatusNotFound)
			}
		}
		if p.missing && want == nil { // somebody unknown who is taken out again: to be refused or not, both are sound
			want = []int{http.StatusNotFound, http.StatusNoContent}
		}
		if want == nil {
			want = []int{http.StatusNoContent}
		}
	}
	if _, ok := m.ask("PATCH", "/Groups/"+id, patch(p.ops...), want...); ok {
		m.groups[id] = &p.g
	}
}

func (m *scimModel) drawGroupOp(p *groupPatch) {
	switch pick(m, "op", "name", "external", "add", "add", "removeOne", "removeOne", "removeSome", "replace", "clear", "bad") {
	case "name":
		p.g.name = m.groupName()
		p.ops = append(p.ops, fmt.Sprintf(`{"op":"Replace","path":"displayName","value":%q}`, p.g.name))
	case "external":
		p.g.external = m.externalID()
		p.ops = append(p.ops, fmt.Sprintf(`{"op":"replace","value":{"externalId":%q}}`, p.g.external))
	case "add":
		ids, unknown, list := m.someMembers("in")
		p.missing = p.missing || unknown
		maps.Copy(p.g.members, setOf(ids))
		p.ops = append(p.ops, `{"op":"add","path":"members","value":`+list+`}`)
	case "removeOne":
		id := id(m, "out", m.users)
		delete(p.g.members, id)
		p.ops = append(p.ops, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id))
	case "removeSome":
		ids := []string{id(m, "out", m.users), id(m, "out", m.users)}
		for _, id := range ids {
			delete(p.g.members, id)
		}
		p.ops = append(p.ops, fmt.Sprintf(`{"op":"Remove","path":"members","value":[{"value":%q},{"value":%q}]}`, ids[0], ids[1]))
	case "replace":
		ids, unknown, list := m.someMembers("all")
		p.missing, p.whole = p.missing || unknown, true
		p.g.members = setOf(ids)
		p.ops = append(p.ops, `{"op":"replace","path":"members","value":`+list+`}`)
	case "clear":
		p.whole, p.g.members = true, map[string]bool{}
		p.ops = append(p.ops, `{"op":"remove","path":"members"}`)
	case "bad":
		p.bad = true
		p.ops = append(p.ops, `{"op":"add","path":"shoe[","value":"x"}`)
	}
}
