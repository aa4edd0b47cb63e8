package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/chromedp/chromedp"

	"sallyport/internal/passkey/passkeytest"
)

const downNow = "The database of production is down."

// enrollKey goes through the first sign-in of somebody who is new, with an authenticator that is plugged into the browser.
func (b *browser) enrollKey(s *server, who *person) {
	b.tb.Helper()
	once := *who
	once.Password = s.oneTimePassword(*who)
	b.plugIn(true)
	b.open(s.PortalURL)
	b.step(once)
	b.step(once)
	b.useKey("Choose a new password")
	b.choose(who, who.Password)
	b.expect("Signed in as " + who.UserName)
}

// writeIn types into an empty field of several lines.
func (b *browser) writeIn(name, text string) {
	b.tb.Helper()
	b.do("write "+name, chromedp.SendKeys(chromedp.CSS(fmt.Sprintf("textarea[name=%q]", name)), text))
}

// comes signs somebody in for an emergency.
func (b *browser) comes(s *server, who person) {
	b.tb.Helper()
	b.open(s.home() + "/emergency")
	b.expect("This is for emergencies alone")
	b.fill("username", who.UserName)
	b.submit("username")
	b.step(who)
	b.expect("Second factor")
	b.useKey("Emergency access")
}

// TestEmergency: two people in two browsers, each with a passkey, open what was sealed; the AWS CLI works with it until it is closed.
func TestEmergency(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	olga, paul := s.hire("olga"), s.hire("paul")
	here, there := newBrowser(t), newBrowser(t)
	here.enrollKey(s, &olga)
	there.enrollKey(s, &paul)
	s.permissionSet(ssoadmin.NewFromConfig(s.operatorConfig()), "Breaker")
	s.cli("emergency", "prepare", "Production down", "--permission-set", "Breaker", "--account", sampleAccount, "--opener", "olga", "--approver", "paul",
		"--codes", "2", "--description", "When nothing else helps.")

	here.open(s.home() + "/emergency")
	here.inspect("emergency-door")
	here.comes(s, olga)
	here.inspect("emergency-to-open")
	here.writeIn("reason", downNow)
	here.press(`button[aria-label="Ask for it: Production down"]`)
	here.expect("Somebody else must approve")
	here.inspect("emergency-waiting")

	there.comes(s, paul)
	there.expect(downNow)
	there.inspect("emergency-to-approve")
	there.tabTo("Approve: Production down for olga")
	there.enter()
	there.expect("Open for olga")
	there.inspect("emergency-open-elsewhere")

	here.pressText("look again")
	here.expect("It is open until")
	here.inspect("emergency-open")
	here.pressText("To the accounts and roles")
	shown := here.showCredentials(sampleAccount)
	if err := s.use(shown); err != nil {
		t.Fatal(err)
	}
	_, tokens := here.letIn(s, olga) // aws sso login
	u := newAWSUser(t, "AWS_ENDPOINT_URL="+s.Endpoint, "AWS_REGION="+s.Region)
	command := []string{"sso", "get-role-credentials", "--access-token", *tokens.AccessToken, "--account-id", sampleAccount, "--role-name", "Breaker"}
	u.aws(nil, command...)

	there.press(`button[aria-label="Close it now: Production down of olga"]`)
	there.expect("Review: Production down")
	there.inspect("emergency-review")
	if err := s.use(shown); err == nil {
		t.Error("credentials work after the end")
	}
	if _, err := u.try(command...); err == nil || !strings.Contains(err.Error(), "No access") {
		t.Errorf("credentials are given out after the end: %v", err)
	}
	there.writeIn("reason", "Restored from the replica, see incident 7.")
	there.press(`button[aria-label="Close the review: Production down of olga"]`)
	there.expect("There is nothing that you could open, approve or review")
	if said := s.cli("emergency", "reviews"); !strings.Contains(said, "closed") {
		t.Errorf("reviews: %s", said)
	}
}

// TestEmergencyCrash: a server that is killed while it opens has opened, with the event and the review, or has not; asking again helps.
func TestEmergencyCrash(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	olga, paul := s.hire("olga"), s.hire("paul")
	keys := map[string]*passkeytest.Authenticator{}
	visits := map[string]*visit{}
	for _, who := range []*person{&olga, &paul} {
		v := s.visit(t)
		keys[who.UserName], visits[who.UserName] = passkeytest.New(s.home()), v
		v.post("/signin/username", form("username", who.UserName))
		v.post("/signin/password", form("password", s.oneTimePassword(*who)))
		v.post("/signin/passkey", form("name", "Key", "response", string(keys[who.UserName].Create([]byte(v.post("/signin/passkey/options", nil).body)))))
		v.post("/signin/new-password", form("new_password", who.Password, "confirm_password", who.Password))
	}
	s.permissionSet(ssoadmin.NewFromConfig(s.operatorConfig()), "Breaker")
	s.cli("emergency", "prepare", "Down", "--permission-set", "Breaker", "--account", sampleAccount, "--opener", "olga", "--approver", "paul")
	for _, who := range []person{olga, paul} {
		v := visits[who.UserName]
		v.post("/emergency/signin", form("username", who.UserName))
		v.post("/signin/password", form("password", who.Password))
		v.post("/signin/passkey", form("response", string(keys[who.UserName].Get([]byte(v.post("/signin/passkey/options", nil).body)))))
		v.page("/signin")
	}
	opener, approver := visits["olga"], visits["paul"]
	opened := map[string]bool{}
	for round := range crashes(t) {
		page := opener.page("/emergency").body
		opener.post("/emergency/request", form("access", hidden(t, page, "access"), "reason", downNow))
		answer := form("opening", hidden(t, approver.page("/emergency").body, "opening"), "decision", "approve")
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, approver.host+"/emergency/answer", strings.NewReader(answer.Encode()))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Cookie", "__Host-sallyport-session="+approver.cookies["__Host-sallyport-session"])
			if resp, err := approver.client.Do(r); err == nil { // the server may be gone
				resp.Body.Close()
			}
		}()
		time.Sleep(time.Duration(round%10) * 500 * time.Microsecond)
		s.kill()
		<-asked
		s.start()
		page = opener.page("/emergency").said()
		if !strings.Contains(page, "It is open until") {
			if !strings.Contains(page, "Somebody else must approve") {
				t.Fatalf("round %d: neither open nor waiting:\n%s", round, page)
			}
			approver.post("/emergency/answer", answer)
		}
		if said := opener.page("/emergency").said(); !strings.Contains(said, "It is open until") {
			t.Fatalf("round %d: it is not open:\n%s", round, said)
		}
		opened[answer.Get("opening")] = true
		opener.post("/emergency/close", form("opening", answer.Get("opening")))
	}
	s.stop()
	found := 0
	for _, e := range s.auditLines("OpenEmergencyAccess") {
		found++
		if id := regexp.MustCompile(`"emergency_opening_id":"([0-9a-f-]+)"`).FindStringSubmatch(e); id == nil || !opened[id[1]] {
			t.Errorf("an event of no opening: %s", e)
		}
	}
	if found != len(opened) {
		t.Errorf("%d events for %d openings", found, len(opened))
	}
}

// auditLines are the lines of the audit file of an event's name.
func (s *server) auditLines(name string) (lines []string) {
	s.tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "audit.jsonl"))
	if err != nil {
		s.tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"eventName":"`+name+`"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// hidden is the value of a hidden field.
func hidden(t *testing.T, page, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([0-9a-f-]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no %s in:\n%s", name, page)
	}
	return m[1]
}
