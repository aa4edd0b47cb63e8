package scimpush_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestPeopleAndGroupsArrive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		ana, bob := w.user("ana"), w.user("bob")
		g := w.group("Auditors", ana, bob)
		w.connect(store.StrictSCIM, nil)
		w.drain()
		w.same()

		w.update(func(tx *store.Tx) error {
			ana.Title, ana.UserName = "Dr", "anna"
			if _, err := directory.UpdateUser(tx, ana, "", by); err != nil {
				return err
			}
			g.DisplayName = "Revision"
			if _, err := directory.UpdateGroup(tx, g, "", by); err != nil {
				return err
			}
			m, err := tx.MembershipOf(g.ID, bob.ID)
			if err != nil {
				return err
			}
			return directory.RemoveMember(tx, storeID, m.ID, by)
		})
		w.user("eve")
		w.wire.reset()
		w.drain()
		w.same()
		if got := len(w.wire.writes()); got != 4 { // PUT ana, PATCH the name, PATCH the members, POST eve
			t.Errorf("%d writes: %v", got, w.wire.writes())
		}
		w.wire.reset()
		w.update(func(tx *store.Tx) error { _, err := directory.UpdateUser(tx, ana, "", by); return err }) // to what it is
		w.drain()
		if got := w.wire.asked; len(got) > 0 {
			t.Errorf("nothing has changed, and %v was sent", got)
		}
	})
}

func TestPeopleLeave(t *testing.T) {
	t.Parallel()
	for _, how := range []store.Deprovision{store.LeaveDisabled, store.LeaveDeleted} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ana, bob := w.user("ana"), w.user("bob")
			g := w.group("Auditors", ana, bob)
			w.connect(store.StrictSCIM, func(c *scimpush.Change) { c.Deprovision = &how })
			w.drain()
			w.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, ana.ID, "") })
			w.drain()
			there := w.people(w.there, func([]store.ExternalID, string) string { return "" })
			if how == store.LeaveDeleted {
				w.same()
			} else if len(there) != 3 || there["user ana"][:8] != "DISABLED" || there["group Auditors"] != "[bob]" {
				t.Errorf("%v", there)
			}
			w.update(func(tx *store.Tx) error { return directory.DeleteGroup(tx, storeID, g.ID, "") })
			w.drain()
			if there := w.people(w.there, func([]store.ExternalID, string) string { return "" }); there["group Auditors"] != "" {
				t.Errorf("%v", there)
			}
		})
	}
}

// Whoever is disabled is kept out before anything else is told, and even if the server does not like the rest of them.
func TestDisabledFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoe := w.user("zoe")
	w.connect(store.StrictSCIM, nil)
	w.drain()
	for i := range 100 {
		w.user(fmt.Sprintf("user%d", i))
	}
	w.update(func(tx *store.Tx) error {
		zoe.Status, zoe.Title = store.UserDisabled, "Dr"
		_, err := directory.UpdateUser(tx, zoe, "", by)
		return err
	})
	w.wire.reset()
	w.drain()
	w.same()
	if got := w.wire.writes(); len(got) != 102 || got[0][:5] != "PATCH" || got[1][:3] != "PUT" {
		t.Errorf("%d: %v", len(got), got[:3])
	}
}

func TestLargeGroupGoesInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.group("Everybody")
	w.update(func(tx *store.Tx) error {
		for i := range 350 {
			u, err := directory.CreateUser(tx, someone(fmt.Sprintf("user%03d", i)), by)
			if err != nil {
				return err
			}
			if _, err := directory.AddMember(tx, storeID, g.ID, u.ID, by); err != nil {
				return err
			}
		}
		return nil
	})
	w.connect(store.StrictSCIM, nil)
	w.drain()
	w.same()
	if got := w.events(); got["Create"] != 351 || got["AddMembers"] > 10 {
		t.Errorf("%v", got)
	}
}

// Only some groups' people are pushed: they come and go with the groups.
func TestOnlySomeGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ana, bob, eve := w.user("ana"), w.user("bob"), w.user("eve")
	in, out := w.group("In", ana), w.group("Out", bob)
	w.connect(store.StrictSCIM, func(c *scimpush.Change) { c.Groups = &[]string{in.ID}; c.Deprovision = new(store.LeaveDeleted) })
	none := func([]store.ExternalID, string) string { return "" }
	expect := func(want ...string) {
		t.Helper()
		w.drain()
		got := map[string]bool{}
		for k, v := range w.people(w.there, none) {
			if k[:5] == "group" {
				k += v
			}
			got[k] = true
		}
		all := map[string]bool{}
		for _, k := range want {
			all[k] = true
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Error(diff)
		}
	}
	expect("user ana", "group In[ana]")
	var m store.Membership
	w.update(func(tx *store.Tx) (err error) {
		m, err = directory.AddMember(tx, storeID, in.ID, eve.ID, by)
		return err
	})
	expect("user ana", "user eve", "group In[ana eve]")
	w.update(func(tx *store.Tx) error { return directory.RemoveMember(tx, storeID, m.ID, by) })
	expect("user ana", "group In[ana]")
	w.update(func(tx *store.Tx) error {
		_, err := scimpush.Update(tx, w.ring, storeID, w.target.ID, scimpush.Change{Groups: &[]string{out.ID}})
		return err
	})
	expect("user bob", "group Out[bob]")
	w.update(func(tx *store.Tx) error { return directory.DeleteGroup(tx, storeID, out.ID, "") })
	expect()
}
