package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// holds fails the test if anything that a thief has seen is worth something.
func (v *visit) holds(seen map[string]bool, when string) {
	v.tb.Helper()
	for id := range seen {
		for _, name := range []string{attemptCookie, sessionCookie} {
			v.cookies = map[string]string{name: id}
			if r := v.page("/signin"); !strings.Contains(r.body, `action="/signin/username"`) || v.in() {
				v.tb.Errorf("%s: with %s the thief is at %q", when, name, r.said())
			}
		}
	}
}

// TestFixation: what somebody plants in a browser, or sees of it, before its person has proved something is worth nothing
// afterwards.
func TestFixation(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	thief, victim := s.visit(t), s.visit(t)
	thief.post("/signin/username", form("username", who.UserName))
	planted := thief.cookies[attemptCookie]
	victim.cookies[attemptCookie], victim.cookies[sessionCookie] = planted, "planted"
	seen := map[string]bool{planted: true, "planted": true, "": true}
	victim.post("/signin/password", form("password", who.Password))
	proved := victim.cookies[attemptCookie]
	if seen[proved] {
		t.Fatalf("the attempt is %q as before", proved)
	}
	thief.holds(seen, "after the password")
	seen[proved] = true
	useApp(t, who.Secret, func(code string) { victim.post("/signin/code", form("code", code)) })
	done := victim.cookies[attemptCookie]
	if seen[done] {
		t.Fatalf("the attempt is %q as before", done)
	}
	victim.page("/signin")
	if session := victim.cookies[sessionCookie]; !victim.in() || seen[session] || session == done {
		t.Fatalf("the session is %q", session)
	}
	seen[done] = true
	thief.holds(seen, "after the sign-in")

	old := victim.cookies[sessionCookie]
	victim.post("/signout", form("sure", "yes"))
	seen[old] = true
	thief.holds(seen, "after signing out")
}

// TestOrder: with a password alone nothing else is reached, in whatever order things are asked for; and when somebody is in,
// earlier steps lead nowhere else.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	v := s.visit(t)
	v.post("/signin/username", form("username", who.UserName))
	v.post("/signin/password", form("password", who.Password))
	posts := map[string]url.Values{
		"/signin/new-password": form("new_password", "Blue-Harbour-41-sails", "confirm_password", "Blue-Harbour-41-sails"),
		"/signin/password":     form("password", who.Password), "/signin/app": form("code", "123456", "name", "mine"), "/signin/code": form("code", ""),
		"/signin/mail-code/send": {}, "/signin/mail-code": form("code", ""), "/signin/passkey": form("response", "{}"),
		"/account/add-device": {}, "/account/password": {}, "/device": form("decision", "approve"), "/portal/credentials": form("account", sampleAccount, "role", "x"),
	}
	for path, f := range posts {
		if r := v.post(path, f); r.status >= 500 || v.in() {
			t.Errorf("POST %s is answered %d, and leads in: %v", path, r.status, v.in())
		}
	}
	for _, path := range []string{"/signin", "/signin/app", "/account", "/device", "/portal"} {
		if r := v.page(path); strings.Contains(r.body, `id="secret"`) || strings.Contains(r.body, "new_password") || strings.Contains(r.body, `action="/signout"`) {
			t.Errorf("%s shows %s", path, r.said())
		}
	}
	if r := v.get("/signin"); !strings.Contains(r.body, `action="/signin/code"`) {
		t.Fatalf("the attempt has moved on to %s", r.said())
	}
	useApp(t, who.Secret, func(code string) { v.post("/signin/code", form("code", code)) })
	attempt := v.cookies[attemptCookie]
	v.page("/signin")
	session := v.cookies[sessionCookie]
	v.cookies[attemptCookie] = attempt // used up
	for _, path := range []string{"/signin/username", "/signin/password", "/signin/new-password", "/signin/code", "/signin/restart"} {
		v.post(path, form("username", "bob", "password", who.Password, "new_password", "Blue-Harbour-41-sails", "confirm_password", "Blue-Harbour-41-sails"))
	}
	if r := v.page("/portal"); v.cookies[sessionCookie] != session || !strings.Contains(r.said(), "Signed in as "+who.UserName) {
		t.Errorf("earlier steps lead to %s", r.said())
	}
	s.visit(t).signIn(who) // and the password is the one from before
}

// local is what may follow a redirect: a path of ours, which no browser reads as another host.
var local = regexp.MustCompile(`^/([A-Za-z][!-\[\]-~]*)?$`)

// TestRedirects: no parameter and no path leads to another site.
func TestRedirects(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	v := s.visit(t)
	v.signIn(s.Users[0])
	for _, next := range []string{
		"//evil.test", "///evil.test", "////evil.test/..", `\\evil.test`, `/\evil.test`, `\/evil.test`, "/\t/evil.test", "/\n/evil.test", "https://evil.test", "https:evil.test", "HTTPS:/evil.test",
		"javascript:alert(1)", "data:text/html,x", "evil.test", "@evil.test", ".evil.test", "%2f%2fevil.test", "/%2f/evil.test", "/%5cevil.test", "%5c%5cevil.test", "/%09/evil.test", " //evil.test", "\u2028//evil.test", "/\u3002evil.test", "?next=//evil.test", "#//evil.test", "/.//evil.test", "/portal/..//evil.test",
	} {
		for way, r := range map[string]reply{
			"GET /signin":                v.get("/signin?next=" + url.QueryEscape(next)),
			"POST /signin/username":      v.post("/signin/username", form("username", "x", "next", next)),
			"POST /signin/passkey/start": v.post("/signin/passkey/start", form("next", next)),
		} {
			to, err := url.Parse(r.to)
			if r.status != http.StatusSeeOther || err != nil || to.Host != "" || to.Scheme != "" || strings.HasPrefix(r.to, "//") || strings.ContainsAny(r.to, "\\\t\n ") {
				t.Errorf("%s with %q is answered %d and leads to %q", way, next, r.status, r.to)
			}
		}
	}
	for _, path := range []string{
		"//evil.test", "//evil.test/..", "/%2f%2fevil.test", "/%5c%5cevil.test", "/.//evil.test", "/portal//evil.test/../..", "/signin/..//evil.test", "//evil.test/%2e%2e", "/start//evil.test", "///",
	} {
		if r := v.get(path); r.to != "" && !local.MatchString(r.to) {
			t.Errorf("GET %s leads to %q", path, r.to)
		}
	}
	v.post("/account/confirm", form("next", `/\evil.test`))
	useApp(t, s.Users[0].Secret, func(code string) { v.post("/signin/code", form("code", code)) })
	if r := v.get("/signin"); r.to != "/portal" {
		t.Errorf("a confirmation leads to %q", r.to)
	}
}

// TestNobodyIsTold: what a stranger sees of a user who is there, who is disabled and who is not is the same.
func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	s, _ := startMailed(t, "starttls")
	secret := s.oneTimePassword(s.hire("gustav"))
	s.hire("helga") // has no password
	gone := s.oneTimePassword(s.hire("ida"))
	s.cli("users", "disable", "ida")
	seen := map[string]string{}
	for name, password := range map[string]string{"gustav": secret + "x", "helga": "a guess", "ida": gone, "nobody": "a guess"} {
		v := s.visit(t)
		var all strings.Builder
		note := func(what string, r reply) {
			r.header.Del("Date")
			r.header.Del("Set-Cookie")
			fmt.Fprintf(&all, "%s: %d to %q, %v, cookies %d\n%s\n", what, r.status, r.to, r.header, len(v.cookies), strings.ReplaceAll(r.body, name, "NAME"))
		}
		note("forgot", v.post("/signin/forgot", form("username", name)))
		note("name", v.post("/signin/username", form("username", name)))
		note("password page", v.get("/signin"))
		note("options", v.post("/signin/passkey/options", nil))
		note("password", v.post("/signin/password", form("password", password)))
		note("after", v.get("/signin"))
		note("code", v.post("/signin/code", form("code", "123456")))
		note("after", v.get("/signin"))
		seen[name] = regexp.MustCompile(`Content-Length:\[\d+\]`).ReplaceAllString(all.String(), "")
	}
	for name, what := range seen {
		if what != seen["nobody"] {
			t.Errorf("of %s a stranger sees\n%s\nof nobody\n%s", name, what, seen["nobody"])
		}
	}
}

// TestSpraying: one network can try only so many names, and others go on meanwhile.
func TestSpraying(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	thief, tries := s.visit(t, "127.0.0.5"), 0
	for ; tries < 150; tries++ {
		if r := thief.post("/signin/username", form("username", fmt.Sprint("user", tries))); r.status == http.StatusTooManyRequests {
			break
		}
	}
	if tries < 50 || tries > 130 {
		t.Errorf("one network has tried %d names", tries)
	}
	if r := thief.post("/signin/forgot", form("username", "alice")); r.status == http.StatusOK {
		t.Errorf("and asks for letters: %s", r.said())
	}
	s.visit(t).signIn(s.Users[0])
}
