package scim

import (
	"fmt"
	"net/http"

	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// maxShown bounds how many members of groups a list shows: a page that would have more of them ends before, with fewer groups.
const maxShown = 50_000

func searchUsers(c *call) (answer, error)  { return c.list(resource.User) }
func searchGroups(c *call) (answer, error) { return c.list(resource.Group) }
func searchAll(c *call) (answer, error)    { return c.list(resource.User, resource.Group) }

func (k *kind) ofUsers() bool { return k.typ == resource.User }

// list answers with the resources of some types that are asked for.
func (c *call) list(types ...*resource.Type) (answer, error) {
	s, err := c.search(types...)
	if err != nil {
		return answer{}, err
	}
	l, err := c.collect(s)
	if err != nil {
		return answer{}, err
	}
	if err := c.load(s, l.rows); err != nil {
		return answer{}, err
	}
	shown, err := c.show(s, l.rows)
	if err != nil {
		return answer{}, err
	}
	if len(shown) < len(l.rows) {
		l.more = true
	}
	total := l.total
	if s.after != nil {
		total = s.seen
	}
	out := listing{Schemas: []string{listMessage}, TotalResults: &total, ItemsPerPage: len(shown), Resources: shown}
	if !s.cursor {
		out.StartIndex = &s.start
	} else if l.more && len(shown) > 0 {
		out.NextCursor = new(c.sealCursor(s, l.rows[len(shown)-1].place, total))
	}
	return answer{status: http.StatusOK, body: out}, nil
}

// collect finds the page: by an index where a condition of the filter is served by one, by counting and skipping where there is none, and
// else by looking at all that there is.
func (c *call) collect(s *search) (*collector, error) {
	l := &collector{search: s, gather: s.sorted}
	only := s.kinds[0]
	if len(s.kinds) == 1 && only.filter == nil && !s.sorted {
		return l, c.whole(l, only)
	}
	for i, k := range s.kinds {
		find := c.candidates(k)
		if find == nil {
			continue
		}
		if len(s.kinds) > 1 {
			break // few look for users and groups at once
		}
		l.gather = true
		err := find(func(rows []row) (bool, error) { return c.offer(l, i, rows) })
		l.finish()
		return l, err
	}
	if !c.scans {
		return nil, errTurn
	}
	for i, k := range s.kinds {
		if s.after != nil && !s.sorted && i < s.after.kind {
			continue
		}
		enough, err := c.scan(l, i, k)
		if err != nil {
			return nil, err
		}
		if enough {
			break
		}
	}
	l.finish()
	return l, nil
}

// offer gives rows of one kind to a collector, if the filter chooses them.
func (c *call) offer(l *collector, at int, rows []row) (enough bool, err error) {
	k := l.kinds[at]
	want := func(root string) bool { return (k.filter.Needs(root) && root != k.known) || k.order.Needs(root) }
	trees, err := c.trees(k, rows, want)
	if err != nil {
		return false, err
	}
	for i, r := range rows {
		if k.known != "" && !k.order.Needs(k.known) {
			trees[i][k.known] = []any{map[string]any{"value": k.value}}
		}
		if k.filter != nil && !k.filter.Match(trees[i]) {
			continue
		}
		r.kind, r.key = at, k.order.Key(trees[i])
		if l.gather { // what is kept of many is small
			r.user, r.group = nil, nil
		}
		if l.add(r) {
			return true, nil
		}
	}
	return false, nil
}

// trees are records as resources, with what is wanted of them.
func (c *call) trees(k *kind, rows []row, want wanted) ([]map[string]any, error) {
	trees := make([]map[string]any, len(rows))
	if !k.ofUsers() {
		for i, r := range rows {
			trees[i] = c.groupTree(r.group, want)
			if want.has("members") {
				var err error
				if trees[i]["members"], err = c.members(r.group.ID); err != nil {
					return nil, err
				}
			}
		}
		return trees, nil
	}
	users := make([]store.User, len(rows))
	for i, r := range rows {
		var err error
		if trees[i], err = c.userTree(r.user, want); err != nil {
			return nil, err
		}
		users[i] = *r.user
	}
	if !want.has("groups") {
		return trees, nil
	}
	return trees, c.addGroups(users, trees)
}

// show makes the resources of a page.
func (c *call) show(s *search, rows []row) ([]any, error) {
	out := make([]any, 0, len(rows))
	members := 0
	for len(rows) > 0 && members < maxShown {
		n := 1 // groups one by one, since their members count
		k := s.kinds[rows[0].kind]
		if k.ofUsers() {
			for n < len(rows) && rows[n].kind == rows[0].kind {
				n++
			}
		}
		trees, err := c.trees(k, rows[:n], k.show.Wants)
		if err != nil {
			return nil, fmt.Errorf("show resources: %w", err)
		}
		for _, tree := range trees {
			list, _ := tree["members"].([]any)
			members += len(list)
			out = append(out, k.show.Apply(tree))
		}
		rows = rows[n:]
	}
	return out, nil
}
