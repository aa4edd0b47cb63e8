package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/internal/config"
)

// TestSprayingUnderForgedNames: one network tries a common word at many names. That it writes other addresses into the headers in
// which proxies tell whom a request is from gets it nothing, whether it reaches the server directly or through a trusted proxy.
func TestSprayingUnderForgedNames(t *testing.T) {
	t.Parallel()
	behind := func(c *config.Config) {
		c.URL, c.TrustedProxies = strings.Replace(c.URL, "http:", "https:", 1), []string{"127.0.0.1/32"}
	}
	forge := func(i int) string { return fmt.Sprintf("203.0.%d.%d", i/250, i%250+1) }
	for name, c := range map[string]struct {
		change  []func(*config.Config)
		address string // of the other end of the connection
		headers func(i int) http.Header
	}{
		"directly": {nil, "127.0.0.5", func(i int) http.Header {
			return http.Header{"X-Forwarded-For": {forge(i)}, "X-Real-Ip": {forge(i)}, "Forwarded": {"for=" + forge(i)}}
		}},
		"through a proxy that adds": {[]func(*config.Config){behind}, "127.0.0.1", func(i int) http.Header {
			return http.Header{"X-Forwarded-For": {forge(i) + ", 198.51.100.7"}, "X-Real-Ip": {forge(i)}, "Forwarded": {"for=" + forge(i)}, "X-Forwarded-Proto": {"https"}}
		}},
		"through a proxy that adds a line": {[]func(*config.Config){behind}, "127.0.0.1", func(i int) http.Header {
			return http.Header{"X-Forwarded-For": {forge(i), "198.51.100.7"}, "X-Forwarded-Proto": {"https"}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := besiege(t, c.change...)
			thief := s.visit(c.address)
			thief.spray(c.headers)
			s.hire("alice", rightPassword)
			honest := s.visit("127.0.0.6")
			if c.change != nil {
				honest = s.visit(c.address)
				honest.headers = http.Header{"X-Forwarded-For": {"198.51.100.8"}, "X-Forwarded-Proto": {"https"}}
			}
			if !honest.signIn("alice", rightPassword) {
				t.Error("and nobody else gets in")
			}
		})
	}
}

// spray begins sign-ins with many names, and fails the test unless as many are let through as one network may begin.
func (v *visitor) spray(headers func(i int) http.Header) {
	v.s.t.Helper()
	begun := 0
	for i := range 150 {
		clear(v.cookies)
		v.headers = headers(i)
		switch r := v.post("/signin/username", "username", fmt.Sprint("user", i)); r.status {
		case http.StatusSeeOther:
			begun++
		case http.StatusTooManyRequests:
		default:
			v.s.t.Fatalf("try %d is answered %d %s", i, r.status, r.body)
		}
	}
	if begun != 100 {
		v.s.t.Errorf("%d sign-ins were begun, want 100", begun)
	}
}

// TestManyNetworksAtOneName: however many addresses take part, one name bears so many guesses and no more, and in half an hour
// few more. The browser in which its person has been goes on all the while.
func TestManyNetworksAtOneName(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	s.hire("alice", rightPassword)
	desk := s.visit("127.0.0.1")
	if !desk.signIn("alice", rightPassword) {
		t.Fatal("alice does not get in")
	}
	for i := range 12 {
		s.visit(fmt.Sprintf("127.0.1.%d", i+1)).signIn("alice", "a guess")
	}
	thief := s.visit("127.0.2.1")
	if thief.signIn("alice", rightPassword) {
		t.Error("a stranger's thirteenth guess counts")
	}
	if r := thief.page("/signin"); !strings.Contains(r.body, "too many attempts") {
		t.Errorf("the stranger is told %s", r.body)
	}
	desk.post("/signout", "sure", "yes")
	if desk.in() || !desk.signIn("alice", rightPassword) {
		t.Error("strangers keep alice out of her own browser")
	}
	before := s.wrong()
	for i := range 30 { // half an hour of guesses from everywhere
		s.clock.Advance(time.Minute)
		s.visit(fmt.Sprintf("127.0.3.%d", i+1)).signIn("alice", "a guess")
	}
	if counted := s.wrong() - before; counted < 5 || counted > 10 {
		t.Errorf("in half an hour %d guesses count", counted)
	}
	s.clock.Advance(time.Hour)
	if !s.visit("127.0.2.1").signIn("alice", rightPassword) {
		t.Error("it does not end")
	}
}

// wrong is how many passwords have been checked and found wrong.
func (s *siege) wrong() (n int) {
	s.t.Helper()
	_, after, _ := strings.Cut(s.visit("127.0.0.1").send("/metrics", nil).body, `sallyport_sign_ins_total{outcome="wrong"} `)
	if _, err := fmt.Sscan(after, &n); err != nil {
		s.t.Fatal(err)
	}
	return n
}
