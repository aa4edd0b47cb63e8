package identitystore_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/directory"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const storeID = "d-1234567890"

func newWorld(t *testing.T) *admintest.World { return admintest.New(t, storetest.Open) }

func request(name string) *api.CreateUserRequest {
	return &api.CreateUserRequest{IdentityStoreId: storeID, UserName: &name, DisplayName: &name, Name: &api.Name{GivenName: &name, FamilyName: new("Test")}}
}

func newUser(t *testing.T, w *admintest.World, name string) string {
	t.Helper()
	return admintest.Must[api.CreateUserResponse](t, w, request(name)).UserId
}

func newGroup(t *testing.T, w *admintest.World, name string) string {
	t.Helper()
	return admintest.Must[api.CreateGroupResponse](t, w, &api.CreateGroupRequest{IdentityStoreId: storeID, DisplayName: &name}).GroupId
}

func describe(t *testing.T, w *admintest.World, id string, extensions ...string) *api.DescribeUserResponse {
	t.Helper()
	return admintest.Must[api.DescribeUserResponse](t, w, &api.DescribeUserRequest{IdentityStoreId: storeID, UserId: id, Extensions: extensions})
}

func TestAllAttributesComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	enterprise := json.RawMessage(`{"department":"Audit","manager":{"value":"7"}}`)
	in := &api.CreateUserRequest{
		IdentityStoreId: storeID, UserName: new("ana@x.test"), DisplayName: new("Ana"),
		Name:     &api.Name{GivenName: new("Ana"), FamilyName: new("Müller"), Formatted: new("Dr. Ana Müller"), MiddleName: new("B"), HonorificPrefix: new("Dr."), HonorificSuffix: new("II")},
		NickName: new("A"), ProfileUrl: new("https://x.test/ana"), UserType: new("Employee"), Title: new("Auditor"), PreferredLanguage: new("de"),
		Locale: new("de-CH"), Timezone: new("Europe/Zurich"), Website: new("https://x.test"), Birthdate: new("1990-02-28"),
		Emails:       []api.Email{{Value: new("Ana@x.test"), Type: new("work"), Primary: new(true)}},
		PhoneNumbers: []api.PhoneNumber{{Value: new("+41 1"), Type: new("work"), Primary: new(false)}},
		Addresses:    []api.Address{{StreetAddress: new("1 Way"), Locality: new("Bern"), Region: new("BE"), PostalCode: new("3000"), Country: new("CH"), Formatted: new("all"), Type: new("home"), Primary: new(true)}},
		Photos:       []api.Photo{{Value: "https://x.test/a.png", Type: new("photo"), Display: new("me"), Primary: new(true)}},
		Roles:        []api.Role{{Value: new("lead"), Type: new("work"), Primary: new(true)}},
		Extensions:   map[string]json.RawMessage{directory.EnterpriseExtension: enterprise},
	}
	made := admintest.Must[api.CreateUserResponse](t, w, in)
	got := describe(t, w, made.UserId, directory.EnterpriseExtension)
	want := &api.DescribeUserResponse{
		IdentityStoreId: storeID, UserId: made.UserId, UserArn: "arn:aws:identitystore:::user/" + made.UserId, Revision: made.Revision, UserStatus: new(api.UserStatusEnabled),
		UserName: in.UserName, DisplayName: in.DisplayName, Name: in.Name, NickName: in.NickName, ProfileUrl: in.ProfileUrl, UserType: in.UserType, Title: in.Title,
		PreferredLanguage: in.PreferredLanguage, Locale: in.Locale, Timezone: in.Timezone, Website: in.Website, Birthdate: in.Birthdate, Emails: in.Emails,
		PhoneNumbers: in.PhoneNumbers, Addresses: in.Addresses, Photos: in.Photos, Roles: in.Roles, Extensions: in.Extensions,
		CreatedAt: new(w.Clock.Now()), UpdatedAt: new(w.Clock.Now()), CreatedBy: new("arn:aws:iam::999900000001:user/operator"), UpdatedBy: new("arn:aws:iam::999900000001:user/operator"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if made.UserArn != want.UserArn || describe(t, w, made.UserId).Extensions != nil {
		t.Error("ARN is wrong, or extensions are shown that were not asked for")
	}
	listed := admintest.Must[api.ListUsersResponse](t, w, &api.ListUsersRequest{IdentityStoreId: storeID, Extensions: []string{directory.EnterpriseExtension}}).Users
	if diff := cmp.Diff([]api.User{api.User(*want)}, listed); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIdentityCenterDemandsOfAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, edit := range []func(*api.CreateUserRequest){
		func(r *api.CreateUserRequest) { r.UserName = nil },
		func(r *api.CreateUserRequest) { r.DisplayName = nil },
		func(r *api.CreateUserRequest) { r.Name = nil },
		func(r *api.CreateUserRequest) { r.Name.FamilyName = nil },
		func(r *api.CreateUserRequest) { r.UserName = new("Administrator") },
	} {
		in := request("ana")
		edit(in)
		admintest.Fails[api.CreateUserResponse](t, w, in, "ValidationException")
	}
	in := request("ana")
	in.IdentityStoreId = "d-ffffffffff"
	admintest.Fails[api.CreateUserResponse](t, w, in, "ResourceNotFoundException")
	newUser(t, w, "ana")
	if e := admintest.Fails[api.CreateUserResponse](t, w, request("ANA"), "ConflictException"); e.Message != "Duplicate UserName" {
		t.Error(e)
	}
}

func TestS22AlternateIdentifiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := request("Ana")
	in.Emails = []api.Email{{Value: new("ana@x.test"), Primary: new(true)}}
	user := admintest.Must[api.CreateUserResponse](t, w, in).UserId
	group := newGroup(t, w, "Auditors")
	external := store.ExternalID{Issuer: "https://okta.test", ID: "7"}
	w.Update(t, func(tx *store.Tx) error {
		u, err := directory.User(tx, storeID, user)
		if err != nil {
			return err
		}
		u.ExternalIDs = []store.ExternalID{external}
		if _, err := directory.UpdateUser(tx, u, "", "test"); err != nil {
			return err
		}
		g, err := directory.Group(tx, storeID, group)
		if err != nil {
			return err
		}
		g.ExternalIDs = u.ExternalIDs
		_, err = directory.UpdateGroup(tx, g, "", "test")
		return err
	})
	attribute := func(path, value string) api.AlternateIdentifier {
		v, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return api.AlternateIdentifier{UniqueAttribute: &api.UniqueAttribute{AttributePath: path, AttributeValue: v}}
	}
	byExternal := func(id string) api.AlternateIdentifier {
		return api.AlternateIdentifier{ExternalId: &api.ExternalId{Issuer: external.Issuer, Id: id}}
	}
	for _, alt := range []api.AlternateIdentifier{attribute("userName", "ana"), attribute("UserName", "Ana"), attribute("emails.value", "Ana@x.test"), byExternal("7")} {
		got := admintest.Must[api.GetUserIdResponse](t, w, &api.GetUserIdRequest{IdentityStoreId: storeID, AlternateIdentifier: alt})
		if got.UserId != user || got.UserArn != "arn:aws:identitystore:::user/"+user {
			t.Errorf("got %+v", got)
		}
	}
	for _, alt := range []api.AlternateIdentifier{attribute("displayName", "auditors"), attribute("DisplayName", "Auditors"), byExternal("7")} {
		if got := admintest.Must[api.GetGroupIdResponse](t, w, &api.GetGroupIdRequest{IdentityStoreId: storeID, AlternateIdentifier: alt}); got.GroupId != group {
			t.Errorf("got %+v", got)
		}
	}
	for code, alts := range map[string][]api.AlternateIdentifier{
		"ResourceNotFoundException": {attribute("userName", "nobody"), attribute("emails.value", "x@x.test"), byExternal("8")},
		"ValidationException":       {attribute("displayName", "Ana"), attribute("title", "x"), {}, {UniqueAttribute: &api.UniqueAttribute{AttributePath: "userName", AttributeValue: json.RawMessage(`7`)}}},
	} {
		for _, alt := range alts {
			e := admintest.Fails[api.GetUserIdResponse](t, w, &api.GetUserIdRequest{IdentityStoreId: storeID, AlternateIdentifier: alt}, code)
			if code == "ResourceNotFoundException" && e.Message != "USER not found." {
				t.Error(e)
			}
		}
	}
	admintest.Fails[api.GetGroupIdResponse](t, w, &api.GetGroupIdRequest{IdentityStoreId: storeID, AlternateIdentifier: attribute("userName", "x")}, "ValidationException")
	admintest.Fails[api.GetGroupIdResponse](t, w, &api.GetGroupIdRequest{IdentityStoreId: storeID, AlternateIdentifier: attribute("displayName", "x")}, "ResourceNotFoundException")
}

func TestUsersArePagedAndFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]bool{}
	for i := range 7 {
		want[newUser(t, w, fmt.Sprint("user", i))] = true
	}
	in := &api.ListUsersRequest{IdentityStoreId: storeID, MaxResults: new(int32(3))}
	var last string
	for {
		out := admintest.Must[api.ListUsersResponse](t, w, in)
		for _, u := range out.Users {
			if u.UserId <= last {
				t.Errorf("%s after %s", u.UserId, last)
			}
			last = u.UserId
			delete(want, u.UserId)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	for value, n := range map[string]int{"USER3": 1, "user": 0} { // the whole name, without case
		out := admintest.Must[api.ListUsersResponse](t, w, &api.ListUsersRequest{IdentityStoreId: storeID, Filters: []api.Filter{{AttributePath: "UserName", AttributeValue: value}}})
		if len(out.Users) != n || out.Users == nil || out.NextToken != nil {
			t.Errorf("%s: %+v", value, out)
		}
	}
	admintest.Fails[api.ListUsersResponse](t, w, &api.ListUsersRequest{IdentityStoreId: storeID, Filters: []api.Filter{{AttributePath: "Title", AttributeValue: "x"}}}, "ValidationException")
}
