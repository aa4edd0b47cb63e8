package awsapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/awsapi/sts"
)

const requestID = "11111111-2222-3333-4444-555555555555"

func readOK(t *testing.T, s *awsapi.Service, o *awsapi.OperationMeta, body string) (any, error) {
	t.Helper()
	return s.ReadResult(o, &http.Response{StatusCode: http.StatusOK, Header: http.Header{}}, []byte(body))
}

func result(t *testing.T, s *awsapi.Service, op string, out any) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.WriteResult(w, operation(t, s, op), out, requestID)
	if got := w.Header().Get("x-amzn-RequestId"); got != requestID {
		t.Errorf("%s: request ID %q", op, got)
	}
	return w
}

func ptr[T any](v T) *T { return &v }

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1628180064123)
	for _, c := range []struct {
		service *awsapi.Service
		op      string
		out     any
		want    string
	}{
		{&ssoadmin.Info, "DescribeRegion", &ssoadmin.DescribeRegionResponse{AddedDate: &at, IsPrimaryRegion: ptr(false)}, `{"AddedDate":1628180064.123,"IsPrimaryRegion":false}`},
		{&ssoadmin.Info, "DescribeRegion", &ssoadmin.DescribeRegionResponse{AddedDate: ptr(time.Unix(2e9, 999))}, `{"AddedDate":2000000000}`},
		{&ssoadmin.Info, "ListInstances", &ssoadmin.ListInstancesResponse{}, `{}`},
		{&ssoadmin.Info, "ListInstances", &ssoadmin.ListInstancesResponse{Instances: []ssoadmin.InstanceMetadata{}}, `{"Instances":[]}`},
		{&ssoadmin.Info, "ListApplicationGrants", &ssoadmin.ListApplicationGrantsResponse{}, `{"Grants":[]}`},
		{
			&ssoadmin.Info, "GetApplicationGrant",
			&ssoadmin.GetApplicationGrantResponse{Grant: ssoadmin.Grant{RefreshToken: &ssoadmin.RefreshTokenGrant{}}},
			`{"Grant":{"RefreshToken":{}}}`,
		},
		{
			&ssoadmin.Info, "GetApplicationAuthenticationMethod",
			&ssoadmin.GetApplicationAuthenticationMethodResponse{AuthenticationMethod: &ssoadmin.AuthenticationMethod{
				Iam: &ssoadmin.IamAuthenticationMethod{ActorPolicy: json.RawMessage(`{"a":1}`)},
			}},
			`{"AuthenticationMethod":{"Iam":{"ActorPolicy":{"a":1}}}}`,
		},
		{&ssoadmin.Info, "DeleteApplicationGrant", &ssoadmin.DeleteApplicationGrantResponse{}, `{}`},
		{&ssoadmin.Info, "GetInlinePolicyForPermissionSet", &ssoadmin.GetInlinePolicyForPermissionSetResponse{InlinePolicy: ptr("<\"\\\n\t\x01é\xff>&")}, `{"InlinePolicy":"<\"\\\n\t\u0001é�>&"}`},
		{&sso.Info, "GetRoleCredentials", &sso.GetRoleCredentialsResponse{RoleCredentials: &sso.RoleCredentials{Expiration: ptr(int64(1628180064123))}}, `{"roleCredentials":{"expiration":1628180064123}}`},
		{&ssooidc.Info, "CreateToken", &ssooidc.CreateTokenResponse{AccessToken: ptr("a"), ExpiresIn: ptr(int32(28800))}, `{"accessToken":"a","expiresIn":28800}`},
	} {
		w := result(t, c.service, c.op, c.out)
		if got := w.Body.String(); got != c.want || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %s\nwant %s", c.op, got, c.want)
		}
	}
	if got := result(t, &ssoadmin.Info, "ListInstances", &ssoadmin.ListInstancesResponse{}).Header().Get("Content-Type"); got != "application/x-amz-json-1.1" {
		t.Errorf("Content-Type %q", got)
	}
	if w := result(t, &sso.Info, "Logout", &sso.LogoutResponse{}); w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" || w.Code != 200 {
		t.Errorf("Logout: %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// Strings are looked at eight bytes at a time; a byte that needs escaping may stand anywhere among them, beside any other.
func TestStringsAreEscapedEverywhere(t *testing.T) {
	t.Parallel()
	special := []rune{0, 1, '\t', '\n', 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 0x7f, 'é', '☃'}
	for at := range 17 {
		for _, one := range special {
			for _, two := range special {
				want := strings.Repeat("a", at) + string(one) + string(two) + strings.Repeat("a", 17-at)
				body := result(t, &ssoadmin.Info, "GetInlinePolicyForPermissionSet", &ssoadmin.GetInlinePolicyForPermissionSetResponse{InlinePolicy: &want}).Body
				var got struct{ InlinePolicy string }
				if err := json.Unmarshal(body.Bytes(), &got); err != nil || got.InlinePolicy != want {
					t.Fatalf("%q at %d: %s: %v", []rune{one, two}, at, body, err)
				}
			}
		}
	}
}

func TestWriteXML(t *testing.T) {
	t.Parallel()
	const end = "<ResponseMetadata><RequestId>" + requestID + "</RequestId></ResponseMetadata>"
	w := result(t, &sts.Info, "GetCallerIdentity", &sts.GetCallerIdentityResponse{Account: ptr("123456789012"), UserId: ptr("<&>")})
	want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
		`<Account>123456789012</Account><UserId>&lt;&amp;&gt;</UserId></GetCallerIdentityResult>` + end + `</GetCallerIdentityResponse>`
	if got := w.Body.String(); got != want || w.Header().Get("Content-Type") != "text/xml" {
		t.Errorf("%s %s\nwant %s", w.Header().Get("Content-Type"), got, want)
	}
	w = result(t, &sts.Info, "GetSessionToken", &sts.GetSessionTokenResponse{Credentials: &sts.Credentials{Expiration: time.Unix(946684800, 5e8)}})
	if !strings.Contains(w.Body.String(), "<Expiration>2000-01-01T00:00:00Z</Expiration>") {
		t.Errorf("%s", w.Body)
	}
	w = result(t, &sts.Info, "GetCallerIdentity", &sts.GetCallerIdentityResponse{})
	if !strings.Contains(w.Body.String(), "<GetCallerIdentityResult></GetCallerIdentityResult>") { // clients want the wrapper even so
		t.Errorf("%s", w.Body)
	}
	w = result(t, &sts.Info, "AssumeRoleWithSAML", &sts.AssumeRoleWithSAMLResponse{TrustedIdentityPropagationContext: &sts.TrustedIdentityPropagationContext{
		TransactionContext: &sts.TransactionContext{IdentityProvider: map[string]string{"b": "2", "a": "1"}},
	}})
	if !strings.Contains(w.Body.String(), "<IdentityProvider><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></IdentityProvider>") {
		t.Errorf("%s", w.Body)
	}
}

func TestOperationName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		service                         *awsapi.Service
		method, url, target, body, want string
	}{
		{&ssoadmin.Info, "POST", "/", "SWBExternalService.ListInstances", "", "ListInstances"},
		{&ssoadmin.Info, "GET", "/", "SWBExternalService.ListInstances", "", ""},
		{&ssoadmin.Info, "POST", "/", "AWSIdentityStore.ListUsers", "", ""},
		{&ssoadmin.Info, "POST", "/", "SWBExternalService.listInstances", "", ""},
		{&ssoadmin.Info, "POST", "/", "SWBExternalService.", "", ""},
		{&ssoadmin.Info, "POST", "/", "ListInstances", "", ""},
		{&ssoadmin.Info, "POST", "/", "", "", ""},
		{&identitystore.Info, "POST", "/", "AWSIdentityStore.ListUsers", "", "ListUsers"},
		{&cloudtrail.Info, "POST", "/", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", "", "LookupEvents"},
		{&cloudtrail.Info, "POST", "/", "CloudTrail_20131101.LookupEvents", "", "LookupEvents"},
		{&cloudtrail.Info, "POST", "/", "Trail_20131101.LookupEvents", "", ""},
		{&cloudtrail.Info, "POST", "/", ".LookupEvents", "", ""},
		{&sso.Info, "GET", "/federation/credentials?role_name=x", "", "", "GetRoleCredentials"},
		{&sso.Info, "POST", "/federation/credentials", "", "", ""},
		{&sso.Info, "GET", "/federation/credentials/", "", "", ""},
		{&ssooidc.Info, "POST", "/token", "", "", "CreateToken"},
		{&ssooidc.Info, "POST", "/token?aws_iam=t", "", "", "CreateTokenWithIAM"},
		{&ssooidc.Info, "POST", "/token?aws_iam=f", "", "", "CreateToken"},
		{&sts.Info, "POST", "/", "", "Action=GetCallerIdentity&Version=2011-06-15", "GetCallerIdentity"},
		{&sts.Info, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", "", "", "GetCallerIdentity"},
		{&sts.Info, "POST", "/", "", "Action=GetCallerIdentity&Version=2010-05-08", ""},
		{&sts.Info, "POST", "/", "", "Action=ListUsers&Version=2011-06-15", ""},
		{&sts.Info, "POST", "/", "", "", ""},
	} {
		r := httptest.NewRequest(c.method, c.url, nil)
		r.Header.Set("X-Amz-Target", c.target)
		got, err := c.service.OperationName(r, []byte(c.body))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %s %s %s: %q, %v; want %q", c.method, c.url, c.target, c.body, got, err, c.want)
		}
	}
}

// BenchmarkWriteResult is the answer that is given most often, and the largest that is common.
func BenchmarkWriteResult(b *testing.B) {
	credentials := &sso.GetRoleCredentialsResponse{RoleCredentials: &sso.RoleCredentials{
		AccessKeyId: ptr("ASIAQ3EGR3LJ7EXAMPLE"), SecretAccessKey: ptr(strings.Repeat("s", 40)),
		SessionToken: ptr(strings.Repeat("t", 600)), Expiration: ptr(int64(1628180064123)),
	}}
	users := &identitystore.ListUsersResponse{}
	for range 100 {
		users.Users = append(users.Users, identitystore.User{UserId: userID, IdentityStoreId: storeID, UserName: ptr("somebody@example.com"), DisplayName: ptr("Some Body")})
	}
	b.Run("GetRoleCredentials", func(b *testing.B) { benchmarkWrite(b, &sso.Info, "GetRoleCredentials", credentials) })
	b.Run("ListUsers", func(b *testing.B) { benchmarkWrite(b, &identitystore.Info, "ListUsers", users) })
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header       { return d.h }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func benchmarkWrite(b *testing.B, s *awsapi.Service, op string, out any) {
	o := operation(b, s, op)
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		s.WriteResult(w, o, out, requestID)
	}
}

func BenchmarkDecodeRequest(b *testing.B) {
	r := httptest.NewRequest("GET", "/federation/credentials?role_name=Admin&account_id=123456789012", nil)
	r.Header.Set("X-Amz-Sso_bearer_token", strings.Repeat("t", 100))
	b.Run("GetRoleCredentials", func(b *testing.B) {
		o := operation(b, &sso.Info, "GetRoleCredentials")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sso.Info.DecodeRequest(o, r, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	body := []byte(`{"InstanceArn":"` + instance + `","TargetId":"123456789012","TargetType":"AWS_ACCOUNT","PermissionSetArn":"arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef","PrincipalType":"USER","PrincipalId":"` + userID + `"}`)
	b.Run("CreateAccountAssignment", func(b *testing.B) {
		o := operation(b, &ssoadmin.Info, "CreateAccountAssignment")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ssoadmin.Info.DecodeRequest(o, httptest.NewRequest("POST", "/", nil), body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
