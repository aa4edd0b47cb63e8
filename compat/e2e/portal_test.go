package e2e

import (
	"strings"
	"testing"
)

// TestPortal: a person signs in to the portal, finds their account and role, copies credentials that work, and signs out,
// which ends them.
func TestPortal(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	s.runSample(s.operator())
	who := s.member(t, sampleGroup)

	b := newBrowser(t)
	b.signIn(s.PortalURL, who)
	b.expect("Signed in as " + who.UserName)
	b.pressText(sampleAccount)
	b.expect(sampleRole)
	b.pressText("Show credentials")
	lines := strings.NewReplacer("export ", "", `"`, "").Replace(b.value("textarea"))
	holder := newAWSUser(t, append(strings.Fields(lines), "AWS_ENDPOINT_URL="+s.Endpoint)...)
	var caller struct{ Account string }
	holder.aws(&caller, "sts", "get-caller-identity")
	if caller.Account != sampleAccount {
		t.Errorf("copied credentials are of account %q", caller.Account)
	}

	b.pressText("Sign out")
	b.expect("Credentials of 1 role")
	b.pressText("Sign out and stop them")
	b.expect("Signed out")
	holder.refused("ExpiredToken", "sts", "get-caller-identity")
	b.open(s.PortalURL)
	if !b.has(`input[name="username"]`) {
		t.Errorf("portal does not ask who it is after signing out:\n%s", b.text())
	}
}

// TestSignInRefuses: a wrong password and an unknown name look the same.
func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	wrong := newBrowser(t)
	wrong.signIn(s.PortalURL, person{UserName: who.UserName, Password: "not " + who.Password})
	unknown := newBrowser(t)
	unknown.signIn(s.PortalURL, person{UserName: "nobody", Password: "not " + who.Password})
	if a, b := wrong.text(), strings.ReplaceAll(unknown.text(), "nobody", who.UserName); a != b {
		t.Errorf("a wrong password shows\n%s\nan unknown name shows\n%s", a, b)
	}
}
