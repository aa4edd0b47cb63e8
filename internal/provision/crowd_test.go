package provision_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestAccountsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stuck, release := make(chan struct{}), make(chan struct{})
	w.backend.fail = func(call string) error {
		if call == "ensure "+string(admintest.Member) {
			close(stuck)
			<-release
		}
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := w.Worker.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	slow := w.begin(access.BeginAssignment, admintest.Member)
	<-stuck
	quick := w.begin(access.BeginAssignment, admintest.Sandbox)
	w.ended(quick.ID)
	w.expect(quick, store.RequestSucceeded, "", store.AssignmentGranted)
	w.expect(slow, store.RequestInProgress, "", store.AssignmentPending)
	stop()
	close(release)
	run.Wait()
	w.expect(slow, store.RequestInProgress, "", store.AssignmentPending) // stopped: given back, not failed
	w.backend.fail = nil
	w.Settle(t)
	w.expect(slow, store.RequestSucceeded, "", store.AssignmentGranted)
}

func TestWorkerThatLostItsLeaseRecordsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stuck, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	w.backend.after = func(string) error {
		if calls.Add(1) == 1 {
			close(stuck)
			<-release
		}
		return nil
	}
	r := w.begin(access.BeginAssignment, admintest.Member)
	var first sync.WaitGroup
	first.Go(func() { w.Settle(t) })
	<-stuck
	w.Clock.Advance(2 * time.Minute)
	second := *w.Worker
	second.Owner = "second"
	if err := second.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.expect(r, store.RequestSucceeded, "", store.AssignmentGranted)
	close(release)
	first.Wait()
	if n := len(w.Events(t)); n != 1 {
		t.Errorf("%d events of one outcome", n)
	}
}

// Many requests at once, for few accounts and permission sets, while two workers run: each ends, and each account has one
// role of each set.
func TestManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) { manyRequests(newWorldOn(t, open)) })
}

func manyRequests(w *world) {
	ctx, stop := context.WithCancel(w.t.Context())
	var run, ask sync.WaitGroup
	for _, owner := range []string{"first", "second"} {
		worker := *w.Worker
		worker.Owner = owner
		run.Go(func() {
			if err := worker.Run(ctx); err != nil {
				w.t.Error(err)
			}
		})
	}
	accounts := []arn.AccountID{admintest.Delegate, admintest.Member, admintest.Sandbox}
	users := make([]store.User, 8)
	w.Update(w.t, func(tx *store.Tx) (err error) {
		for i := range users {
			u := w.user
			u.ID, u.UserName = "", fmt.Sprint("user", i)
			if users[i], err = directory.CreateUser(tx, u, "test"); err != nil {
				return err
			}
		}
		return nil
	})
	requests := make(chan string, len(accounts)*len(users)*2)
	for _, account := range accounts {
		for _, u := range users {
			for range 2 { // each asked for twice, as after a lost answer
				ask.Go(func() {
					a, r := w.assignment(account), store.Request{}
					a.PrincipalID = u.ID
					w.Update(w.t, func(tx *store.Tx) (err error) {
						r, err = access.BeginAssignment(tx, a)
						return err
					})
					requests <- r.ID
				})
			}
		}
	}
	ask.Wait()
	close(requests)
	for id := range requests {
		w.ended(id)
	}
	stop()
	run.Wait()
	for _, account := range accounts {
		if n := len(w.backend.roles[account]); n != 1 {
			w.t.Errorf("account %s has %d roles", account, n)
		}
	}
}

// TestProvisionedWhileRoleIsMade: a permission set is changed, and provisioned in all accounts, while its first role in one
// is being made. That account has no role that could follow yet, so the one that it gets has to be as the set is now. It is
// what Terraform does with policies that no assignment waits for.
func TestProvisionedWhileRoleIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	planned, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	w.backend.after = func(string) error {
		if calls.Add(1) == 1 {
			close(planned)
			<-release
		}
		return nil
	}
	assigned := w.begin(access.BeginAssignment, admintest.Member)
	var first sync.WaitGroup
	first.Go(func() { w.Settle(t) })
	<-planned
	var provisioned store.Request
	w.Update(t, func(tx *store.Tx) (err error) {
		if err := access.UpdatePermissionSet(tx, w.set, nil, new("PT2H"), ""); err != nil {
			return err
		}
		provisioned, err = access.BeginProvision(tx, w.set.PermissionSet, "")
		return err
	})
	second := *w.Worker
	second.Owner = "second"
	if err := second.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(release)
	first.Wait()
	w.Settle(t)
	w.expect(assigned, store.RequestSucceeded, "", store.AssignmentGranted)
	w.ended(provisioned.ID)
	w.View(t, func(tx *store.Tx) error {
		role, err := tx.ProvisionedRole(admintest.Member, w.set.PermissionSet)
		if err != nil {
			return err
		}
		if role.Revision != w.set.Revision+1 || role.Spec.SessionDuration != 2*time.Hour {
			t.Errorf("role is of revision %d and lasts %v", role.Revision, role.Spec.SessionDuration)
		}
		return nil
	})
}
