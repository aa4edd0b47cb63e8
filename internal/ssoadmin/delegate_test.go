package ssoadmin_test

import (
	"testing"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/directory"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

func insertGroup(tx *store.Tx, storeID arn.StoreID, id string) error {
	_, err := directory.CreateGroup(tx, store.Group{ID: id, StoreID: storeID, DisplayName: "Legacy"}, "test")
	return err
}

// A delegated administrator may do nothing in the management account, and nothing to a permission set that stands there or
// is about to; reading is free (hard part 6, behaviour reference §3.4).
func TestDelegatedAdministrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	delegate := w.As(admintest.Delegate)
	free := w.set("Free", securityAudit)
	admintest.Must[api.CreatePermissionSetResponse](t, delegate, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Mine"})
	admintest.Must[api.CreateAccountAssignmentResponse](t, delegate, w.creation(free, admintest.Member, user, w.user))
	w.Settle(t)
	admintest.Fails[api.CreateAccountAssignmentResponse](t, delegate, w.creation(free, admintest.Management, user, w.user), "AccessDeniedException")
	admintest.Fails[api.DeleteAccountAssignmentResponse](t, delegate, w.deletion(free, admintest.Management, user, w.user), "AccessDeniedException")
	admintest.Fails[api.ProvisionPermissionSetResponse](t, delegate, &api.ProvisionPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: free, TargetType: api.ProvisionTargetTypeAwsAccount, TargetId: new(string(admintest.Management)),
	}, "AccessDeniedException")

	admintest.Must[api.CreateAccountAssignmentResponse](t, w.World, w.creation(free, admintest.Management, user, w.user))
	w.deniedToEdit(delegate, free) // asked for in the management account: what is written now would be provisioned there
	w.Settle(t)
	w.deniedToEdit(delegate, free)
	admintest.Must[api.DescribePermissionSetResponse](t, delegate, &api.DescribePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: free})
	w.unassign(free, admintest.Management, user, w.user)
	admintest.Must[api.UpdatePermissionSetResponse](t, delegate, &api.UpdatePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: free, Description: new("mine again")})
}

func (w *world) deniedToEdit(delegate *admintest.World, set string) {
	w.t.Helper()
	denied[api.UpdatePermissionSetResponse](w, delegate, &api.UpdatePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, SessionDuration: new("PT2H")})
	denied[api.DeletePermissionSetResponse](w, delegate, &api.DeletePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set})
	denied[api.AttachManagedPolicyToPermissionSetResponse](w, delegate, &api.AttachManagedPolicyToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: readOnly})
	denied[api.DetachManagedPolicyFromPermissionSetResponse](w, delegate, &api.DetachManagedPolicyFromPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: securityAudit})
	denied[api.PutInlinePolicyToPermissionSetResponse](w, delegate, &api.PutInlinePolicyToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, InlinePolicy: inlinePolicy})
	denied[api.DeleteInlinePolicyFromPermissionSetResponse](w, delegate, &api.DeleteInlinePolicyFromPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set})
	denied[api.ProvisionPermissionSetResponse](w, delegate, &api.ProvisionPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, TargetType: api.ProvisionTargetTypeAllProvisionedAccounts})
	denied[api.CreateAccountAssignmentResponse](w, delegate, w.creation(set, admintest.Sandbox, user, w.user))
	denied[api.DeleteAccountAssignmentResponse](w, delegate, w.deletion(set, admintest.Member, user, w.user))
}

func denied[Out, In any](w *world, delegate *admintest.World, in *In) {
	w.t.Helper()
	admintest.Fails[Out](w.t, delegate, in, "AccessDeniedException")
}

// Whatever the policies of an ordinary member account's operator are, no operation is theirs.
func TestMemberAccountMayNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	member := w.As(admintest.Member)
	set := w.set("Audit")
	denied[api.ListInstancesResponse](w, member, &api.ListInstancesRequest{})
	denied[api.ListPermissionSetsResponse](w, member, &api.ListPermissionSetsRequest{InstanceArn: w.instance})
	denied[api.CreatePermissionSetResponse](w, member, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Mine"})
	denied[api.CreateAccountAssignmentResponse](w, member, w.creation(set, admintest.Member, user, w.user))
}
