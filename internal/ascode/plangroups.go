package ascode

import (
	"context"
	"encoding/json"

	"sallyport/internal/apiclient"
	directoryapi "sallyport/internal/awsapi/identitystore"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

func (p *planner) groups() {
	if p.want.Groups == nil {
		return
	}
	matched(p.live.Groups, p.want.Groups, func(g Group) string { return fold(g.DisplayName) }, p.changeGroup, p.createGroup, p.deleteGroup)
}

func (p *planner) createGroup(g Group) {
	who := principal{adminapi.PrincipalTypeGroup, fold(g.DisplayName)}
	p.created[who] = true
	p.add(Step{Action: Create, Kind: "group", Name: g.DisplayName, phase: ofGroups, do: func(ctx context.Context, a *apply) error {
		out, _, err := apiclient.Ask[directoryapi.CreateGroupResponse](ctx, a.reader.Client,
			&directoryapi.CreateGroupRequest{IdentityStoreId: a.live.Store, DisplayName: &g.DisplayName, Description: ptr(g.Description)})
		if err != nil {
			return err
		}
		a.made(who, out.GroupId)
		if g.ExternalIDs == nil {
			return nil
		}
		return a.updateGroup(ctx, out.GroupId, map[string]any{"externalIds": g.ExternalIDs})
	}})
	p.members(g.DisplayName, nil, g.Members)
}

func (p *planner) changeGroup(l, w Group) {
	var d differences
	change := map[string]any{}
	d.text("Description", l.Description, w.Description)
	if l.Description != w.Description {
		change["description"] = optional(w.Description)
	}
	if w.ExternalIDs != nil && !same(l.ExternalIDs, w.ExternalIDs) {
		d.text("ExternalIds", jsonText(l.ExternalIDs), jsonText(w.ExternalIDs))
		change["externalIds"] = w.ExternalIDs
	}
	if len(d) > 0 {
		id := p.live.ids[principal{adminapi.PrincipalTypeGroup, fold(l.DisplayName)}]
		p.add(Step{
			Action: Change, Kind: "group", Name: l.DisplayName, Details: d, phase: ofGroups,
			still: func(ctx context.Context, a *apply) (bool, error) {
				now, _, err := apiclient.Ask[directoryapi.DescribeGroupResponse](ctx, a.reader.Client, &directoryapi.DescribeGroupRequest{IdentityStoreId: a.live.Store, GroupId: id})
				return err == nil && deref(now.Description) == l.Description, err
			},
			do: func(ctx context.Context, a *apply) error { return a.updateGroup(ctx, id, change) },
		})
	}
	if w.Members != nil {
		p.members(l.DisplayName, l.Members, w.Members)
	}
}

// optional is nil, which removes an attribute, for what is empty.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (a *apply) updateGroup(ctx context.Context, id string, change map[string]any) error {
	in := &directoryapi.UpdateGroupRequest{IdentityStoreId: a.live.Store, GroupId: id}
	for _, k := range sortedKeys(change) {
		op := directoryapi.AttributeOperation{AttributePath: k}
		if change[k] != nil {
			value, err := json.Marshal(change[k])
			if err != nil {
				return err
			}
			op.AttributeValue = value
		}
		in.Operations = append(in.Operations, op)
	}
	return ask[directoryapi.UpdateGroupResponse](ctx, a, in)
}

func (p *planner) deleteGroup(g Group) {
	who := principal{adminapi.PrincipalTypeGroup, fold(g.DisplayName)}
	id := p.live.ids[who]
	p.deleted[who] = true
	p.add(Step{Action: Delete, Kind: "group", Name: g.DisplayName, phase: ofDeletingGroups, do: func(ctx context.Context, a *apply) error {
		return ask[directoryapi.DeleteGroupResponse](ctx, a, &directoryapi.DeleteGroupRequest{IdentityStoreId: a.live.Store, GroupId: id})
	}})
}

// members plans who joins and who leaves a group.
func (p *planner) members(group string, from, to []string) {
	for _, user := range to {
		p.exists(principal{adminapi.PrincipalTypeUser, user}, "Members of group "+group)
	}
	matched(from, to, fold, func(string, string) {}, func(user string) {
		p.add(Step{Action: Create, Kind: "membership", Name: user + " in " + group, phase: ofJoining, do: func(ctx context.Context, a *apply) error {
			return a.join(ctx, group, user)
		}})
	}, func(user string) {
		membership := p.live.memberships[fold(group)][fold(user)]
		p.add(Step{Action: Delete, Kind: "membership", Name: user + " in " + group, phase: ofLeaving, do: func(ctx context.Context, a *apply) error {
			err := ask[directoryapi.DeleteGroupMembershipResponse](ctx, a, &directoryapi.DeleteGroupMembershipRequest{IdentityStoreId: a.live.Store, MembershipId: membership})
			if apiclient.IsCode(err, "ResourceNotFoundException") {
				return nil // as wanted
			}
			return err
		}})
	})
}

func (a *apply) join(ctx context.Context, group, user string) error {
	g, err := a.id(principal{adminapi.PrincipalTypeGroup, group})
	if err != nil {
		return err
	}
	u, err := a.id(principal{adminapi.PrincipalTypeUser, user})
	if err != nil {
		return err
	}
	err = ask[directoryapi.CreateGroupMembershipResponse](ctx, a, &directoryapi.CreateGroupMembershipRequest{
		IdentityStoreId: a.live.Store, GroupId: g, MemberId: directoryapi.MemberId{UserId: &u},
	})
	if apiclient.IsCode(err, "ConflictException") {
		return nil // as wanted
	}
	return err
}

// exists is a fault of the document when it names somebody who is not there and whom it does not create.
func (p *planner) exists(who principal, where string) {
	who.Name = fold(who.Name)
	_, there := p.live.ids[who]
	switch {
	case p.deleted[who]:
		p.faults = append(p.faults, fault.Invalidf("%s has %s, whom the document deletes: it is not among its %ss.", where, who.Name, kindOf(who)))
		return
	case there || p.created[who]:
		return
	}
	p.faults = append(p.faults, fault.Invalidf("%s has %s: there is no such %s.", where, who.Name, kindOf(who)))
}
