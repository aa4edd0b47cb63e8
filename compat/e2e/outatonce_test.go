package e2e

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/sso/types"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	oidctypes "github.com/aws/aws-sdk-go-v2/service/ssooidc/types"
)

// TestDisabledIsOut: whoever is disabled is out everywhere at once, and being enabled again brings nothing of it back (cases
// S14 and S29).
func TestDisabledIsOut(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	s.grant("Leaving", sampleAccount, who)
	b := newBrowser(t)
	client, tokens := b.letIn(s, who)
	b.open(s.PortalURL)
	shown := b.showCredentials(sampleAccount)
	if err := s.use(shown); err != nil {
		t.Fatal(err)
	}
	portal := sso.NewFromConfig(s.config())
	for _, state := range []string{"disable", "enable"} {
		s.cli("users", state, who.UserName)
		_, err := portal.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: tokens.AccessToken})
		want[*ssotypes.UnauthorizedException](t, err)
		_, err = client.oidc.CreateToken(t.Context(), &ssooidc.CreateTokenInput{
			ClientId: client.id.ClientId, ClientSecret: client.id.ClientSecret, GrantType: aws.String("refresh_token"), RefreshToken: tokens.RefreshToken,
		})
		want[*oidctypes.InvalidGrantException](t, err)
		if err := s.use(shown); code(err) != "ExpiredToken" {
			t.Errorf("%sd: credentials: %v", state, err)
		}
		if b.open(s.PortalURL); !b.has(`form[action="/signin/username"]`) {
			t.Errorf("%sd: the browser is at\n%s", state, b.text())
		}
	}
	b.signIn(s.PortalURL, who)
	b.expect("Signed in as " + who.UserName)
}

// TestPortalTellsNothing: an account, a role and a grant that are not there are one answer, and no token is another (case S33).
func TestPortalTellsNothing(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	s.grant("Mine", sampleAccount, s.Users[0])
	s.grant("Theirs", sampleAccount, s.newcomer())
	_, tokens := newBrowser(t).letIn(s, s.Users[0])
	token := *tokens.AccessToken
	v := s.visit(t)
	ask := func(bearer, account, role string) reply {
		r := v.send(http.MethodGet, "/federation/credentials?account_id="+account+"&role_name="+role, "", func(h http.Header) { h.Set("x-amz-sso_bearer_token", bearer) })
		for _, name := range []string{"Date", "X-Amzn-Requestid", "Content-Length"} {
			r.header.Del(name)
		}
		return r
	}
	if r := ask(token, sampleAccount, "Mine"); r.status != http.StatusOK {
		t.Fatalf("credentials: %d %s", r.status, r.body)
	}
	none := ask(token, sampleAccount, "Nowhere")
	if none.status != http.StatusForbidden || none.header.Get("X-Amzn-Errortype") != "ForbiddenException" {
		t.Errorf("an unknown role: %d %v %s", none.status, none.header, none.body)
	}
	for name, r := range map[string]reply{
		"another's role": ask(token, sampleAccount, "Theirs"), "another account": ask(token, "444455556666", "Mine"), "no account": ask(token, "123456789012", "Mine"),
	} {
		if r.status != none.status || r.body != none.body || r.header.Get("X-Amzn-Errortype") != none.header.Get("X-Amzn-Errortype") {
			t.Errorf("%s is answered %d %s, an unknown role %d %s", name, r.status, r.body, none.status, none.body)
		}
	}
	nobody := ask("", sampleAccount, "Mine")
	for _, bearer := range []string{"garbage", token + "x", token[:len(token)-1], "\u00fc"} {
		if r := ask(bearer, sampleAccount, "Mine"); r.status != http.StatusUnauthorized || r.body != nobody.body {
			t.Errorf("the token %.10q is answered %d %s, none %d %s", bearer, r.status, r.body, nobody.status, nobody.body)
		}
	}
}
