package ssoadmin_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/ssoadmin/admintest"
)

func (w *world) newIssuer(name, url string) *api.CreateTrustedTokenIssuerRequest {
	return &api.CreateTrustedTokenIssuerRequest{
		InstanceArn: w.instance, Name: name, TrustedTokenIssuerType: api.TrustedTokenIssuerTypeOidcJwt,
		TrustedTokenIssuerConfiguration: api.TrustedTokenIssuerConfiguration{OidcJwtConfiguration: &api.OidcJwtConfiguration{
			IssuerUrl: url, ClaimAttributePath: "email", IdentityStoreAttributePath: "emails.value", JwksRetrievalOption: api.JwksRetrievalOptionOpenIdDiscovery,
		}},
	}
}

func (w *world) issuer(name, url string) string {
	w.t.Helper()
	return *admintest.Must[api.CreateTrustedTokenIssuerResponse](w.t, w.World, w.newIssuer(name, url)).TrustedTokenIssuerArn
}

func TestTrustedTokenIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.issuer("Okta", "https://okta.example.test/path")
	admintest.Must[api.UpdateTrustedTokenIssuerResponse](t, w.World, &api.UpdateTrustedTokenIssuerRequest{
		TrustedTokenIssuerArn: id, TrustedTokenIssuerConfiguration: &api.TrustedTokenIssuerUpdateConfiguration{OidcJwtConfiguration: &api.OidcJwtUpdateConfiguration{
			ClaimAttributePath: new("sub"), IdentityStoreAttributePath: new("externalId"),
		}},
	})
	want := w.newIssuer("Okta", "https://okta.example.test/path").TrustedTokenIssuerConfiguration
	want.OidcJwtConfiguration.ClaimAttributePath, want.OidcJwtConfiguration.IdentityStoreAttributePath = "sub", "externalId"
	got := admintest.Must[api.DescribeTrustedTokenIssuerResponse](t, w.World, &api.DescribeTrustedTokenIssuerRequest{TrustedTokenIssuerArn: id})
	if d := cmp.Diff(&want, got.TrustedTokenIssuerConfiguration); d != "" || *got.Name != "Okta" {
		t.Errorf("%s: %s", *got.Name, d)
	}
	for _, in := range []*api.CreateTrustedTokenIssuerRequest{w.newIssuer("Okta", "https://other.example.test"), w.newIssuer("Other", "https://okta.example.test/path")} {
		admintest.Fails[api.CreateTrustedTokenIssuerResponse](t, w.World, in, "ConflictException")
	}
	for _, url := range []string{"https://x.test:8443", "https://x.test/?a=b", "https:///x"} {
		admintest.Fails[api.CreateTrustedTokenIssuerResponse](t, w.World, w.newIssuer("Bad", url), "ValidationException")
	}
	bad := w.newIssuer("Bad", "https://bad.example.test")
	bad.TrustedTokenIssuerConfiguration.OidcJwtConfiguration.IdentityStoreAttributePath = "nickName"
	admintest.Fails[api.CreateTrustedTokenIssuerResponse](t, w.World, bad, "ValidationException")

	other := w.issuer("Other", "https://other.example.test")
	rename := &api.UpdateTrustedTokenIssuerRequest{TrustedTokenIssuerArn: other, Name: new("Okta")}
	admintest.Fails[api.UpdateTrustedTokenIssuerResponse](t, w.World, rename, "ConflictException")
	admintest.Must[api.DeleteTrustedTokenIssuerResponse](t, w.World, &api.DeleteTrustedTokenIssuerRequest{TrustedTokenIssuerArn: id})
	admintest.Must[api.UpdateTrustedTokenIssuerResponse](t, w.World, rename)
	admintest.Fails[api.DescribeTrustedTokenIssuerResponse](t, w.World, &api.DescribeTrustedTokenIssuerRequest{TrustedTokenIssuerArn: id}, "ResourceNotFoundException")
}

func TestIssuersPerInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 10 {
		w.issuer(fmt.Sprintf("I%d", n), fmt.Sprintf("https://i%d.example.test", n))
	}
	admintest.Fails[api.CreateTrustedTokenIssuerResponse](t, w.World, w.newIssuer("More", "https://more.example.test"), "ServiceQuotaExceededException")
	admintest.Fails[api.CreateTrustedTokenIssuerResponse](t, w.World, w.newIssuer("I0", "https://more.example.test"), "ConflictException")
	in := &api.ListTrustedTokenIssuersRequest{InstanceArn: w.instance, MaxResults: new(int32(4))}
	names := map[string]bool{}
	for {
		out := admintest.Must[api.ListTrustedTokenIssuersResponse](t, w.World, in)
		for _, i := range out.TrustedTokenIssuers {
			names[*i.Name] = true
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(names) != 10 {
		t.Errorf("%d issuers are listed", len(names))
	}
}
