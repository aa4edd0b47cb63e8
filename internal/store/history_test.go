package store_test

import (
	"errors"
	"fmt"
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

// TestRevisionsOfSets: each edit of a permission set, and each policy that comes and goes, leaves what was before, with its events.
func TestRevisionsOfSets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := clocktest.At(keyTime)
		db, n := open(t, c), 0
		step := func(fn func(tx *store.Tx) error) {
			t.Helper()
			c.Advance(time.Second)
			n++
			mustUpdate(t, db, func(tx *store.Tx) error {
				tx.Because(store.Cause{Event: fmt.Sprint(n), By: "me"})
				return fn(tx)
			})
		}
		p := store.PermissionSet{PermissionSet: arn.PermissionSet{Instance: "ssoins-1111111111111111", ID: "ps-1111111111111111"}, Name: "Admin", Revision: 1, CreatedAt: db.Now()}
		step(func(tx *store.Tx) error { p.CreatedAt = tx.Now(); return tx.InsertPermissionSet(p) })
		edit := func(change func(tx *store.Tx) error) {
			t.Helper()
			step(func(tx *store.Tx) error {
				if err := change(tx); err != nil {
					return err
				}
				p.Revision++
				return tx.UpdatePermissionSet(p)
			})
		}
		edit(func(tx *store.Tx) error { return tx.AttachPolicy(p.PermissionSet, "a") })
		edit(func(tx *store.Tx) error { p.Inline = "hash"; return tx.AttachPolicy(p.PermissionSet, "b") })
		edit(func(tx *store.Tx) error { return tx.DetachPolicy(p.PermissionSet, "a") })
		told := func() (out []string) {
			t.Helper()
			for q := (page.Query{Limit: 2}); ; {
				var rows []store.SetRevision
				mustView(t, db, func(tx *store.Tx) (err error) {
					rows, q.After, err = tx.SetRevisions(p.PermissionSet, q)
					return err
				})
				for _, r := range rows {
					out = append(out, fmt.Sprint(r.Revision, r.Managed, r.Inline, " ", r.Since.Event, "-", r.Until.Event))
				}
				if q.After == nil {
					return out
				}
			}
		}
		want := []string{"1 [] 1-2", "2 [a] 2-3", "3 [a b]hash 3-4", "4 [b]hash 4-"}
		if d := cmp.Diff(want, told()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		step(func(tx *store.Tx) error { return tx.DeletePermissionSet(p.PermissionSet) })
		want[3] += "5"
		if d := cmp.Diff(want, told()); d != "" {
			t.Errorf("when it has gone (-want +got):\n%s", d)
		}
		mustView(t, db, func(tx *store.Tx) error {
			names, err := tx.SetNames([]string{p.ID})
			if names[p.ID] != "Admin" {
				t.Errorf("its name is %v", names)
			}
			return err
		})
	})
}

// TestNamesOfThen: users and groups are told by the names, and users by the state, that they had at a time.
func TestNamesOfThen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := clocktest.At(keyTime)
		db, n := open(t, c), 0
		var times []time.Time
		step := func(fn func(tx *store.Tx) error) {
			t.Helper()
			c.Advance(time.Second)
			n++
			mustUpdate(t, db, func(tx *store.Tx) error {
				tx.Because(store.Cause{Event: fmt.Sprint(n), By: "me"})
				return fn(tx)
			})
			times = append(times, db.Now())
		}
		u := store.User{ID: "u", StoreID: "d-1", UserName: "Ana", Status: store.UserEnabled}
		g := store.Group{ID: "g", StoreID: "d-1", DisplayName: "Ops"}
		step(func(tx *store.Tx) error {
			u.CreatedAt, g.CreatedAt = tx.Now(), tx.Now()
			if err := tx.InsertGroup(g); err != nil {
				return err
			}
			return tx.InsertUser(u)
		})
		step(func(tx *store.Tx) error { u.UserName = "ana.b"; return tx.UpdateUser(u) })
		step(func(tx *store.Tx) error { u.DisplayName = "no matter"; return tx.UpdateUser(u) })
		step(func(tx *store.Tx) error { u.Status = store.UserDisabled; return tx.UpdateUser(u) })
		step(func(tx *store.Tx) error { g.DisplayName = "Operators"; return tx.UpdateGroup(g) })
		step(func(tx *store.Tx) error { return tx.DeleteUser(u.ID) })
		step(func(tx *store.Tx) error { return tx.DeleteGroup(g.ID) })
		want := []string{
			"{Ana ENABLED 1 2} {Ops 7}", "{ana.b ENABLED 2 4} {Ops 7}", "{ana.b ENABLED 2 4} {Ops 7}", "{ana.b DISABLED 4 6} {Ops 7}",
			"{ana.b DISABLED 4 6} {Operators 7}", "{   } {Operators 7}", "{   } { }",
		}
		for i, at := range times {
			mustView(t, db, func(tx *store.Tx) error {
				users, err := tx.UsersAt([]string{"u", "nobody"}, at)
				if err != nil {
					return err
				}
				groups, err := tx.GroupsAt([]string{"g"}, at)
				was, team := users["u"], groups["g"]
				if got := fmt.Sprintf("{%s %s %s %s} {%s %s}", was.Name, was.Status, was.Since.Event, was.Until.Event, team.Name, team.Gone.Event); got != want[i] {
					t.Errorf("after %d: %s, want %s", i+1, got, want[i])
				}
				return err
			})
		}
		mustView(t, db, func(tx *store.Tx) error {
			was, err := tx.UserAtByName("d-1", "ANA", times[0])
			if err != nil || was.ID != "u" {
				t.Errorf("by the first name: %v, %v", was, err)
			}
			if _, err := tx.UserAtByName("d-1", "ana", times[1]); err == nil {
				t.Error("the first name is still good")
			}
			last, err := tx.LastOf("d-1", "", "ana.b")
			if last.Until.Event != "6" {
				t.Errorf("the last: %+v", last)
			}
			return err
		})
	})
}

func mustView(tb testing.TB, db *store.DB, fn func(*store.Tx) error) {
	tb.Helper()
	if err := db.View(tb.Context(), fn); err != nil {
		tb.Fatal(err)
	}
}

// TestAccountOfManyGroups: however many groups have nobody in them, and whatever the pages, each path into an account is told once.
func TestAccountOfManyGroups(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(keyTime))
		set := arn.PermissionSet{Instance: "ssoins-1111111111111111", ID: "ps-1111111111111111"}
		var want []string
		mustUpdate(t, db, func(tx *store.Tx) error {
			for n := range 70 {
				a := store.Assignment{Account: "111122223333", Set: set, PrincipalType: store.PrincipalGroup, PrincipalID: fmt.Sprintf("g%02d", n), State: store.AssignmentGranted, CreatedAt: tx.Now()}
				user := store.User{ID: fmt.Sprintf("u%02d", n), StoreID: "d-1", UserName: fmt.Sprint(n), Status: store.UserEnabled, Trail: store.Trail{CreatedAt: tx.Now()}}
				group := store.Group{ID: a.PrincipalID, StoreID: "d-1", DisplayName: a.PrincipalID, Trail: store.Trail{CreatedAt: tx.Now()}}
				if err := errors.Join(tx.InsertUser(user), tx.InsertGroup(group), tx.InsertAssignment(a)); err != nil {
					return err
				}
				if n%30 == 0 { // three groups have members, two each
					m := store.Membership{StoreID: "d-1", GroupID: group.ID, CreatedAt: tx.Now()}
					one, two := m, m
					one.ID, one.UserID, two.ID, two.UserID = "a"+group.ID, "u00", "b"+group.ID, user.ID
					if n == 0 {
						two.UserID = "zz" // who is nobody
					}
					if err := tx.InsertMemberships([]store.Membership{one, two}); err != nil {
						return err
					}
					want = append(want, group.ID+" u00")
					if n > 0 {
						want = append(want, group.ID+" "+user.ID)
					}
				}
				if n%3 == 0 {
					a.PrincipalType, a.PrincipalID = store.PrincipalUser, user.ID
					if err := tx.InsertAssignment(a); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for n := 0; n < 70; n += 3 {
			want = append(want, fmt.Sprintf("u%02d u%02d", n, n))
		}
		for _, limit := range []int{1, 2, 7, 24, 100} {
			var got []string
			for q := (page.Query{Limit: limit}); ; {
				var rows []store.Path
				mustView(t, db, func(tx *store.Tx) (err error) {
					rows, q.After, err = tx.PathsOfAccount(set.Instance, "111122223333", arn.PermissionSet{}, tx.Now(), q)
					return err
				})
				for _, p := range rows {
					got = append(got, p.PrincipalID+" "+p.UserID)
				}
				if q.After == nil {
					break
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("pages of %d (-want +got):\n%s", limit, d)
			}
		}
	})
}

// TestAccountsOfThen: whether an account was open at a time is told with the event that made it so; of before the oldest that is kept
// nothing is said, and what is forgotten is remembered to be.
func TestAccountsOfThen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		c := clocktest.At(keyTime)
		db, n := open(t, c), 0
		var times []time.Time
		step := func(fn func(tx *store.Tx) error) {
			t.Helper()
			c.Advance(time.Second)
			n++
			mustUpdate(t, db, func(tx *store.Tx) error {
				tx.Because(store.Cause{Event: fmt.Sprint(n), By: "me"})
				return fn(tx)
			})
			times = append(times, db.Now())
		}
		const id arn.AccountID = "111122223333"
		status := func(s string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error { return tx.SetAccountStatus(id, s) }
		}
		step(func(*store.Tx) error { return nil })
		step(func(tx *store.Tx) error {
			return tx.InsertAccount(store.Account{ID: id, Status: store.AccountActive, CreatedAt: tx.Now()})
		})
		step(status(store.AccountSuspended))
		step(status(store.AccountActive))
		step(func(tx *store.Tx) error {
			if err := status(store.AccountActive)(tx); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("opened though it is open: %v", err)
			}
			return nil
		})
		told := func() (out []string) {
			t.Helper()
			for _, at := range times {
				mustView(t, db, func(tx *store.Tx) error {
					all, err := tx.AccountsAt([]string{string(id), "000000000000"}, at)
					a, ok := all[id]
					out = append(out, fmt.Sprintf("%t %s %s %s", ok, a.Status, a.Since.Event, a.Since.By))
					return err
				})
			}
			return out
		}
		want := []string{"false   ", "true ACTIVE  ", "true SUSPENDED 3 me", "true ACTIVE 4 me", "true ACTIVE 4 me"}
		if d := cmp.Diff(want, told()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		forgotten := func() (at time.Time) {
			mustView(t, db, func(tx *store.Tx) (err error) { at, err = tx.HistoryForgotten(); return err })
			return at
		}
		for _, before := range []time.Time{times[1], times[3].Add(time.Nanosecond * 1000), times[2]} {
			mustUpdate(t, db, func(tx *store.Tx) error { _, err := tx.PruneHistory(before, 10); return err })
			if before.Equal(times[1]) && !forgotten().IsZero() {
				t.Error("something is forgotten though nothing had ended")
			}
		}
		if got := forgotten(); !got.Equal(times[3].Add(time.Microsecond)) {
			t.Errorf("forgotten before %s", got)
		}
		want[1], want[2] = "true   ", "true   "
		if d := cmp.Diff(want, told()); d != "" {
			t.Errorf("when the past is forgotten (-want +got):\n%s", d)
		}
	})
}
