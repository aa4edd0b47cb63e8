package identitystore_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/ssoadmin/admintest"
)

func TestGroupsAndMemberships(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ana, bob := newUser(t, w, "ana"), newUser(t, w, "bob")
	audit, empty := newGroup(t, w, "Audit"), newGroup(t, w, "Empty")
	member := func(id string) api.MemberId { return api.MemberId{UserId: &id} }
	ids := map[string]string{}
	for _, u := range []string{ana, bob} {
		ids[u] = admintest.Must[api.CreateGroupMembershipResponse](t, w, &api.CreateGroupMembershipRequest{IdentityStoreId: storeID, GroupId: audit, MemberId: member(u)}).MembershipId
	}
	e := admintest.Fails[api.CreateGroupMembershipResponse](t, w, &api.CreateGroupMembershipRequest{IdentityStoreId: storeID, GroupId: audit, MemberId: member(ana)}, "ConflictException")
	if e.Message != "Member and Group relationship already exists." {
		t.Error(e)
	}
	if got := admintest.Must[api.GetGroupMembershipIdResponse](t, w, &api.GetGroupMembershipIdRequest{IdentityStoreId: storeID, GroupId: audit, MemberId: member(ana)}); got.MembershipId != ids[ana] {
		t.Errorf("got %+v", got)
	}
	if got := admintest.Must[api.DescribeGroupMembershipResponse](t, w, &api.DescribeGroupMembershipRequest{IdentityStoreId: storeID, MembershipId: ids[bob]}); *got.MemberId.UserId != bob || got.GroupId != audit {
		t.Errorf("got %+v", got)
	}
	is := admintest.Must[api.IsMemberInGroupsResponse](t, w, &api.IsMemberInGroupsRequest{IdentityStoreId: storeID, MemberId: member(ana), GroupIds: []string{empty, audit, empty}}).Results
	var exist []bool
	for _, r := range is {
		exist = append(exist, *r.MembershipExists)
	}
	if diff := cmp.Diff([]bool{false, true, false}, exist); diff != "" {
		t.Error(diff)
	}
	list := &api.ListGroupMembershipsRequest{IdentityStoreId: storeID, GroupId: audit, MaxResults: new(int32(1))}
	var members []string
	for {
		out := admintest.Must[api.ListGroupMembershipsResponse](t, w, list)
		for _, m := range out.GroupMemberships {
			members = append(members, *m.MemberId.UserId)
		}
		if list.NextToken = out.NextToken; list.NextToken == nil {
			break
		}
	}
	if len(members) != 2 || members[0] >= members[1] {
		t.Errorf("members %v", members)
	}
	of := admintest.Must[api.ListGroupMembershipsForMemberResponse](t, w, &api.ListGroupMembershipsForMemberRequest{IdentityStoreId: storeID, MemberId: member(ana)}).GroupMemberships
	if len(of) != 1 || *of[0].GroupId != audit {
		t.Errorf("groups %+v", of)
	}
	admintest.Must[api.DeleteGroupMembershipResponse](t, w, &api.DeleteGroupMembershipRequest{IdentityStoreId: storeID, MembershipId: ids[ana]})
	admintest.Fails[api.DeleteGroupMembershipResponse](t, w, &api.DeleteGroupMembershipRequest{IdentityStoreId: storeID, MembershipId: ids[ana]}, "ResourceNotFoundException")
	admintest.Must[api.DeleteGroupResponse](t, w, &api.DeleteGroupRequest{IdentityStoreId: storeID, GroupId: audit, Revision: new("1")})
	admintest.Fails[api.DescribeGroupResponse](t, w, &api.DescribeGroupRequest{IdentityStoreId: storeID, GroupId: audit}, "ResourceNotFoundException")
	if of := admintest.Must[api.ListGroupMembershipsForMemberResponse](t, w, &api.ListGroupMembershipsForMemberRequest{IdentityStoreId: storeID, MemberId: member(bob)}).GroupMemberships; len(of) > 0 {
		t.Errorf("member of a deleted group: %+v", of)
	}
}
