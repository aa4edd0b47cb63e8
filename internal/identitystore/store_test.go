package identitystore_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store/storetest"
)

// TestNetworkOfAStore: who calls from elsewhere is refused, and can still find and mend what was said.
func TestNetworkOfAStore(t *testing.T) {
	t.Parallel()
	w := admintest.New(t, storetest.Open)
	id := string(w.Instance.StoreID)
	stores := admintest.Must[api.ListIdentityStoresResponse](t, w, &api.ListIdentityStoresRequest{}).IdentityStores
	want := []api.IdentityStore{{IdentityStoreId: id, IdentityStoreArn: "arn:aws:identitystore::999900000001:identitystore/" + id}}
	if d := cmp.Diff(want, stores); d != "" {
		t.Error(d)
	}
	set := func(n *api.NetworkConfiguration) *api.UpdateIdentityStoreRequest {
		return &api.UpdateIdentityStoreRequest{IdentityStoreId: id, NetworkConfiguration: n}
	}
	describe := func() *api.NetworkConfigurationDetails {
		return admintest.Must[api.DescribeIdentityStoreResponse](t, w, &api.DescribeIdentityStoreRequest{IdentityStoreId: id}).NetworkConfiguration
	}
	list := &api.ListUsersRequest{IdentityStoreId: id}
	if n := describe(); n != nil {
		t.Errorf("at first there is %+v", n)
	}
	admintest.Must[api.UpdateIdentityStoreResponse](t, w, set(&api.NetworkConfiguration{ApiAllowSourceIps: []string{"198.51.100.0/24"}, ScimAllowSourceIps: []string{"2001:db8::/32"}}))
	if d := cmp.Diff(&api.NetworkConfigurationDetails{ApiAllowSourceIps: []string{"198.51.100.0/24"}, ScimAllowSourceIps: []string{"2001:db8::/32"}}, describe()); d != "" {
		t.Error(d)
	}
	if e := admintest.Fails[api.ListUsersResponse](t, w, list, "AccessDeniedException"); !strings.Contains(e.Message, "cannot be called from the address") {
		t.Errorf("the message is %q", e.Message)
	}
	for _, bad := range []*api.NetworkConfiguration{{VpceAccessRequired: true}, {ApiRestrictSourceVpcs: []string{"vpc-12345678"}}, {ApiAllowSourceIps: []string{"198.51.100.0/33"}}} {
		admintest.Fails[api.UpdateIdentityStoreResponse](t, w, set(bad), "ValidationException")
	}
	here := []string{"0.0.0.0/0", "::/0"}
	admintest.Must[api.UpdateIdentityStoreResponse](t, w, set(&api.NetworkConfiguration{ApiAllowSourceIps: here})) // whatever the test's address is
	admintest.Must[api.ListUsersResponse](t, w, list)
	admintest.Must[api.UpdateIdentityStoreResponse](t, w, set(nil))
	admintest.Must[api.ListUsersResponse](t, w, list)
	if n := describe(); n != nil {
		t.Errorf("at last there is %+v", n)
	}
}
