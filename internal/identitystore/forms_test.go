package identitystore_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/directory"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

// TestS23Forms: every operation takes ids of users and groups with ten hexadecimal digits before them and without, and names the
// store by its id or its ARN (behaviour reference §1.3). An answer has the store's id.
func TestS23Forms(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "906731adeb-"} {
		for _, id := range []string{storeID, "arn:aws:identitystore::%s:identitystore/" + storeID} {
			t.Run(prefix+id, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				if id != storeID {
					id = fmt.Sprintf(id, w.Instance.Owner)
				}
				f := forms{t, w, id, prefix + "11111111-1111-1111-1111-111111111111", prefix + "22222222-2222-2222-2222-222222222222"}
				w.Update(t, f.insert)
				f.users()
				f.groups()
				f.memberships()
				f.deletions()
			})
		}
	}
}

// forms are the names by which one store, one user and one group are called.
type forms struct {
	t                  *testing.T
	w                  *admintest.World
	store, user, group string
}

func (f forms) insert(tx *store.Tx) error {
	u := store.User{ID: f.user, StoreID: storeID, UserName: "ana", DisplayName: "Ana", UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "A", FamilyName: "B"}}}
	if _, err := directory.CreateUser(tx, u, "test"); err != nil {
		return err
	}
	_, err := directory.CreateGroup(tx, store.Group{ID: f.group, StoreID: storeID, DisplayName: "Audit"}, "test")
	return err
}

func (f forms) same(what, got, want string) {
	f.t.Helper()
	if got != want {
		f.t.Errorf("%s is %s, want %s", what, got, want)
	}
}

func (f forms) users() {
	named := &api.AlternateIdentifier{UniqueAttribute: &api.UniqueAttribute{AttributePath: "userName", AttributeValue: json.RawMessage(`"ana"`)}}
	title := []api.AttributeOperation{{AttributePath: "title", AttributeValue: json.RawMessage(`"Dr"`)}}
	in := request("bob")
	in.IdentityStoreId = f.store
	f.same("store", admintest.Must[api.CreateUserResponse](f.t, f.w, in).IdentityStoreId, storeID)
	admintest.Must[api.UpdateUserResponse](f.t, f.w, &api.UpdateUserRequest{IdentityStoreId: f.store, UserId: f.user, Operations: title})
	user := admintest.Must[api.DescribeUserResponse](f.t, f.w, &api.DescribeUserRequest{IdentityStoreId: f.store, UserId: f.user})
	f.same("store", user.IdentityStoreId, storeID)
	f.same("user", user.UserId, f.user)
	f.same("title", *user.Title, "Dr")
	f.same("ARN", user.UserArn, "arn:aws:identitystore:::user/"+f.user)
	f.same("user", admintest.Must[api.GetUserIdResponse](f.t, f.w, &api.GetUserIdRequest{IdentityStoreId: f.store, AlternateIdentifier: *named}).UserId, f.user)
	f.same("users", fmt.Sprint(len(admintest.Must[api.ListUsersResponse](f.t, f.w, &api.ListUsersRequest{IdentityStoreId: f.store}).Users)), "2")
}

func (f forms) groups() {
	named := &api.AlternateIdentifier{UniqueAttribute: &api.UniqueAttribute{AttributePath: "displayName", AttributeValue: json.RawMessage(`"Audit"`)}}
	text := []api.AttributeOperation{{AttributePath: "description", AttributeValue: json.RawMessage(`"d"`)}}
	f.same("store", admintest.Must[api.CreateGroupResponse](f.t, f.w, &api.CreateGroupRequest{IdentityStoreId: f.store, DisplayName: new("Other")}).IdentityStoreId, storeID)
	admintest.Must[api.UpdateGroupResponse](f.t, f.w, &api.UpdateGroupRequest{IdentityStoreId: f.store, GroupId: f.group, Operations: text})
	group := admintest.Must[api.DescribeGroupResponse](f.t, f.w, &api.DescribeGroupRequest{IdentityStoreId: f.store, GroupId: f.group})
	f.same("store", group.IdentityStoreId, storeID)
	f.same("group", group.GroupId, f.group)
	f.same("description", *group.Description, "d")
	f.same("ARN", group.GroupArn, "arn:aws:identitystore:::group/"+f.group)
	f.same("group", admintest.Must[api.GetGroupIdResponse](f.t, f.w, &api.GetGroupIdRequest{IdentityStoreId: f.store, AlternateIdentifier: *named}).GroupId, f.group)
	f.same("groups", fmt.Sprint(len(admintest.Must[api.ListGroupsResponse](f.t, f.w, &api.ListGroupsRequest{IdentityStoreId: f.store}).Groups)), "2")
}

func (f forms) memberships() {
	member := api.MemberId{UserId: &f.user}
	id := admintest.Must[api.CreateGroupMembershipResponse](f.t, f.w, &api.CreateGroupMembershipRequest{IdentityStoreId: f.store, GroupId: f.group, MemberId: member}).MembershipId
	f.same("membership", admintest.Must[api.GetGroupMembershipIdResponse](f.t, f.w, &api.GetGroupMembershipIdRequest{IdentityStoreId: f.store, GroupId: f.group, MemberId: member}).MembershipId, id)
	got := admintest.Must[api.DescribeGroupMembershipResponse](f.t, f.w, &api.DescribeGroupMembershipRequest{IdentityStoreId: f.store, MembershipId: id})
	f.same("store", got.IdentityStoreId, storeID)
	f.same("member", *got.MemberId.UserId, f.user)
	is := admintest.Must[api.IsMemberInGroupsResponse](f.t, f.w, &api.IsMemberInGroupsRequest{IdentityStoreId: f.store, MemberId: member, GroupIds: []string{f.group}}).Results
	f.same("member", fmt.Sprint(len(is), *is[0].MembershipExists), "1 true")
	of := admintest.Must[api.ListGroupMembershipsResponse](f.t, f.w, &api.ListGroupMembershipsRequest{IdentityStoreId: f.store, GroupId: f.group}).GroupMemberships
	f.same("members", fmt.Sprint(len(of), " ", *of[0].MemberId.UserId), "1 "+f.user)
	in := admintest.Must[api.ListGroupMembershipsForMemberResponse](f.t, f.w, &api.ListGroupMembershipsForMemberRequest{IdentityStoreId: f.store, MemberId: member}).GroupMemberships
	f.same("groups", fmt.Sprint(len(in), " ", *in[0].GroupId), "1 "+f.group)
	admintest.Must[api.DeleteGroupMembershipResponse](f.t, f.w, &api.DeleteGroupMembershipRequest{IdentityStoreId: f.store, MembershipId: id})
}

func (f forms) deletions() {
	user, group := &api.DeleteUserRequest{IdentityStoreId: f.store, UserId: f.user}, &api.DeleteGroupRequest{IdentityStoreId: f.store, GroupId: f.group}
	admintest.Must[api.DeleteUserResponse](f.t, f.w, user)
	admintest.Must[api.DeleteGroupResponse](f.t, f.w, group)
	admintest.Fails[api.DeleteUserResponse](f.t, f.w, user, "ResourceNotFoundException")
	admintest.Fails[api.DeleteGroupResponse](f.t, f.w, group, "ResourceNotFoundException")
}

// TestPolicyMeansBothForms: a policy that denies a store denies it however a request names it.
func TestPolicyMeansBothForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	named := w.Instance.StoreID.ARN(w.Instance.Owner)
	ids := []string{storeID, named, strings.Replace(named, "arn:aws:", "arn:aws-cn:", 1)}
	for _, id := range ids {
		admintest.Must[api.ListUsersResponse](t, w, &api.ListUsersRequest{IdentityStoreId: id})
	}
	const all = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	w.Update(t, func(tx *store.Tx) error {
		hash, err := tx.PutDocument(`{"Version":"2012-10-17","Statement":[` + all + `,{"Effect":"Deny","Action":"*","Resource":"` + named + `"}]}`)
		if err != nil {
			return err
		}
		return tx.PutUserPolicy(store.UserPolicy{UserID: "AIDA00000000000000000", Name: "Everything", Inline: true, Document: hash})
	})
	for _, id := range ids {
		admintest.Fails[api.ListUsersResponse](t, w, &api.ListUsersRequest{IdentityStoreId: id}, "AccessDeniedException")
	}
}

// TestRevisions: what was read before the last change is neither changed nor deleted by who names the revision that they read.
func TestRevisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user, group := newUser(t, w, "ana"), newGroup(t, w, "Audit")
	update := func(path, value string) []api.AttributeOperation {
		return []api.AttributeOperation{{AttributePath: path, AttributeValue: json.RawMessage(value)}}
	}
	for n, revision := range []string{"1", "1", "2"} { // the second of them is late
		_, ofUser := admintest.Call[api.UpdateUserResponse](t, w, &api.UpdateUserRequest{IdentityStoreId: storeID, UserId: user, Revision: &revision, Operations: update("title", `"Dr"`)})
		_, ofGroup := admintest.Call[api.UpdateGroupResponse](t, w, &api.UpdateGroupRequest{IdentityStoreId: storeID, GroupId: group, Revision: &revision, Operations: update("description", `"d"`)})
		if late := n == 1; (ofUser != nil) != late || (ofGroup != nil) != late {
			t.Errorf("change %d, from revision %s: %v, %v", n, revision, ofUser, ofGroup)
		}
	}
	deleteUser, deleteGroup := &api.DeleteUserRequest{IdentityStoreId: storeID, UserId: user}, &api.DeleteGroupRequest{IdentityStoreId: storeID, GroupId: group}
	deleteUser.Revision, deleteGroup.Revision = new("2"), new("2")
	admintest.Fails[api.DeleteUserResponse](t, w, deleteUser, "ConflictException")
	admintest.Fails[api.DeleteGroupResponse](t, w, deleteGroup, "ConflictException")
	deleteUser.Revision = &describe(t, w, user).Revision
	deleteGroup.Revision = &admintest.Must[api.DescribeGroupResponse](t, w, &api.DescribeGroupRequest{IdentityStoreId: storeID, GroupId: group}).Revision
	admintest.Must[api.DeleteUserResponse](t, w, deleteUser)
	admintest.Must[api.DeleteGroupResponse](t, w, deleteGroup)
}
