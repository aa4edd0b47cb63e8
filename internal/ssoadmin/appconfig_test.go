package ssoadmin_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/application"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/ssoadmin/admintest"
)

func TestAccessScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.application("App")
	put := func(name string, targets ...string) *api.PutApplicationAccessScopeRequest {
		return &api.PutApplicationAccessScopeRequest{ApplicationArn: app, Scope: name, AuthorizedTargets: targets}
	}
	for n := range 25 {
		admintest.Must[api.PutApplicationAccessScopeResponse](t, w.World, put(fmt.Sprintf("s%02d:read", n)))
	}
	admintest.Fails[api.PutApplicationAccessScopeResponse](t, w.World, put("more"), "ConflictException")
	admintest.Must[api.PutApplicationAccessScopeResponse](t, w.World, put("s00:read", app, w.instance))
	admintest.Fails[api.PutApplicationAccessScopeResponse](t, w.World, put("s00:read", "arn:aws:sso:::instance/ssoins-0000000000000000"), "ValidationException")
	got := admintest.Must[api.GetApplicationAccessScopeResponse](t, w.World, &api.GetApplicationAccessScopeRequest{ApplicationArn: app, Scope: "s00:read"})
	if d := cmp.Diff([]string{app, w.instance}, got.AuthorizedTargets); d != "" {
		t.Error(d)
	}
	var names []string
	in := &api.ListApplicationAccessScopesRequest{ApplicationArn: app}
	for pages := 1; ; pages++ {
		out := admintest.Must[api.ListApplicationAccessScopesResponse](t, w.World, in)
		for _, s := range out.Scopes {
			names = append(names, s.Scope)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			if len(names) != 25 || pages != 3 || names[24] != "s24:read" {
				t.Errorf("%d pages: %v", pages, names)
			}
			break
		}
	}
	for range 2 {
		admintest.Must[api.DeleteApplicationAccessScopeResponse](t, w.World, &api.DeleteApplicationAccessScopeRequest{ApplicationArn: app, Scope: "s00:read"})
	}
	admintest.Fails[api.GetApplicationAccessScopeResponse](t, w.World, &api.GetApplicationAccessScopeRequest{ApplicationArn: app, Scope: "s00:read"}, "ResourceNotFoundException")
}

func TestAuthenticationMethod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.application("App")
	get := &api.GetApplicationAuthenticationMethodRequest{ApplicationArn: app, AuthenticationMethodType: api.AuthenticationMethodTypeIam}
	put := func(policy string) *api.PutApplicationAuthenticationMethodRequest {
		return &api.PutApplicationAuthenticationMethodRequest{
			ApplicationArn: app, AuthenticationMethodType: api.AuthenticationMethodTypeIam,
			AuthenticationMethod: api.AuthenticationMethod{Iam: &api.IamAuthenticationMethod{ActorPolicy: json.RawMessage(policy)}},
		}
	}
	listed := func(want int) {
		t.Helper()
		out := admintest.Must[api.ListApplicationAuthenticationMethodsResponse](t, w.World, &api.ListApplicationAuthenticationMethodsRequest{ApplicationArn: app})
		if len(out.AuthenticationMethods) != want {
			t.Errorf("%d methods, want %d", len(out.AuthenticationMethods), want)
		}
	}
	listed(0)
	admintest.Fails[api.GetApplicationAuthenticationMethodResponse](t, w.World, get, "ResourceNotFoundException")
	good := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sso-oauth:CreateTokenWithIAM","Resource":"*"}]}`
	admintest.Must[api.PutApplicationAuthenticationMethodResponse](t, w.World, put(good))
	for _, bad := range []string{`{}`, `[]`, `{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Principal":"*","Action":"*","Resource":"*"}]}`} {
		admintest.Fails[api.PutApplicationAuthenticationMethodResponse](t, w.World, put(bad), "ValidationException")
	}
	got := admintest.Must[api.GetApplicationAuthenticationMethodResponse](t, w.World, get).AuthenticationMethod.Iam.ActorPolicy
	var was, is any
	if err := json.Unmarshal(got, &is); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(good), &was); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(was, is); d != "" {
		t.Error(d)
	}
	listed(1)
	for range 2 {
		admintest.Must[api.DeleteApplicationAuthenticationMethodResponse](t, w.World, &api.DeleteApplicationAuthenticationMethodRequest{ApplicationArn: app, AuthenticationMethodType: api.AuthenticationMethodTypeIam})
	}
	listed(0)
}

func TestSessionConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.application("App")
	is := func(want api.UserBackgroundSessionApplicationStatus) {
		t.Helper()
		out := admintest.Must[api.GetApplicationSessionConfigurationResponse](t, w.World, &api.GetApplicationSessionConfigurationRequest{ApplicationArn: app})
		if *out.UserBackgroundSessionApplicationStatus != want {
			t.Errorf("it is %s, want %s", *out.UserBackgroundSessionApplicationStatus, want)
		}
	}
	is(api.UserBackgroundSessionApplicationStatusDisabled)
	admintest.Must[api.PutApplicationSessionConfigurationResponse](t, w.World, &api.PutApplicationSessionConfigurationRequest{
		ApplicationArn: app, UserBackgroundSessionApplicationStatus: new(api.UserBackgroundSessionApplicationStatusEnabled),
	})
	is(api.UserBackgroundSessionApplicationStatusEnabled)
	admintest.Must[api.PutApplicationSessionConfigurationResponse](t, w.World, &api.PutApplicationSessionConfigurationRequest{ApplicationArn: app})
	is(api.UserBackgroundSessionApplicationStatusEnabled)
}

func TestGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.application("App")
	issuer := w.issuer("Issuer", "https://issuer.example.test")
	grants := map[api.GrantType]api.Grant{
		application.AuthorizationCode: {AuthorizationCode: &api.AuthorizationCodeGrant{RedirectUris: []string{"https://app.example.test/cb", "http://127.0.0.1:8080/cb"}}},
		application.RefreshToken:      {RefreshToken: &api.RefreshTokenGrant{}},
		application.TokenExchange:     {TokenExchange: &api.TokenExchangeGrant{}},
		application.JWTBearer: {JwtBearer: &api.JwtBearerGrant{AuthorizedTokenIssuers: []api.AuthorizedTokenIssuer{
			{TrustedTokenIssuerArn: &issuer, AuthorizedAudiences: []string{"aud-1", "aud-2"}},
		}}},
	}
	for kind, g := range grants {
		admintest.Fails[api.GetApplicationGrantResponse](t, w.World, &api.GetApplicationGrantRequest{ApplicationArn: app, GrantType: kind}, "ResourceNotFoundException")
		admintest.Must[api.PutApplicationGrantResponse](t, w.World, &api.PutApplicationGrantRequest{ApplicationArn: app, GrantType: kind, Grant: g})
		got := admintest.Must[api.GetApplicationGrantResponse](t, w.World, &api.GetApplicationGrantRequest{ApplicationArn: app, GrantType: kind}).Grant
		if d := cmp.Diff(g, got); d != "" {
			t.Error(d)
		}
	}
	all := admintest.Must[api.ListApplicationGrantsResponse](t, w.World, &api.ListApplicationGrantsRequest{ApplicationArn: app}).Grants
	if len(all) != 4 || cmp.Diff(grants[all[3].GrantType], all[3].Grant) != "" {
		t.Errorf("the grants are %+v", all)
	}
	unknown := "arn:aws:sso::999900000001:trustedTokenIssuer/ssoins-1234567890abcdef/tti-00000000-0000-0000-0000-000000000000"
	for name, c := range map[string]struct {
		kind api.GrantType
		g    api.Grant
		code string
	}{
		"another type":   {application.RefreshToken, grants[application.TokenExchange], "ValidationException"},
		"no URI":         {application.AuthorizationCode, api.Grant{AuthorizationCode: &api.AuthorizationCodeGrant{RedirectUris: []string{"app"}}}, "ValidationException"},
		"fragment":       {application.AuthorizationCode, api.Grant{AuthorizationCode: &api.AuthorizationCodeGrant{RedirectUris: []string{"https://a.test/#x"}}}, "ValidationException"},
		"unknown issuer": {application.JWTBearer, api.Grant{JwtBearer: &api.JwtBearerGrant{AuthorizedTokenIssuers: []api.AuthorizedTokenIssuer{{TrustedTokenIssuerArn: &unknown, AuthorizedAudiences: []string{"a"}}}}}, "ResourceNotFoundException"},
		"nothing in it":  {application.RefreshToken, api.Grant{}, "ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			admintest.Fails[api.PutApplicationGrantResponse](t, w.World, &api.PutApplicationGrantRequest{ApplicationArn: app, GrantType: c.kind, Grant: c.g}, c.code)
		})
	}
	for range 2 {
		admintest.Must[api.DeleteApplicationGrantResponse](t, w.World, &api.DeleteApplicationGrantRequest{ApplicationArn: app, GrantType: application.RefreshToken})
	}
	if n := len(admintest.Must[api.ListApplicationGrantsResponse](t, w.World, &api.ListApplicationGrantsRequest{ApplicationArn: app}).Grants); n != 3 {
		t.Errorf("%d grants are left", n)
	}
}
