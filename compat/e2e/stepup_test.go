package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
)

// deviceClient is a client that asks for a person's approval by device code.
type deviceClient struct {
	*server
	oidc *ssooidc.Client
	id   *ssooidc.RegisterClientOutput
	from *ssooidc.StartDeviceAuthorizationOutput
}

// ask registers a client of a name and has it begin.
func (s *server) ask(name string, change ...func(*aws.Config)) *deviceClient {
	s.tb.Helper()
	config := s.config()
	for _, f := range change {
		f(&config)
	}
	c := &deviceClient{server: s, oidc: ssooidc.NewFromConfig(config)}
	var err error
	c.id, err = c.oidc.RegisterClient(s.tb.Context(), &ssooidc.RegisterClientInput{
		ClientName: &name, ClientType: aws.String("public"), Scopes: []string{"sso:account:access"},
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	c.again()
	return c
}

// again has the client begin once more.
func (c *deviceClient) again() {
	c.tb.Helper()
	var err error
	c.from, err = c.oidc.StartDeviceAuthorization(c.tb.Context(), &ssooidc.StartDeviceAuthorizationInput{
		ClientId: c.id.ClientId, ClientSecret: c.id.ClientSecret, StartUrl: &c.StartURL,
	})
	if err != nil {
		c.tb.Fatal(err)
	}
}

// token asks for the token.
func (c *deviceClient) token() (string, error) {
	out, err := c.tokens()
	if err != nil {
		return "", err
	}
	return *out.AccessToken, nil
}

// tokens asks for the token and what comes with it.
func (c *deviceClient) tokens() (*ssooidc.CreateTokenOutput, error) {
	return pollUnhurried(c.tb.Context(), c.oidc, &ssooidc.CreateTokenInput{
		ClientId: c.id.ClientId, ClientSecret: c.id.ClientSecret, DeviceCode: c.from.DeviceCode,
		GrantType: aws.String("urn:ietf:params:oauth:grant-type:device_code"),
	}, time.Duration(c.from.Interval)*time.Second)
}

// letIn has the person sign in and approve a client by device code.
func (b *browser) letIn(s *server, who person) (*deviceClient, *ssooidc.CreateTokenOutput) {
	b.tb.Helper()
	client := s.ask("cli")
	b.open(*client.from.VerificationUriComplete)
	b.consent(who)
	b.press(approve)
	tokens, err := client.tokens()
	if err != nil {
		b.tb.Fatal(err)
	}
	return client, tokens
}

// TestStepUp: a permission set that asks for a recent second factor. Whoever has none is told what to do, does it, and repeats
// the command.
func TestStepUp(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	s.grant("Careful", sampleAccount, who)
	s.grant("Careless", sampleAccount, who)
	s.cli("settings", "set", "mfa.mode", "off") // so that this session's second factor is never
	b := newBrowser(t)
	_, tokens := b.letIn(s, who)
	u := newAWSUser(t, "AWS_ENDPOINT_URL="+s.Endpoint, "AWS_REGION="+s.Region)
	command := func(role string) []string {
		return []string{"sso", "get-role-credentials", "--access-token", *tokens.AccessToken, "--account-id", sampleAccount, "--role-name", role}
	}
	u.aws(nil, command("Careful")...)

	if said := s.cli("step-up", "set", "Careful", "5"); !strings.Contains(said, "5 minutes") {
		t.Errorf("step-up set prints %q", said)
	}
	_, err := u.try(command("Careful")...)
	if err == nil || !strings.Contains(err.Error(), "second factor") || !strings.Contains(err.Error(), s.home()+"/confirm") {
		t.Fatalf("the command is answered: %v", err)
	}
	u.aws(nil, command("Careless")...)
	b.open(s.PortalURL)
	b.pressText(sampleAccount)
	b.press(`button[aria-label="Show credentials of Careful"]`)
	b.expect("second factor")
	b.expect("Careful wants a second factor")
	b.inspect("step-up-refused")
	b.press(`form[action="/account/confirm"] button`)
	b.giveCode(who.Secret)
	b.press(`button[aria-label="Show credentials of Careful"]`) // back where it was wanted
	b.expect("Valid until")
	u.aws(nil, command("Careful")...)
}
