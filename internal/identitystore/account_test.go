package identitystore_test

import (
	"strings"
	"testing"

	api "sallyport/internal/awsapi/identitystore"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store/storetest"
)

// TestStoresAreTheirOwners: an account instance brings an identity store, which is its account's alone and knows nothing of the
// organization's.
func TestStoresAreTheirOwners(t *testing.T) {
	t.Parallel()
	w := admintest.New(t, storetest.Open)
	member := w.As(admintest.Member)
	denied := func(w *admintest.World, in *api.DescribeUserRequest) {
		t.Helper()
		admintest.Fails[api.DescribeUserResponse](t, w, in, "AccessDeniedException")
	}
	admintest.Fails[api.ListIdentityStoresResponse](t, member, &api.ListIdentityStoresRequest{}, "AccessDeniedException")
	admintest.Must[adminapi.CreateInstanceResponse](t, member, &adminapi.CreateInstanceRequest{})
	stores := admintest.Must[api.ListIdentityStoresResponse](t, member, &api.ListIdentityStoresRequest{}).IdentityStores
	if len(stores) != 1 || !strings.Contains(stores[0].IdentityStoreArn, "::"+string(admintest.Member)+":") {
		t.Fatalf("the account's stores are %+v", stores)
	}
	own, organization := stores[0].IdentityStoreId, string(w.Instance.StoreID)
	create := func(w *admintest.World, store string) string {
		t.Helper()
		return admintest.Must[api.CreateUserResponse](t, w, &api.CreateUserRequest{
			IdentityStoreId: store, UserName: new("ana"), DisplayName: new("Ana"), Name: &api.Name{GivenName: new("A"), FamilyName: new("B")},
		}).UserId
	}
	theirs, ours := create(member, own), create(w, organization) // one name in two stores
	admintest.Must[api.DescribeUserResponse](t, member, &api.DescribeUserRequest{IdentityStoreId: own, UserId: theirs})
	admintest.Fails[api.DescribeUserResponse](t, member, &api.DescribeUserRequest{IdentityStoreId: own, UserId: ours}, "ResourceNotFoundException")
	admintest.Fails[api.DescribeUserResponse](t, w, &api.DescribeUserRequest{IdentityStoreId: organization, UserId: theirs}, "ResourceNotFoundException")
	denied(w, &api.DescribeUserRequest{IdentityStoreId: own, UserId: theirs})
	denied(w.As(admintest.Delegate), &api.DescribeUserRequest{IdentityStoreId: own, UserId: theirs})
	denied(w.As(admintest.Sandbox), &api.DescribeUserRequest{IdentityStoreId: own, UserId: theirs})
	denied(member, &api.DescribeUserRequest{IdentityStoreId: organization, UserId: ours})

	byARN := func(store string) *api.DescribeIdentityStoreRequest {
		return &api.DescribeIdentityStoreRequest{IdentityStoreId: store}
	}
	if got := admintest.Must[api.DescribeIdentityStoreResponse](t, member, byARN(stores[0].IdentityStoreArn)); got.IdentityStoreId != own {
		t.Errorf("by its ARN: %+v", got)
	}
	admintest.Fails[api.DescribeIdentityStoreResponse](t, w, byARN(stores[0].IdentityStoreArn), "AccessDeniedException")
	wrong := strings.Replace(stores[0].IdentityStoreArn, string(admintest.Member), string(admintest.Sandbox), 1)
	admintest.Fails[api.DescribeIdentityStoreResponse](t, member, byARN(wrong), "AccessDeniedException")
	admintest.Fails[api.DescribeIdentityStoreResponse](t, w, byARN(wrong), "ResourceNotFoundException")
}
