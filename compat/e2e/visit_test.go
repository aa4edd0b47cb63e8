package e2e

import (
	"context"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visit is a client of the pages that does as it likes: it has cookies, and no browser that would keep it from anything.
type visit struct {
	tb      testing.TB
	host    string
	cookies map[string]string
	client  *http.Client
}

// visit begins one from 127.0.0.1, or from another address of this machine.
func (s *server) visit(tb testing.TB, from ...string) *visit {
	tb.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		dialer := net.Dialer{}
		if len(from) > 0 {
			dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from[0])}
		}
		_, port, _ := net.SplitHostPort(address)
		return dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	}}
	tb.Cleanup(transport.CloseIdleConnections)
	return &visit{tb: tb, host: s.home(), cookies: map[string]string{}, client: &http.Client{
		Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
	to     string // where it leads
}

// said is the page as text, roughly.
func (r reply) said() string {
	text := regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(r.body, " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

// form is a form from names and values.
func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func (v *visit) get(path string) reply {
	v.tb.Helper()
	return v.send(http.MethodGet, path, "", nil)
}

// post sends a form as one of our own pages would, unless set says something else.
func (v *visit) post(path string, f url.Values, set ...func(http.Header)) reply {
	v.tb.Helper()
	return v.send(http.MethodPost, path, f.Encode(), func(h http.Header) {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		h.Set("Sec-Fetch-Site", "same-origin")
		h.Set("Origin", v.host)
		for _, f := range set {
			f(h)
		}
	})
}

func (v *visit) send(method, path, body string, set func(http.Header)) reply {
	v.tb.Helper()
	r, err := http.NewRequestWithContext(v.tb.Context(), method, v.host+path, strings.NewReader(body))
	if err != nil {
		v.tb.Fatal(err)
	}
	for name, value := range v.cookies {
		r.Header.Add("Cookie", name+"="+value)
	}
	if set != nil {
		set(r.Header)
	}
	resp, err := v.client.Do(r)
	if err != nil {
		v.tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.tb.Fatalf("%s %s: %v", method, path, err)
	}
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Before(time.Now()) {
			delete(v.cookies, c.Name)
		} else {
			v.cookies[c.Name] = c.Value
		}
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			v.tb.Errorf("%s %s sets a weak cookie: %s", method, path, c)
		}
	}
	return reply{resp.StatusCode, resp.Header, string(text), resp.Header.Get("Location")}
}

// page gets a page, along redirects.
func (v *visit) page(path string) reply {
	v.tb.Helper()
	r := v.get(path)
	for range 10 {
		if r.to == "" || !strings.HasPrefix(r.to, "/") {
			return r
		}
		r = v.get(r.to)
	}
	v.tb.Fatalf("%s leads on and on", path)
	return r
}

// signIn goes all the way in.
func (v *visit) signIn(who person) {
	v.tb.Helper()
	v.post("/signin/username", form("username", who.UserName))
	v.post("/signin/password", form("password", who.Password))
	useApp(v.tb, who.Secret, func(code string) { v.post("/signin/code", form("code", code)) })
	if in := v.page("/signin"); !v.in() {
		v.tb.Fatalf("%s is not signed in:\n%s", who.UserName, in.said())
	}
}

// in says whether somebody is signed in.
func (v *visit) in() bool {
	v.tb.Helper()
	return v.get("/portal").status == http.StatusOK
}

// The cookies.
const (
	attemptCookie = "__Host-sallyport-signin"
	sessionCookie = "__Host-sallyport-session"
)
