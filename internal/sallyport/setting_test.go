package sallyport_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/store"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var names []string
	in := &api.ListSettingsRequest{MaxResults: new(int32(10))}
	for {
		out := must[api.ListSettingsResponse](w, in)
		for _, s := range out.Settings {
			names = append(names, s.Name)
			if s.Value != s.DefaultValue || s.UpdatedBy != nil || s.AwsValue == "" || s.Description == "" {
				t.Errorf("untouched: %+v", s)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(names) < 20 || names[0] != "accounts.role-suffix" || names[len(names)-1] != "trail.verify-every" {
		t.Errorf("settings: %v", names)
	}
	got := must[api.PutSettingResponse](w, &api.PutSettingRequest{Name: "mfa.mode", Value: "context-aware"}).Setting
	want := api.Setting{
		Name: "mfa.mode", Value: "context-aware", DefaultValue: "always", AwsValue: "context-aware", Description: got.Description,
		Values: []string{"always", "context-aware", "off"}, UpdatedAt: new(w.clock.Now()), UpdatedBy: new("arn:aws:iam::999900000001:user/operator"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got = must[api.GetSettingResponse](w, &api.GetSettingRequest{Name: "mfa.mode"}).Setting; got.Value != "context-aware" {
		t.Errorf("got %+v", got)
	}
	if got = must[api.ResetSettingResponse](w, &api.ResetSettingRequest{Name: "mfa.mode"}).Setting; got.Value != "always" || got.UpdatedAt != nil {
		t.Errorf("reset: %+v", got)
	}
	if m, _ := fails(w, &api.PutSettingRequest{Name: "session.life", Value: "5m"}, "ValidationException"); !strings.Contains(m, "15m to 90d") {
		t.Error(m)
	}
	fails(w, &api.PutSettingRequest{Name: "session.life", Value: ""}, "ValidationException")
	if _, fields := fails(w, &api.GetSettingRequest{Name: "mfa.mod"}, notFound); fields["ResourceType"] != "SETTING" {
		t.Errorf("%v", fields)
	}
	fails(w, &api.PutSettingRequest{Name: "mfa.mod", Value: "x"}, notFound)
	fails(w, &api.ResetSettingRequest{Name: "mfa.mod"}, notFound)
}

func TestStepUps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	instance, admin, audit := w.instance.ID.ARN(), w.set("Admin"), w.set("Audit")
	var changes []string
	w.db.WatchChanges(func(list []store.Change) {
		for _, c := range list {
			changes = append(changes, c.Key)
		}
	})
	put := func(set string, minutes int32) *api.PutPermissionSetStepUpRequest {
		return &api.PutPermissionSetStepUpRequest{InstanceArn: instance, PermissionSetArn: set, MaxMfaAgeMinutes: minutes}
	}
	must[api.PutPermissionSetStepUpResponse](w, put(admin, 60))
	must[api.PutPermissionSetStepUpResponse](w, put(admin, 15))
	must[api.PutPermissionSetStepUpResponse](w, put(audit, 30))
	list := func() map[string]int32 {
		got := map[string]int32{}
		in := &api.ListPermissionSetStepUpsRequest{InstanceArn: instance, MaxResults: new(int32(1))}
		for {
			out := must[api.ListPermissionSetStepUpsResponse](w, in)
			for _, s := range out.PermissionSetStepUps {
				got[s.PermissionSetArn] = s.MaxMfaAgeMinutes
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return got
			}
		}
	}
	if diff := cmp.Diff(map[string]int32{admin: 15, audit: 30}, list()); diff != "" {
		t.Error(diff)
	}
	must[api.DeletePermissionSetStepUpResponse](w, &api.DeletePermissionSetStepUpRequest{InstanceArn: instance, PermissionSetArn: admin})
	if diff := cmp.Diff(map[string]int32{audit: 30}, list()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"setting:step-up", "setting:step-up", "setting:step-up", "setting:step-up"}, changes); diff != "" {
		t.Error(diff)
	}
	gone := arn.NewPermissionSet(w.instance.ID).ARN()
	elsewhere := arn.NewPermissionSet("ssoins-fedcba0987654321").ARN()
	for _, set := range []string{gone, elsewhere} {
		if _, fields := fails(w, put(set, 5), notFound); fields["ResourceType"] != "PERMISSION_SET" {
			t.Errorf("%v", fields)
		}
		fails(w, &api.DeletePermissionSetStepUpRequest{InstanceArn: instance, PermissionSetArn: set}, notFound)
	}
	fails(w, put(audit, 0), "ValidationException")
	fails(w, &api.ListPermissionSetStepUpsRequest{InstanceArn: "arn:aws:sso:::instance/ssoins-fedcba0987654321"}, notFound)

	// A delegated administrator may not change what stands in the management account.
	d := w.as(w.keys[delegate])
	must[api.PutPermissionSetStepUpResponse](d, put(admin, 60))
	set, err := arn.ParsePermissionSet(admin)
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		return tx.InsertRole(store.Role{
			Account: management, Name: "AWSReservedSSO_Admin_0", ID: arn.NewUniqueID("AROA"), Path: arn.RolePath(region), Set: set,
			Spec: store.RoleSpec{SessionDuration: time.Hour},
		})
	})
	fails(d, put(admin, 120), "AccessDeniedException")
	fails(d, &api.DeletePermissionSetStepUpRequest{InstanceArn: instance, PermissionSetArn: admin}, "AccessDeniedException")
	must[api.PutPermissionSetStepUpResponse](w, put(admin, 120))
}
