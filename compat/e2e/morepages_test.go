package e2e

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
)

// TestLinkPages looks at the pages that letters lead to.
func TestLinkPages(t *testing.T) {
	t.Parallel()
	s, mailer := startMailed(t, "tls")
	who := s.hire("frieda")
	s.cli("users", "invite", "frieda", "--mail")
	b := newBrowser(t)
	b.open(s.PortalURL)
	b.inspect("user-name-with-mail")
	b.pressText("Forgot your password?")
	b.inspect("forgot")
	b.open(mailer.next(t, who, "Your account", aLink)[0])
	b.inspect("invitation")
	b.pressText("Begin")
	b.enroll(&who)
	b.pressText("Sign out")

	b.open(s.home() + "/signin/forgot")
	b.fill("username", "frieda")
	b.submit("username")
	b.inspect("forgot-sent")
	disown := mailer.next(t, who, "A new sign-in device", aLink)[0]
	b.open(mailer.next(t, who, "Reset your password", aLink)[0])
	b.inspect("reset")

	b.signIn(s.PortalURL, who)
	b.open(s.home() + "/account")
	b.expect("A device was registered")
	b.inspect("account-with-notices")
	b.open(disown)
	b.inspect("disown")
	b.pressText("It was not me")
	b.inspect("disowned")
	b.open(s.PortalURL)
	b.step(who)
	b.step(who)
	b.expect("The user name or the password is not right") // what was disowned is undone
	b.open(disown)
	b.inspect("link-dead")
}

// TestFactorPages looks at the pages that ask for devices of each kind.
func TestFactorPages(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	s.cli("settings", "set", "mfa.mode", "context-aware")
	who := s.Users[0]
	b := newBrowser(t)
	b.plugIn(false)
	b.signIn(s.PortalURL, who)
	b.open(s.home() + "/account")
	b.press(`form[action="/account/add-device"] button`)
	b.inspect("add-another-device")
	b.useKey("Your account")
	b.open(s.home() + "/account")
	b.inspect("account-two-devices")
	b.press(`form[action="/account/password"] button`)
	b.inspect("change-password")
	b.pressText("Cancel")
	b.open(s.PortalURL)
	b.pressText("Sign out")
	b.open(s.PortalURL)
	b.pressText("Sign in with a passkey") // with a key that is good as a second factor only
	b.arrive("Try again.")
	b.inspect("passkey")
	b.pressText("Use a user name")
	b.step(who)
	b.step(who)
	b.expect("only I use")
	b.inspect("second-factor-both")
	b.fill("code", "000000")
	b.submit("code")
	b.inspect("second-factor-wrong")
}

// TestConsentPages looks at the pages on which a person decides about a program, and at what they are told then.
func TestConsentPages(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	client, b := s.ask("A program with quite a long name, made by somebody whom nobody knows"), newBrowser(t)
	b.open(*client.from.VerificationUriComplete)
	b.consent(s.Users[0])
	b.inspect("consent-device")
	b.press(`button[value="deny"]`)
	b.inspect("denied")
	client.again()
	b.open(*client.from.VerificationUriComplete)
	b.press(approve)
	b.inspect("allowed")
	b.open(*client.from.VerificationUriComplete)
	b.expect("decided on already")
	b.inspect("device-wrong-code")

	const back = "http://127.0.0.1:4000/oauth/callback"
	code, err := ssooidc.NewFromConfig(s.config()).RegisterClient(t.Context(), &ssooidc.RegisterClientInput{
		ClientName: aws.String("cli"), ClientType: aws.String("public"), Scopes: []string{"sso:account:access"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, RedirectUris: []string{strings.Replace(back, ":4000", "", 1)}, IssuerUrl: &s.StartURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{
		"response_type": {"code"}, "client_id": {*code.ClientId}, "redirect_uri": {back}, "state": {"s"}, "scopes": {"sso:account:access"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
	}
	b.open(s.home() + "/authorize?" + query.Encode())
	b.expect("127.0.0.1:4000, on this computer")
	b.inspect("consent-code")
	query.Set("redirect_uri", "https://evil.test/")
	b.open(s.home() + "/authorize?" + query.Encode())
	b.inspect("consent-refused")
}
