package usage_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/page"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/usage"
)

const (
	inst    arn.Instance  = "ssoins-1111111111111111"
	ids     arn.StoreID   = "d-1111111111"
	prod    arn.AccountID = "111122223333"
	staging arn.AccountID = "444455556666"
)

var (
	admin  = arn.PermissionSet{Instance: inst, ID: "ps-1111111111111111"}
	reader = arn.PermissionSet{Instance: inst, ID: "ps-2222222222222222"}
)

// house is a database with two people, two groups and two permission sets.
type house struct {
	t     *testing.T
	db    *store.DB
	clock *clocktest.Clock
	n     int
}

func newHouse(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *house {
	t.Helper()
	c := clocktest.At(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC))
	h := &house{t: t, db: open(t, c), clock: c}
	h.do(func(tx *store.Tx) error {
		for _, name := range []string{"ana", "ben"} {
			if err := tx.InsertUser(store.User{ID: name, StoreID: ids, UserName: name, Status: store.UserEnabled, Trail: store.Trail{CreatedAt: tx.Now()}}); err != nil {
				return err
			}
		}
		for _, name := range []string{"ops", "dev"} {
			if err := tx.InsertGroup(store.Group{ID: name, StoreID: ids, DisplayName: name, Trail: store.Trail{CreatedAt: tx.Now()}}); err != nil {
				return err
			}
		}
		for set, name := range map[arn.PermissionSet]string{admin: "Admin", reader: "Reader"} {
			if err := tx.InsertPermissionSet(store.PermissionSet{PermissionSet: set, Name: name, Revision: 1, CreatedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

func (h *house) do(fn func(tx *store.Tx) error) {
	h.t.Helper()
	h.clock.Advance(time.Second)
	if err := h.db.Update(h.t.Context(), fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) grant(account arn.AccountID, set arn.PermissionSet, t store.PrincipalType, id string) {
	h.t.Helper()
	h.do(func(tx *store.Tx) error {
		return tx.InsertAssignment(store.Assignment{Account: account, Set: set, PrincipalType: t, PrincipalID: id, State: store.AssignmentGranted, CreatedAt: tx.Now()})
	})
}

func (h *house) join(group, user string) {
	h.t.Helper()
	h.do(func(tx *store.Tx) error {
		return tx.InsertMemberships([]store.Membership{{ID: group + user, StoreID: ids, GroupID: group, UserID: user, CreatedAt: tx.Now(), CreatedBy: "x"}})
	})
}

func (h *house) leave(group, user string) {
	h.t.Helper()
	h.do(func(tx *store.Tx) error { return tx.DeleteMembers(group, []string{user}) })
}

// vend records that credentials were given out, as package vend does.
func (h *house) vend(user string, account arn.AccountID, set string, life time.Duration) {
	h.t.Helper()
	h.record(fmt.Sprintf(`{"eventName":"GetRoleCredentials","userIdentity":{"onBehalfOf":{"userId":%q}},"serviceEventDetails":{"access_key_id":"ASIA","account_id":%q,"role_name":%q,"duration_seconds":%d}}`,
		user, account, set, int(life/time.Second)))
}

func (h *house) record(json string) {
	h.t.Helper()
	h.n++
	h.do(func(tx *store.Tx) error {
		return tx.AppendEvent(store.Event{ID: arn.NewTimeUUID(tx.Now()), At: tx.Now(), JSON: []byte(json)})
	})
}

// count has the worker count what was recorded so far, by as many workers as are asked for.
func (h *house) count(workers int) {
	h.t.Helper()
	ctx, stop := context.WithCancel(h.t.Context())
	var sealer sync.WaitGroup
	sealer.Go(func() { _ = h.db.RunSealer(ctx, "sealer") })
	for sealed := 0; sealed < h.n; time.Sleep(5 * time.Millisecond) {
		h.view(func(tx *store.Tx) error {
			all, err := tx.AuditLog(0, h.n+1)
			sealed = len(all)
			return err
		})
	}
	stop()
	sealer.Wait()
	var wg sync.WaitGroup
	for n := range workers {
		w := &usage.Worker{DB: h.db, Instance: inst, Owner: fmt.Sprint(n), Log: slog.New(slog.DiscardHandler)}
		wg.Go(func() {
			if err := w.Drain(h.t.Context()); err != nil {
				h.t.Error(err)
			}
		})
	}
	wg.Wait()
}

func (h *house) view(fn func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.db.View(h.t.Context(), fn); err != nil {
		h.t.Fatal(err)
	}
}

// report is a report in lines, read a row at a time.
func (h *house) report(by store.UsageBy) (out []string) {
	h.t.Helper()
	for q := (page.Query{Limit: 1}); ; {
		var lines []usage.Line
		h.view(func(tx *store.Tx) (err error) {
			lines, q.After, err = usage.Report(tx, by, tx.Now().Add(-time.Hour), tx.Now(), q)
			return err
		})
		for _, l := range lines {
			out = append(out, fmt.Sprintf("%s %d %d", l.Name, l.Issued, l.Seconds))
		}
		if q.After == nil {
			return out
		}
	}
}

// TestLedger: every vending counts once, for the user, the set, the account, and the groups by which they had it at that moment.
func TestLedger(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		h.grant(prod, admin, store.PrincipalGroup, "ops")
		h.grant(prod, admin, store.PrincipalGroup, "dev")
		h.grant(staging, reader, store.PrincipalUser, "ben")
		h.join("ops", "ana")
		h.vend("ana", prod, "Admin", time.Hour)
		h.join("dev", "ana")
		h.vend("ana", prod, "Admin", time.Hour) // by both groups
		h.leave("ops", "ana")
		h.vend("ana", prod, "Admin", 2*time.Hour) // by the second alone
		h.vend("ben", staging, "Reader", 30*time.Minute)
		h.record(`{"eventName":"GetRoleCredentials","errorCode":"ForbiddenException","userIdentity":{"onBehalfOf":{"userId":"ben"}},"serviceEventDetails":{"account_id":"111122223333","role_name":"Admin"}}`)
		h.record(`{"eventName":"RecoverOperator","serviceEventDetails":{"access_key_id":"AKIA"}}`)
		h.count(1)
		for by, want := range map[store.UsageBy][]string{
			store.UsageByUser:    {"ana 3 14400", "ben 1 1800"},
			store.UsageByGroup:   {"dev 2 10800", "ops 2 7200"},
			store.UsageBySet:     {"Admin 3 14400", "Reader 1 1800"},
			store.UsageByAccount: {" 3 14400", " 1 1800"}, // which are in no organization here
		} {
			if d := cmp.Diff(want, h.report(by)); d != "" {
				t.Errorf("by %s (-want +got):\n%s", by, d)
			}
		}

		// Who has gone is told by name, and nothing counts again.
		h.do(func(tx *store.Tx) error { return tx.DeleteUser("ben") })
		h.vend("ana", prod, "Admin", time.Hour)
		h.count(4)
		if d := cmp.Diff([]string{"ana 4 18000", "ben 1 1800"}, h.report(store.UsageByUser)); d != "" {
			t.Errorf("after more (-want +got):\n%s", d)
		}
	})
}

// TestManyCountOnce: a log of several batches, read by several nodes at a time, counts once.
func TestManyCountOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		h.grant(prod, admin, store.PrincipalUser, "ana")
		h.do(func(tx *store.Tx) error {
			for range 700 {
				h.n++
				json := `{"userIdentity":{"onBehalfOf":{"userId":"ana"}},"serviceEventDetails":{"access_key_id":"ASIA","account_id":"111122223333","role_name":"Admin","duration_seconds":1}}`
				if err := tx.AppendEvent(store.Event{ID: arn.NewTimeUUID(tx.Now()), At: tx.Now(), JSON: []byte(json)}); err != nil {
					return err
				}
			}
			return nil
		})
		for range 4 {
			h.count(4)
		}
		if d := cmp.Diff([]string{"ana 700 700"}, h.report(store.UsageByUser)); d != "" {
			t.Error(d)
		}
	})
}

func (h *house) unused(since time.Duration) (out []string) {
	h.t.Helper()
	for q := (page.Query{Limit: 1}); ; {
		var rows []usage.Unused
		h.view(func(tx *store.Tx) (err error) {
			rows, q.After, err = usage.ListUnused(tx, inst, tx.Now().Add(-since), q)
			return err
		})
		for _, u := range rows {
			out = append(out, fmt.Sprintf("%s %s %s %t", u.Account, u.Set, u.Principal, u.Last.IsZero()))
		}
		if q.After == nil {
			return out
		}
	}
}

// TestUnused: an assignment is unused when nobody got credentials by it, though they may have by another.
func TestUnused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		h.grant(prod, admin, store.PrincipalGroup, "ops")
		h.grant(prod, admin, store.PrincipalGroup, "dev")
		h.grant(prod, reader, store.PrincipalUser, "ana")
		h.grant(staging, reader, store.PrincipalUser, "ben")
		h.join("ops", "ana")
		h.vend("ana", prod, "Admin", time.Hour)
		h.clock.Advance(40 * 24 * time.Hour)
		h.vend("ana", prod, "Reader", time.Hour)
		h.grant(staging, admin, store.PrincipalUser, "ana") // too young to be called unused
		h.count(1)
		want := []string{"111122223333 Admin dev true", "111122223333 Admin ops false", "444455556666 Reader ben true"}
		if d := cmp.Diff(want, h.unused(30*24*time.Hour)); d != "" {
			t.Errorf("30 days (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string(nil), h.unused(50*24*time.Hour)); d != "" {
			t.Errorf("50 days (-want +got):\n%s", d)
		}
	})
}

// TestPrune: what ended before the setting allows is forgotten, what stands is not.
func TestPrune(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		h.grant(prod, admin, store.PrincipalGroup, "ops")
		h.join("ops", "ana")
		h.join("ops", "ben")
		h.vend("ana", prod, "Admin", time.Hour)
		h.leave("ops", "ben")
		h.do(func(tx *store.Tx) error { return tx.DeleteUser("ben") })
		h.count(1)
		asked := h.db.Now().Add(-3 * time.Second) // ben was still in it
		paths := func() (n int) {
			h.view(func(tx *store.Tx) error {
				all, _, err := tx.PathsOfAccount(inst, prod, arn.PermissionSet{}, asked, page.Query{Limit: 10})
				n = len(all)
				return err
			})
			return n
		}
		prune := func() {
			h.do(func(tx *store.Tx) error {
				more, err := usage.Prune(tx)
				if more {
					t.Error("there is more")
				}
				return err
			})
		}
		h.clock.Advance(399 * 24 * time.Hour)
		prune()
		if paths() != 2 {
			t.Errorf("%d paths before the time is over", paths())
		}
		h.do(func(tx *store.Tx) error { _, err := setting.Put(tx, "history.keep", "30d", "x"); return err })
		prune()
		if paths() != 1 {
			t.Errorf("%d paths when it is", paths())
		}
		var left []store.UsageSum
		h.view(func(tx *store.Tx) (err error) {
			left, _, err = tx.UsageSums(store.UsageByUser, 0, store.DayOf(tx.Now()), page.Query{Limit: 10})
			return err
		})
		if len(left) > 0 {
			t.Errorf("usage is left: %v", left)
		}
	})
}
