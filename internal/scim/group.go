package scim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sallyport/internal/audit"
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
	if err := c.checkExternalID(in.ExternalID); err != nil {
		return answer{}, err
	}
	g.ExternalIDs = c.withExternalID(nil, in.ExternalID)
	if err := directory.AdmitGroup(c.tx, g.StoreID, c.limits); err != nil {
		return answer{}, err
	}
	if g, err = directory.CreateGroup(c.tx, g, c.by()); err != nil {
		return answer{}, err
	}
	var join []string
	for _, m := range in.Members {
		join = append(join, m.Value)
	}
	if err := c.changeMembers(g, join, nil); err != nil {
		return answer{}, err
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
	if err := c.removesGroup(g); err != nil {
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
		d.joined, d.left = append(d.joined, ids...), without(d.left, ids)
	case ch.op == "remove" && len(ids) > 0: // the last that is said of somebody holds
		d.left, d.joined = append(d.left, ids...), without(d.joined, ids)
	default: // replace, or remove without saying whom
		d.replaced, d.joined, d.left = true, ids, nil
	}
	return nil
}

// without are the ids that are not among those.
func without(ids, those []string) []string {
	return slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(those, func(other string) bool { return strings.EqualFold(id, other) })
	})
}

// carryOut does what a PATCH asks for, whole or not at all.
func (c *call) carryOut(g store.Group, d delta) error {
	if d.name != nil || d.externalID != nil || g.Source != c.from.ID {
		if d.name != nil {
			g.DisplayName = *d.name
		}
		if d.externalID != nil {
			if err := c.checkExternalID(*d.externalID); err != nil {
				return err
			}
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
	return c.changeMembers(g, d.joined, d.left)
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

// changeMembers changes the members of a group, with an event for each who really joins or leaves (case S10).
func (c *call) changeMembers(g store.Group, join, leave []string) error {
	joined, left, err := directory.ChangeMembers(c.tx, g, directory.Members{Join: join, Leave: leave, Source: c.from.ID}, c.by())
	if err != nil {
		return err
	}
	if err := c.changedMembers(g, len(joined), len(left)); err != nil {
		return err
	}
	for _, id := range joined {
		if err := c.memberEvent("AddMemberToGroup", g.ID, id).Store(c.tx); err != nil {
			return err
		}
	}
	for _, id := range left {
		if err := c.memberEvent("RemoveMemberFromGroup", g.ID, id).Store(c.tx); err != nil {
			return err
		}
	}
	return nil
}

// memberEvent tells of one member. It is joined to the event of the request by the request's id.
func (c *call) memberEvent(name, groupID, userID string) *audit.Event {
	e := *c.event
	e.EventID, e.EventName, e.EventType, e.RequestParameters = "", name, "AwsServiceEvent", nil
	e.ServiceEventDetails = map[string]any{"groupId": groupID, "memberId": userID}
	return &e
}
