package e2e

import (
	"strings"
	"testing"
)

// begin opens a link of a letter and presses its button.
func (b *browser) begin(link, title string) {
	b.tb.Helper()
	b.open(link)
	b.expect(title)
	b.pressText("Begin")
}

// dead says so of a link: it works for nobody any more.
func (s *server) dead(link string) {
	s.tb.Helper()
	b := newBrowser(s.tb)
	b.open(link)
	b.expect("This link is not valid any more")
}

// enroll goes through the pages of somebody who is invited: an authenticator app, a password, and in.
func (b *browser) enroll(who *person) {
	b.tb.Helper()
	b.expect("Register a device")
	b.press(`a[href="/signin/app"]`)
	who.Secret = b.textOf("#secret")
	b.giveCode(who.Secret)
	b.choose(who, who.Password)
	b.expect("Signed in as " + who.UserName)
}

// choose sets a password where a page asks for one.
func (b *browser) choose(who *person, password string) {
	b.tb.Helper()
	b.expect("Choose a new password")
	b.fill("new_password", password)
	b.fill("confirm_password", password)
	b.submit("new_password")
	who.Password = password
}

// TestInvitationByMail: somebody new is invited, enrolls and signs in; the link works once.
func TestInvitationByMail(t *testing.T) {
	t.Parallel()
	s, mailer := startMailed(t, "starttls")
	who := s.hire("carla")
	if said := s.cli("users", "invite", "carla", "--mail"); !strings.Contains(said, who.mail()) || strings.Contains(said, "/link/") {
		t.Errorf("the operator is told: %s", said)
	}
	link := mailer.next(t, who, "Your account", aLink)[0]
	b := newBrowser(t)
	b.open(link) // as programs that check mail do: it is not used up by that
	b.begin(link, "You are invited")
	b.enroll(&who)
	s.dead(link)

	b.pressText("Sign out")
	b.signIn(s.PortalURL, who)
	b.expect("Signed in as carla")
}

// forgot asks for a letter for the user of a name, and returns what is said to that.
func (b *browser) forgot(s *server, name string) string {
	b.tb.Helper()
	b.open(s.PortalURL)
	b.pressText("Forgot your password?")
	b.fill("username", name)
	b.submit("username")
	return b.text()
}

// TestResetByMail: who has forgotten their password gets a letter, and a mailbox alone is not enough to sign in.
func TestResetByMail(t *testing.T) {
	t.Parallel()
	s, mailer := startMailed(t, "tls")
	who := s.hire("dora")
	s.cli("users", "invite", "dora", "--mail")
	b := newBrowser(t)
	b.begin(mailer.next(t, who, "Your account", aLink)[0], "You are invited")
	b.enroll(&who)

	lost := newBrowser(t)
	if there, none := lost.forgot(s, "dora"), lost.forgot(s, "nobody"); there != none || !strings.Contains(there, "Look into your mail") {
		t.Errorf("who is there is told\n%s\nwho is not\n%s", there, none)
	}
	link := mailer.next(t, who, "Reset your password", aLink)[0]
	lost.begin(link, "Choose another password")
	for _, page := range []string{"/signin", "/signin/app", "/portal"} { // the letter alone leads to the device, and no further
		if lost.open(s.home() + page); lost.has(`input[name="new_password"]`) || lost.has("#secret") || lost.has(`form[action="/signout"]`) {
			t.Fatalf("the link alone leads to\n%s", lost.text())
		}
	}
	lost.open(s.home() + "/signin")
	lost.giveCode(who.Secret)
	old := who.Password
	lost.choose(&who, "Green-Harbour-43-sails")
	lost.expect("Signed in as dora")
	s.dead(link)
	if b.open(s.PortalURL); !b.has(`form[action="/signin/username"]`) {
		t.Errorf("the session from before goes on:\n%s", b.text())
	}
	b.signIn(s.PortalURL, person{UserName: "dora", Password: old})
	b.expect("The user name or the password is not right")
	b.step(who)
	b.expect("Second factor")
	for _, letter := range mailer.Messages() {
		if letter.To[0] != who.mail() {
			t.Errorf("letter to %s: %s", letter.To[0], letter.Subject)
		}
	}
}

// TestMailCode: where the operator says so, somebody without a device gets a code by mail in its place; or stays outside.
func TestMailCode(t *testing.T) {
	t.Parallel()
	s, mailer := startMailed(t, "starttls")
	s.cli("settings", "set", "mfa.without-device", "email")
	who := s.hire("emil")
	who.Password = s.oneTimePassword(who)
	b := newBrowser(t)
	b.open(s.PortalURL)
	b.step(who)
	b.step(who)
	b.expect("Code by mail")
	b.pressText("Send the code")
	b.inspect("mail-code")
	code := strings.Join(mailer.next(t, who, "sign-in code", `(?m)^ +(\d{3}) ?(\d{3})$`)[1:], "")
	b.fill("code", strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code))
	b.submit("code")
	b.expect("This code is not right")
	b.inspect("mail-code-wrong")
	b.fill("code", code)
	b.submit("code")
	b.choose(&who, "Blue-Harbour-42-sails")
	b.expect("Signed in as emil")

	b.pressText("Sign out")
	s.cli("settings", "set", "mfa.without-device", "block")
	b.open(s.PortalURL)
	b.step(who)
	b.step(who)
	b.expect("You need a registered device")
	b.inspect("blocked")
	if b.open(s.PortalURL); b.has(`form[action="/signout"]`) {
		t.Errorf("who is kept out is in:\n%s", b.text())
	}
}
