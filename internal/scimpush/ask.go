package scimpush

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"sallyport/internal/store"
)

// path is the URL of a resource or of all of a kind.
func path(kind store.PushKind, id string) string {
	p := "/Users"
	if kind == store.PushGroup {
		p = "/Groups"
	}
	if id != "" {
		p += "/" + url.PathEscape(id)
	}
	return p
}

func validID(id string) error {
	if id == "" || len(id) > maxRemoteID || id == "." || id == ".." {
		return &garbled{"a resource has no id that will do"}
	}
	return nil
}

// create makes a resource, and gives its id.
func (p *peer) create(ctx context.Context, kind store.PushKind, form any) (id string, err error) {
	var made struct {
		ID string `json:"id"`
	}
	if err := p.do(ctx, http.MethodPost, path(kind, ""), form, &made); err != nil {
		return "", err
	}
	return made.ID, validID(made.ID)
}

// keepOut disables a person, and does nothing else: another attribute that the server does not like must not stand in the way.
func (p *peer) keepOut(ctx context.Context, id string) error {
	return p.do(ctx, http.MethodPatch, path(store.PushUser, id), patchOf(operation{"replace", "active", false}), nil)
}

// rename makes a group's attributes those of a form. PUT is not for groups with AWS.
func (p *peer) rename(ctx context.Context, id string, form team) error {
	return p.do(ctx, http.MethodPatch, path(store.PushGroup, id), patchOf(
		operation{"replace", "displayName", form.DisplayName}, operation{"replace", "externalId", form.ExternalID}), nil)
}

// remove deletes a resource. One that is not there is as wanted.
func (p *peer) remove(ctx context.Context, kind store.PushKind, id string) error {
	err := p.do(ctx, http.MethodDelete, path(kind, id), nil, nil)
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// has says whether a resource is there.
func (p *peer) has(ctx context.Context, kind store.PushKind, id string) (bool, error) {
	err := p.do(ctx, http.MethodGet, path(kind, id), nil, nil)
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// change puts people into a group, or takes them out.
func (p *peer) change(ctx context.Context, group string, join bool, all []store.PushedMember) error {
	values := make([]member, len(all))
	for i, m := range all {
		values[i] = member{m.Remote}
	}
	ops := []operation{{"add", "members", values}}
	switch {
	case join:
	case p.target.Dialect == store.StrictSCIM:
		ops = []operation{{"remove", "members", values}} // as AWS documents it
	default:
		ops = nil
		for _, v := range values {
			ops = append(ops, operation{Op: "remove", Path: "members[value eq " + quoted(v.Value) + "]"})
		}
	}
	return p.do(ctx, http.MethodPatch, path(store.PushGroup, group), patchOf(ops...), nil)
}

// listing is a page of a list: with a cursor (RFC 9865), as AWS has it, or by index (RFC 7644 §3.4.2.4).
type listing[T any] struct {
	Total     int    `json:"totalResults"`
	Next      string `json:"nextCursor"`
	Resources []T    `json:"Resources"`
}

// list reads the page of a list that begins at a place; next is "" after the last one.
func list[T any](ctx context.Context, p *peer, kind store.PushKind, filter, place string) (all []T, next string, err error) {
	q := url.Values{"count": {strconv.Itoa(listPage)}}
	if filter != "" {
		q.Set("filter", filter)
	}
	start := 1
	if p.target.Dialect == store.StrictSCIM {
		q.Set("cursor", place)
	} else {
		if n, err := strconv.Atoi(place); err == nil {
			start = n
		}
		q.Set("startIndex", strconv.Itoa(start))
	}
	if kind == store.PushGroup && p.target.Dialect == store.CompleteSCIM {
		q.Set("excludedAttributes", "members")
	}
	var out listing[T]
	if err := p.do(ctx, http.MethodGet, path(kind, "")+"?"+q.Encode(), nil, &out); err != nil {
		return nil, "", err
	}
	switch {
	case len(out.Resources) > 10*listPage || len(out.Next) > maxCursor || out.Next != "" && out.Next == place:
		return nil, "", &garbled{"a page of a list is out of bounds"}
	case p.target.Dialect == store.StrictSCIM:
		return out.Resources, out.Next, nil
	case len(out.Resources) == 0 || start+len(out.Resources) > out.Total:
		return out.Resources, "", nil
	}
	return out.Resources, strconv.Itoa(start + len(out.Resources)), nil
}

// findPerson is the person there who has the external id or the user name of a form; nil: nobody. What a server answers that ignores
// filters is looked through.
func (p *peer) findPerson(ctx context.Context, form person) (*person, error) {
	filters := []string{"externalId eq " + quoted(form.ExternalID)}
	if form.UserName != "" {
		filters = append(filters, "userName eq "+quoted(form.UserName))
	}
	for i, filter := range filters {
		all, _, err := list[person](ctx, p, store.PushUser, filter, "")
		if err != nil {
			return nil, err
		}
		for _, there := range all {
			if there.ExternalID == form.ExternalID || i > 0 && store.SameName(there.UserName, form.UserName) {
				return &there, validID(there.ID)
			}
		}
	}
	return nil, nil
}

// findTeam is the group there that has the external id or the name of a form; nil: none.
func (p *peer) findTeam(ctx context.Context, form team) (*team, error) {
	filters := []string{"externalId eq " + quoted(form.ExternalID)}
	if form.DisplayName != "" {
		filters = append(filters, "displayName eq "+quoted(form.DisplayName))
	}
	for i, filter := range filters {
		all, _, err := list[team](ctx, p, store.PushGroup, filter, "")
		if err != nil {
			return nil, err
		}
		for _, there := range all {
			if there.ExternalID == form.ExternalID || i > 0 && store.SameName(there.DisplayName, form.DisplayName) {
				return &there, validID(there.ID)
			}
		}
	}
	return nil, nil
}

// members hands the ids of a group's members to fn, a page at a time. AWS's dialect lists people by their group, since it shows no
// group's members.
func (p *peer) members(ctx context.Context, group string, fn func([]string) error) error {
	if p.target.Dialect == store.CompleteSCIM {
		var g team
		if err := p.do(ctx, http.MethodGet, path(store.PushGroup, group), nil, &g); err != nil {
			return err
		}
		for len(g.Members) > 0 {
			n := min(len(g.Members), listPage)
			ids := make([]string, n)
			for i := range ids {
				ids[i] = g.Members[i].Value
			}
			if err := fn(ids); err != nil {
				return err
			}
			g.Members = g.Members[n:]
		}
		return nil
	}
	for place := ""; ; {
		all, next, err := list[struct {
			ID string `json:"id"`
		}](ctx, p, store.PushUser, "groups.value eq "+quoted(group), place)
		if err != nil {
			return err
		}
		ids := make([]string, len(all))
		for i, u := range all {
			ids[i] = u.ID
		}
		if err := fn(ids); err != nil {
			return err
		}
		if place = next; next == "" {
			return nil
		}
	}
}
