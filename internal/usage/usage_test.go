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
	"sallyport/internal/page"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/usage"
)

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
			for range 2500 {
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
		if d := cmp.Diff([]string{"ana 2500 2500"}, h.report(store.UsageByUser)); d != "" {
			t.Error(d)
		}
	})
}

// TestRun: workers that read along count once, also when the one that does it is stopped and another takes over.
func TestRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		h.grant(prod, admin, store.PrincipalUser, "ana")
		go func() { _ = h.db.RunSealer(t.Context(), "sealer") }() // ends with the test
		for _, owner := range []string{"first", "second"} {
			ctx, stop := context.WithCancel(t.Context())
			var done sync.WaitGroup
			w := &usage.Worker{DB: h.db, Instance: inst, Owner: owner, Log: slog.New(slog.DiscardHandler)}
			done.Go(func() { w.Run(ctx) })
			before := fmt.Sprint(h.report(store.UsageByUser))
			for fmt.Sprint(h.report(store.UsageByUser)) == before { // time passes with every event
				h.vend("ana", prod, "Admin", time.Second)
				time.Sleep(100 * time.Millisecond)
			}
			stop()
			done.Wait()
		}
		h.count(1)
		if d := cmp.Diff([]string{fmt.Sprintf("ana %d %d", h.n, h.n)}, h.report(store.UsageByUser)); d != "" {
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

// TestEndsWithItsContext: a worker that is stopped in the midst of its work, wherever that is, counts nothing twice and fails nobody.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		h := newHouse(t, open)
		h.grant(prod, admin, store.PrincipalUser, "ana")
		for range 40 {
			h.vend("ana", prod, "Admin", time.Second)
		}
		h.count(0) // only sealed
		w := &usage.Worker{DB: h.db, Instance: inst, Owner: "stopped", Log: slog.New(slog.DiscardHandler)}
		for n := range 200 { // a little later each time, until it gets through
			ctx, stop := context.WithTimeout(t.Context(), time.Duration(n)*40*time.Microsecond)
			err := w.Drain(ctx) // it may fail, and must not panic
			if stop(); err == nil {
				break
			}
		}
		h.count(1)
		if d := cmp.Diff([]string{"ana 40 40"}, h.report(store.UsageByUser)); d != "" {
			t.Error(d)
		}
	})
}
