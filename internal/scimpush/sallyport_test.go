package scimpush_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// change writes a user here or there.
func change(tx *store.Tx, name string, edit func(*store.User)) error {
	u, err := tx.UserByName(storeID, name)
	if err != nil {
		return err
	}
	edit(&u)
	_, err = directory.UpdateUser(tx, u, "", by)
	return err
}

// leave takes a user out of a group.
func leave(tx *store.Tx, user, group string) error {
	u, err := tx.UserByName(storeID, user)
	if err != nil {
		return err
	}
	g, err := tx.GroupByName(storeID, group)
	if err != nil {
		return err
	}
	m, err := tx.MembershipOf(g.ID, u.ID)
	if err != nil {
		return err
	}
	return directory.RemoveMember(tx, storeID, m.ID, by)
}

// addresses are those of the user with the name, as the other Sallyport has them.
func (w *world) addresses(name string) (out string) {
	w.t.Helper()
	w.look(w.there, func(tx *store.Tx) error {
		u, err := tx.UserByName(storeID, name)
		out = fmt.Sprint(u.Emails, u.PhoneNumbers, u.Roles, len(u.Addresses))
		return err
	})
	return out
}

// many is a person with more of everything than AWS takes.
func (w *world) many(name string) {
	w.t.Helper()
	u := someone(name)
	u.Emails = append(u.Emails, store.TypedValue{Value: name + "@home.test", Type: "home"}, store.TypedValue{Value: "all@example.test"})
	u.PhoneNumbers = []store.TypedValue{{Value: "1", Type: "work"}, {Value: "2", Type: "mobile", Primary: true}}
	u.Roles = []store.TypedValue{{Value: "r1"}, {Value: "r2"}}
	u.Addresses = append(u.Addresses, store.Address{Locality: "Basel", Type: "home", Primary: true})
	w.update(func(tx *store.Tx) error { _, err := directory.CreateUser(tx, u, by); return err })
}

// TestCompleteSallyport: a Sallyport keeps another one by its complete dialect, with all values of lists.
func TestCompleteSallyport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		w.many("ana")
		bob, cyd := w.user("bob"), w.user("cyd")
		lone := someone("lone") // AWS's API makes people whose only address is not said to be primary
		lone.Emails[0].Primary = false
		w.update(func(tx *store.Tx) error { _, err := directory.CreateUser(tx, lone, by); return err })
		w.group("Auditors", bob, cyd)
		w.group("Nobody")
		w.connect(store.CompleteSCIM, func(c *scimpush.Change) { c.Deprovision = new(store.LeaveDeleted) })
		all := "[{ana@example.test work  true} {ana@home.test home  false} {all@example.test   false}] [{1 work  false} {2 mobile  true}] [{r1   false} {r2   false}] 2"

		plan, err := w.worker.Plan(t.Context(), w.target.ID, false)
		if err != nil || len(w.wire.writes()) > 0 || plan.Counts[scimpush.CreateUser] != 4 || plan.Counts[scimpush.CreateGroup] != 2 {
			t.Errorf("a dry run before anything is there: %+v, %v", plan, err)
		}
		w.drain()
		w.alike()
		if got := w.addresses("ana"); got != all {
			t.Errorf("ana has %s", got)
		}
		w.unchanged()

		w.update(func(tx *store.Tx) error {
			return errors.Join(change(tx, "ana", func(u *store.User) { u.Title, u.UserName, u.Emails[1].Value = "Dr", "anna", "anna@home.test" }),
				change(tx, "bob", func(u *store.User) { u.Status = store.UserDisabled }), leave(tx, "bob", "Auditors"), directory.DeleteUser(tx, storeID, cyd.ID, ""))
		})
		w.user("eve")
		w.drain()
		w.alike()
		if got := w.addresses("anna"); got != strings.Replace(all, "ana@home", "anna@home", 1) {
			t.Errorf("anna has %s", got)
		}
		w.wire.reset()
		w.unchanged()
		w.meddle()
	})
}

// alike fails unless both sides have the same people and groups, but that a single address is primary there.
func (w *world) alike() {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		return change(tx, "lone", func(u *store.User) { u.Emails[0].Primary = true })
	})
	w.same()
	w.update(func(tx *store.Tx) error {
		return change(tx, "lone", func(u *store.User) { u.Emails[0].Primary = false })
	})
	w.drain()
}

// unchanged fails if a comparison finds anything to do.
func (w *world) unchanged() {
	w.t.Helper()
	w.wire.reset()
	plan, err := w.worker.Plan(w.t.Context(), w.target.ID, true)
	if err != nil || !plan.Complete || len(plan.Items) > 0 {
		w.t.Errorf("nothing is to be done, and %+v, %v", plan, err)
	}
	w.update(func(tx *store.Tx) error { _, err := scimpush.Sync(tx, storeID, w.target.ID, true); return err })
	w.drain()
	if got := w.wire.writes(); len(got) > 0 {
		w.t.Errorf("nothing is to be done, and %v", got)
	}
}

// meddle changes things there, which a dry run tells of, and a comparison puts right.
func (w *world) meddle() {
	w.t.Helper()
	err := w.there.Update(w.t.Context(), func(tx *store.Tx) error {
		stranger := someone("stranger")
		if _, err := directory.CreateUser(tx, stranger, by); err != nil {
			return err
		}
		lost, err := tx.UserByName(storeID, "eve")
		if err != nil {
			return err
		}
		g, err := tx.GroupByName(storeID, "Nobody")
		if err != nil {
			return err
		}
		g.DisplayName = "Somebody"
		if _, err := directory.UpdateGroup(tx, g, "", by); err != nil {
			return err
		}
		if _, err := directory.AddMember(tx, storeID, g.ID, lost.ID, by); err != nil {
			return err
		}
		return errors.Join(change(tx, "anna", func(u *store.User) { u.Emails = u.Emails[:1] }), change(tx, "bob", func(u *store.User) { u.Status = store.UserEnabled }))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	plan, err := w.worker.Plan(w.t.Context(), w.target.ID, true)
	if err != nil || !plan.Complete || len(w.wire.writes()) > 0 || plan.Counts[scimpush.UpdateGroup] != 1 || plan.Counts[scimpush.RemoveMember] != 1 || len(plan.Items) != 6 {
		w.t.Errorf("%+v, %v", plan, err)
	}
	w.update(func(tx *store.Tx) error { _, err := scimpush.Sync(tx, storeID, w.target.ID, true); return err })
	w.drain()
	w.alike()
	w.unchanged()
}

// TestGuardThere: another Sallyport stops a mass removal. The target says by which command it is let through, and then it is.
func TestGuardThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []store.User
	for i := range 30 {
		all = append(all, w.user(fmt.Sprint("user", i)))
	}
	w.connect(store.CompleteSCIM, func(c *scimpush.Change) { c.Deprovision = new(store.LeaveDeleted) })
	w.drain()
	w.update(func(tx *store.Tx) error {
		for _, u := range all[:15] {
			if err := directory.DeleteUser(tx, storeID, u.ID, ""); err != nil {
				return err
			}
		}
		return nil
	})
	for range 3 {
		w.once()
		w.clock.Advance(6 * time.Minute)
	}
	if s, b := w.state(); s.State != store.TargetOn || b.Records != 5 || !strings.Contains(s.LastError, "sallyport scim approve up") {
		t.Errorf("%+v of %+v are left", b, s)
	}
	err := w.there.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.ClearSCIMGuards(tenant), tx.ApproveSCIM(store.SCIMApproval{TenantID: tenant, Until: tx.Now().Add(time.Hour), By: by}))
	})
	if err != nil {
		t.Fatal(err)
	}
	w.drain()
	w.same()
}
