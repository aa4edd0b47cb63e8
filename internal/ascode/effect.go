package ascode

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// Effect is what a plan means for somebody: a permission set that they gain or lose in an account, whatever the way to it.
type Effect struct {
	User          string `json:"user"`
	PermissionSet string `json:"permissionSet"`
	Account       string `json:"account"`
	Gains         bool   `json:"gains"`
}

// String is the effect as a sentence.
func (e Effect) String() string {
	verb := "loses"
	if e.Gains {
		verb = "gains"
	}
	return fmt.Sprintf("%s %s %s in %s", e.User, verb, e.PermissionSet, e.Account)
}

// place is a permission set in an account.
type place struct{ set, account string }

// effects compares who has what where, before and after. Only what the plan touches is worked out.
func (p *planner) effects() []Effect {
	live, will := reachOf(p.live.Document), reachOf(p.after())
	var out []Effect
	for _, where := range p.touched(live, will) {
		was, then := live.people(where), will.people(where)
		maps.DeleteFunc(then, func(user string, _ bool) bool { return p.deleted[principal{adminapi.PrincipalTypeUser, user}] })
		for _, user := range slices.Sorted(maps.Keys(then)) {
			if !was[user] {
				out = append(out, Effect{user, where.set, where.account, true})
			}
		}
		for _, user := range slices.Sorted(maps.Keys(was)) {
			if !then[user] {
				out = append(out, Effect{user, where.set, where.account, false})
			}
		}
	}
	slices.SortFunc(out, func(a, b Effect) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Account, b.Account), cmp.Compare(a.PermissionSet, b.PermissionSet))
	})
	return out
}

// after is the configuration when the plan is done.
func (p *planner) after() Document {
	d := p.live.Document
	if p.want.Groups != nil {
		d.Groups = slices.Clone(p.want.Groups)
		for i, g := range d.Groups {
			if j, ok := slices.BinarySearchFunc(p.live.Groups, fold(g.DisplayName), func(l Group, name string) int { return cmp.Compare(fold(l.DisplayName), name) }); ok && g.Members == nil {
				d.Groups[i].Members = p.live.Groups[j].Members
			}
		}
	}
	if p.want.PermissionSets != nil {
		d.PermissionSets = slices.Clone(p.want.PermissionSets)
		for i, s := range d.PermissionSets {
			if j, ok := slices.BinarySearchFunc(p.live.PermissionSets, s.Name, func(l PermissionSet, name string) int { return cmp.Compare(l.Name, name) }); ok && s.Assignments == nil {
				d.PermissionSets[i].Assignments = p.live.PermissionSets[j].Assignments
			}
		}
	}
	return d
}

// reach is who is meant by what.
type reach struct {
	members map[string][]string // of groups, folded
	grants  map[place][]principal
}

func reachOf(d Document) reach {
	r := reach{map[string][]string{}, map[place][]principal{}}
	for _, g := range d.Groups {
		for _, m := range g.Members {
			r.members[fold(g.DisplayName)] = append(r.members[fold(g.DisplayName)], fold(m))
		}
	}
	for _, s := range d.PermissionSets {
		for _, a := range s.Assignments {
			for _, account := range a.Accounts {
				where := place{s.Name, account}
				for _, name := range a.Groups {
					r.grants[where] = append(r.grants[where], principal{adminapi.PrincipalTypeGroup, fold(name)})
				}
				for _, name := range a.Users {
					r.grants[where] = append(r.grants[where], principal{adminapi.PrincipalTypeUser, fold(name)})
				}
			}
		}
	}
	return r
}

// touched are the places whose principals, or the members of these, differ.
func (p *planner) touched(was, will reach) []place {
	changed := map[principal]bool{}
	for _, r := range []reach{was, will} {
		for g := range r.members {
			who := principal{adminapi.PrincipalTypeGroup, g}
			changed[who] = !same(sortedSet(was.members[g]), sortedSet(will.members[g]))
			for _, user := range r.members[g] {
				changed[who] = changed[who] || p.deleted[principal{adminapi.PrincipalTypeUser, user}]
			}
		}
	}
	all := map[place]bool{}
	for _, r := range []reach{was, will} {
		for where, principals := range r.grants {
			differs := func(who principal) bool { return changed[who] || p.deleted[who] }
			if !slices.Equal(was.grants[where], will.grants[where]) || slices.ContainsFunc(principals, differs) {
				all[where] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b place) int { return cmp.Or(cmp.Compare(a.set, b.set), cmp.Compare(a.account, b.account)) })
}

// people are those who have the permission set there.
func (r reach) people(where place) map[string]bool {
	out := map[string]bool{}
	for _, who := range r.grants[where] {
		if who.Type == adminapi.PrincipalTypeUser {
			out[who.Name] = true
			continue
		}
		for _, m := range r.members[who.Name] {
			out[m] = true
		}
	}
	return out
}
