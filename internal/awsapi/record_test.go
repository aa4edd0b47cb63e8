package awsapi_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/awsapi/sts"
)

func TestRequestParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		service *awsapi.Service
		op      string
		in      any
		want    map[string]any
	}{
		{
			&ssoadmin.Info, "CreatePermissionSet",
			&ssoadmin.CreatePermissionSetRequest{InstanceArn: instance, Name: "PS", Tags: []ssoadmin.Tag{{Key: "k", Value: "v"}}},
			map[string]any{"instanceArn": instance, "name": "PS", "tags": []any{map[string]any{"key": "k", "value": "v"}}},
		},
		{
			&identitystore.Info, "CreateUser",
			&identitystore.CreateUserRequest{
				IdentityStoreId: storeID, UserName: ptr("jane"), Name: &identitystore.Name{GivenName: ptr("Jane")},
				Emails:     []identitystore.Email{{Value: ptr("j@example.com"), Primary: ptr(true)}},
				Extensions: map[string]json.RawMessage{"aws:identitystore:enterprise": json.RawMessage(`{}`)},
			},
			map[string]any{
				"identityStoreId": storeID, "userName": awsapi.Hidden, "name": map[string]any{"givenName": awsapi.Hidden},
				"emails":     []any{map[string]any{"value": awsapi.Hidden, "primary": true}},
				"extensions": map[string]any{"aws:identitystore:enterprise": awsapi.Hidden},
			},
		},
		{
			&ssooidc.Info, "CreateToken",
			&ssooidc.CreateTokenRequest{ClientId: "c", ClientSecret: "s", GrantType: "refresh_token", RefreshToken: ptr("r"), Code: ptr("x"), DeviceCode: ptr("d")},
			map[string]any{
				"clientId": "c", "clientSecret": awsapi.Hidden, "grantType": "refresh_token",
				"refreshToken": awsapi.Hidden, "code": awsapi.Hidden, "deviceCode": awsapi.Hidden,
			},
		},
		{&sts.Info, "AssumeRoleWithSAML", &sts.AssumeRoleWithSAMLRequest{SAMLAssertion: "s"}, map[string]any{"principalArn": "", "roleArn": "", "sAMLAssertion": awsapi.Hidden}},
		{&ssoadmin.Info, "ListInstances", &ssoadmin.ListInstancesRequest{}, nil},
		{&ssoadmin.Info, "ListInstances", (*ssoadmin.ListInstancesRequest)(nil), nil},
		{&ssoadmin.Info, "ListInstances", nil, nil},
	} {
		got := operation(t, c.service, c.op).RequestParameters(c.in)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.op, diff)
		}
	}
}

func TestResponseElements(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1628180064123)
	got := operation(t, &sso.Info, "GetRoleCredentials").ResponseElements(&sso.GetRoleCredentialsResponse{
		RoleCredentials: &sso.RoleCredentials{AccessKeyId: ptr("ASIA"), SecretAccessKey: ptr("s"), SessionToken: ptr("t"), Expiration: ptr(int64(5))},
	})
	want := map[string]any{"roleCredentials": map[string]any{
		"accessKeyId": "ASIA", "secretAccessKey": awsapi.Hidden, "sessionToken": awsapi.Hidden, "expiration": int64(5),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = operation(t, &ssoadmin.Info, "DescribeRegion").ResponseElements(&ssoadmin.DescribeRegionResponse{AddedDate: &at})
	if diff := cmp.Diff(map[string]any{"addedDate": "2021-08-05T16:14:24.123Z"}, got); diff != "" {
		t.Error(diff)
	}
	got = operation(t, &sallyport.Info, "InviteUser").ResponseElements(&sallyport.InviteUserResponse{Link: ptr("https://x"), SentTo: ptr("j@example.com"), ExpiresAt: at})
	if diff := cmp.Diff(map[string]any{"link": awsapi.Hidden, "sentTo": awsapi.Hidden, "expiresAt": "2021-08-05T16:14:24.123Z"}, got); diff != "" {
		t.Error(diff)
	}
	if got := operation(t, &sso.Info, "Logout").ResponseElements(&sso.LogoutResponse{}); got != nil {
		t.Errorf("Logout: %v", got)
	}
}

// TestLogsHideSecrets: whatever way a value gets into a log line, as itself, by pointer or inside a bigger one.
func TestLogsHideSecrets(t *testing.T) {
	t.Parallel()
	credentials := sso.RoleCredentials{AccessKeyId: ptr("ASIA"), SecretAccessKey: ptr("top-secret")}
	var buf bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&buf, nil))
	log.Info("x", "value", credentials, "pointer", &credentials, "bigger", &sso.GetRoleCredentialsResponse{RoleCredentials: &credentials})
	log.Info("y", "in", &ssooidc.CreateTokenRequest{ClientSecret: "top-secret"}, "context", sts.TrustedIdentityPropagationContext{OriginIdentity: &sts.OriginIdentity{FederatedProviderArn: ptr("top-secret")}})
	log.Info("z", "password", &sallyport.CreateOneTimePasswordResponse{OneTimePassword: "top-secret"}, "key", sallyport.CreateOperatorKeyResponse{SecretAccessKey: "top-secret"})
	if s := buf.String(); strings.Contains(s, "top-secret") || strings.Count(s, awsapi.Hidden) != 7 || !strings.Contains(s, "ASIA") {
		t.Error(s)
	}
}

func TestResourceARNs(t *testing.T) {
	t.Parallel()
	const (
		set   = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"
		store = "arn:aws:identitystore::111122223333:identitystore/" + storeID
		user  = "arn:aws:identitystore:::user/" + userID
		group = "arn:aws:identitystore:::group/"
	)
	vars := map[string]string{"Account": "111122223333"}
	for _, c := range []struct {
		service *awsapi.Service
		op      string
		in      any
		want    []string
	}{
		{
			&ssoadmin.Info, "CreateAccountAssignment",
			&ssoadmin.CreateAccountAssignmentRequest{InstanceArn: instance, PermissionSetArn: set, TargetId: "123456789012"},
			[]string{instance, set, "arn:aws:sso:::account/123456789012"},
		},
		{
			&ssoadmin.Info, "ProvisionPermissionSet",
			&ssoadmin.ProvisionPermissionSetRequest{InstanceArn: instance, PermissionSetArn: set},
			[]string{instance, set, "arn:aws:sso:::account/*"},
		},
		{
			&ssoadmin.Info, "CreatePermissionSet", &ssoadmin.CreatePermissionSetRequest{InstanceArn: instance},
			[]string{instance, "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/*"},
		},
		{&ssoadmin.Info, "TagResource", &ssoadmin.TagResourceRequest{ResourceArn: set}, []string{set}},
		{&ssoadmin.Info, "ListInstances", &ssoadmin.ListInstancesRequest{}, []string{"*"}},
		{&identitystore.Info, "DescribeUser", &identitystore.DescribeUserRequest{IdentityStoreId: storeID, UserId: userID}, []string{user, store}},
		{
			&identitystore.Info, "IsMemberInGroups",
			&identitystore.IsMemberInGroupsRequest{IdentityStoreId: storeID, GroupIds: []string{"g1", "g2"}, MemberId: identitystore.MemberId{UserId: ptr(userID)}},
			[]string{"arn:aws:identitystore:::membership/*", group + "g1", group + "g2", user, store},
		},
		{&identitystore.Info, "DescribeIdentityStore", &identitystore.DescribeIdentityStoreRequest{IdentityStoreId: store}, []string{store}},
		{ // what a request gives is not a template
			&identitystore.Info, "DescribeUser",
			&identitystore.DescribeUserRequest{IdentityStoreId: "${Account}", UserId: "${IdentityStoreId}"},
			[]string{"arn:aws:identitystore:::user/${IdentityStoreId}", "arn:aws:identitystore::111122223333:identitystore/${Account}"},
		},
		{&sallyport.Info, "RenameMfaDevice", &sallyport.RenameMfaDeviceRequest{UserId: userID, DeviceId: "d"}, []string{user}},
		{&sallyport.Info, "ListSessions", &sallyport.ListSessionsRequest{}, []string{"arn:aws:identitystore:::user/*"}},
		{&sallyport.Info, "EndMySession", &sallyport.EndMySessionRequest{SessionId: "s"}, []string{"arn:aws:sallyport::111122223333:session/s"}},
		{&sallyport.Info, "PutPermissionSetStepUp", &sallyport.PutPermissionSetStepUpRequest{InstanceArn: instance, PermissionSetArn: set}, []string{instance, set}},
		{&sallyport.Info, "EndAllSessions", &sallyport.EndAllSessionsRequest{}, []string{"*"}},
		{&sts.Info, "GetFederationToken", &sts.GetFederationTokenRequest{Name: "bob"}, []string{"arn:aws:sts::111122223333:federated-user/bob"}},
	} {
		got := operation(t, c.service, c.op).ResourceARNs(c.in, vars)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.op, diff)
		}
	}
}
