package sallyport_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Keys of client registrations.
const (
	client1 = "11111111-1111-4111-8111-111111111111"
	client2 = "22222222-2222-4222-8222-222222222222"
	client3 = "33333333-3333-4333-8333-333333333333"
)

func TestDevicesOfUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, spare := w.app(w.user.ID, "phone"), w.app(w.user.ID, "spare")
	others := w.app(w.person("bea").ID, "hers")
	list := func() (names []string) {
		in := &api.ListMfaDevicesRequest{UserId: w.user.ID, MaxResults: new(int32(1))}
		for {
			out := must[api.ListMfaDevicesResponse](w, in)
			for _, d := range out.MfaDevices {
				names = append(names, d.Name)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return names
			}
		}
	}
	if diff := cmp.Diff([]string{"phone", "spare"}, list()); diff != "" {
		t.Error(diff)
	}
	must[api.RenameMfaDeviceResponse](w, &api.RenameMfaDeviceRequest{UserId: w.user.ID, DeviceId: phone, Name: "old phone"})
	_, _, token := w.signIn(w.user, client1)
	must[api.DeleteMfaDeviceResponse](w, &api.DeleteMfaDeviceRequest{UserId: w.user.ID, DeviceId: spare})
	if diff := cmp.Diff([]string{"old phone"}, list()); diff != "" {
		t.Error(diff)
	}
	fails(w.with(token), &api.ListMyMfaDevicesRequest{}, "ExpiredTokenException") // whoever has the device may be signed in
	for _, id := range []string{others, spare, unknown} {
		_, fields := fails(w, &api.DeleteMfaDeviceRequest{UserId: w.user.ID, DeviceId: id}, notFound)
		if fields["ResourceType"] != "MFA_DEVICE" {
			t.Errorf("%v", fields)
		}
		fails(w, &api.RenameMfaDeviceRequest{UserId: w.user.ID, DeviceId: id, Name: "x"}, notFound)
	}
}

// TestMyDevices: people manage their own devices, and nobody else's.
func TestMyDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, spare := w.app(w.user.ID, "phone"), w.app(w.user.ID, "spare")
	others := w.app(w.person("bea").ID, "hers")
	_, child, token := w.signIn(w.user, client1)
	_, _, elsewhere := w.signIn(w.user, client2)
	me := w.with(token)
	out := must[api.ListMyMfaDevicesResponse](me, &api.ListMyMfaDevicesRequest{MaxResults: new(int32(1))})
	if len(out.MfaDevices) != 1 || out.MfaDevices[0].DeviceId != phone || out.MfaDevices[0].Type != "TOTP" || out.MfaDevices[0].Synced != nil || out.NextToken == nil {
		t.Errorf("first page: %+v", out)
	}
	if out = must[api.ListMyMfaDevicesResponse](me, &api.ListMyMfaDevicesRequest{NextToken: out.NextToken}); len(out.MfaDevices) != 1 || out.MfaDevices[0].DeviceId != spare || out.NextToken != nil {
		t.Errorf("second page: %+v", out)
	}
	must[api.RenameMyMfaDeviceResponse](me, &api.RenameMyMfaDeviceRequest{DeviceId: phone, Name: "old phone"})
	fails(me, &api.RenameMyMfaDeviceRequest{DeviceId: others, Name: "mine"}, notFound)
	fails(me, &api.DeleteMyMfaDeviceRequest{DeviceId: others}, notFound)

	must[api.DeleteMyMfaDeviceResponse](me, &api.DeleteMyMfaDeviceRequest{DeviceId: phone})
	sessions := must[api.ListMySessionsResponse](me, &api.ListMySessionsRequest{})
	if len(sessions.Sessions) != 2 { // the portal session in which it was done, and that of the token
		t.Errorf("%d sessions left", len(sessions.Sessions))
	}
	fails(w.with(elsewhere), &api.ListMySessionsRequest{}, "ExpiredTokenException")

	w.clock.Advance(11 * time.Minute)
	m, fields := fails(me, &api.DeleteMyMfaDeviceRequest{DeviceId: spare}, "AccessDeniedException")
	if !strings.Contains(m, portal+"/account") || fields["Reason"] != "FRESH_FACTOR_REQUIRED" {
		t.Errorf("%q, %v", m, fields)
	}
	w.update(func(tx *store.Tx) error { // the person confirms in the portal
		_, _, err := w.service.Sessions.Renew(tx, child.ParentID, tx.Now())
		return err
	})
	must[api.DeleteMyMfaDeviceResponse](me, &api.DeleteMyMfaDeviceRequest{DeviceId: spare})
	e := w.events("DeleteMyMfaDevice")
	if last := e[len(e)-1]; last["userIdentity"].(map[string]any)["type"] != "IdentityCenterUser" || last["serviceEventDetails"].(map[string]any)["deviceId"] != spare {
		t.Errorf("recorded as %v", last)
	}
}

// TestSelfServiceOff: what the operator takes away from people is gone, and says so.
func TestSelfServiceOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := w.app(w.user.ID, "phone")
	_, _, token := w.signIn(w.user, client1)
	w.update(func(tx *store.Tx) error { _, err := setting.Put(tx, "mfa.self-service", "false", "test"); return err })
	must[api.ListMyMfaDevicesResponse](w.with(token), &api.ListMyMfaDevicesRequest{})
	if _, fields := fails(w.with(token), &api.RenameMyMfaDeviceRequest{DeviceId: phone, Name: "x"}, "AccessDeniedException"); fields["Reason"] != "SELF_SERVICE_OFF" {
		t.Errorf("%v", fields)
	}
	if _, fields := fails(w.with(token), &api.DeleteMyMfaDeviceRequest{DeviceId: phone}, "AccessDeniedException"); fields["Reason"] != "SELF_SERVICE_OFF" {
		t.Errorf("%v", fields)
	}
}
