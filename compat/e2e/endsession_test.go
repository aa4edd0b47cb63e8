package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// use calls with role credentials as the portal shows them, and returns the error.
func (s *server) use(shown string) error {
	s.tb.Helper()
	var v []string
	for line := range strings.Lines(shown) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		v = append(v, strings.Trim(value, `"`))
	}
	c := s.config()
	c.Credentials = credentials.NewStaticCredentialsProvider(v[0], v[1], v[2])
	_, err := sts.NewFromConfig(c).GetCallerIdentity(s.tb.Context(), nil)
	return err
}

// showCredentials takes the credentials of a person's only role from the portal.
func (b *browser) showCredentials(account string) string {
	b.tb.Helper()
	b.pressText(account)
	b.pressText("Show credentials")
	return b.value("textarea")
}

// TestEndSessionElsewhere: a person ends the session of another browser; it is out at once, as are its credentials, and this
// browser's go on.
func TestEndSessionElsewhere(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	s.grant("Sessions", sampleAccount, who)
	here, there := newBrowser(t), newBrowser(t)
	here.signIn(s.PortalURL, who)
	there.signIn(s.PortalURL, who)
	mine, theirs := here.showCredentials(sampleAccount), there.showCredentials(sampleAccount)
	for _, shown := range []string{mine, theirs} {
		if err := s.use(shown); err != nil {
			t.Fatal(err)
		}
	}

	here.open(s.home() + "/account")
	here.expect("this one")
	if n := strings.Count(here.text(), "Browser"); n != 2 {
		t.Errorf("%d sessions are listed:\n%s", n, here.text())
	}
	here.press(`form[action="/account/end-session"] button`)
	if here.has(`form[action="/account/end-session"]`) {
		t.Errorf("the other session is still there:\n%s", here.text())
	}
	there.open(s.home() + "/account")
	if !there.has(`form[action="/signin/username"]`) {
		t.Errorf("the other browser is still signed in:\n%s", there.text())
	}
	if err := s.use(theirs); code(err) != "ExpiredToken" {
		t.Errorf("credentials of the ended session: %v", err)
	}
	if err := s.use(mine); err != nil {
		t.Errorf("credentials of this session: %v", err)
	}
	here.open(s.PortalURL)
	here.expect("Signed in as " + who.UserName)
}
