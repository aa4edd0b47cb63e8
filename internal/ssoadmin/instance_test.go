package ssoadmin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/application"
	"sallyport/internal/arn"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// ofMember is the world as a member account sees it that has an instance of its own.
func (w *world) ofMember() *world {
	w.t.Helper()
	member := &world{World: w.As(admintest.Member), t: w.t}
	member.instance = *admintest.Must[api.CreateInstanceResponse](w.t, member.World, &api.CreateInstanceRequest{Name: new("mine")}).InstanceArn
	made := admintest.Must[api.DescribeInstanceResponse](w.t, member.World, &api.DescribeInstanceRequest{InstanceArn: member.instance})
	member.Instance.StoreID = arn.StoreID(*made.IdentityStoreId)
	return member
}

func TestAccountInstance(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		member := w.As(admintest.Member)
		denied[api.ListInstancesResponse](w, member, &api.ListInstancesRequest{})
		in := &api.CreateInstanceRequest{Name: new("mine"), ClientToken: new("token"), Tags: []api.Tag{{Key: "team", Value: "a"}}}
		made := *admintest.Must[api.CreateInstanceResponse](t, member, in).InstanceArn
		if again := *admintest.Must[api.CreateInstanceResponse](t, member, in).InstanceArn; again != made {
			t.Errorf("the same request makes %s, then %s", made, again)
		}
		in.Name = new("other")
		admintest.Fails[api.CreateInstanceResponse](t, member, in, "ConflictException")
		admintest.Fails[api.CreateInstanceResponse](t, member, &api.CreateInstanceRequest{}, "ConflictException")
		if e := admintest.Fails[api.CreateInstanceResponse](t, w.World, &api.CreateInstanceRequest{}, "ValidationException"); !strings.Contains(e.Message, "management account") {
			t.Errorf("the message is %q", e.Message)
		}
		got := admintest.Must[api.DescribeInstanceResponse](t, member, &api.DescribeInstanceRequest{InstanceArn: made})
		if *got.OwnerAccountId != string(admintest.Member) || *got.Status != api.InstanceStatusActive || *got.Name != "mine" || *got.PermissionSetsEnabled ||
			*got.IdentityStoreArn != "arn:aws:identitystore::"+string(admintest.Member)+":identitystore/"+*got.IdentityStoreId {
			t.Errorf("got %+v", got)
		}
		tags := admintest.Must[api.ListTagsForResourceResponse](t, member, &api.ListTagsForResourceRequest{ResourceArn: made}).Tags
		if d := cmp.Diff(in.Tags, tags); d != "" {
			t.Error(d)
		}
		admintest.Must[api.UpdateInstanceResponse](t, member, &api.UpdateInstanceRequest{InstanceArn: made, Name: new("ours")})
		all := admintest.Must[api.ListInstancesResponse](t, member, &api.ListInstancesRequest{}).Instances
		if len(all) != 1 || *all[0].InstanceArn != made || *all[0].Name != "ours" {
			t.Errorf("listed %+v", all)
		}
		if all := admintest.Must[api.ListInstancesResponse](t, w.World, &api.ListInstancesRequest{}).Instances; len(all) != 1 || *all[0].InstanceArn != w.instance {
			t.Errorf("the management account sees %+v", all)
		}
		admintest.Must[api.CreateInstanceResponse](t, w.As(admintest.Delegate), &api.CreateInstanceRequest{})
		first := admintest.Must[api.ListInstancesResponse](t, w.As(admintest.Delegate), &api.ListInstancesRequest{MaxResults: new(int32(1))})
		if len(first.Instances) != 1 || *first.Instances[0].InstanceArn != w.instance {
			t.Fatalf("the delegated administrator sees %+v first", first.Instances)
		}
		rest := admintest.Must[api.ListInstancesResponse](t, w.As(admintest.Delegate), &api.ListInstancesRequest{MaxResults: new(int32(1)), NextToken: first.NextToken})
		if len(rest.Instances) != 1 || *rest.Instances[0].OwnerAccountId != string(admintest.Delegate) || rest.NextToken != nil {
			t.Errorf("then it sees %+v", rest)
		}
	})
}

// TestWhatAnAccountInstanceHas: people, groups, applications and token issuers of its own, and nothing about accounts
// (behaviour reference §9).
func TestWhatAnAccountInstanceHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.ofMember()
	m.user, m.group = m.newUser("ana"), m.newGroup("Auditors") // names that the organization has as well
	m.join(m.group, m.user)
	app := m.application("Wiki")
	assign := func(app, user string) *api.CreateApplicationAssignmentRequest {
		return &api.CreateApplicationAssignmentRequest{ApplicationArn: app, PrincipalId: user, PrincipalType: api.PrincipalTypeUser}
	}
	admintest.Must[api.CreateApplicationAssignmentResponse](t, m.World, assign(app, m.user))
	admintest.Fails[api.CreateApplicationAssignmentResponse](t, m.World, assign(app, w.user), "ResourceNotFoundException")
	admintest.Fails[api.CreateApplicationAssignmentResponse](t, w.World, assign(w.application("Wiki"), m.user), "ResourceNotFoundException")
	admintest.Must[api.CreateTrustedTokenIssuerResponse](t, m.World, m.newIssuer("idp", "https://idp.example"))
	theirs := admintest.Must[api.ListApplicationAssignmentsForPrincipalResponse](t, m.World, &api.ListApplicationAssignmentsForPrincipalRequest{
		InstanceArn: m.instance, PrincipalId: m.user, PrincipalType: api.PrincipalTypeUser,
	})
	if len(theirs.ApplicationAssignments) != 1 || *theirs.ApplicationAssignments[0].ApplicationArn != app {
		t.Errorf("assigned to %+v", theirs)
	}

	refused := func(err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "ValidationException") || !strings.Contains(err.Error(), "account instance") {
			t.Errorf("got %v", err)
		}
	}
	of := w.set("Audit")
	mine := strings.Replace(of, string(w.Instance.ID), m.instance[len("arn:aws:sso:::instance/"):], 1)
	refused(fails[api.CreatePermissionSetResponse](m, &api.CreatePermissionSetRequest{InstanceArn: m.instance, Name: "Audit"}))
	refused(fails[api.ListPermissionSetsResponse](m, &api.ListPermissionSetsRequest{InstanceArn: m.instance}))
	refused(fails[api.DescribePermissionSetResponse](m, &api.DescribePermissionSetRequest{InstanceArn: m.instance, PermissionSetArn: of}))
	refused(fails[api.DeletePermissionSetResponse](m, &api.DeletePermissionSetRequest{InstanceArn: m.instance, PermissionSetArn: mine}))
	refused(fails[api.CreateAccountAssignmentResponse](m, m.creation(of, admintest.Member, user, m.user)))
	refused(fails[api.DeleteAccountAssignmentResponse](m, m.deletion(of, admintest.Member, user, m.user)))
	refused(fails[api.ListAccountAssignmentsForPrincipalResponse](m, &api.ListAccountAssignmentsForPrincipalRequest{InstanceArn: m.instance, PrincipalId: m.user, PrincipalType: user}))
	refused(fails[api.ListAccountAssignmentCreationStatusResponse](m, &api.ListAccountAssignmentCreationStatusRequest{InstanceArn: m.instance}))
	refused(fails[api.ListPermissionSetsProvisionedToAccountResponse](m, &api.ListPermissionSetsProvisionedToAccountRequest{InstanceArn: m.instance, AccountId: string(admintest.Member)}))
	refused(fails[api.DescribeInstanceAccessControlAttributeConfigurationResponse](m, &api.DescribeInstanceAccessControlAttributeConfigurationRequest{InstanceArn: m.instance}))
	refused(fails[api.UpdateInstanceResponse](m, &api.UpdateInstanceRequest{InstanceArn: m.instance, PermissionSetsEnabled: new(true)}))
	refused(fails[api.AddRegionResponse](m, &api.AddRegionRequest{InstanceArn: m.instance, RegionName: "eu-west-1"}))
}

// fails is the error of a call.
func fails[Out, In any](w *world, in *In) error {
	w.t.Helper()
	_, err := admintest.Call[Out](w.t, w.World, in)
	return err
}

func TestDeleteInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.ofMember()
	app, ana := m.application("Wiki"), m.newUser("ana")
	in := &api.DeleteInstanceRequest{InstanceArn: m.instance}
	denied[api.DeleteInstanceResponse](m, w.World, in)
	denied[api.DeleteInstanceResponse](m, w.As(admintest.Delegate), in)
	denied[api.DeleteInstanceResponse](m, w.As(admintest.Delegate), &api.DeleteInstanceRequest{InstanceArn: w.instance})
	denied[api.DeleteInstanceResponse](m, m.World, &api.DeleteInstanceRequest{InstanceArn: w.instance})
	admintest.Fails[api.DeleteInstanceResponse](t, w.World, &api.DeleteInstanceRequest{InstanceArn: w.instance}, "ValidationException")

	admintest.Must[api.DeleteInstanceResponse](t, m.World, in)
	for _, party := range []*admintest.World{m.World, w.World} {
		denied[api.DescribeInstanceResponse](m, party, &api.DescribeInstanceRequest{InstanceArn: m.instance})
	}
	denied[api.DeleteInstanceResponse](m, m.World, in)
	denied[api.DescribeApplicationResponse](m, m.World, &api.DescribeApplicationRequest{ApplicationArn: app})
	denied[directoryapi.DescribeUserResponse](m, m.World, &directoryapi.DescribeUserRequest{IdentityStoreId: string(m.Instance.StoreID), UserId: ana})
	denied[api.ListInstancesResponse](m, m.World, &api.ListInstancesRequest{})
	admintest.Must[directoryapi.DescribeUserResponse](t, w.World, &directoryapi.DescribeUserRequest{IdentityStoreId: string(w.Instance.StoreID), UserId: w.user})

	names := map[string]bool{}
	for _, e := range w.Events(t) {
		if e["eventName"] == "CreateInstance" || e["eventName"] == "DeleteInstance" || e["eventName"] == "CreateApplication" {
			names[e["eventName"].(string)] = e["errorCode"] == nil && e["recipientAccountId"] == string(admintest.Member) || names[e["eventName"].(string)]
		}
	}
	if !names["CreateInstance"] || !names["DeleteInstance"] || !names["CreateApplication"] {
		t.Errorf("on record in the member account are %v", names)
	}
}

// TestInstanceBeingDeleted: while it goes, an instance can be looked at and nothing can be done in it.
func TestInstanceBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.ofMember()
	m.Update(t, func(tx *store.Tx) error {
		for n := range 101 {
			name := fmt.Sprint("user-", n)
			_, err := directory.CreateUser(tx, store.User{
				StoreID: m.Instance.StoreID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "A", FamilyName: "B"}},
			}, "test")
			if err != nil {
				return err
			}
		}
		return nil
	})
	admintest.Must[api.DeleteInstanceResponse](t, m.World, &api.DeleteInstanceRequest{InstanceArn: m.instance})
	if got := admintest.Must[api.DescribeInstanceResponse](t, m.World, &api.DescribeInstanceRequest{InstanceArn: m.instance}); *got.Status != api.InstanceStatusDeleteInProgress {
		t.Errorf("the status is %s", *got.Status)
	}
	admintest.Fails[api.DeleteInstanceResponse](t, m.World, &api.DeleteInstanceRequest{InstanceArn: m.instance}, "ConflictException")
	denied[api.CreateApplicationResponse](m, m.World, &api.CreateApplicationRequest{InstanceArn: m.instance, ApplicationProviderArn: application.CustomProvider, Name: "Wiki"})
	denied[api.TagResourceResponse](m, m.World, &api.TagResourceRequest{ResourceArn: m.instance, Tags: []api.Tag{{Key: "a"}}})
	denied[directoryapi.ListUsersResponse](m, m.World, &directoryapi.ListUsersRequest{IdentityStoreId: string(m.Instance.StoreID)})
	m.Settle(t)
	denied[api.DescribeInstanceResponse](m, m.World, &api.DescribeInstanceRequest{InstanceArn: m.instance})
}
