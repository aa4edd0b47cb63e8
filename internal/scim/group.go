package scim

import (
	"fmt"
	"net/http"

	"sallyport/internal/audit"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// groups is the type of groups in the token's dialect.
func (c *call) groups() *resource.Type {
	if c.strict() {
		return resource.StrictGroup
	}
	return resource.Group
}

// group is a group that the token may see.
func (c *call) group() (store.Group, error) {
	g, err := directory.Group(c.tx, c.from.StoreID, c.id)
	if err == nil && !c.sees(g.Source) {
		err = fault.Missing("GROUP", c.id)
	}
	return g, err
}

// members are the users of a group whom the token may see, as its resource shows them.
func (c *call) members(groupID string) ([]any, error) {
	out := []any{}
	for q := (page.Query{Limit: 1000}); ; {
		rows, next, err := c.tx.MembersNamed(groupID, q)
		if err != nil {
			return nil, fmt.Errorf("list members: %w", err)
		}
		for _, m := range rows {
			if c.sees(m.Source) {
				out = append(out, map[string]any{"value": m.ID, "$ref": c.base() + "/Users/" + m.ID, "type": "User", "display": m.DisplayName})
			}
		}
		if q.After = next; next == nil {
			return out, nil
		}
	}
}

func (c *call) groupBody() (object, error) {
	in, err := c.groups().Read(c.tree)
	if err != nil {
		return nil, err
	}
	if !c.declares(in, resource.GroupURN) {
		return nil, fault.Invalidf("schemas must have %s.", resource.GroupURN).WithReason("invalidSyntax")
	}
	return in, nil
}

// idsOf are the ids of members that a body names.
func idsOf(all []object) ([]string, error) {
	ids := make([]string, 0, len(all))
	for _, m := range all {
		id := m.text("value")
		if id == "" {
			return nil, fault.Invalidf("A member has no value.").WithReason("invalidValue")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func createGroup(c *call) (answer, error) {
	in, err := c.groupBody()
	if err != nil {
		return answer{}, err
	}
	join, err := idsOf(in.list("members"))
	if err != nil {
		return answer{}, err
	}
	if c.strict() && len(join) > maxDelta {
		return answer{}, errMembers()
	}
	g := store.Group{ID: c.newID, StoreID: c.from.StoreID, DisplayName: in.text("displayName"), Source: c.from.ID}
	if err := c.checkExternalID(in.text("externalId")); err != nil {
		return answer{}, err
	}
	g.ExternalIDs = c.withExternalID(nil, in.text("externalId"))
	if err := directory.AdmitGroup(c.tx, g.StoreID, c.limits); err != nil {
		return answer{}, err
	}
	if g, err = directory.CreateGroup(c.tx, g, c.by()); err != nil {
		return answer{}, err
	}
	if err := c.changeMembers(g, join, nil); err != nil {
		return answer{}, err
	}
	c.event.ResponseElements = map[string]any{"id": g.ID}
	return c.answerGroup(http.StatusCreated, g.ID)
}

// answerGroup shows a group as it is now.
func (c *call) answerGroup(status int, id string) (answer, error) {
	g, err := directory.Group(c.tx, c.from.StoreID, id)
	if err != nil {
		return answer{}, err
	}
	show, err := c.projection(c.groups())
	if err != nil {
		return answer{}, err
	}
	tree := c.groupTree(&g, show.Wants)
	if !c.strict() && show.Wants("members") {
		if tree["members"], err = c.members(id); err != nil {
			return answer{}, err
		}
	}
	return answer{status: status, body: show.Apply(tree), at: c.base() + "/Groups/" + id, version: groupVersion(&g)}, nil
}

func errMembers() error {
	return fault.Invalidf("At most %d members can be changed in one request.", maxDelta).WithReason("tooMany")
}

func getGroup(c *call) (answer, error) {
	g, err := c.group()
	if err != nil {
		return answer{}, err
	}
	if c.unchanged(groupVersion(&g)) {
		return answer{status: http.StatusNotModified, version: groupVersion(&g)}, nil
	}
	return c.answerGroup(http.StatusOK, g.ID)
}

// groupToChange is a group that the request is to change, in the version that it is made for.
func (c *call) groupToChange() (store.Group, error) {
	g, err := c.group()
	if err == nil {
		err = c.matches(groupVersion(&g))
	}
	return g, err
}

func deleteGroup(c *call) (answer, error) {
	g, err := c.groupToChange()
	if err != nil {
		return answer{}, err
	}
	if err := c.removesGroup(g); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, directory.DeleteGroup(c.tx, c.from.StoreID, g.ID, "")
}

// putGroup replaces a group: its members are those that are listed, and none when none are.
func putGroup(c *call) (answer, error) {
	g, err := c.groupToChange()
	if err != nil {
		return answer{}, err
	}
	in, err := c.groupBody()
	if err != nil {
		return answer{}, err
	}
	if id := in.text("id"); id != "" && id != g.ID {
		return answer{}, fault.Invalidf("id cannot be changed.").WithReason("mutability")
	}
	ids, err := idsOf(in.list("members"))
	if err != nil {
		return answer{}, err
	}
	d := newDelta()
	d.name, d.externalID = new(in.text("displayName")), new(in.text("externalId"))
	d.replace(ids)
	if err := c.carryOut(g, d); err != nil {
		return answer{}, err
	}
	return c.answerGroup(http.StatusOK, g.ID)
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
