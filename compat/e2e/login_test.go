package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// configure writes the person's AWS configuration with `sallyport aws-config` and returns the profile of a role.
func (s *server) configure(u *awsUser, who person, account, role string) (profile string) {
	u.tb.Helper()
	p := start(u.tb, sallyport(u.tb, u.path(""), "aws-config", "--portal", s.PortalURL, "--write"))
	b := newBrowser(u.tb)
	b.open(p.find(`https?://\S+[?&]user_code=\S+|https?://\S+/authorize\?\S+`)[0])
	b.consent(who)
	b.press(approve)
	p.wait()
	return profileFor(u, account, role)
}

// profileFor finds the profile of a role in an account in the person's AWS configuration.
func profileFor(u *awsUser, account, role string) string {
	u.tb.Helper()
	config, err := os.ReadFile(u.path(".aws/config"))
	if err != nil {
		u.tb.Fatal(err)
	}
	for section := range strings.SplitSeq(string(config), "\n[") {
		if has(section, "sso_account_id", account) && has(section, "sso_role_name", role) {
			name, _, _ := strings.Cut(section, "]")
			return strings.TrimPrefix(strings.TrimPrefix(name, "["), "profile ")
		}
	}
	u.tb.Fatalf("no profile for %s in %s:\n%s", role, account, config)
	return ""
}

func has(section, key, value string) bool {
	return regexp.MustCompile(`(?m)^` + key + `\s*=\s*` + regexp.QuoteMeta(value) + `\s*$`).MatchString(section)
}

// loginPKCE signs a person in by authorization code, as `aws sso login` does by default.
func loginPKCE(u *awsUser, profile string, who person) {
	u.tb.Helper()
	login := u.begin("sso", "login", "--no-browser", "--profile", profile)
	b := newBrowser(u.tb)
	b.open(login.find(`https?://\S+/authorize\?\S+`)[0])
	b.consent(who)
	b.press(approve)
	if out := login.wait(); !strings.Contains(out, "Successfully logged into") {
		u.tb.Fatalf("aws sso login printed:\n%s", out)
	}
}

// loginDevice signs a person in by device code.
func loginDevice(u *awsUser, profile string, who person) {
	u.tb.Helper()
	login := u.begin("sso", "login", "--no-browser", "--use-device-code", "--profile", profile)
	code := login.find(`enter the code:\s+(\S+)`)[1]
	b := newBrowser(u.tb)
	b.open(login.find(`autofill the code upon loading:\s+(\S+)`)[1])
	b.consent(who)
	b.expect(code) // for the person to compare
	b.press(approve)
	b.expect("You can close this window")
	if out := login.wait(); !strings.Contains(out, "Successfully logged into") {
		u.tb.Fatalf("aws sso login printed:\n%s", out)
	}
}

// TestLogin: a person signs in with the unmodified AWS CLI, uses the credentials, and signs out.
func TestLogin(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	permissionSet := s.runSample(s.operator())
	who := s.member(t, sampleGroup)

	for name, login := range map[string]func(*awsUser, string, person){"PKCE": loginPKCE, "device code": loginDevice} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newAWSUser(t)
			profile := s.configure(u, who, sampleAccount, sampleRole)
			login(u, profile, who)

			var identity struct{ Account, Arn string }
			u.aws(&identity, "sts", "get-caller-identity", "--profile", profile)
			want := regexp.MustCompile(`^arn:aws:sts::` + sampleAccount + `:assumed-role/AWSReservedSSO_` + sampleRole + `_[0-9a-f]{16}/` + regexp.QuoteMeta(who.UserName) + `$`)
			if identity.Account != sampleAccount || !want.MatchString(identity.Arn) {
				t.Errorf("caller: %+v", identity)
			}

			// SecurityAudit in the delegated administrator's account may look, and may not touch.
			var sets struct{ PermissionSets []string }
			u.aws(&sets, "sso-admin", "list-permission-sets", "--instance-arn", sampleInstance, "--profile", profile)
			if !strings.Contains(strings.Join(sets.PermissionSets, " "), permissionSet) {
				t.Errorf("permission sets: %q", sets.PermissionSets)
			}
			u.refused("AccessDeniedException", "sso-admin", "create-permission-set", "--name", "Mine", "--instance-arn", sampleInstance, "--profile", profile)

			// Signing out removes the CLI's own copies; a copy made before shows what the server thinks.
			copied := s.holder(u, profile)
			copied.aws(nil, "sts", "get-caller-identity")
			u.aws(nil, "sso", "logout", "--profile", profile)
			if out, err := u.try("sts", "get-caller-identity", "--profile", profile); err == nil {
				t.Errorf("profile works after logout:\n%s", out)
			}
			copied.refused("ExpiredToken", "sts", "get-caller-identity")
			copied.refused("ExpiredTokenException", "sso-admin", "list-permission-sets", "--instance-arn", sampleInstance)
		})
	}
}

// holder is somebody who has nothing but a copy of the credentials of u's profile.
func (s *server) holder(u *awsUser, profile string) *awsUser {
	u.tb.Helper()
	printed, err := u.try("configure", "export-credentials", "--format", "env-no-export", "--profile", profile)
	if err != nil {
		u.tb.Fatal(err)
	}
	env := append(strings.Fields(printed), "AWS_ENDPOINT_URL="+s.Endpoint, "AWS_REGION="+s.Region)
	return newAWSUser(u.tb, env...)
}

// TestRemoval: credentials die when the assignment that grants them is removed.
func TestRemoval(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	operator := s.operator()
	permissionSet := s.runSample(operator)
	who := s.member(t, sampleGroup)
	u := newAWSUser(t)
	profile := s.configure(u, who, sampleAccount, sampleRole)
	loginPKCE(u, profile, who)
	copied := s.holder(u, profile)
	copied.aws(nil, "sts", "get-caller-identity")

	operator.aws(nil, "sso-admin", "delete-account-assignment", "--instance-arn", sampleInstance,
		"--target-id", sampleAccount, "--target-type", "AWS_ACCOUNT", "--permission-set-arn", permissionSet,
		"--principal-type", "GROUP", "--principal-id", sampleGroup)
	copied.refused("ExpiredToken", "sts", "get-caller-identity")
}
