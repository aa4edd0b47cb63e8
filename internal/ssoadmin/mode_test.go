package ssoadmin_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/arn"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

// TestModeChanges: what was made under larger limits stays, and works.
func TestModeChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Settings.LimitsMode = string(quota.Relaxed)
	set := w.set("Wide", readOnly, securityAudit)
	for n := range 30 {
		w.attachCustomer(set, fmt.Sprintf("P%d", n), "")
	}
	w.Settings.LimitsMode = string(quota.Strict)
	if err := call[api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse](w, w.refer(set, "More", "")); code(err) != quotaExceeded {
		t.Errorf("one more: %v", err)
	}
	if err := call[api.AttachManagedPolicyToPermissionSetResponse](w, &api.AttachManagedPolicyToPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: securityAudit,
	}); code(err) != "ConflictException" {
		t.Errorf("one that is there: %v", err)
	}
}

// sized is what a call with MaxResults of n is refused with; n is one that the model allows or the next.
func sized(w *world, name quota.Name, list func(size *int32) error) {
	w.t.Helper()
	most := int32(w.Quotas.In(w.Settings.Mode()).Of(name))
	for size, want := range map[int32]string{0: "ValidationException", 1: "", most: "", most + 1: "ValidationException"} {
		if err := list(&size); code(err) != want {
			w.t.Errorf("%s: %s of %d: %v", w.Settings.LimitsMode, name, size, err)
		}
	}
}

// TestModelHolds: pages and lists are as AWS's model has them in either mode, and the table says how that is.
func TestModelHolds(t *testing.T) {
	t.Parallel()
	for _, mode := range []quota.Mode{quota.Strict, quota.Relaxed} {
		w := newWorld(t)
		w.Settings.LimitsMode = string(mode)
		limits, app := w.Quotas.In(mode), w.application("App")
		sized(w, quota.PageSize, func(n *int32) error {
			return call[api.ListPermissionSetsResponse](w, &api.ListPermissionSetsRequest{InstanceArn: w.instance, MaxResults: n})
		})
		sized(w, quota.PageSize, func(n *int32) error {
			return call[directoryapi.ListUsersResponse](w, &directoryapi.ListUsersRequest{IdentityStoreId: string(w.Instance.StoreID), MaxResults: n})
		})
		sized(w, quota.ScopePageSize, func(n *int32) error {
			return call[api.ListApplicationAccessScopesResponse](w, &api.ListApplicationAccessScopesRequest{ApplicationArn: app, MaxResults: n})
		})
		attributes := make([]api.AccessControlAttribute, limits.Of(quota.Attributes)+1)
		for n := range attributes {
			attributes[n] = api.AccessControlAttribute{Key: fmt.Sprint("k", n), Value: api.AccessControlAttributeValue{Source: []string{"${path:userName}"}}}
		}
		for want, list := range map[string][]api.AccessControlAttribute{"ValidationException": attributes, "": attributes[1:]} {
			in := &api.CreateInstanceAccessControlAttributeConfigurationRequest{InstanceArn: w.instance}
			in.InstanceAccessControlAttributeConfiguration.AccessControlAttributes = list
			if err := call[api.CreateInstanceAccessControlAttributeConfigurationResponse](w, in); code(err) != want {
				t.Errorf("%s: %d attributes: %v", mode, len(list), err)
			}
		}
	}
}

// TestLongLists: some pages are shorter than clients may ask for.
func TestLongLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Quotas.Replace = map[quota.Name]int{quota.InstancePageSize: 2, quota.ApplicationPageSize: 3, quota.TagPageSize: 4}
	w.Update(t, func(tx *store.Tx) error {
		for n := range 3 {
			i := w.Instance
			i.ID, i.StoreID = arn.NewInstance(), arn.StoreID(fmt.Sprint("d-", n))
			if err := tx.InsertInstance(i); err != nil {
				return err
			}
		}
		return nil
	})
	set := w.set("Set")
	for n := range 5 {
		w.application(fmt.Sprint("A", n))
		admintest.Must[api.TagResourceResponse](t, w.World, &api.TagResourceRequest{InstanceArn: &w.instance, ResourceArn: set, Tags: []api.Tag{{Key: fmt.Sprint("k", n)}}})
	}
	instances := admintest.Must[api.ListInstancesResponse](t, w.World, &api.ListInstancesRequest{MaxResults: new(int32(100))})
	apps := admintest.Must[api.ListApplicationsResponse](t, w.World, &api.ListApplicationsRequest{InstanceArn: w.instance, MaxResults: new(int32(100))})
	tags := admintest.Must[api.ListTagsForResourceResponse](t, w.World, &api.ListTagsForResourceRequest{InstanceArn: &w.instance, ResourceArn: set})
	if len(instances.Instances) != 2 || instances.NextToken == nil || len(apps.Applications) != 3 || apps.NextToken == nil || len(tags.Tags) != 4 || tags.NextToken == nil {
		t.Errorf("pages of %d instances, %d applications, %d tags", len(instances.Instances), len(apps.Applications), len(tags.Tags))
	}
}

// TestStableSuffix: a role that comes back has another name, unless roles are to keep theirs; other roles have others.
func TestStableSuffix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Set", readOnly)
	again := func() (name, id string) {
		w.granted(set, admintest.Member, user, w.user)
		r := w.role(set, admintest.Member)
		w.unassign(set, admintest.Member, user, w.user)
		if w.role(set, admintest.Member) != nil {
			t.Fatal("the role is still there")
		}
		return r.Name, r.ID
	}
	first, _ := again()
	if second, _ := again(); second == first {
		t.Errorf("by default the role is %s again", second)
	}
	w.Settings.RoleSuffix = setting.StableSuffix
	third, id := again()
	fourth, other := again()
	if third != fourth || id == other {
		t.Errorf("stable: %s, then %s; ids %s, %s", third, fourth, id, other)
	}
	if !strings.HasPrefix(third, "AWSReservedSSO_Set_") || len(third) != len(first) {
		t.Errorf("stable name %s", third)
	}
	w.granted(set, admintest.Sandbox, user, w.user)
	if elsewhere := w.role(set, admintest.Sandbox).Name; elsewhere == third {
		t.Errorf("two accounts have the role name %s", elsewhere)
	}
}
