package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/internal/session"
)

// FuzzPages sends what a stranger or a signed-in person could. Whatever it is, the answer is a page or a redirect of ours:
// never an error of our own, never a way to another site, never without the policy.
func FuzzPages(f *testing.F) {
	w := newWorld(f)
	c := w.register("cli", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: home})
	authorize, _ := strings.CutPrefix(authorizeQuery(c, "http://127.0.0.1:4000/callback"), "/authorize?")
	for _, seed := range [][3]string{
		{"GET", "/authorize", authorize},
		{"POST", "/authorize", authorize + "&decision=approve"},
		{"GET", "/device", "user_code=" + d.UserCode},
		{"POST", "/device", "user_code=" + d.UserCode + "&decision=deny"},
		{"GET", "/signin", "next=/portal"},
		{"POST", "/signin/username", "username=alice&next=//evil.test"},
		{"POST", "/signin/new-password", "new_password=a&confirm_password=b"},
		{"POST", "/signin/restart", ""},
		{"POST", "/signout", ""},
		{"GET", "/portal", "after=1"},
		{"GET", "/portal/account/111122223333", "after=x"},
		{"POST", "/portal/credentials", "account=111122223333&role=ReadOnly"},
		{"POST", "/signin/passkey/start", "next=/portal"},
		{"POST", "/signin/passkey/options", ""},
		{"POST", "/signin/passkey", "response={}&name=x&trust=yes"},
		{"POST", "/signin/code", "code=000000"},
		{"POST", "/signin/app", "code=000000&name=x"},
		{"POST", "/signin/mail-code", "code=000000"},
		{"POST", "/signin/forgot", "username=alice"},
		{"GET", "/link/aolx", ""},
		{"POST", "/link/aolx", "username=x"},
		{"GET", "/account", ""},
		{"POST", "/account/confirm", "next=//evil.test"},
		{"POST", "/account/rename-device", "device=x&name=y"},
		{"POST", "/account/end-session", "session=x"},
		{"POST", "/account/disown", "notice=x"},
		{"HEAD", "/start", "x"},
		{"GET", "//evil.test/..//", "%00"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[2], "", "")
	}
	w.set("session.life", "90d")
	in := w.signedIn()
	f.Fuzz(func(t *testing.T, method, path, query, body, attempt, session string) {
		target, err := url.ParseRequestURI(path + "?" + query)
		if err != nil || method == "" || strings.ContainsFunc(method, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Skip() // net/http refuses it before us
		}
		w.tb = t
		w.clock.Advance(time.Minute) // for the allowances
		if session == "" {
			session = in.cookies[sessionCookie]
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Method = method
		r.URL, r.Host, r.RequestURI = target, "localhost:8080", path+"?"+query
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header["Cookie"] = []string{attemptCookie + "=" + attempt + "; " + sessionCookie + "=" + session}
		rec := httptest.NewRecorder()
		w.log.Reset()
		w.handler.ServeHTTP(rec, r)
		if rec.Code >= 500 || w.log.Len() > 0 {
			t.Fatalf("%s %s is %d: %s", method, r.RequestURI, rec.Code, w.log)
		}
		if rec.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s has no policy", method, r.RequestURI)
		}
		checkLocation(t, rec.Header().Get("Location"))
		if rec.Header().Get("Set-Cookie") != "" && len(rec.Result().Cookies()) == 0 {
			t.Errorf("broken cookie: %q", rec.Header()["Set-Cookie"])
		}
		if (path == "/signout" || path == "/account/end-all") && rec.Code == http.StatusOK {
			in = w.signedIn()
		}
	})
}

// checkLocation: redirects stay here, or go to the client that the person was asked about, or to the start URL.
func checkLocation(t *testing.T, to string) {
	t.Helper()
	if to == "" || to == startURL {
		return
	}
	u, err := url.Parse(to)
	if err != nil || u.Host != "" && u.Host != "localhost:8080" && u.Hostname() != "127.0.0.1" || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		t.Errorf("leads to %q", to)
	}
}
