package sallyport_test

import (
	"strings"
	"testing"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/directory"
	"sallyport/internal/store"
)

// assign gives a principal a permission set in an account.
func (w *world) assign(account arn.AccountID, t store.PrincipalType, id string, state store.AssignmentState) {
	w.t.Helper()
	set := arn.NewPermissionSet(w.instance.ID)
	w.update(func(tx *store.Tx) error {
		if err := tx.InsertPermissionSet(store.PermissionSet{PermissionSet: set, Name: set.ID, SessionDuration: "PT1H"}); err != nil {
			return err
		}
		return tx.InsertAssignment(store.Assignment{Account: account, Set: set, PrincipalType: t, PrincipalID: id, State: state})
	})
}

// groupOf is a new group that a user is in.
func (w *world) groupOf(u store.User) (id string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		g, err := directory.CreateGroup(tx, store.Group{StoreID: w.instance.StoreID, DisplayName: "Administrators"}, "test")
		if err == nil {
			_, err = directory.AddMember(tx, w.instance.StoreID, g.ID, u.ID, "test")
		}
		id = g.ID
		return err
	})
	return id
}

// doors are the ways to open a door to a user.
func doors(w *world, userID, device string) map[string]func(*world) (string, bool) {
	return map[string]func(*world) (string, bool){
		"one-time password": opens[api.CreateOneTimePasswordResponse](&api.CreateOneTimePasswordRequest{UserId: userID}),
		"invite":            opens[api.InviteUserResponse](&api.InviteUserRequest{UserId: userID, Delivery: api.DeliveryLink}),
		"reset":             opens[api.ResetUserPasswordResponse](&api.ResetUserPasswordRequest{UserId: userID, Delivery: api.DeliveryLink}),
		"unlock":            opens[api.UnlockUserResponse](&api.UnlockUserRequest{UserId: userID}),
		"enable":            opens[api.EnableUserResponse](&api.EnableUserRequest{UserId: userID}),
		"remove device":     opens[api.DeleteMfaDeviceResponse](&api.DeleteMfaDeviceRequest{UserId: userID, DeviceId: device}),
	}
}

// opens says whether an operation was done, and how it was refused if not.
func opens[Out, In any](in *In) func(*world) (string, bool) {
	return func(w *world) (string, bool) {
		w.t.Helper()
		if _, err := call[Out](w, in); err == nil {
			return "", true
		}
		message, _ := fails(w, in, "AccessDeniedException")
		return message, false
	}
}

// TestDelegateOpensNoDoorToTheManagementAccount: a delegated administrator who could make a password of somebody with access
// there would have that access.
func TestDelegateOpensNoDoorToTheManagementAccount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		give    func(w *world, u store.User)
		refused bool
	}{
		"by themselves": {func(w *world, u store.User) { w.assign(management, store.PrincipalUser, u.ID, store.AssignmentGranted) }, true},
		"by a group": {func(w *world, u store.User) {
			w.assign(management, store.PrincipalGroup, w.groupOf(u), store.AssignmentGranted)
		}, true},
		"though it is being taken away": {func(w *world, u store.User) { w.assign(management, store.PrincipalUser, u.ID, store.AssignmentStuck) }, true},
		"though disabled": {func(w *world, u store.User) {
			w.assign(management, store.PrincipalUser, u.ID, store.AssignmentGranted)
			must[api.DisableUserResponse](w, &api.DisableUserRequest{UserId: u.ID})
		}, true},
		"elsewhere": {func(w *world, u store.User) { w.assign(member, store.PrincipalUser, u.ID, store.AssignmentGranted) }, false},
		"nowhere":   {func(*world, store.User) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			device := w.app(w.user.ID, "phone")
			test.give(w, w.user)
			d := w.as(w.keys[delegate])
			for what, open := range doors(w, w.user.ID, device) {
				message, done := open(d)
				if done == test.refused || test.refused && !strings.Contains(message, string(management)) {
					t.Errorf("%s: done %v %q", what, done, message)
				}
			}
			must[api.DescribeUserSignInResponse](d, &api.DescribeUserSignInRequest{UserId: w.user.ID})
			must[api.DisableUserResponse](d, &api.DisableUserRequest{UserId: w.user.ID}) // to close a door is the help desk's too
		})
	}
}

// TestManagementAccountOpensEveryDoor, also to people who have access to it.
func TestManagementAccountOpensEveryDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.app(w.user.ID, "phone")
	w.assign(management, store.PrincipalUser, w.user.ID, store.AssignmentGranted)
	for what, open := range doors(w, w.user.ID, device) {
		if message, done := open(w); !done {
			t.Errorf("%s: %s", what, message)
		}
	}
}
