package ssoadmin_test

import (
	"testing"

	"sallyport/internal/arn"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	securityAudit = "arn:aws:iam::aws:policy/SecurityAudit"
	readOnly      = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	inlinePolicy  = `{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
)

// world has what most stories need: an instance, a user in a group, and short names for calls.
type world struct {
	*admintest.World
	t        *testing.T
	instance string // ARN
	user     string
	group    string
}

func newWorld(t *testing.T) *world { return newWorldOn(t, storetest.Open) }

func newWorldOn(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *world {
	w := &world{World: admintest.New(t, open), t: t}
	w.instance = w.Instance.ID.ARN()
	w.user = w.newUser("ana")
	w.group = w.newGroup("Auditors")
	return w
}

func (w *world) newUser(name string) string {
	w.t.Helper()
	return admintest.Must[directoryapi.CreateUserResponse](w.t, w.World, &directoryapi.CreateUserRequest{
		IdentityStoreId: string(w.Instance.StoreID), UserName: &name, DisplayName: &name,
		Name: &directoryapi.Name{GivenName: &name, FamilyName: &name},
	}).UserId
}

func (w *world) newGroup(name string) string {
	w.t.Helper()
	return admintest.Must[directoryapi.CreateGroupResponse](w.t, w.World, &directoryapi.CreateGroupRequest{
		IdentityStoreId: string(w.Instance.StoreID), DisplayName: &name,
	}).GroupId
}

func (w *world) join(group, user string) string {
	w.t.Helper()
	return admintest.Must[directoryapi.CreateGroupMembershipResponse](w.t, w.World, &directoryapi.CreateGroupMembershipRequest{
		IdentityStoreId: string(w.Instance.StoreID), GroupId: group, MemberId: directoryapi.MemberId{UserId: &user},
	}).MembershipId
}

func (w *world) deleteUser(user string) {
	w.t.Helper()
	admintest.Must[directoryapi.DeleteUserResponse](w.t, w.World, &directoryapi.DeleteUserRequest{IdentityStoreId: string(w.Instance.StoreID), UserId: user})
}

// set makes a permission set with the managed policies.
func (w *world) set(name string, policies ...string) string {
	w.t.Helper()
	out := admintest.Must[api.CreatePermissionSetResponse](w.t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: name})
	set := *out.PermissionSet.PermissionSetArn
	for _, p := range policies {
		w.attach(set, p)
	}
	return set
}

func (w *world) attach(set, policy string) {
	w.t.Helper()
	admintest.Must[api.AttachManagedPolicyToPermissionSetResponse](w.t, w.World, &api.AttachManagedPolicyToPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: policy,
	})
}

func (w *world) creation(set string, account arn.AccountID, t api.PrincipalType, id string) *api.CreateAccountAssignmentRequest {
	return &api.CreateAccountAssignmentRequest{
		InstanceArn: w.instance, PermissionSetArn: set, TargetId: string(account), TargetType: api.TargetTypeAwsAccount, PrincipalType: t, PrincipalId: id,
	}
}

func (w *world) deletion(set string, account arn.AccountID, t api.PrincipalType, id string) *api.DeleteAccountAssignmentRequest {
	return &api.DeleteAccountAssignmentRequest{
		InstanceArn: w.instance, PermissionSetArn: set, TargetId: string(account), TargetType: api.TargetTypeAwsAccount, PrincipalType: t, PrincipalId: id,
	}
}

// assign creates an assignment, does the jobs, and gives what became of it.
func (w *world) assign(set string, account arn.AccountID, t api.PrincipalType, id string) *api.AccountAssignmentOperationStatus {
	w.t.Helper()
	s := admintest.Must[api.CreateAccountAssignmentResponse](w.t, w.World, w.creation(set, account, t, id)).AccountAssignmentCreationStatus
	if *s.Status != api.StatusValuesInProgress {
		w.t.Fatalf("fresh request is %s", *s.Status)
	}
	w.Settle(w.t)
	return w.creationStatus(*s.RequestId)
}

func (w *world) creationStatus(id string) *api.AccountAssignmentOperationStatus {
	w.t.Helper()
	return admintest.Must[api.DescribeAccountAssignmentCreationStatusResponse](w.t, w.World, &api.DescribeAccountAssignmentCreationStatusRequest{
		InstanceArn: w.instance, AccountAssignmentCreationRequestId: id,
	}).AccountAssignmentCreationStatus
}

func (w *world) granted(set string, account arn.AccountID, t api.PrincipalType, id string) {
	w.t.Helper()
	if s := w.assign(set, account, t, id); *s.Status != api.StatusValuesSucceeded {
		w.t.Fatalf("assignment is %s: %s", *s.Status, *s.FailureReason)
	}
}

// unassign deletes an assignment, does the jobs, and gives what became of it.
func (w *world) unassign(set string, account arn.AccountID, t api.PrincipalType, id string) *api.AccountAssignmentOperationStatus {
	w.t.Helper()
	s := admintest.Must[api.DeleteAccountAssignmentResponse](w.t, w.World, w.deletion(set, account, t, id)).AccountAssignmentDeletionStatus
	w.Settle(w.t)
	return admintest.Must[api.DescribeAccountAssignmentDeletionStatusResponse](w.t, w.World, &api.DescribeAccountAssignmentDeletionStatusRequest{
		InstanceArn: w.instance, AccountAssignmentDeletionRequestId: *s.RequestId,
	}).AccountAssignmentDeletionStatus
}

func (w *world) listed(set string, account arn.AccountID) (principals []string) {
	w.t.Helper()
	out := admintest.Must[api.ListAccountAssignmentsResponse](w.t, w.World, &api.ListAccountAssignmentsRequest{
		InstanceArn: w.instance, PermissionSetArn: set, AccountId: string(account),
	})
	for _, a := range out.AccountAssignments {
		principals = append(principals, *a.PrincipalId)
	}
	return principals
}

// provision reprovisions a permission set, everywhere if account is "", and gives what became of it.
func (w *world) provision(set string, account arn.AccountID) *api.PermissionSetProvisioningStatus {
	w.t.Helper()
	in := &api.ProvisionPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, TargetType: api.ProvisionTargetTypeAllProvisionedAccounts}
	if account != "" {
		in.TargetType, in.TargetId = api.ProvisionTargetTypeAwsAccount, new(string(account))
	}
	s := admintest.Must[api.ProvisionPermissionSetResponse](w.t, w.World, in).PermissionSetProvisioningStatus
	w.Settle(w.t)
	return admintest.Must[api.DescribePermissionSetProvisioningStatusResponse](w.t, w.World, &api.DescribePermissionSetProvisioningStatusRequest{
		InstanceArn: w.instance, ProvisionPermissionSetRequestId: *s.RequestId,
	}).PermissionSetProvisioningStatus
}

// role is the role of a permission set in an account; nil if there is none.
func (w *world) role(set string, account arn.AccountID) (role *store.Role) {
	w.t.Helper()
	id, err := arn.ParsePermissionSet(set)
	if err != nil {
		w.t.Fatal(err)
	}
	w.View(w.t, func(tx *store.Tx) error {
		if r, err := tx.ProvisionedRole(account, id); err == nil {
			role = &r
		}
		return nil
	})
	return role
}

// limit gives the management account's operator the policy, in place of the one that allows everything.
func (w *world) limit(document string) {
	w.t.Helper()
	w.Update(w.t, func(tx *store.Tx) error {
		hash, err := tx.PutDocument(document)
		if err != nil {
			return err
		}
		return tx.PutUserPolicy(store.UserPolicy{UserID: "AIDA00000000000000000", Name: "Everything", Inline: true, Document: hash})
	})
}

func pageOf(n int) page.Query { return page.Query{Limit: n} }
