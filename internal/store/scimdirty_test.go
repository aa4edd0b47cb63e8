package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const pushedStore arn.StoreID = "d-1234567890"

// dirt is what is marked for a target since it was last asked.
func dirt(t *testing.T, db *store.DB, target string) (out []string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		out = nil
		for priority := range 3 {
			all, err := tx.DueDirty(target, priority, 1000)
			if err != nil {
				return err
			}
			for _, d := range all {
				out = append(out, fmt.Sprintf("%d %s %s", priority, d.Kind, d.ID))
				if err := tx.CleanDirty(d); err != nil {
					return err
				}
			}
		}
		slices.Sort(out)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryWriteIsMarked: whatever writes a user, a group or a membership, each target hears of it, and other stores' do not.
func TestEveryWriteIsMarked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)))
		update := func(fn func(*store.Tx) error) {
			t.Helper()
			if err := db.Update(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		u := store.User{ID: "u", StoreID: pushedStore, UserName: "ana", Status: store.UserEnabled}
		update(func(tx *store.Tx) error { return tx.InsertUser(u) }) // nobody is told
		update(func(tx *store.Tx) error {
			for _, x := range []store.SCIMTarget{{ID: "all", Name: "all", Everyone: true}, {ID: "some", Name: "some"}} {
				x.StoreID, x.State, x.Token = pushedStore, store.TargetOn, []byte{1}
				if err := tx.InsertSCIMTarget(x); err != nil {
					return err
				}
			}
			return tx.InsertSCIMTarget(store.SCIMTarget{ID: "other", Name: "other", StoreID: "d-ffffffffff", Token: []byte{1}})
		})
		m := []store.Membership{{ID: "m", StoreID: pushedStore, GroupID: "g", UserID: "u"}}
		g := store.Group{ID: "g", StoreID: pushedStore, DisplayName: "g"}
		off := u
		off.Status = store.UserDisabled
		for _, c := range []struct {
			name      string
			do        func(*store.Tx) error
			all, some []string
		}{
			{"insert user", func(tx *store.Tx) error {
				return tx.InsertUser(store.User{ID: "v", StoreID: pushedStore, UserName: "v"})
			}, []string{"1 USER v"}, nil},
			{"update user", func(tx *store.Tx) error { return tx.UpdateUser(u) }, []string{"1 USER u"}, nil},
			{"disable user", func(tx *store.Tx) error { return tx.UpdateUser(off) }, []string{"0 USER u"}, nil},
			{"insert group", func(tx *store.Tx) error { return tx.InsertGroup(g) }, []string{"2 GROUP g"}, nil},
			{"update group", func(tx *store.Tx) error { return tx.UpdateGroup(g) }, []string{"2 GROUP g"}, nil},
			{"join", func(tx *store.Tx) error { return tx.InsertMemberships(m) }, []string{"2 GROUP g"}, []string{"1 USER u", "2 GROUP g"}},
			{"leave", func(tx *store.Tx) error { return tx.DeleteMembers("g", []string{"u"}) }, []string{"2 GROUP g"}, []string{"1 USER u", "2 GROUP g"}},
			{"join again", func(tx *store.Tx) error { return tx.InsertMemberships(m) }, []string{"2 GROUP g"}, []string{"1 USER u", "2 GROUP g"}},
			{"delete group", func(tx *store.Tx) error { return tx.DeleteGroup("g") }, []string{"2 GROUP g"}, nil},
			{"sweep", func(tx *store.Tx) error { _, err := tx.SweepMembers("g", 10); return err }, nil, []string{"1 USER u"}},
			{"delete user", func(tx *store.Tx) error { return tx.DeleteUser("u") }, []string{"0 USER u"}, nil},
		} {
			update(c.do)
			if c.some == nil {
				c.some = c.all
			}
			for target, want := range map[string][]string{"all": c.all, "some": c.some, "other": nil} {
				if diff := cmp.Diff(want, dirt(t, db, target)); diff != "" {
					t.Errorf("%s, %s:\n%s", c.name, target, diff)
				}
			}
		}
	})
}

// TestMarkedAgain: what changes while it is being pushed is pushed again; what was refused waits, unless it changes.
func TestMarkedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)))
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.InsertSCIMTarget(store.SCIMTarget{ID: "t", StoreID: pushedStore, Name: "t", Everyone: true, Token: []byte{1}}); err != nil {
				return err
			}
			u := store.User{ID: "u", StoreID: pushedStore, UserName: "ana"}
			if err := tx.InsertUser(u); err != nil {
				return err
			}
			d, err := tx.Dirty("t", store.PushUser, "u")
			if err != nil {
				return err
			}
			u.Status = store.UserDisabled
			if err := tx.UpdateUser(u); err != nil {
				return err
			}
			if err := tx.CleanDirty(d); err != nil { // of what was before
				return err
			}
			if d, err = tx.Dirty("t", store.PushUser, "u"); err != nil {
				return err
			}
			u.Status = store.UserEnabled
			if err := tx.UpdateUser(u); err != nil {
				return err
			}
			if d.Version != 2 || d.Priority != store.PushFirst {
				t.Errorf("%+v", d)
			}
			if d, err = tx.Dirty("t", store.PushUser, "u"); err != nil || d.Priority != store.PushFirst { // it stays among the first
				return fmt.Errorf("%+v: %w", d, err)
			}
			d.Error, d.Attempts, d.DueAt = "no", 3, tx.Now().Add(time.Hour)
			if err := tx.PutDirtyOff(d); err != nil {
				return err
			}
			if due, err := tx.DueDirty("t", store.PushFirst, 10); len(due) > 0 || err != nil {
				t.Errorf("due: %v, %v", due, err)
			}
			b, err := tx.Backlog("t")
			if err != nil || b != (store.Backlog{Records: 1, Failed: 1, Oldest: tx.Now()}) {
				t.Errorf("%+v, %v", b, err)
			}
			if all, next, err := tx.DirtyErrors("t", page.Query{Limit: 1}); len(all) != 1 || next != nil || err != nil {
				t.Errorf("%v %v %v", all, next, err)
			}
			if err := tx.UpdateUser(u); err != nil {
				return err
			}
			due, err := tx.DueDirty("t", store.PushFirst, 10)
			if len(due) != 1 || due[0].Attempts != 0 {
				t.Errorf("due: %v", due)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestPushedMembers: who is to join and to leave there is found by what is here, a part at a time; what is unsure is done again.
func TestPushedMembers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)))
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.InsertGroup(store.Group{ID: "g", StoreID: pushedStore, DisplayName: "g"}); err != nil {
				return err
			}
			var all []store.Membership
			for i := range 150 {
				id := fmt.Sprintf("u%03d", i)
				if err := tx.InsertUser(store.User{ID: id, StoreID: pushedStore, UserName: id}); err != nil {
					return err
				}
				all = append(all, store.Membership{ID: id, StoreID: pushedStore, GroupID: "g", UserID: id})
				m := store.SCIMMapping{Target: "t", Kind: store.PushUser, ID: id, Remote: "r" + id}
				if i%10 == 9 {
					m.Remote = "" // not there yet
				}
				if err := tx.PutMapping(m); err != nil {
					return err
				}
			}
			if err := tx.InsertMemberships(all); err != nil {
				return err
			}
			first, err := tx.Joining("t", "g", "", 100)
			if err != nil || len(first) != 100 || first[0] != (store.PushedMember{User: "u000", Remote: "ru000"}) {
				return fmt.Errorf("%v: %w", first, err)
			}
			if err := tx.AddPushed("t", "g", first, false); err != nil {
				return err
			}
			again, err := tx.Joining("t", "g", "", 100)
			if diff := cmp.Diff(first, again); diff != "" || err != nil {
				t.Errorf("what is unsure: %s %v", diff, err)
			}
			if err := tx.AddPushed("t", "g", first, true); err != nil {
				return err
			}
			rest, err := tx.Joining("t", "g", "", 100)
			if err != nil || len(rest) != 35 {
				t.Errorf("%d are left, %v", len(rest), err)
			}
			known, err := tx.KnownThere("t", []string{"ru000", "ru009", "stranger"})
			if err != nil || len(known) != 1 || known[0].User != "u000" {
				t.Errorf("%v, %v", known, err)
			}
			if err := tx.DeleteMembers("g", []string{"u000", "u001"}); err != nil {
				return err
			}
			if err := tx.DeleteUser("u002"); err != nil {
				return err
			}
			leaving, err := tx.Leaving("t", "g", "u000", 100)
			if err != nil || len(leaving) != 2 || leaving[0].User != "u001" || leaving[1].User != "u002" {
				t.Errorf("%v, %v", leaving, err)
			}
			if err := tx.RemovePushed("t", "g", leaving); err != nil {
				return err
			}
			leaving, err = tx.Leaving("t", "g", "", 100)
			if len(leaving) != 1 {
				t.Errorf("%v", leaving)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
