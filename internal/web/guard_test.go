package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sallyport/internal/session"
)

// TestHeaders: every answer, whatever it is, is kept out of frames, caches and other origins' hands.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	for _, a := range []answer{
		b.send(http.MethodGet, "/portal", nil), b.send(http.MethodGet, "/nothing", nil), b.send(http.MethodGet, "/signin?next=/device", nil),
		b.send(http.MethodGet, "/static/sallyport.css", nil), b.send(http.MethodDelete, "/portal", nil), b.send(http.MethodHead, "/start", nil),
		b.send(http.MethodPost, "/signout", url.Values{}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }),
		b.send(http.MethodGet, "/portal", nil, func(r *http.Request) { r.Host = "127.0.0.1:8080" }),
	} {
		for name, want := range map[string]string{
			"Content-Security-Policy":    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
			"X-Content-Type-Options":     "nosniff",
			"X-Frame-Options":            "DENY",
			"Referrer-Policy":            "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s (%d): %s is %q", a.from, a.status, name, got)
			}
		}
		if got := a.header.Get("Cache-Control"); got != "no-store" && !strings.HasPrefix(a.from, "/static/") {
			t.Errorf("%s: Cache-Control is %q", a.from, got)
		}
	}
}

// TestCrossOriginPosts: no other site's page can send a form, however the browser tells of it, whoever is signed in.
func TestCrossOriginPosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	c := w.register("cli", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: home})
	forms := map[string]url.Values{
		"/signin/username": {"username": {"mallory"}, "next": {"/portal"}}, "/signin/password": {"password": {"x"}}, "/signin/restart": {}, "/signout": {},
		"/signin/new-password": {"new_password": {"x"}}, "/portal/credentials": {"account": {string(member)}, "role": {"ReadOnly"}},
		"/device": {"user_code": {d.UserCode}, "decision": {"approve"}}, authorizeQuery(c, "http://127.0.0.1:4000/callback"): {"decision": {"approve"}},
	}
	from := map[string]func(http.Header){
		"another site":             func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"a neighbour":              func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"another site, old":        func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "https://evil.test") },
		"a sandboxed frame, old":   func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "null") },
		"another local port, old":  func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "http://localhost:3000") },
		"a name that looks so old": func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "http://localhost:8080.evil.test") },
	}
	for path, form := range forms {
		for name, set := range from {
			a := b.send(http.MethodPost, path, form, func(r *http.Request) { set(r.Header) })
			if a.expect(http.StatusForbidden, "Not allowed"); len(a.header["Set-Cookie"]) > 0 {
				t.Errorf("%s from %s set a cookie", path, name)
			}
		}
	}
	b.open("/portal").expect(http.StatusOK, "Accounts")
	if got := w.events(); len(got) != 1 { // the list above
		t.Errorf("something was done: %v", got)
	}
}

// TestHosts: pages live on one host; another name leads there, and nowhere else.
func TestHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, host := range []string{"127.0.0.1:8080", "evil.test", "localhost:8080.evil.test", "localhost", "evil.test\\@localhost:8080"} {
		for _, target := range []string{"/portal", "/start", "//evil.test/portal", "/device?user_code=x&y=//evil.test"} {
			to := w.browser().send(http.MethodGet, target, nil, func(r *http.Request) { r.Host = host }).leads(portal + "/")
			if to.Host != "localhost:8080" {
				t.Errorf("%s%s leads to %s", host, target, to)
			}
		}
	}
	a := w.browser().send(http.MethodGet, "/portal", nil, func(r *http.Request) {
		r.Header.Set("X-Forwarded-Host", "evil.test")
		r.Header.Set("Forwarded", "host=evil.test;for=10.0.0.1")
		r.Header.Set("X-Forwarded-For", "10.0.0.1")
	})
	if got := a.header.Get("Location"); got != "/signin?next=%2Fportal" {
		t.Errorf("a proxy's header leads to %q", got)
	}
}

// TestStartURL: what the AWS CLI asks (case S26), by whatever name it reaches us.
func TestStartURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, path := range []string{"/", "/start", "/start/"} {
		for _, host := range []string{"localhost:8080", "127.0.0.1:8080"} {
			a := b.send(http.MethodHead, path, nil, func(r *http.Request) { r.Host = host })
			if a.status != http.StatusFound || a.header.Get("Location") != startURL {
				t.Errorf("HEAD %s at %s is %d to %s", path, host, a.status, a.header.Get("Location"))
			}
		}
		if to := b.send(http.MethodGet, path, nil).leads("/portal"); to.String() != "/portal" {
			t.Errorf("GET %s leads to %s", path, to)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	for _, c := range []struct{ method, path, allow string }{
		{http.MethodPost, "/portal", "GET, HEAD"},
		{http.MethodPut, "/device", "GET, HEAD, POST"},
		{http.MethodGet, "/signout", "POST"},
		{http.MethodGet, "/signin/password", "POST"},
		{http.MethodOptions, "/authorize", "GET, HEAD, POST"},
		{"BREW", "/", "GET, HEAD"},
	} {
		a := b.send(c.method, c.path, nil).expect(http.StatusMethodNotAllowed, "Not possible here")
		if got := a.header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow is %q, want %q", c.method, c.path, got, c.allow)
		}
	}
	for _, path := range []string{"/static/", "/static/..%2ftemplates%2flayout.html", "/static/none", "/static", "/portal/", "/favicon.ico", "/admin"} {
		b.follow(b.send(http.MethodGet, path, nil)).expect(http.StatusNotFound, "Page not found")
	}
	if a := b.send(http.MethodGet, "/static/sallyport.css", nil); a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
		t.Errorf("the style sheet is %d %s", a.status, a.header.Get("Content-Type"))
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(media, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/signin/username", strings.NewReader(body))
		r.Host = "localhost:8080"
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if media != "" {
			r.Header.Set("Content-Type", media)
		}
		for _, f := range change {
			f(r)
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		return rec
	}
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		media, body string
		status      int
	}{
		{form, "username=alice", http.StatusSeeOther},
		{form + "; charset=utf-8", "username=alice", http.StatusSeeOther},
		{form, "username=" + strings.Repeat("x", 64<<10), http.StatusRequestEntityTooLarge},
		{form, strings.Repeat("a&", 30_000), http.StatusBadRequest},
		{form, "username=%zz", http.StatusBadRequest},
		{form, "username=a;b", http.StatusBadRequest},
		{form, "username=%00", http.StatusBadRequest},
		{form, "username=%ff", http.StatusBadRequest},
		{"", "username=alice", http.StatusUnprocessableEntity},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nalice\r\n--x--\r\n", http.StatusUnsupportedMediaType},
		{"application/json", `{"username":"alice"}`, http.StatusUnsupportedMediaType},
		{"text/plain", "username=alice", http.StatusUnsupportedMediaType},
		{"x/y; =", "username=alice", http.StatusUnsupportedMediaType},
	} {
		if rec := post(c.media, c.body); rec.Code != c.status {
			t.Errorf("%s %.40q is answered %d, want %d", c.media, c.body, rec.Code, c.status)
		}
	}
	for _, agent := range []string{"x\r\nSet-Cookie: a=b", strings.Repeat("x", 20_000), "\xff\xfe", `"><script>`} { // net/http lets most of these through
		if rec := post(form, "username=alice", func(r *http.Request) { r.Header.Set("User-Agent", agent) }); rec.Code != http.StatusSeeOther {
			t.Errorf("user agent %.20q is answered %d", agent, rec.Code)
		}
	}
	for _, e := range w.audit() {
		if len(e.UserAgent) > 1024 || strings.ContainsRune(e.UserAgent, '\xff') {
			t.Errorf("user agent on record: %.50q", e.UserAgent)
		}
	}
	b := w.signedIn()
	for _, target := range []string{"/portal?after=%00", "/portal?after=%ff", "/device?user_code=%00"} {
		b.send(http.MethodGet, target, nil).expect(http.StatusBadRequest, "That did not work")
	}
	b.open("/portal?after="+strings.Repeat("9", 5000)).expect(http.StatusOK, "Accounts")
	b.open("/portal?after=%zz").expect(http.StatusOK, "Accounts")
}
