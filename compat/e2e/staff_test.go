package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"sallyport/internal/mail/mailtest"
)

// post is a mail server on loopback, and what has been read of what came.
type post struct {
	*mailtest.Server
	read int
}

// startMailed starts `sallyport serve` on loopback with a mail server that wants TLS and a sign-in: way is starttls or tls.
func startMailed(tb testing.TB, way string) (*server, *post) {
	tb.Helper()
	mailer := &post{Server: mailtest.Start(tb)}
	mailer.SetAccount("sallyport", "of the mail server")
	ca, password := filepath.Join(tb.TempDir(), "mail.pem"), filepath.Join(tb.TempDir(), "password")
	write(tb, ca, mailer.RootsPEM)
	write(tb, password, []byte("of the mail server\n"))
	address := map[string]string{"starttls": mailer.Address, "tls": mailer.TLSAddress}[way]
	_, port, _ := net.SplitHostPort(freeAddress(tb))
	s := startServe(tb, "--url", "http://localhost:"+port, "--smtp-tls", way, "--smtp-address", address, "--smtp-ca-file", ca,
		"--smtp-from", "Sallyport <no-reply@example.org>", "--smtp-username", "sallyport", "--smtp-password-file", password)
	return s, mailer
}

// next waits for a letter to who of a subject, past those that were read before, and returns what pattern finds in it.
func (p *post) next(tb testing.TB, who person, subject, pattern string) []string {
	tb.Helper()
	for re := regexp.MustCompile(pattern); ; {
		letter := p.Wait(tb, p.read+1)[p.read]
		p.read++
		if !letter.Secure || letter.User != "sallyport" || letter.From != "no-reply@example.org" {
			tb.Errorf("%s came from %s, signed in as %q, under TLS: %v", letter.Subject, letter.From, letter.User, letter.Secure)
		}
		if !strings.Contains(letter.Subject, subject) {
			continue
		}
		found := re.FindStringSubmatch(letter.Text)
		if found == nil || letter.To[0] != who.mail() {
			tb.Fatalf("letter to %s:\n%s", letter.To[0], letter.Text)
		}
		return found
	}
}

// aLink is the pattern of a link in a letter.
const aLink = `(?m)^http://localhost:\d+/link/\S+$`

func (p person) mail() string { return p.UserName + "@example.org" }

// hire makes a user with a mail address, who cannot sign in yet; the password is the one that they will choose.
func (s *server) hire(name string) person {
	s.tb.Helper()
	who := person{UserName: name, Password: "Blue-Harbour-41-sails"}
	out, err := identitystore.NewFromConfig(s.operatorConfig()).CreateUser(s.tb.Context(), &identitystore.CreateUserInput{
		IdentityStoreId: &s.IdentityStoreID, UserName: &name, DisplayName: &name,
		Name:   &identitytypes.Name{GivenName: &name, FamilyName: aws.String("Hired")},
		Emails: []identitytypes.Email{{Value: aws.String(who.mail()), Type: aws.String("work"), Primary: true}},
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	who.UserID = *out.UserId
	return who
}

// cli runs a command of the program as the operator, and returns what it prints.
func (s *server) cli(args ...string) string {
	s.tb.Helper()
	var said bytes.Buffer
	cmd := sallyport(s.tb, s.dir, append(args, "--data", s.dir)...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		s.tb.Fatalf("sallyport %q: %v\n%s", args, err, said.String())
	}
	return string(out) + said.String()
}

// oneTimePassword is a password from `sallyport users one-time-password`.
func (s *server) oneTimePassword(who person) string {
	s.tb.Helper()
	var out struct{ OneTimePassword string }
	s.cliJSON(&out, "users", "one-time-password", who.UserName)
	return out.OneTimePassword
}

// grant makes a permission set with AdministratorAccess and assigns it to a user in an account.
func (s *server) grant(name, account string, who person) {
	s.tb.Helper()
	ctx, admin := s.tb.Context(), ssoadmin.NewFromConfig(s.operatorConfig())
	set := s.permissionSet(admin, name)
	_, err := admin.AttachManagedPolicyToPermissionSet(ctx, &ssoadmin.AttachManagedPolicyToPermissionSetInput{
		InstanceArn: &s.InstanceARN, PermissionSetArn: &set, ManagedPolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"),
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	made, err := admin.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: &s.InstanceARN, PermissionSetArn: &set, TargetId: &account, TargetType: admintypes.TargetTypeAwsAccount,
		PrincipalType: admintypes.PrincipalTypeUser, PrincipalId: &who.UserID,
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		out, err := admin.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{
			InstanceArn: &s.InstanceARN, AccountAssignmentCreationRequestId: made.AccountAssignmentCreationStatus.RequestId,
		})
		if err != nil {
			s.tb.Fatal(err)
		}
		if out.AccountAssignmentCreationStatus.Status == admintypes.StatusValuesSucceeded {
			return
		}
	}
	s.tb.Fatalf("%s is not assigned", name)
}

// home is the address that the paths of pages are added to.
func (s *server) home() string { return strings.TrimSuffix(s.PortalURL, "/portal") }

// cliJSON runs a command of the program as the operator, and reads the API's answer.
func (s *server) cliJSON(out any, args ...string) {
	s.tb.Helper()
	cmd := sallyport(s.tb, s.dir, append(args, "--data", s.dir, "--output", "json")...)
	printed, err := cmd.Output()
	if err != nil {
		s.tb.Fatalf("sallyport %q: %v", args, err)
	}
	if err := json.Unmarshal(printed, out); err != nil {
		s.tb.Fatalf("sallyport %q: %v\n%s", args, err, printed)
	}
}
