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
			return provisiontest.Account{Provisioner: &local.Provisioner{DB: db}, ID: account, Inspect: func(t *testing.T, name string) (provision.Role, bool) {
				return inspect(t, db, name)
			}}
		})
	})
}

// inspect puts a role together again from its row and the documents that it pins.
func inspect(t *testing.T, db *store.DB, name string) (out provision.Role, found bool) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		r, err := tx.Role(account, name)
		if err != nil {
			return nil
		}
		text := func(hash string) string {
			if hash == "" {
				return ""
			}
			s, err := tx.Document(hash)
			if err != nil {
				t.Error(err)
			}
			return s
		}
		out, found = provision.Role{
			Name: r.Name, Path: r.Path, Set: r.Set, Revision: r.Revision, Trust: text(r.Spec.Trust), Inline: text(r.Spec.Inline),
			SessionDuration: r.Spec.SessionDuration, RelayState: r.Spec.RelayState,
		}, true
		for _, m := range r.Spec.Managed {
			out.Managed = append(out.Managed, provision.Policy{ARN: m.ARN, Document: text(m.Document)})
		}
		if b := r.Spec.Boundary; b != nil {
			out.Boundary = &provision.Boundary{Managed: provision.Policy{ARN: b.ARN, Document: text(b.Document)}}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, found
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
