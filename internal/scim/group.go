package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// group is a group that the token may see.
func (c *call) group() (store.Group, error) {
	g, err := directory.Group(c.tx, c.from.StoreID, c.id)
	if err == nil && g.Source != "" && g.Source != c.from.ID {
		err = fault.Missing("GROUP", c.id)
	}
	return g, err
}

// groupOut is a record as a resource. AWS's dialect shows no members (case S09).
func (c *call) groupOut(g store.Group, members bool) (group, error) {
	out := group{
		Schemas: []string{groupSchema}, ID: g.ID, ExternalID: c.externalID(g.ExternalIDs), DisplayName: g.DisplayName,
		Meta: metaOf("Group", c.base()+"/Groups/"+g.ID, g.Trail), Members: []member{},
	}
	if !members || c.token.Dialect == store.StrictSCIM {
		return out, nil
	}
	for q := (page.Query{Limit: 1000}); ; {
		rows, next, err := c.tx.Members(g.ID, q)
		if err != nil {
			return out, fmt.Errorf("list members: %w", err)
		}
		for _, m := range rows {
			out.Members = append(out.Members, member{m.UserID, c.base() + "/Users/" + m.UserID, "User"})
		}
		if q.After = next; next == nil {
			return out, nil
		}
	}
}

func (c *call) groupBody() (in group, err error) {
	if err := decode(c.tree, &in, groups); err != nil {
		return in, err
	}
	if !declares(in.Schemas, groupSchema) {
		return in, fault.Invalidf("schemas must have %s.", groupSchema).WithReason("invalidSyntax")
	}
	return in, nil
}

func createGroup(c *call) (answer, error) {
	in, err := c.groupBody()
	if err != nil {
		return answer{}, err
	}
	if c.token.Dialect == store.StrictSCIM && len(in.Members) > maxDelta {
		return answer{}, errMembers()
	}
	g := store.Group{StoreID: c.from.StoreID, DisplayName: in.DisplayName, Source: c.from.ID}
	g.ExternalIDs = c.withExternalID(nil, in.ExternalID)
	if err := directory.AdmitGroup(c.tx, g.StoreID, c.limits); err != nil {
		return answer{}, err
	}
	if g, err = directory.CreateGroup(c.tx, g, c.by()); err != nil {
		return answer{}, err
	}
	for _, m := range in.Members {
		if err := c.join(g, m.Value); err != nil {
			return answer{}, err
		}
	}
	out, err := c.groupOut(g, false)
	if err != nil {
		return answer{}, err
	}
	c.event.ResponseElements = map[string]any{"id": g.ID}
	return answer{http.StatusCreated, out, out.Meta.Location}, nil
}

func errMembers() error {
	return fault.Invalidf("At most %d members can be changed in one request.", maxDelta).WithReason("tooMany")
}

func getGroup(c *call) (answer, error) {
	g, err := c.group()
	if err != nil {
		return answer{}, err
	}
	out, err := c.groupOut(g, true)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, out, ""}, nil
}

func deleteGroup(c *call) (answer, error) {
	g, err := c.group()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, directory.DeleteGroup(c.tx, c.from.StoreID, g.ID, "")
}

// delta is what a PATCH of a group changes.
type delta struct {
	joined, left []string
	replaced     bool // joined are all there are to be
	name         *string
	externalID   *string
}

// patchGroup changes a group's name, external id or members. It is answered without a body, as AWS does.
func patchGroup(c *call) (answer, error) {
	g, err := c.group()
	if err != nil {
		return answer{}, err
	}
	all, err := c.changes(groups)
	if err != nil {
		return answer{}, err
	}
	var d delta
	for _, ch := range all {
		if err := d.take(ch); err != nil {
			return answer{}, err
		}
	}
	if c.token.Dialect == store.StrictSCIM {
		switch {
		case d.replaced:
			return answer{}, fault.Invalidf("All members of a group cannot be replaced or removed at once.")
		case len(d.joined)+len(d.left) > maxDelta:
			return answer{}, errMembers()
		}
	}
	return answer{status: http.StatusNoContent}, c.carryOut(g, d)
}

// take adds a change to what is to be done.
func (d *delta) take(ch change) error {
	text := func() (*string, error) {
		if ch.op == "remove" {
			return new(""), nil
		}
		s, ok := ch.value.(string)
		if !ok {
			return nil, errSyntax()
		}
		return &s, nil
	}
	var err error
	switch strings.ToLower(ch.path.AttributePath.AttributeName) {
	case "displayname":
		d.name, err = text()
	case "externalid":
		d.externalID, err = text()
	case "members":
		err = d.takeMembers(ch)
	default:
		err = fault.Invalidf("Of a group displayName, externalId and members can be changed.").WithReason("mutability")
	}
	return err
}

func (d *delta) takeMembers(ch change) error {
	wanted, err := equalities(ch.path.ValueExpression)
	if err != nil {
		return err
	}
	var ids []string
	if id, ok := wanted["value"].(string); ok && len(wanted) == 1 {
		ids = []string{id}
	} else if len(wanted) > 0 {
		return fault.Invalidf("Members are chosen by value.").WithReason("invalidFilter")
	}
	if ch.value != nil {
		listed, err := groups.attributes["members"].spell(ch.value)
		if err != nil {
			return err
		}
		for _, m := range listed.([]any) {
			id, ok := m.(map[string]any)["value"].(string)
			if !ok || id == "" {
				return fault.Invalidf("A member has no value.").WithReason("invalidValue")
			}
			ids = append(ids, id)
		}
	}
	switch {
	case ch.op == "add":
		d.joined = append(d.joined, ids...)
	case ch.op == "remove" && len(ids) > 0:
		d.left = append(d.left, ids...)
	default: // replace, or remove without saying whom
		d.replaced, d.joined, d.left = true, ids, nil
	}
	return nil
}

// carryOut does what a PATCH asks for, whole or not at all.
func (c *call) carryOut(g store.Group, d delta) error {
	if d.name != nil || d.externalID != nil || g.Source != c.from.ID {
		if d.name != nil {
			g.DisplayName = *d.name
		}
		if d.externalID != nil {
			g.ExternalIDs = c.withExternalID(g.ExternalIDs, *d.externalID)
		}
		g.Source = c.from.ID
		if _, err := directory.UpdateGroup(c.tx, g, "", c.by()); err != nil {
			return err
		}
	}
	if d.replaced {
		left, err := c.others(g, d.joined)
		if err != nil {
			return err
		}
		d.left = left
	}
	for _, id := range d.left {
		if err := c.leave(g, id); err != nil {
			return err
		}
	}
	for _, id := range d.joined {
		if err := c.join(g, id); err != nil {
			return err
		}
	}
	return nil
}

// others are the members of a group that are not among those.
func (c *call) others(g store.Group, those []string) (out []string, err error) {
	stay := map[string]bool{}
	for _, id := range those {
		stay[strings.ToLower(id)] = true
	}
	for q := (page.Query{Limit: 1000}); ; {
		rows, next, err := c.tx.Members(g.ID, q)
		if err != nil {
			return nil, fmt.Errorf("list members: %w", err)
		}
		for _, m := range rows {
			if !stay[strings.ToLower(m.UserID)] {
				out = append(out, m.UserID)
			}
		}
		if q.After = next; next == nil {
			return out, nil
		}
	}
}

// join puts a user into a group; one who is in it stays.
func (c *call) join(g store.Group, id string) error {
	id = strings.ToLower(id)
	_, err := c.tx.MembershipOf(g.ID, id)
	if err == nil {
		return nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("look for membership: %w", err)
	}
	u, err := directory.User(c.tx, c.from.StoreID, id)
	if err == nil && u.Source != "" && u.Source != c.from.ID {
		err = fault.Missing("USER", id)
	}
	if err != nil {
		return err
	}
	_, err = directory.AddMember(c.tx, c.from.StoreID, g.ID, id, c.by())
	return err
}

// leave takes a user out of a group; one who is not in it is as wanted (case S01).
func (c *call) leave(g store.Group, id string) error {
	m, err := c.tx.MembershipOf(g.ID, strings.ToLower(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for membership: %w", err)
	}
	return directory.RemoveMember(c.tx, c.from.StoreID, m.ID)
}
