package scimpush

import (
	"context"
	"fmt"
	"net/http"

	"sallyport/internal/page"
	"sallyport/internal/store"
)

func (p *planner) remoteGroups(ctx context.Context) error {
	for place := ""; ; {
		all, next, err := list[team](ctx, p.peer, store.PushGroup, "", place)
		if err != nil {
			return err
		}
		for _, there := range all {
			if validID(there.ID) != nil {
				continue
			}
			if err := p.group(ctx, there); err != nil {
				return err
			}
		}
		if place = next; next == "" {
			return nil
		}
	}
}

// group says what would be done with a group that is there.
func (p *planner) group(ctx context.Context, there team) error {
	var f finding
	err := p.view(ctx, func(tx *store.Tx) (err error) { f, err = aboutGroup(tx, p.t, there); return err })
	if err != nil {
		return err
	}
	i := Item{ID: f.m.ID, Remote: there.ID, Name: there.DisplayName}
	if f.stranger {
		i.Change = UnknownGroup
		p.add(i)
		if i.Change = DeleteGroup; p.prune {
			p.add(i)
		}
		return nil
	}
	if _, twice := p.groups[f.m.ID]; twice {
		return nil
	}
	p.groups[f.m.ID] = there.ID
	if f.adopted {
		i.Change = AdoptGroup
		p.add(i)
	}
	switch {
	case f.same:
	case f.team != nil:
		i.Change = UpdateGroup
		p.add(i)
	case f.m.Made:
		i.Change = DeleteGroup
		p.add(i)
	}
	return nil
}

func (p *planner) localGroups(ctx context.Context) error {
	for q := (page.Query{Limit: listPage}); ; {
		var rows []store.Group
		var next page.Key
		err := p.view(ctx, func(tx *store.Tx) (err error) { rows, next, err = tx.Groups(p.t.StoreID, q); return err })
		if err != nil {
			return fmt.Errorf("list groups: %w", err)
		}
		for _, g := range rows {
			if err := p.local(ctx, g); err != nil {
				return err
			}
		}
		if q.After = next; next == nil {
			return nil
		}
	}
}

// local says what would be done with a group that is here, and its members.
func (p *planner) local(ctx context.Context, g store.Group) error {
	var want *team
	err := p.view(ctx, func(tx *store.Tx) (err error) { want, err = wantedGroup(tx, p.t, g.ID); return err })
	if err != nil || want == nil {
		return err
	}
	remote := p.groups[g.ID]
	if remote == "" {
		p.add(Item{Change: CreateGroup, ID: g.ID, Name: g.DisplayName})
	}
	there := map[string]bool{}
	if remote != "" {
		err := p.peer.members(ctx, remote, func(ids []string) error {
			for _, id := range ids {
				if here, ok := p.names[id]; ok {
					there[here] = true
				}
			}
			return nil
		})
		if err != nil && status(err) != http.StatusNotFound {
			return err
		}
	}
	if err := p.joining(ctx, g, there); err != nil {
		return err
	}
	for user := range there { // who is left is not in it here
		p.add(Item{Change: RemoveMember, ID: user, Remote: p.users[user], Group: g.ID})
	}
	return nil
}

func (p *planner) joining(ctx context.Context, g store.Group, there map[string]bool) error {
	for q := (page.Query{Limit: walkPage}); ; {
		var rows []store.Membership
		var next page.Key
		err := p.view(ctx, func(tx *store.Tx) (err error) { rows, next, err = tx.Members(g.ID, q); return err })
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		for _, m := range rows {
			if !there[m.UserID] {
				p.add(Item{Change: AddMember, ID: m.UserID, Remote: p.users[m.UserID], Group: g.ID})
			}
			delete(there, m.UserID)
		}
		if q.After = next; next == nil {
			return nil
		}
	}
}
