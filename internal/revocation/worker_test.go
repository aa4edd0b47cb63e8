package revocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/provision"
	"sallyport/internal/provision/provisiontest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// revoking is a house whose accounts are elsewhere, and a worker that reaches them.
type revoking struct {
	*house
	*Worker
	cloud *provisiontest.Memory
}

func newRevoking(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *revoking {
	r := &revoking{house: newHouse(t, open), cloud: &provisiontest.Memory{}}
	r.Worker = &Worker{
		DB: r.db, Backends: map[string]provision.Provisioner{"local": r.cloud}, Log: slog.New(slog.DiscardHandler), Owner: "w",
		Region: "eu-west-1", Account: "123456789012", News: Bound,
	}
	r.update(t, func(tx *store.Tx) error {
		for _, set := range []string{r.set.ARN(), "arn:aws:sso:::permissionSet/" + string(r.instance.ID) + "/ps-ffffffffffffffff"} {
			if err := tx.PutRoleUse(store.RoleUse{SessionID: r.child, Account: "123456789012", Set: set, Until: start.Add(time.Hour)}); err != nil {
				return err
			}
		}
		return tx.PutProvisioned(store.Provisioned{Account: "123456789012", Set: r.set.PermissionSet, Name: r.role.Name, Path: r.role.Path, At: start})
	})
	return r
}

// order carries an order out.
func (r *revoking) order(t *testing.T, o store.Revocation) store.Revocation {
	t.Helper()
	r.update(t, func(tx *store.Tx) (err error) {
		o.By = by
		made, err := Measure(tx, o)
		if err == nil {
			made, err = Revoke(tx, &r.sessions, made)
		}
		o = made
		return err
	})
	return o
}

// drain does what is due now.
func (r *revoking) drain(t *testing.T) {
	t.Helper()
	if err := r.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *revoking) state(t *testing.T, id string) (v store.Revocation, in []store.RevokedIn) {
	t.Helper()
	err := r.db.View(t.Context(), func(tx *store.Tx) (err error) {
		if v, err = tx.Revocation(id); err != nil {
			return err
		}
		in, _, err = tx.RevokedIns(id, page.Query{Limit: 1000})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v, in
}

// TestRevocationOfManyAccounts: they are told a page at a time, each once.
func TestRevocationOfManyAccounts(t *testing.T) {
	t.Parallel()
	r := newRevoking(t, storetest.Open)
	const many = 2*spread + 1
	r.update(t, func(tx *store.Tx) error {
		for n := range many - 1 {
			id := arn.AccountID(fmt.Sprintf("2%011d", n))
			role := r.role
			role.Account, role.ID, role.Name = id, fmt.Sprint("AROA", n), fmt.Sprint("Role", n)
			err := errors.Join(
				tx.InsertAccount(store.Account{ID: id, Name: string(id), Email: string(id) + "@example.com", Backend: "local", Status: store.AccountActive, CreatedAt: start}),
				tx.InsertRole(role))
			if err != nil {
				return err
			}
		}
		return nil
	})
	v := r.order(t, store.Revocation{Scope: store.RevokedSet, Set: r.set.PermissionSet})
	r.drain(t)
	now, in := r.state(t, v.ID)
	if v.Counts.Accounts != many || len(in) != many || now.Status != store.RevocationReached || now.Remaining != 0 {
		t.Errorf("%d accounts of %d, %d counted: %+v", len(in), many, v.Counts.Accounts, now)
	}
}

// TestRevocationIsTriedAgain: an account that cannot be reached is asked until it can be, or until nothing suggests that it ever will
// be; meanwhile the rest is confirmed.
func TestRevocationIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		with   error
		rounds int // of failures
		mended bool
		status store.RevocationStatus
		reason string
	}{
		"for a while":     {errors.New("no route"), 3, true, store.RevocationReached, ""},
		"for ever":        {errors.New("no route"), attempts, false, store.RevocationFailed, errText},
		"by its own word": {fault.Deniedf("The role that administers the account is gone."), 1, false, store.RevocationFailed, "The role that administers the account is gone."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRevoking(t, storetest.Open)
			r.cloud.Deafen(c.with)
			v := r.order(t, store.Revocation{Scope: store.RevokedUser, UserID: r.user.ID})
			r.drain(t)
			for range c.rounds - 1 {
				now, in := r.state(t, v.ID)
				if now.Status != store.RevocationPending || now.ConfirmedAt.IsZero() || in[0].Status != store.RevocationPending {
					t.Fatalf("while the account fails: %+v, %+v", now, in)
				}
				r.clock.Advance(longWait)
				r.drain(t)
			}
			if c.mended {
				r.cloud.Deafen(nil)
				r.clock.Advance(longWait)
				r.drain(t)
			}
			now, in := r.state(t, v.ID)
			if now.Status != c.status || now.EndedAt.IsZero() || in[0].Status != c.status || in[0].Reason != c.reason || in[0].ReachedAt.IsZero() == (c.reason == "") {
				t.Errorf("in the end: %+v, %+v", now, in)
			}
		})
	}
}

// TestRevocationByAnotherBackend: what this server cannot reach it says so of.
func TestRevocationByAnotherBackend(t *testing.T) {
	t.Parallel()
	r := newRevoking(t, storetest.Open)
	r.Backends = nil
	v := r.order(t, store.Revocation{Scope: store.RevokedAccount, Account: "123456789012"})
	r.drain(t)
	if now, in := r.state(t, v.ID); now.Status != store.RevocationFailed || in[0].Reason != "Account 123456789012 has a backend that this server does not have: local." {
		t.Errorf("%+v, %+v", now, in)
	}
}

// TestRevocationsArePruned after they were kept long enough, with what the accounts said.
func TestRevocationsArePruned(t *testing.T) {
	t.Parallel()
	r := newRevoking(t, storetest.Open)
	old := r.order(t, store.Revocation{Scope: store.RevokedAccount, Account: "123456789012"})
	r.drain(t)
	r.clock.Advance(Kept + time.Second)
	young := r.order(t, store.Revocation{Scope: store.RevokedAccount, Account: "123456789012"})
	r.drain(t)
	r.update(t, func(tx *store.Tx) error {
		_, err := Prune(tx)
		return err
	})
	err := r.db.View(t.Context(), func(tx *store.Tx) error {
		all, _, err := tx.Revocations(page.Query{Limit: 10})
		in, _, err2 := tx.RevokedIns(old.ID, page.Query{Limit: 10})
		if len(all) != 1 || all[0].ID != young.ID || len(in) != 0 {
			t.Errorf("left: %+v, %+v", all, in)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWorkerRuns until it is told to stop, and wakes for what is revoked.
func TestWorkerRuns(t *testing.T) {
	t.Parallel()
	r := newRevoking(t, storetest.Open)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	v := r.order(t, store.Revocation{Scope: store.RevokedUser, UserID: r.user.ID})
	late := time.NewTimer(30 * time.Second)
	for {
		if now, _ := r.state(t, v.ID); !now.EndedAt.IsZero() {
			break
		}
		select {
		case <-late.C:
			t.Fatal("nothing happens")
		case <-time.After(time.Millisecond):
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
