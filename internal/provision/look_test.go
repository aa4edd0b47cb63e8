package provision_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/provision"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

// TestPagesOfLooks: however many roles a look is about, all looks together see each role once.
func TestPagesOfLooks(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	for _, a := range []arn.AccountID{admintest.Management, admintest.Delegate} {
		d.provisionIn(a)
	}
	for n := range 5 {
		name := fmt.Sprintf("AWSReservedSSO_%d", n)
		d.memory.Tamper(admintest.Delegate, name, func(r *provision.Role) { r.Name = name })
	}
	for n := range 4 {
		d.Update(t, func(tx *store.Tx) error {
			set, err := access.CreatePermissionSet(tx, d.Instance, store.PermissionSet{Name: fmt.Sprint("Gone", n)})
			if err != nil {
				return err
			}
			a := d.assignment(admintest.Member)
			a.Set = set.PermissionSet
			_, err = access.BeginAssignment(tx, a)
			return err
		})
	}
	d.Settle(t)
	roles, err := d.memory.InspectRoles(t.Context(), admintest.Member, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles {
		d.memory.Take(admintest.Member, r.Name)
	}
	want, checked := d.found(100)
	if len(want) != 10 || checked != 12 {
		t.Errorf("%d roles checked, findings %v", checked, want)
	}
	for limit := 1; limit < 14; limit++ {
		got, n := d.found(limit)
		if diff := cmp.Diff(want, got); diff != "" || n != checked {
			t.Errorf("by %d: %d roles\n%s", limit, n, diff)
		}
	}
	l, err := d.inspector.Look(t.Context(), admintest.Delegate, provision.Place{}, 100)
	if err != nil || l.Checked != 6 || len(l.Findings) != 5 || l.Next != nil {
		t.Errorf("one account: %+v, %v", l, err)
	}
	if _, err := d.inspector.Look(t.Context(), "000000000000", provision.Place{}, 100); err == nil {
		t.Error("an account that there is not was checked")
	}
}

// TestAccountsThatCannotBeChecked are told, and are not the same as accounts without findings.
func TestAccountsThatCannotBeChecked(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.start(access.BeginProvision)
	d.Update(t, func(tx *store.Tx) error {
		_, err := access.BeginProvision(tx, d.set.PermissionSet, admintest.Member)
		return err
	})
	d.expectFound("222233334444 unchecked: Its roles are being changed now. Check again when that has ended.")
	d.Settle(t)
	d.expectFound()
	d.memory.Deafen(errors.New("secret detail"))
	got, _ := d.found(100)
	if len(got) != 4 || !strings.HasSuffix(got[0], "unchecked: It did not answer. The server's log says more.") {
		t.Errorf("%v", got)
	}
	d.inspector.Backends = nil
	if got, _ := d.found(100); len(got) != 4 || !strings.HasSuffix(got[0], "a backend that this server does not have: local.") {
		t.Errorf("%v", got)
	}
}
