package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"

	"github.com/google/go-cmp/cmp"
)

// change changes the members of a group and gives how many joined and left.
func (p *people) change(g store.Group, m directory.Members) (joined, left int) {
	p.t.Helper()
	p.update(func(tx *store.Tx) error {
		in, out, err := directory.ChangeMembers(tx, g, m, by)
		joined, left = len(in), len(out)
		return err
	})
	return joined, left
}

// Many members change at once, each who really changes once, and nobody else; one who can't join takes all back.
func TestChangeMembers(t *testing.T) {
	each(t, func(p *people) {
		g := p.group("Crowd")
		var ids []string
		p.update(func(tx *store.Tx) error {
			for i := range 600 {
				u, err := directory.CreateUser(tx, person(fmt.Sprint("u", i)), by)
				if err != nil {
					return err
				}
				ids = append(ids, u.ID)
			}
			return nil
		})
		count := func() int {
			n := 0
			for q := (page.Query{Limit: 250}); ; {
				var rows []store.Named
				var next page.Key
				p.update(func(tx *store.Tx) (err error) { rows, next, err = tx.MembersNamed(g.ID, q); return err })
				if n += len(rows); next == nil {
					return n
				}
				q.After = next
			}
		}
		p.since()
		some := []string{ids[0], strings.ToUpper(ids[1]), ids[0]}
		if in, out := p.change(g, directory.Members{Join: some}); in != 2 || out != 0 || count() != 2 {
			p.t.Errorf("%d joined, %d left, %d are in it", in, out, count())
		}
		if diff := cmp.Diff([]string{"user:" + ids[0], "user:" + ids[1]}, p.since()); diff != "" {
			p.t.Error(diff)
		}
		p.refused(fault.NotFound, func(tx *store.Tx) error {
			_, _, err := directory.ChangeMembers(tx, g, directory.Members{Join: append(ids[:500:500], "nobody"), Leave: some}, by)
			return err
		})
		if in, out := p.change(g, directory.Members{Join: ids[2:], Leave: append(some, "nobody")}); in != 598 || out != 2 || count() != 598 {
			p.t.Errorf("%d joined, %d left, %d are in it", in, out, count())
		}
		if got := p.since(); len(got) != 0 { // more than are named one by one, and the group is granted nothing
			p.t.Errorf("%d changes", len(got))
		}
		if in, out := p.change(g, directory.Members{Join: ids[2:], Leave: some}); in+out != 0 {
			p.t.Errorf("nothing to do: %d joined, %d left", in, out)
		}
	})
}

// A group's members' version rises with each change of them, and with nothing else.
func TestMemberChanges(t *testing.T) {
	each(t, func(p *people) {
		g, u, v := p.group("Some"), p.user("ana"), p.user("ben")
		version := func(doing string, want int64) {
			p.t.Helper()
			p.update(func(tx *store.Tx) error {
				g, err := directory.Group(tx, storeID, g.ID)
				if g.MemberChanges != want {
					p.t.Errorf("%s: %d, want %d", doing, g.MemberChanges, want)
				}
				return err
			})
		}
		version("created", 0)
		m := p.join(g, u)
		version("joined", 1)
		p.change(g, directory.Members{Join: []string{v.ID, u.ID}})
		version("another joined", 2)
		p.update(func(tx *store.Tx) error {
			g.DisplayName = "Others"
			_, err := directory.UpdateGroup(tx, g, "", by)
			return err
		})
		version("renamed", 2)
		p.update(func(tx *store.Tx) error { return directory.RemoveMember(tx, storeID, m.ID, by) })
		version("left", 3)
		p.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, v.ID, "") })
		version("deleted", 4)
	})
}

// Who comes from one source does not join by another; who was made here joins by any.
func TestSourcesOfMembers(t *testing.T) {
	each(t, func(p *people) {
		g, here := p.group("Some"), p.user("ana")
		var theirs store.User
		p.update(func(tx *store.Tx) (err error) {
			u := person("ben")
			u.Source = "other"
			theirs, err = directory.CreateUser(tx, u, by)
			return err
		})
		p.refused(fault.NotFound, func(tx *store.Tx) error {
			_, _, err := directory.ChangeMembers(tx, g, directory.Members{Join: []string{here.ID, theirs.ID}, Source: "one"}, by)
			return err
		})
		if in, _ := p.change(g, directory.Members{Join: []string{here.ID}, Source: "one"}); in != 1 {
			p.t.Error("who was made here did not join")
		}
	})
}

// Pages in the order of creation, from any place, of what a source sees.
func TestListsOfSource(t *testing.T) {
	each(t, func(p *people) {
		var want []string
		for i, source := range []string{"", "one", "two", "one", ""} {
			p.update(func(tx *store.Tx) error {
				u := person(fmt.Sprint("u", i))
				u.Source = source
				u, err := directory.CreateUser(tx, u, by)
				if source != "two" {
					want = append(want, u.UserName)
				}
				return err
			})
		}
		var all, rest []string
		p.update(func(tx *store.Tx) error {
			if n, err := tx.CountUsersOfSource(storeID, "one"); n != 4 || err != nil {
				p.t.Errorf("%d users, %v", n, err)
			}
			q := store.Sourced{StoreID: storeID, Tenant: "one", Query: page.Query{Limit: 3}}
			for {
				rows, next, err := tx.UsersOfSource(q)
				for _, u := range rows {
					all = append(all, u.UserName)
				}
				if q.After = next; next == nil || err != nil {
					break
				}
			}
			rows, _, err := tx.UsersOfSource(store.Sourced{StoreID: storeID, Tenant: "one", Offset: 3, Query: page.Query{Limit: 3}})
			for _, u := range rows {
				rest = append(rest, u.UserName)
			}
			return err
		})
		if len(all) != len(want) || len(rest) != 1 || rest[0] != all[3] {
			p.t.Errorf("%v and %v, want %v", all, rest, want)
		}
	})
}
