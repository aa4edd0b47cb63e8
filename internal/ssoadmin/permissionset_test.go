package ssoadmin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/policy/managed"
	"sallyport/internal/ssoadmin/admintest"
)

func TestPermissionSetIsKeptAsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := &api.CreatePermissionSetRequest{
		InstanceArn: w.instance, Name: "SecurityAuditAccess", Description: new("Read-only access"), SessionDuration: new("PT240M"),
		RelayState: new("https://console.aws.amazon.com/"),
	}
	made := admintest.Must[api.CreatePermissionSetResponse](t, w.World, in).PermissionSet
	want := &api.PermissionSet{
		PermissionSetArn: made.PermissionSetArn, Name: &in.Name, Description: in.Description, SessionDuration: in.SessionDuration,
		RelayState: in.RelayState, CreatedDate: made.CreatedDate,
	}
	got := admintest.Must[api.DescribePermissionSetResponse](t, w.World, &api.DescribePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: *made.PermissionSetArn}).PermissionSet
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	admintest.Must[api.UpdatePermissionSetResponse](t, w.World, &api.UpdatePermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: *made.PermissionSetArn, SessionDuration: new("PT2H"), RelayState: in.RelayState,
	})
	got = admintest.Must[api.DescribePermissionSetResponse](t, w.World, &api.DescribePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: *made.PermissionSetArn}).PermissionSet
	want.SessionDuration = new("PT2H")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("update changed more than it was given:\n%s", diff)
	}
	plain := admintest.Must[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Plain"}).PermissionSet
	if *plain.SessionDuration != "PT1H" || plain.Description != nil || plain.RelayState != nil {
		t.Errorf("defaults: %+v", plain)
	}
}

func TestS15DuplicateName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set("Twice")
	e := admintest.Fails[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Twice"}, "ConflictException")
	if e.Status != 400 || e.Message != "PermissionSet with name Twice already exists." { // a 4xx that no SDK retries
		t.Errorf("got %d %q", e.Status, e.Message)
	}
	w.set("twice") // names are compared with case
}

func TestSessionDurationBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, d := range []string{"PT59M", "PT12H1S", "P1M", "-PT2H", "PT0S", "P1Y"} {
		admintest.Fails[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Long", SessionDuration: &d}, "ValidationException")
	}
}

// TestUpdateWithoutRelayState is what Terraform's provider rests on (#17411, #41897): a relay state that is not in an update
// goes, all else that is not stays, and the roles are told.
func TestUpdateWithoutRelayState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := admintest.Must[api.CreatePermissionSetResponse](t, w.World, &api.CreatePermissionSetRequest{
		InstanceArn: w.instance, Name: "Audit", Description: new("for auditors"), SessionDuration: new("PT2H"), RelayState: new("https://console.aws.amazon.com/"),
	}).PermissionSet
	w.granted(*made.PermissionSetArn, admintest.Member, api.PrincipalTypeUser, w.user)
	admintest.Must[api.UpdatePermissionSetResponse](t, w.World, &api.UpdatePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: *made.PermissionSetArn})
	got := admintest.Must[api.DescribePermissionSetResponse](t, w.World, &api.DescribePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: *made.PermissionSetArn})
	want := *made
	want.RelayState = nil
	if diff := cmp.Diff(&want, got.PermissionSet); diff != "" {
		t.Error(diff)
	}
	late := admintest.Must[api.ListAccountsForProvisionedPermissionSetResponse](t, w.World, &api.ListAccountsForProvisionedPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: *made.PermissionSetArn, ProvisioningStatus: new(api.ProvisioningStatusLatestPermissionSetNotProvisioned),
	})
	if len(late.AccountIds) != 1 {
		t.Errorf("accounts whose role is late: %q", late.AccountIds)
	}
}

func TestS16DeleteWhileAssigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Assigned", securityAudit)
	in := &api.DeletePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set}
	for range 20 {
		admintest.Must[api.CreateAccountAssignmentResponse](t, w.World, w.creation(set, admintest.Member, api.PrincipalTypeUser, w.user))
		admintest.Fails[api.DeletePermissionSetResponse](t, w.World, in, "ConflictException") // pending
		w.Settle(t)
		admintest.Fails[api.DeletePermissionSetResponse](t, w.World, in, "ConflictException") // granted
		admintest.Must[api.DeleteAccountAssignmentResponse](t, w.World, w.deletion(set, admintest.Member, api.PrincipalTypeUser, w.user))
		admintest.Fails[api.DeletePermissionSetResponse](t, w.World, in, "ConflictException") // its role still stands
		w.Settle(t)
	}
	admintest.Must[api.DeletePermissionSetResponse](t, w.World, in)
	admintest.Fails[api.DescribePermissionSetResponse](t, w.World, &api.DescribePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set}, "ResourceNotFoundException")
	w.set("Assigned") // the name is free again
}

func TestS17AttachTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit", securityAudit)
	attach := &api.AttachManagedPolicyToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: securityAudit}
	detach := &api.DetachManagedPolicyFromPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: securityAudit}
	admintest.Fails[api.AttachManagedPolicyToPermissionSetResponse](t, w.World, attach, "ConflictException")
	admintest.Must[api.DetachManagedPolicyFromPermissionSetResponse](t, w.World, detach)
	admintest.Fails[api.DetachManagedPolicyFromPermissionSetResponse](t, w.World, detach, "ResourceNotFoundException")
	admintest.Must[api.AttachManagedPolicyToPermissionSetResponse](t, w.World, attach)
	got := admintest.Must[api.ListManagedPoliciesInPermissionSetResponse](t, w.World, &api.ListManagedPoliciesInPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set})
	want := []api.AttachedManagedPolicy{{Arn: new(securityAudit), Name: new("SecurityAudit")}}
	if diff := cmp.Diff(want, got.AttachedManagedPolicies); diff != "" {
		t.Error(diff)
	}
}

func TestS18PolicyThatIsNotAWSs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	for policy, code := range map[string]string{
		"arn:aws:iam::111122223333:policy/X":        "ValidationException",
		"arn:aws:iam::aws:policy/NoSuchPolicyAtAll": "ResourceNotFoundException",
	} {
		admintest.Fails[api.AttachManagedPolicyToPermissionSetResponse](t, w.World, &api.AttachManagedPolicyToPermissionSetRequest{
			InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: policy,
		}, code)
	}
}

func TestPolicyQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Many")
	policies := managed.List()
	for _, p := range policies[:25] {
		w.attach(set, p.ARN)
	}
	admintest.Fails[api.AttachManagedPolicyToPermissionSetResponse](t, w.World, &api.AttachManagedPolicyToPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: policies[25].ARN,
	}, "ServiceQuotaExceededException")
	var got []string
	in := &api.ListManagedPoliciesInPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, MaxResults: new(int32(10))}
	for {
		out := admintest.Must[api.ListManagedPoliciesInPermissionSetResponse](t, w.World, in)
		for _, a := range out.AttachedManagedPolicies {
			got = append(got, *a.Arn)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(got) != 25 {
		t.Errorf("paged through %d policies: %v", len(got), got)
	}
}

func TestInlinePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Inline")
	get := &api.GetInlinePolicyForPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set}
	del := &api.DeleteInlinePolicyFromPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set}
	if p := admintest.Must[api.GetInlinePolicyForPermissionSetResponse](t, w.World, get).InlinePolicy; p == nil || *p != "" {
		t.Errorf("no policy reads as %v", p)
	}
	put := func(doc string) *api.PutInlinePolicyToPermissionSetRequest {
		return &api.PutInlinePolicyToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, InlinePolicy: doc}
	}
	admintest.Must[api.PutInlinePolicyToPermissionSetResponse](t, w.World, put(inlinePolicy))
	if p := admintest.Must[api.GetInlinePolicyForPermissionSetResponse](t, w.World, get).InlinePolicy; *p != inlinePolicy {
		t.Errorf("not as written: %s", *p)
	}
	resources := func(n int) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":["` + strings.TrimSuffix(strings.Repeat(`arn:aws:s3:::bucket","`, n), `","`) + `"]}]}`
	}
	admintest.Must[api.PutInlinePolicyToPermissionSetResponse](t, w.World, put(resources(400)+strings.Repeat(" ", 20_000))) // white space is free
	for doc, code := range map[string]string{
		resources(500):             "ServiceQuotaExceededException", // 10,240 bytes and more
		`{"Version":"2012-10-17"}`: "ValidationException",
		`not json`:                 "ValidationException",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringFoo":{"a":"b"}}}]}`: "ValidationException", // case S36
	} {
		admintest.Fails[api.PutInlinePolicyToPermissionSetResponse](t, w.World, put(doc), code)
	}
	admintest.Must[api.DeleteInlinePolicyFromPermissionSetResponse](t, w.World, del)
	admintest.Fails[api.DeleteInlinePolicyFromPermissionSetResponse](t, w.World, del, "ResourceNotFoundException")
}

func TestPermissionSetsArePaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]bool{}
	for i := range 7 {
		want[w.set(fmt.Sprintf("Set%d", i))] = true
	}
	in := &api.ListPermissionSetsRequest{InstanceArn: w.instance, MaxResults: new(int32(3))}
	var sizes []int
	for {
		out := admintest.Must[api.ListPermissionSetsResponse](t, w.World, in)
		sizes = append(sizes, len(out.PermissionSets))
		for _, p := range out.PermissionSets {
			delete(want, p)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
		token := *in.NextToken
		in.NextToken = new(token[:len(token)-2] + "AA")
		admintest.Fails[api.ListPermissionSetsResponse](t, w.World, in, "ValidationException")
		in.NextToken = &token
		admintest.Fails[api.ListPermissionSetProvisioningStatusResponse](t, w.World, &api.ListPermissionSetProvisioningStatusRequest{InstanceArn: w.instance, NextToken: &token}, "ValidationException")
	}
	if diff := cmp.Diff([]int{3, 3, 1}, sizes); diff != "" || len(want) > 0 {
		t.Errorf("pages %v, not listed: %v", sizes, want)
	}
}

func TestInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := admintest.Must[api.ListInstancesResponse](t, w.World, &api.ListInstancesRequest{}).Instances
	if len(got) != 1 || *got[0].InstanceArn != w.instance || *got[0].IdentityStoreId != "d-1234567890" || *got[0].OwnerAccountId != string(admintest.Management) {
		t.Errorf("got %+v", got)
	}
	one := admintest.Must[api.DescribeInstanceResponse](t, w.World, &api.DescribeInstanceRequest{InstanceArn: w.instance})
	if *one.Status != api.InstanceStatusActive || *one.Name != "test" || *one.PrimaryRegion != "us-east-1" {
		t.Errorf("got %+v", one)
	}
	unknown := "arn:aws:sso:::instance/ssoins-0000000000000000"
	admintest.Fails[api.DescribeInstanceResponse](t, w.World, &api.DescribeInstanceRequest{InstanceArn: unknown}, "AccessDeniedException")
	admintest.Fails[api.ListApplicationsResponse](t, w.World, &api.ListApplicationsRequest{InstanceArn: unknown}, "AccessDeniedException")
	admintest.Fails[api.ListPermissionSetsResponse](t, w.World, &api.ListPermissionSetsRequest{InstanceArn: unknown}, "ResourceNotFoundException")
	foreign := strings.Replace(w.set("Foreign"), string(w.Instance.ID), "ssoins-0000000000000000", 1)
	admintest.Fails[api.DescribePermissionSetResponse](t, w.World, &api.DescribePermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: foreign}, "ResourceNotFoundException")
}
