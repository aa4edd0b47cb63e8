package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wanted is a configuration that takes some hundred steps to apply to a sample world.
func wanted(s *server, policy string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Version: 1\nUsers:\n")
	for _, u := range s.Users {
		fmt.Fprintf(&b, "  - {UserName: %s, DisplayName: the %[1]s, Name: {FamilyName: X, GivenName: Y}}\n", u.UserName)
	}
	for i := range 20 {
		fmt.Fprintf(&b, "  - UserName: u%02d\n    DisplayName: User %[1]d\n    Name: {FamilyName: Last, GivenName: First}\n    Emails: [{Value: u%[1]d@example.org, Primary: true, Type: work}]\n    ExternalIds: [{Issuer: \"https://idp.example.org\", Id: e%[1]d}]\n", i)
	}
	fmt.Fprintf(&b, "Groups:\n  - DisplayName: Developers\n  - DisplayName: Security auditors\n")
	for i := range 10 {
		fmt.Fprintf(&b, "  - DisplayName: g%02d\n    Description: group %[1]d\n    Members: [u%02d, u%02d, alice]\n", i, i, i+10)
	}
	fmt.Fprintf(&b, "AccessControlAttributes: {CostCenter: \"${path:enterprise.costCenter}\"}\nPermissionSets:\n")
	for i := range 30 {
		fmt.Fprintf(&b, `  - Name: Set%02[1]d
    Description: number %[1]d
    SessionDuration: PT%[2]dH
    Tags: {n: "%[1]d"}
    ManagedPolicies: [arn:aws:iam::aws:policy/%[3]s]
    InlinePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Sid":"n%[1]d"}]}'
    Assignments:
      - {Accounts: ["%[4]s", "%[5]s"], Groups: [g%02[6]d, g%02[7]d], Users: [u%02[8]d]}
`, i, i%12+1, policy, s.Accounts[0].ID, s.Accounts[1].ID, i%10, (i+3)%10, i%20)
	}
	b.WriteString("Applications:\n")
	for i := range 5 {
		fmt.Fprintf(&b, "  - {Name: app%d, ApplicationProviderArn: \"arn:aws:sso::aws:applicationProvider/custom\", AccessScopes: [{Scope: \"a:b\"}], Assignments: {Groups: [g%02[1]d], Users: []}}\n", i)
	}
	return b.String()
}

// write puts a text into a file of the server's folder.
func (s *server) write(name, text string) string {
	s.tb.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	return file
}

// exported is the server's whole configuration, without the comment that tells where it is from.
func (s *server) exported() string {
	s.tb.Helper()
	var lines []string
	for line := range strings.Lines(s.cli("export", "--with-users")) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestApplyKilled: an apply that is killed again and again, and whose server is killed too, ends where one ends that nobody disturbs.
func TestApplyKilled(t *testing.T) {
	t.Parallel()
	calm, hunted := startDev(t), startDev(t)
	for _, policy := range []string{"AdministratorAccess", "ReadOnlyAccess"} { // new, and changed with what is provisioned
		text := wanted(calm, policy)
		calm.cli("apply", "--yes", "-f", calm.write("wanted.yaml", text))
		want := calm.exported()

		file := hunted.write("wanted.yaml", text)
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		for round := range 6 {
			p := start(t, sallyport(t, hunted.dir, "apply", "--data", hunted.dir, "--yes", "-f", file))
			select {
			case <-p.exited:
			case <-time.After(time.Duration(30+random.IntN(400)) * time.Millisecond):
			}
			if round%3 == 2 {
				hunted.kill()
				p.kill()
				hunted.start()
			}
			p.kill()
		}
		hunted.cli("apply", "--yes", "-f", file)
		if said := hunted.cli("plan", "-f", file); !strings.HasPrefix(said, "Nothing to do") {
			t.Errorf("seed %d: a plan afterwards says\n%s", seed, said)
		}
		if got := hunted.exported(); got != want {
			t.Errorf("seed %d: the end is\n%s\nwithout being killed it is\n%s", seed, got, want)
		}
	}
}
