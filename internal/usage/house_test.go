package usage_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/page"
	"sallyport/internal/store"
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
