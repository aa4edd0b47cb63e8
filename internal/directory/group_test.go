package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestMemberships(t *testing.T) {
	each(t, func(p *people) {
		u, g := p.user("ana"), p.group("Auditors")
		p.since()
		m := p.join(g, u)
		if diff := cmp.Diff([]string{"user:" + u.ID}, p.since()); diff != "" {
			p.t.Error(diff)
		}
		add := func(group, user string) func(*store.Tx) error {
			return func(tx *store.Tx) error { _, err := directory.AddMember(tx, storeID, group, user, by); return err }
		}
		p.refused(fault.Conflict, add(g.ID, u.ID))
		if got := p.refused(fault.NotFound, add(g.ID, g.ID)); got != "USER not found." { // groups hold users only
			p.t.Error(got)
		}
		if got := p.refused(fault.NotFound, add(u.ID, u.ID)); got != "GROUP not found." {
			p.t.Error(got)
		}
		p.since()
		p.update(func(tx *store.Tx) error { return directory.RemoveMember(tx, storeID, m.ID, by) })
		if diff := cmp.Diff([]string{"user:" + u.ID}, p.since()); diff != "" {
			p.t.Error(diff)
		}
		p.refused(fault.NotFound, func(tx *store.Tx) error { return directory.RemoveMember(tx, storeID, m.ID, by) })
		p.join(g, u)
		p.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, u.ID, "") })
		p.update(func(tx *store.Tx) error {
			members, _, err := tx.Members(g.ID, page.Query{Limit: 10})
			if len(members) > 0 {
				p.t.Errorf("a deleted user is a member: %v", members)
			}
			return err
		})
	})
}

// Deleting a group writes the grants that it held, not its members; past a bound, everything is looked at again.
func TestDeletedGroupWritesItsGrants(t *testing.T) {
	each(t, func(p *people) {
		for _, grants := range []int{0, 3, 501} {
			g := p.group(fmt.Sprint("g", grants))
			var want []string
			p.update(func(tx *store.Tx) error {
				want = nil
				for i := range grants {
					a := store.Assignment{
						Account: arn.AccountID(fmt.Sprintf("%012d", i)), Set: arn.PermissionSet{Instance: "ssoins-1", ID: "ps-1"},
						PrincipalType: store.PrincipalGroup, PrincipalID: g.ID, State: store.AssignmentGranted,
					}
					want = append(want, a.GrantKey())
					if err := tx.InsertAssignment(a); err != nil {
						return err
					}
				}
				return nil
			})
			if grants > 500 {
				want = []string{"all"}
			}
			p.since()
			p.update(func(tx *store.Tx) error { return directory.DeleteGroup(tx, storeID, g.ID, "") })
			got := p.since()
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				p.t.Errorf("%d grants:\n%s", grants, diff)
			}
		}
	})
}

// A large group goes at once for everybody who asks, and its rows a little at a time.
func TestLargeGroupIsSwept(t *testing.T) {
	t.Parallel()
	p := &people{t: t, db: storetest.Open(t, clock.System{})}
	g, u := p.group("Everybody"), p.user("ana")
	p.join(g, u)
	const rows = 1700
	p.update(func(tx *store.Tx) error {
		for i := range rows {
			m := store.Membership{ID: arn.NewUUID(), StoreID: storeID, GroupID: g.ID, UserID: fmt.Sprintf("0-%d", i)}
			if err := tx.InsertMemberships([]store.Membership{m}); err != nil {
				return err
			}
		}
		return nil
	})
	p.update(func(tx *store.Tx) error { return directory.DeleteGroup(tx, storeID, g.ID, "") })
	p.update(func(tx *store.Tx) error {
		if _, err := tx.MembershipOf(g.ID, u.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("membership in a deleted group: %v", err)
		}
		return nil
	})
	s := directory.NewSweeper(p.db, "test")
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		n, err := tx.SweepMembers(g.ID, 10)
		if n > 0 {
			t.Error("memberships are left")
		}
		return err
	})
}
