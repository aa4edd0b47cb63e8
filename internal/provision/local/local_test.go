package local_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/fault"
	"sallyport/internal/provision"
	"sallyport/internal/provision/local"
	"sallyport/internal/provision/provisiontest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const account arn.AccountID = "111122223333"

func TestProvisioner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		provisiontest.Run(t, func(t *testing.T) provisiontest.Account {
			db := open(t, clock.System{})
			return provisiontest.Account{Provisioner: &local.Provisioner{DB: db}, ID: account}
		})
	})
}

// TestRevokeHoldsWithin the bound after which a server without news refuses everything; at once where there is one server.
func TestRevokeHoldsWithin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clock.System{})
		want := provision.Outcome{Within: 7 * time.Second}
		if db.PushesChanges() {
			want.Within = 0
		}
		got, err := (&local.Provisioner{DB: db, News: 7 * time.Second}).Revoke(t.Context(), provision.Revocation{ID: "r", Account: account})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

func TestSessionsLearnOfChanges(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)))
	var keys []string
	db.WatchChanges(func(changes []store.Change) {
		for _, c := range changes {
			keys = append(keys, c.Key)
		}
	})
	p := &local.Provisioner{DB: db}
	role := provision.Role{Name: "AWSReservedSSO_A_0123456789abcdef", Path: "/aws-reserved/sso.amazonaws.com/", Set: arn.PermissionSet{Instance: "ssoins-1", ID: "ps-1"}, Revision: 1, Trust: "{}"}
	key := "role:arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_0123456789abcdef"
	steps := []struct {
		name string
		do   func() error
		want []string
	}{
		{"made", func() error { return p.EnsureRole(t.Context(), account, role) }, nil},
		{"unchanged", func() error { return p.EnsureRole(t.Context(), account, role) }, nil},
		{"provisioned again", func() error { role.Revision = 2; return p.EnsureRole(t.Context(), account, role) }, []string{key}},
		{"removed", func() error { return p.RemoveRole(t.Context(), account, role.Name) }, []string{key}},
		{"not there", func() error { return p.RemoveRole(t.Context(), account, role.Name) }, nil},
	}
	for _, s := range steps {
		keys = nil
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.want, keys); diff != "" {
			t.Errorf("%s:\n%s", s.name, diff)
		}
	}
}

func TestOneRolePerPermissionSet(t *testing.T) {
	t.Parallel()
	p := &local.Provisioner{DB: storetest.Open(t, clock.System{})}
	role := provision.Role{Name: "first", Path: "/", Set: arn.PermissionSet{Instance: "ssoins-1", ID: "ps-1"}}
	if err := p.EnsureRole(t.Context(), account, role); err != nil {
		t.Fatal(err)
	}
	other := role
	other.Name = "second"
	if err := p.EnsureRole(t.Context(), account, other); fault.KindOf(err) != fault.Conflict {
		t.Errorf("second role of a permission set: %v", err)
	}
	other = role
	other.Set.ID = "ps-2"
	if err := p.EnsureRole(t.Context(), account, other); fault.KindOf(err) != fault.Conflict {
		t.Errorf("another permission set's role: %v", err)
	}
}
