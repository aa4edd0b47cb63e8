package e2e

import (
	"net"
	"regexp"
	"testing"
)

// foundingLink is what a server prints until there is an administrator.
var foundingLink = regexp.MustCompile(`(?m)^ +(http://localhost:\d+/link/\S+)$`)

// found becomes the first administrator with the link, at the second try.
func (b *browser) found(link string, who *person) {
	b.tb.Helper()
	b.open(link)
	b.expect("Become the first administrator")
	b.inspect("founding")
	b.fill("username", "AWSAdministrators") // a name that nobody may have
	b.fill("given_name", "Grace")
	b.fill("family_name", "Hopper")
	b.submit("username")
	b.expect("Become the first administrator") // the link is still good
	b.inspect("founding-refused")
	b.fill("username", who.UserName)
	b.submit("username")
	b.expect("You are invited")
	b.pressText("Begin")
	b.enroll(who)
}

// TestFounding: the first start prints a link with which somebody becomes the first administrator; nobody does so twice.
func TestFounding(t *testing.T) {
	t.Parallel()
	_, port, _ := net.SplitHostPort(freeAddress(t))
	s := startServe(t, "--url", "http://localhost:"+port)
	first := s.find(foundingLink.String())[1]
	s.stop()
	s.serve()
	link := s.find(foundingLink.String())[1]
	if first == link {
		t.Error("both starts printed the same link")
	}
	s.dead(first)

	who := person{UserName: "grace", Password: "Blue-Harbour-41-sails"}
	b := newBrowser(t)
	b.found(link, &who)
	b.pressText(s.ManagementAccountID)
	b.expect("AdministratorAccess")
	b.pressText("Show credentials")
	if err := s.use(b.value("textarea")); err != nil {
		t.Errorf("the administrator's credentials: %v", err)
	}
	s.dead(link)
	s.stop()
	s.serve()
	if found := foundingLink.FindString(s.out.String()); found != "" {
		t.Errorf("a start after that prints %s", found)
	}
	b.open(s.PortalURL) // a restart signs nobody out
	b.expect("Signed in as grace")
}
