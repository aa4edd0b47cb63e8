package ssooidc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
	"sallyport/internal/ssooidc"
)

// TestRates: registrations count by address, tokens by client and all together; who has a client's id alone counts for another.
func TestRates(t *testing.T) {
	t.Parallel()
	from := func(ip string) *endpoint.Call { return &endpoint.Call{Source: endpoint.Source{IP: ip}} }
	rates := func(c *endpoint.Call, in any) []endpoint.Rate { return ssooidc.Rates("", c, in) }
	register := &api.RegisterClientRequest{}
	if diff := cmp.Diff([]endpoint.Rate{{Limit: quota.RegisterRate, Key: "192.0.2.1"}}, rates(from("192.0.2.1"), register)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(rates(from("2001:db8::1"), register), rates(from("2001:db8::2"), register)); diff != "" {
		t.Errorf("one customer's addresses: %s", diff)
	}
	token := rates(from("192.0.2.1"), &api.CreateTokenRequest{ClientId: "c", ClientSecret: "s"})
	if len(token) != 2 || token[0].Limit != quota.ClientTokenRate || token[1] != (endpoint.Rate{Limit: quota.TokenRate}) {
		t.Errorf("token: %+v", token)
	}
	for name, tc := range map[string]struct {
		in   any
		same bool
	}{
		"the same client's other operation": {&api.StartDeviceAuthorizationRequest{ClientId: "c", ClientSecret: "s"}, true},
		"another secret":                    {&api.CreateTokenRequest{ClientId: "c", ClientSecret: "guess"}, false},
		"another client":                    {&api.CreateTokenRequest{ClientId: "d", ClientSecret: "s"}, false},
	} {
		if got := rates(from("198.51.100.9"), tc.in); (got[0] == token[0]) != tc.same {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
