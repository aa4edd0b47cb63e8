package identitystore_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/directory"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := newUser(t, w, "ana")
	update := func(ops ...string) *api.UpdateUserRequest {
		in := &api.UpdateUserRequest{IdentityStoreId: storeID, UserId: id}
		for _, op := range ops {
			path, value, has := strings.Cut(op, "=")
			o := api.AttributeOperation{AttributePath: path}
			if has {
				o.AttributeValue = json.RawMessage(value)
			}
			in.Operations = append(in.Operations, o)
		}
		return in
	}
	admintest.Must[api.UpdateUserResponse](t, w, update(`title="Dr"`, `name.givenName="Ana"`, `emails=[{"Value":"ana@x.test","Primary":true,"Type":"work"}]`, `aws:identitystore:enterprise.department="Audit"`, `ProfileUrl="https://x.test"`))
	got := describe(t, w, id, directory.EnterpriseExtension)
	if *got.Title != "Dr" || *got.Name.GivenName != "Ana" || *got.Name.FamilyName != "Test" || *got.Emails[0].Value != "ana@x.test" || !*got.Emails[0].Primary ||
		string(got.Extensions[directory.EnterpriseExtension]) != `{"department":"Audit"}` || *got.ProfileUrl != "https://x.test" || got.Revision != "2" {
		t.Errorf("got %+v", got)
	}
	admintest.Must[api.UpdateUserResponse](t, w, update(`title`, `emails=null`, `aws:identitystore:enterprise.department`))
	if got := describe(t, w, id); got.Title != nil || got.Emails != nil || got.ProfileUrl == nil {
		t.Errorf("got %+v", got)
	}
	for _, bad := range []string{
		`userName`, `name.givenName`, `nothing="x"`, `name.nothing="x"`, `name="x"`, `title=7`, `title=""`, `title=["x"]`, `emails="x"`, `emails=[{"Value":"a"},{"Value":"b"}]`,
		`emails=[{"Value":"a","Nothing":"b"}]`, `emails.value="x"`, `title.x="y"`, `birthdate="tomorrow"`, `userStatus="DISABLED"`, `extensions="x"`, `aws:identitystore:other.x="y"`,
		`title="\u0000"`, `userName="two words"`,
	} {
		admintest.Fails[api.UpdateUserResponse](t, w, update(bad), "ValidationException")
	}
	stale := update(`title="x"`)
	stale.Revision = new("1")
	admintest.Fails[api.UpdateUserResponse](t, w, stale, "ConflictException")
	newUser(t, w, "bob")
	admintest.Fails[api.UpdateUserResponse](t, w, update(`userName="BOB"`), "ConflictException")
	admintest.Must[api.UpdateUserResponse](t, w, update(`userName="Ana2"`))
}

// TestSeveralValues: what a source has sent of a person, and AWS's APIs do not take, is shown, and stays until it is changed itself.
func TestSeveralValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := newUser(t, w, "ana")
	record := func(edit func(*store.User)) (u store.User) {
		t.Helper()
		err := w.DB.Update(t.Context(), func(tx *store.Tx) (err error) {
			if u, err = directory.User(tx, storeID, id); err != nil || edit == nil {
				return err
			}
			edit(&u)
			u, err = directory.UpdateUser(tx, u, "", "test")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	want := record(func(u *store.User) {
		u.Emails = []store.TypedValue{{Value: "a@x.test", Type: "work", Primary: true, Display: "A"}, {Value: "b@x.test", Type: "home", Display: "B"}}
		u.PhoneNumbers, u.Roles = []store.TypedValue{{Value: "1"}, {Value: "2", Display: "Two"}}, []store.TypedValue{{Value: "r1", Display: "R"}, {Value: "r2"}}
	}).UserAttrs
	update := func(path, value string) *api.UpdateUserRequest {
		return &api.UpdateUserRequest{IdentityStoreId: storeID, UserId: id, Operations: []api.AttributeOperation{{AttributePath: path, AttributeValue: json.RawMessage(value)}}}
	}
	expect := func(doing string) {
		t.Helper()
		if diff := cmp.Diff(want, record(nil).UserAttrs); diff != "" {
			t.Errorf("%s: %s", doing, diff)
		}
	}
	if got := describe(t, w, id); len(got.Emails) != 2 || *got.Emails[1].Value != "b@x.test" || len(got.PhoneNumbers) != 2 || len(got.Roles) != 2 {
		t.Errorf("got %+v", got)
	}
	admintest.Must[api.UpdateUserResponse](t, w, update("title", `"Dr"`))
	want.Title = "Dr"
	expect("a title")
	admintest.Must[api.UpdateUserResponse](t, w, update("emails", `[{"Value":"a@x.test","Type":"work","Primary":true},{"Value":"c@x.test","Type":"home"}]`))
	want.Emails[1] = store.TypedValue{Value: "c@x.test", Type: "home"}
	expect("another address")
	admintest.Fails[api.UpdateUserResponse](t, w, update("emails", `[{"Value":"a"},{"Value":"b"},{"Value":"c"}]`), "ValidationException")
	expect("one more")
}

func TestUpdateGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := newGroup(t, w, "Audit")
	update := func(path, value string) *api.UpdateGroupRequest {
		return &api.UpdateGroupRequest{IdentityStoreId: storeID, GroupId: id, Operations: []api.AttributeOperation{{AttributePath: path, AttributeValue: json.RawMessage(value)}}}
	}
	admintest.Must[api.UpdateGroupResponse](t, w, update("displayName", `"Auditors"`))
	admintest.Must[api.UpdateGroupResponse](t, w, update("Description", `"who look"`))
	got := admintest.Must[api.DescribeGroupResponse](t, w, &api.DescribeGroupRequest{IdentityStoreId: storeID, GroupId: id})
	if *got.DisplayName != "Auditors" || *got.Description != "who look" || got.Revision != "3" || got.GroupArn != "arn:aws:identitystore:::group/"+id {
		t.Errorf("got %+v", got)
	}
	newGroup(t, w, "Other")
	admintest.Fails[api.UpdateGroupResponse](t, w, update("displayName", `"OTHER"`), "ConflictException")
	admintest.Must[api.UpdateGroupResponse](t, w, update("displayName", `"AUDITORS"`)) // its own name, written in another way
	for path, value := range map[string]string{"displayName": "null", "title": `"x"`, "aws:identitystore:enterprise.department": `"x"`} {
		admintest.Fails[api.UpdateGroupResponse](t, w, update(path, value), "ValidationException")
	}
}
