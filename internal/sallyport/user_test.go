package sallyport_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/awsapi"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestUser: what an administrator does with a user's sign-in, and what they see of it.
func TestUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		describe := func() *api.DescribeUserSignInResponse {
			return must[api.DescribeUserSignInResponse](w, &api.DescribeUserSignInRequest{UserId: w.user.ID})
		}
		want := &api.DescribeUserSignInResponse{UserId: w.user.ID, UserName: "ana", UserStatus: "ENABLED", PasswordStatus: "NONE"}
		if diff := cmp.Diff(want, describe()); diff != "" {
			t.Errorf("new user:\n%s", diff)
		}

		invited := must[api.InviteUserResponse](w, &api.InviteUserRequest{UserId: w.user.ID, Delivery: api.DeliveryLink})
		if !strings.HasPrefix(*invited.Link, portal+"/link/") || invited.SentTo != nil {
			t.Errorf("invitation: %+v", invited)
		}
		want.PendingInvitationExpiresAt = &invited.ExpiresAt
		one := must[api.CreateOneTimePasswordResponse](w, &api.CreateOneTimePasswordRequest{UserId: w.user.ID})
		if len(one.OneTimePassword) < 16 || !one.ExpiresAt.Equal(w.clock.Now().Add(7*24*time.Hour)) {
			t.Errorf("one-time password until %v", one.ExpiresAt)
		}
		now := w.clock.Now()
		want.PasswordStatus, want.PasswordChangedAt = "ONE_TIME", &now
		w.app(w.user.ID, "phone")
		want.MfaDeviceCount = 1
		if diff := cmp.Diff(want, describe()); diff != "" {
			t.Errorf("invited user:\n%s", diff)
		}

		_, _, token := w.signIn(w.user, client1)
		must[api.ListMySessionsResponse](w.with(token), &api.ListMySessionsRequest{})
		must[api.DisableUserResponse](w, &api.DisableUserRequest{UserId: w.user.ID})
		fails(w.with(token), &api.ListMySessionsRequest{}, "ExpiredTokenException")
		if d := describe(); d.UserStatus != "DISABLED" || d.PendingInvitationExpiresAt != nil {
			t.Errorf("disabled user: %+v", d)
		}
		if m, _ := fails(w, &api.InviteUserRequest{UserId: w.user.ID, Delivery: api.DeliveryLink}, "ConflictException"); !strings.Contains(m, "Enable them first") {
			t.Error(m)
		}
		must[api.EnableUserResponse](w, &api.EnableUserRequest{UserId: w.user.ID})
		if d := describe(); d.UserStatus != "ENABLED" {
			t.Errorf("enabled user: %+v", d)
		}
		reset := must[api.ResetUserPasswordResponse](w, &api.ResetUserPasswordRequest{UserId: w.user.ID, Delivery: api.DeliveryLink})
		if reset.Link == nil || !reset.ExpiresAt.Equal(w.clock.Now().Add(time.Hour)) {
			t.Errorf("reset: until %v", reset.ExpiresAt)
		}
		m, _ := fails(w, &api.ResetUserPasswordRequest{UserId: w.user.ID, Delivery: api.DeliveryEmail}, "ConflictException")
		if !strings.Contains(m, "No mail server") {
			t.Error(m)
		}
	})
}

// TestUnlock: wrong codes lock a user out, which shows, and an administrator takes the lock off.
func TestUnlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(func(tx *store.Tx) error {
		return tx.PutSignInState(store.SignInState{UserID: w.user.ID, SignedInAt: tx.Now(), CodeFailures: 9, CodeLockedUntil: tx.Now().Add(time.Hour)})
	})
	d := must[api.DescribeUserSignInResponse](w, &api.DescribeUserSignInRequest{UserId: w.user.ID})
	if d.LockedUntil == nil || !d.LockedUntil.Equal(w.clock.Now().Add(time.Hour)) || d.LastSignInAt == nil {
		t.Errorf("locked user: %+v", d)
	}
	must[api.UnlockUserResponse](w, &api.UnlockUserRequest{UserId: w.user.ID})
	if d := must[api.DescribeUserSignInResponse](w, &api.DescribeUserSignInRequest{UserId: w.user.ID}); d.LockedUntil != nil || d.LastSignInAt == nil {
		t.Errorf("unlocked user: %+v", d)
	}
}

// TestNoSuchUser: every operation on a user says so when there is none.
func TestNoSuchUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, call := range []func() (string, map[string]any){
		func() (string, map[string]any) {
			return fails(w, &api.DescribeUserSignInRequest{UserId: unknown}, notFound)
		},
		func() (string, map[string]any) { return fails(w, &api.EnableUserRequest{UserId: unknown}, notFound) },
		func() (string, map[string]any) { return fails(w, &api.DisableUserRequest{UserId: unknown}, notFound) },
		func() (string, map[string]any) { return fails(w, &api.UnlockUserRequest{UserId: unknown}, notFound) },
		func() (string, map[string]any) {
			return fails(w, &api.CreateOneTimePasswordRequest{UserId: unknown}, notFound)
		},
		func() (string, map[string]any) {
			return fails(w, &api.InviteUserRequest{UserId: unknown, Delivery: api.DeliveryLink}, notFound)
		},
		func() (string, map[string]any) {
			return fails(w, &api.ResetUserPasswordRequest{UserId: unknown, Delivery: api.DeliveryLink}, notFound)
		},
		func() (string, map[string]any) {
			return fails(w, &api.ListMfaDevicesRequest{UserId: unknown}, notFound)
		},
		func() (string, map[string]any) {
			return fails(w, &api.RenameMfaDeviceRequest{UserId: unknown, DeviceId: unknown, Name: "x"}, notFound)
		},
		func() (string, map[string]any) {
			return fails(w, &api.DeleteMfaDeviceRequest{UserId: unknown, DeviceId: unknown}, notFound)
		},
		func() (string, map[string]any) {
			return fails(w, &api.ListSessionsRequest{UserId: new(unknown)}, notFound)
		},
		func() (string, map[string]any) {
			return fails(w, &api.EndUserSessionsRequest{UserId: unknown}, notFound)
		},
	} {
		if _, fields := call(); fields["ResourceType"] != "USER" || fields["ResourceId"] != unknown {
			t.Errorf("%v", fields)
		}
	}
}

const notFound = "ResourceNotFoundException"

// TestRedaction: what opens a door is in the answer and nowhere in the records.
func TestRedaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := must[api.CreateOneTimePasswordResponse](w, &api.CreateOneTimePasswordRequest{UserId: w.user.ID})
	invited := must[api.InviteUserResponse](w, &api.InviteUserRequest{UserId: w.user.ID, Delivery: api.DeliveryLink})
	reset := must[api.ResetUserPasswordResponse](w, &api.ResetUserPasswordRequest{UserId: w.user.ID, Delivery: api.DeliveryLink})
	key := must[api.CreateOperatorKeyResponse](w, &api.CreateOperatorKeyRequest{})
	for _, c := range []struct{ event, member, secret string }{
		{"CreateOneTimePassword", "oneTimePassword", one.OneTimePassword},
		{"InviteUser", "link", *invited.Link},
		{"ResetUserPassword", "link", *reset.Link},
		{"CreateOperatorKey", "secretAccessKey", key.SecretAccessKey},
	} {
		events := w.events(c.event)
		if len(events) != 1 || events[0]["eventSource"] != "sallyport" || events[0]["errorCode"] != nil {
			t.Errorf("%s is recorded as %v", c.event, events)
			continue
		}
		shown, _ := events[0]["responseElements"].(map[string]any)
		if shown[c.member] != awsapi.Hidden || strings.Contains(events[0]["text"].(string), c.secret) {
			t.Errorf("%s shows %v", c.event, shown)
		}
	}
	if e := w.events("CreateOneTimePassword")[0]; e["requestParameters"].(map[string]any)["userId"] != w.user.ID || e["readOnly"] != false {
		t.Errorf("one-time password is recorded as %v", e)
	}
}

// TestPermission: nobody administers without a policy, or from an account that may not; not by a person's token either.
func TestPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, token := w.signIn(w.user, client1)
	for name, caller := range map[string]*world{"no policy": w.as(w.keys[""]), "member account": w.as(w.keys[member])} {
		t.Log(name)
		fails(caller, &api.DisableUserRequest{UserId: w.user.ID}, "AccessDeniedException")
		fails(caller, &api.ListSettingsRequest{}, "AccessDeniedException")
		fails(caller, &api.CreateOperatorKeyRequest{}, "AccessDeniedException")
		fails(caller, &api.CreateOneTimePasswordRequest{UserId: w.user.ID}, "AccessDeniedException")
	}
	fails(w.with(token), &api.CreateOneTimePasswordRequest{UserId: w.user.ID}, "MissingAuthenticationTokenException")
	fails(w, &api.ListMySessionsRequest{}, "AccessDeniedException") // the operator is no person
	if d := must[api.DescribeUserSignInResponse](w, &api.DescribeUserSignInRequest{UserId: w.user.ID}); d.PasswordStatus != "NONE" {
		t.Error("somebody without permission has given a password")
	}
	if e := w.events("CreateOneTimePassword"); len(e) != 2 || e[0]["errorCode"] != "AccessDeniedException" || e[0]["responseElements"] != nil {
		t.Errorf("denials are recorded as %v", e)
	}
	must[api.DisableUserResponse](w.as(w.keys[delegate]), &api.DisableUserRequest{UserId: w.user.ID})
}
