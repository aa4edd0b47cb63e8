package ssoadmin_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestS20EditsReachRolesWhenProvisioned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		editsReachRoles(t, newWorldOn(t, open))
	})
}

func editsReachRoles(t *testing.T, w *world) {
	set := w.set("Audit", securityAudit)
	w.granted(set, admintest.Member, user, w.user)
	w.granted(set, admintest.Sandbox, user, w.user)
	before := *w.role(set, admintest.Member)
	w.attach(set, readOnly)
	admintest.Must[api.PutInlinePolicyToPermissionSetResponse](t, w.World, &api.PutInlinePolicyToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, InlinePolicy: inlinePolicy})
	admintest.Must[api.UpdatePermissionSetResponse](t, w.World, &api.UpdatePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, SessionDuration: new("PT3H")})
	w.granted(set, admintest.Member, group, w.group) // one more assignment is not provisioning
	if diff := cmp.Diff(before, *w.role(set, admintest.Member)); diff != "" {
		t.Errorf("the role followed by itself:\n%s", diff)
	}
	w.drift(set, admintest.Member, true)
	w.drift(set, admintest.Sandbox, true)

	if s := w.provision(set, admintest.Member); *s.Status != api.StatusValuesSucceeded || *s.AccountId != string(admintest.Member) {
		t.Errorf("got %+v", s)
	}
	after := w.role(set, admintest.Member)
	if after.Name != before.Name || after.ID != before.ID || len(after.Spec.Managed) != 2 || after.Spec.Inline == "" || after.Spec.SessionDuration.Hours() != 3 {
		t.Errorf("got %+v", after)
	}
	w.drift(set, admintest.Member, false)
	w.drift(set, admintest.Sandbox, true)

	if s := w.provision(set, ""); *s.Status != api.StatusValuesSucceeded || s.AccountId != nil {
		t.Errorf("got %+v", s)
	}
	w.drift(set, admintest.Sandbox, false)
	admintest.Must[api.UpdatePermissionSetResponse](t, w.World, &api.UpdatePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, Description: new("words")})
	w.drift(set, admintest.Sandbox, false) // a role shows no description
}

// drift holds both drift queries against what is expected.
func (w *world) drift(set string, account arn.AccountID, behind bool) {
	w.t.Helper()
	for status, want := range map[api.ProvisioningStatus]bool{
		api.ProvisioningStatusLatestPermissionSetNotProvisioned: behind,
		api.ProvisioningStatusLatestPermissionSetProvisioned:    !behind,
		"": true,
	} {
		filter := &status
		if status == "" {
			filter = nil
		}
		sets := admintest.Must[api.ListPermissionSetsProvisionedToAccountResponse](w.t, w.World, &api.ListPermissionSetsProvisionedToAccountRequest{
			InstanceArn: w.instance, AccountId: string(account), ProvisioningStatus: filter,
		}).PermissionSets
		accounts := admintest.Must[api.ListAccountsForProvisionedPermissionSetResponse](w.t, w.World, &api.ListAccountsForProvisionedPermissionSetRequest{
			InstanceArn: w.instance, PermissionSetArn: set, ProvisioningStatus: filter,
		}).AccountIds
		if slices.Contains(sets, set) != want || slices.Contains(accounts, string(account)) != want {
			w.t.Errorf("%q: sets %v, accounts %v; want listed: %v", status, sets, accounts, want)
		}
	}
}

func TestProvisionEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Wide")
	if s := w.provision(set, ""); *s.Status != api.StatusValuesSucceeded { // nowhere yet
		t.Errorf("got %+v", s)
	}
	id, err := arn.ParsePermissionSet(set)
	if err != nil {
		t.Fatal(err)
	}
	const accounts = 230 // more than two pages of the spreading
	w.Update(t, func(tx *store.Tx) error {
		for i := range accounts {
			a := store.Account{ID: arn.AccountID(fmt.Sprintf("7%011d", i)), Name: "many", Backend: "local", Status: "ACTIVE", CreatedAt: tx.Now()}
			if err := tx.InsertAccount(a); err != nil {
				return err
			}
			r := store.Role{Account: a.ID, Name: "AWSReservedSSO_Wide_0123456789abcdef", ID: fmt.Sprintf("AROA%017d", i), Path: arn.RolePath("us-east-1"), Set: id, Revision: 0}
			if err := tx.InsertRole(r); err != nil {
				return err
			}
		}
		return nil
	})
	if s := w.provision(set, ""); *s.Status != api.StatusValuesSucceeded {
		t.Fatalf("got %+v", s)
	}
	behind := admintest.Must[api.ListAccountsForProvisionedPermissionSetResponse](t, w.World, &api.ListAccountsForProvisionedPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: set, ProvisioningStatus: new(api.ProvisioningStatusLatestPermissionSetNotProvisioned),
	}).AccountIds
	if len(behind) > 0 {
		t.Errorf("still behind: %v", behind)
	}
}
