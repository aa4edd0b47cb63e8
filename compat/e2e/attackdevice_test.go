package e2e

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	oidctypes "github.com/aws/aws-sdk-go-v2/service/ssooidc/types"
)

// fromAddress has an SDK client call from another address of this machine.
func fromAddress(ip string) func(*aws.Config) {
	return func(c *aws.Config) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
		}}}
	}
}

// TestDevicePhishing: a thief begins a sign-in elsewhere and sends its link to somebody. The page says where it comes from and
// that no name is verified; nothing is approved but by who is signed in, and by a form of ours; who denies has denied.
func TestDevicePhishing(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	thief := s.ask("AWS CLI", fromAddress("127.0.0.2"))
	link, code := *thief.from.VerificationUriComplete, *thief.from.UserCode

	stranger := s.visit(t)
	if r := stranger.post("/device", form("user_code", code, "decision", "approve")); !strings.HasPrefix(r.to, "/signin?next=") {
		t.Errorf("an approval without a session is answered %d %s", r.status, r.said())
	}
	b := newBrowser(t)
	b.open(link)
	if b.shows(code) || b.shows("AWS CLI") || !b.has(`form[action="/signin/username"]`) {
		t.Errorf("before the sign-in the page says\n%s", b.text())
	}
	said := b.consent(who)
	for _, words := range []string{code, "name not verified", "127.0.0.2", "You are at\n127.0.0.1", "another network than yours", "deny it", "Signed in as " + who.UserName} {
		if !strings.Contains(said, words) {
			t.Errorf("the page does not say %q:\n%s", words, said)
		}
	}
	b.inspect("consent-elsewhere")
	b.press(`button[value="deny"]`)
	b.expect("Access denied")
	_, err := thief.token()
	want[*oidctypes.AccessDeniedException](t, err)
	_, err = thief.token()
	want[*oidctypes.ExpiredTokenException](t, err)
	b.open(link)
	b.expect("decided on already")
	_, err = thief.token()
	want[*oidctypes.ExpiredTokenException](t, err)
}

// TestApproverIsPrincipal: a token is the one's who approved, whatever the form says of anybody.
func TestApproverIsPrincipal(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	s.cli("settings", "set", "mfa.mode", "off")
	s.grant("OfAlice", sampleAccount, s.Users[0])
	bob := s.newcomer()
	s.grant("OfBob", sampleAccount, bob)
	v := s.visit(t)
	v.post("/signin/username", form("username", bob.UserName))
	v.post("/signin/password", form("password", bob.Password))
	v.post("/signin/new-password", form("new_password", "Blue-Harbour-41-sails", "confirm_password", "Blue-Harbour-41-sails"))
	v.page("/signin")
	client := s.ask("cli")
	alice := s.Users[0]
	approval := form("user_code", *client.from.UserCode, "decision", "approve", "username", alice.UserName, "user_id", alice.UserID, "UserId", alice.UserID, "principal", alice.UserID)
	if r := v.post("/device?username=alice&user_id="+alice.UserID, approval); !strings.Contains(r.said(), "Access allowed") {
		t.Fatalf("approval: %s", r.said())
	}
	if r := v.post("/device", approval); r.status == http.StatusOK {
		t.Errorf("the code is approved twice: %s", r.said())
	}
	token, err := client.token()
	if err != nil {
		t.Fatal(err)
	}
	roles, err := sso.NewFromConfig(s.config()).ListAccountRoles(t.Context(), &sso.ListAccountRolesInput{AccessToken: &token, AccountId: aws.String(sampleAccount)})
	if err != nil || len(roles.RoleList) != 1 || *roles.RoleList[0].RoleName != "OfBob" {
		t.Errorf("the token reaches %+v, %v", roles, err)
	}
}

// TestUserCodeGuessing: codes are long, and a session has only so many guesses; whoever waits for a code is not bothered by it.
func TestUserCodeGuessing(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	client := s.ask("cli")
	if code := *client.from.UserCode; !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(code) {
		t.Errorf("user code %q", code)
	}
	thief, honest := s.visit(t, "127.0.0.6"), s.visit(t, "127.0.0.7")
	thief.signIn(s.Users[0])
	honest.signIn(s.Users[0])
	guesses := 0
	for letters := "BCDFGHJKLMNPQRSTVWXZ"; guesses < 60; guesses++ {
		code := "BCDF-GH" + string(letters[guesses/20]) + string(letters[guesses%20])
		if r := thief.get("/device?user_code=" + code); r.status == http.StatusTooManyRequests {
			break
		}
	}
	if guesses == 0 || guesses > 20 {
		t.Errorf("a session has %d guesses", guesses)
	}
	right := "/device?user_code=" + *client.from.UserCode
	if r := thief.get(right); r.status != http.StatusTooManyRequests || strings.Contains(r.body, `value="approve"`) {
		t.Errorf("after that the right code is answered %d", r.status)
	}
	if r := thief.post("/device", form("user_code", *client.from.UserCode, "decision", "approve")); r.status != http.StatusTooManyRequests {
		t.Errorf("and approved: %d", r.status)
	}
	if r := honest.get(right); !strings.Contains(r.body, `value="approve"`) {
		t.Errorf("somebody else's is answered %d %s", r.status, r.said())
	}
}
