package sallyport_test

import (
	"strings"
	"testing"
	"time"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/store"
)

// TestSCIM: a source has two tokens at most, which are shown once and kept as hashes, and goes only without any.
func TestSCIM(t *testing.T) {
	w := newWorld(t)
	source := must[api.CreateScimTenantResponse](w, &api.CreateScimTenantRequest{Name: "okta"}).ScimTenant
	fails(w, &api.CreateScimTenantRequest{Name: "okta"}, "ConflictException")
	id := source.TenantId
	if !strings.HasSuffix(source.Endpoint, "/"+id+"/scim/v2") || len(id) != 39 {
		t.Errorf("endpoint %s", source.Endpoint)
	}
	first := must[api.CreateScimTokenResponse](w, &api.CreateScimTokenRequest{TenantId: id, Networks: []string{"192.0.2.0/24"}})
	second := must[api.CreateScimTokenResponse](w, &api.CreateScimTokenRequest{TenantId: id})
	if first.BearerToken == second.BearerToken || first.ScimToken.ExpiresAt.Sub(w.clock.Now()) != 365*24*time.Hour || first.ScimToken.Dialect != api.ScimDialectStrict {
		t.Errorf("tokens %+v, %+v", first, second)
	}
	w.update(func(tx *store.Tx) error {
		kept, err := tx.SCIMTokens(id)
		for _, k := range kept {
			if k.Hash == first.BearerToken || k.Hash == "" {
				t.Error("a token is kept as it is")
			}
		}
		return err
	})
	fails(w, &api.DeleteScimTenantRequest{TenantId: id}, "ConflictException")
	complete := api.ScimDialectComplete
	for _, change := range []*api.UpdateScimTokenRequest{{Dialect: &complete}, {Networks: []string{}}} { // what is not said stays
		change.TenantId, change.TokenId = id, second.ScimToken.TokenId
		if d := must[api.UpdateScimTokenResponse](w, change).ScimToken.Dialect; d != api.ScimDialectComplete {
			t.Errorf("dialect %s", d)
		}
	}
	other := api.ScimDialect("OTHER")
	fails(w, &api.UpdateScimTokenRequest{TenantId: id, TokenId: first.ScimToken.TokenId, Dialect: &other}, "ValidationException")
	fails(w, &api.UpdateScimTokenRequest{TenantId: id, TokenId: first.ScimToken.TokenId, Networks: []string{"192.0.2.1/24"}}, "ValidationException")
	out := must[api.UpdateScimTokenResponse](w, &api.UpdateScimTokenRequest{TenantId: id, TokenId: first.ScimToken.TokenId, Networks: []string{"2001:db8::/32"}})
	if len(out.ScimToken.Networks) != 1 || out.ScimToken.Networks[0] != "2001:db8::/32" {
		t.Errorf("networks %v", out.ScimToken.Networks)
	}
	const nobody = "00000000000-0000-0000-0000-000000000000"
	fails(w, &api.CreateScimTokenRequest{TenantId: nobody}, notFound)
	fails(w, &api.ListScimTokensRequest{TenantId: nobody}, notFound)
	fails(w, &api.DeleteScimTokenRequest{TenantId: id, TokenId: "00000000-0000-0000-0000-000000000000"}, notFound)
	for _, k := range must[api.ListScimTokensResponse](w, &api.ListScimTokensRequest{TenantId: id}).ScimTokens {
		must[api.DeleteScimTokenResponse](w, &api.DeleteScimTokenRequest{TenantId: id, TokenId: k.TokenId})
	}
	must[api.DeleteScimTenantResponse](w, &api.DeleteScimTenantRequest{TenantId: id})
	if left := must[api.ListScimTenantsResponse](w, &api.ListScimTenantsRequest{}).ScimTenants; len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}
