package provision_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/provision"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// backend keeps roles in memory and fails as it is told.
type backend struct {
	mu    sync.Mutex
	roles map[arn.AccountID][]string
	asked []string
	fail  func(call string) error
	after func(call string) error // once the call has had its effect
}

func (b *backend) do(call string, effect func()) error {
	b.mu.Lock()
	b.asked = append(b.asked, call)
	fail, after := b.fail, b.after
	b.mu.Unlock()
	if fail != nil {
		if err := fail(call); err != nil {
			return err
		}
	}
	b.mu.Lock()
	effect()
	b.mu.Unlock()
	if after != nil {
		return after(call)
	}
	return nil
}

func (b *backend) EnsureRole(_ context.Context, account arn.AccountID, want provision.Role) error {
	return b.do("ensure "+string(account), func() {
		if !slices.Contains(b.roles[account], want.Name) {
			b.roles[account] = append(b.roles[account], want.Name)
		}
	})
}

func (b *backend) RemoveRole(_ context.Context, account arn.AccountID, name string) error {
	return b.do("remove "+string(account), func() {
		b.roles[account] = slices.DeleteFunc(b.roles[account], func(r string) bool { return r == name })
	})
}

// InspectRoles tells nothing: see TestDrift's backend.
func (*backend) InspectRoles(context.Context, arn.AccountID, string, int) ([]provision.Role, error) {
	return nil, nil
}

// Revoke has nothing to revoke.
func (*backend) Revoke(context.Context, provision.Revocation) (provision.Outcome, error) {
	return provision.Outcome{}, nil
}

func always(call string, err error) func(string) error {
	return func(c string) error {
		if c == call {
			return err
		}
		return nil
	}
}

type world struct {
	*admintest.World
	t       *testing.T
	backend *backend
	set     store.PermissionSet
	user    store.User
}

// newWorld has a backend that can be told to fail in front of the local one.
func newWorld(t *testing.T) *world { return newWorldOn(t, storetest.Open) }

func newWorldOn(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *world {
	w := &world{World: admintest.New(t, open), t: t, backend: &backend{roles: map[arn.AccountID][]string{}}}
	w.Worker.Backends = map[string]provision.Provisioner{"local": &both{w.backend, w.Worker.Backends["local"]}}
	w.Update(t, func(tx *store.Tx) (err error) {
		if w.set, err = access.CreatePermissionSet(tx, w.Instance, store.PermissionSet{Name: "Audit"}); err != nil {
			return err
		}
		w.user, err = directory.CreateUser(tx, store.User{StoreID: w.Instance.StoreID, UserName: "ana", DisplayName: "Ana", UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "A", FamilyName: "A"}}}, "test")
		return err
	})
	return w
}

// both asks one backend, then the other.
type both struct {
	*backend
	local provision.Provisioner
}

func (b *both) EnsureRole(ctx context.Context, account arn.AccountID, want provision.Role) error {
	if err := b.backend.EnsureRole(ctx, account, want); err != nil {
		return err
	}
	return b.local.EnsureRole(ctx, account, want)
}

func (b *both) RemoveRole(ctx context.Context, account arn.AccountID, name string) error {
	if err := b.backend.RemoveRole(ctx, account, name); err != nil {
		return err
	}
	return b.local.RemoveRole(ctx, account, name)
}

func (w *world) assignment(account arn.AccountID) store.Assignment {
	return store.Assignment{Account: account, Set: w.set.PermissionSet, PrincipalType: store.PrincipalUser, PrincipalID: w.user.ID}
}

func (w *world) begin(f func(*store.Tx, store.Assignment) (store.Request, error), account arn.AccountID) (r store.Request) {
	w.t.Helper()
	w.Update(w.t, func(tx *store.Tx) (err error) {
		r, err = f(tx, w.assignment(account))
		return err
	})
	return r
}

func (w *world) request(id string) (r store.Request) {
	w.t.Helper()
	w.View(w.t, func(tx *store.Tx) (err error) {
		r, err = tx.Request(id)
		return err
	})
	return r
}

// state is the assignment's state, "" if there is none, and whether the user has what it grants.
func (w *world) state(account arn.AccountID) (s store.AssignmentState, granted bool) {
	w.t.Helper()
	w.View(w.t, func(tx *store.Tx) error {
		a, err := tx.Assignment(w.assignment(account))
		if err == nil {
			s = a.State
		}
		granted, err = access.Granted(tx, w.user.ID, account, w.set.PermissionSet)
		return err
	})
	return s, granted
}

func (w *world) expect(r store.Request, status store.RequestStatus, reason string, state store.AssignmentState) {
	w.t.Helper()
	got := w.request(r.ID)
	s, granted := w.state(r.Account)
	if got.Status != status || got.Reason != reason || s != state || granted != (state == store.AssignmentGranted) {
		w.t.Errorf("request %s %q, assignment %q, granted %v; want %s %q, %q", got.Status, got.Reason, s, granted, status, reason, state)
	}
}

// ended waits for a request, which must end well. Jobs wake whoever waits when one is finished.
func (w *world) ended(id string) {
	w.t.Helper()
	for {
		wake := w.DB.JobsWake()
		r := w.request(id)
		if r.Status == store.RequestInProgress {
			<-wake
			continue
		}
		if r.Status != store.RequestSucceeded {
			w.t.Errorf("request %s: %s", r.Status, r.Reason)
		}
		return
	}
}
