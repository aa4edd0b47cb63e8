package scimpush

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/page"
	"sallyport/internal/store"
)

// What a comparison would do.
const (
	CreateUser   = "CREATE_USER"
	AdoptUser    = "ADOPT_USER" // who is there already
	UpdateUser   = "UPDATE_USER"
	DisableUser  = "DISABLE_USER"
	DeleteUser   = "DELETE_USER"
	UnknownUser  = "UNKNOWN_USER" // there, and unknown here: left alone unless strangers are removed
	CreateGroup  = "CREATE_GROUP"
	AdoptGroup   = "ADOPT_GROUP"
	UpdateGroup  = "UPDATE_GROUP"
	DeleteGroup  = "DELETE_GROUP"
	UnknownGroup = "UNKNOWN_GROUP"
	AddMember    = "ADD_MEMBER"
	RemoveMember = "REMOVE_MEMBER"
)

// Plan is what a comparison would do.
type Plan struct {
	Counts   map[string]int
	Items    []Item // the first
	Complete bool   // otherwise there was not time enough for all
}

// Item is one thing that would be done.
type Item struct {
	Change string
	ID     string // here; "" where it is only there
	Remote string // there; "" where it is only here
	Name   string
	Group  string // whose member it is about
}

// Bounds of a plan.
const (
	planTime  = 20 * time.Second
	planItems = 100
)

// planner looks and changes nothing, neither here nor there.
type planner struct {
	w     *Worker
	t     store.SCIMTarget
	peer  *peer
	prune bool
	plan  Plan

	users  map[string]string // ids there by those here, of whoever is there
	names  map[string]string // ids here by those there
	groups map[string]string
}

// Plan says what a comparison would do now, without doing it.
func (w *Worker) Plan(ctx context.Context, id string, prune bool) (Plan, error) {
	p := &planner{w: w, prune: prune, plan: Plan{Counts: map[string]int{}}, users: map[string]string{}, names: map[string]string{}, groups: map[string]string{}}
	err := w.DB.View(ctx, func(tx *store.Tx) (err error) { p.t, err = Target(tx, w.Store, id); return err })
	if err != nil {
		return Plan{}, err
	}
	token, err := w.Keys.OpenRecord("scim_target", "token", p.t.ID, p.t.Token)
	if err != nil {
		return Plan{}, fmt.Errorf("open token: %w", err)
	}
	p.peer = w.peer(p.t, string(token), nil)
	within, cancel := context.WithTimeout(ctx, planTime)
	defer cancel()
	for _, step := range []func(context.Context) error{p.remoteUsers, p.localUsers, p.remoteGroups, p.localGroups} {
		if err = step(within); err != nil {
			break
		}
	}
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return p.plan, nil
	}
	p.plan.Complete = err == nil
	return p.plan, err
}

func (p *planner) add(i Item) {
	p.plan.Counts[i.Change]++
	if len(p.plan.Items) < planItems {
		p.plan.Items = append(p.plan.Items, i)
	}
}

func (p *planner) view(ctx context.Context, fn func(*store.Tx) error) error {
	return p.w.DB.View(ctx, fn)
}

func (p *planner) remoteUsers(ctx context.Context) error {
	for place := ""; ; {
		all, next, err := list[person](ctx, p.peer, store.PushUser, "", place)
		if err != nil {
			return err
		}
		for _, there := range all {
			if validID(there.ID) != nil {
				continue
			}
			if err := p.user(ctx, there); err != nil {
				return err
			}
		}
		if place = next; next == "" {
			return nil
		}
	}
}

// user says what would be done with somebody who is there.
func (p *planner) user(ctx context.Context, there person) error {
	var f finding
	err := p.view(ctx, func(tx *store.Tx) (err error) { f, err = aboutUser(tx, p.t, there); return err })
	if err != nil {
		return err
	}
	i := Item{ID: f.m.ID, Remote: there.ID, Name: there.UserName}
	leaves := DisableUser
	if p.t.Deprovision == store.LeaveDeleted && (f.m.Made || f.stranger) {
		leaves = DeleteUser
	}
	if f.stranger {
		i.Change = UnknownUser
		p.add(i)
		if i.Change = leaves; p.prune && (bool(there.Active) || leaves == DeleteUser) {
			p.add(i)
		}
		return nil
	}
	if _, twice := p.users[f.m.ID]; twice {
		return nil
	}
	p.names[there.ID], p.users[f.m.ID] = f.m.ID, there.ID
	if f.adopted {
		i.Change = AdoptUser
		p.add(i)
	}
	for _, i.Change = range changesOf(f, there, leaves) {
		p.add(i)
	}
	return nil
}

// changesOf is what would be done with somebody who is there and known here.
func changesOf(f finding, there person, leaves string) []string {
	switch {
	case f.same:
		return nil
	case f.person == nil:
		return []string{leaves}
	case bool(!there.Active) || bool(f.person.Active):
		return []string{UpdateUser}
	case f.person.same(there):
		return []string{DisableUser}
	}
	return []string{DisableUser, UpdateUser}
}

func (p *planner) localUsers(ctx context.Context) error {
	for q := (page.Query{Limit: walkPage}); ; {
		var next page.Key
		err := p.view(ctx, func(tx *store.Tx) error {
			rows, n, err := tx.Users(p.t.StoreID, q)
			if err != nil {
				return err
			}
			next = n
			for _, u := range rows {
				if _, there := p.users[u.ID]; there {
					continue
				}
				want, err := wantedUser(tx, p.t, u.ID)
				if err != nil {
					return err
				}
				if want != nil {
					p.users[u.ID] = ""
					p.add(Item{Change: CreateUser, ID: u.ID, Name: u.UserName})
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("list users: %w", err)
		}
		if q.After = next; next == nil {
			return nil
		}
	}
}

// Explain is what a person is told of an error of the other side; "" for others.
func Explain(err error) string {
	for _, e := range []error{as[*refusal](err), as[*garbled](err), as[*unreachable](err)} {
		if e != nil {
			return e.Error()
		}
	}
	return ""
}

func as[T error](err error) error {
	var e T
	if errors.As(err, &e) {
		return e
	}
	return nil
}
