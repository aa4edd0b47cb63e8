package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/config"
	"sallyport/internal/directory"
	"sallyport/internal/mail"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	attemptCookie = "__Host-sallyport-signin"
	sessionCookie = "__Host-sallyport-session"

	rightPassword = "Correct-Horse-7"
)

// siege is a whole server under attack: as it serves, behind its outermost handler, but that no worker runs and that its letters
// stay where they are.
type siege struct {
	*Server
	t     *testing.T
	clock *clocktest.Clock
	url   string
	file  string // of the database
	users map[string]store.User
}

// besiege opens a server at a name, which passkeys need. No second factor is asked for until a test says so.
func besiege(t *testing.T, change ...func(*config.Config)) *siege {
	t.Helper()
	s := &siege{t: t, clock: clocktest.At(time.Unix(1_800_000_000, 0)), file: storetest.NewFile(t), users: map[string]store.User{}}
	web := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://localhost:" + port
	s.Server = openServer(t, storetest.OpenAt(t, s.file, s.clock), s.url)
	for _, f := range change {
		f(s.cfg)
	}
	if err := s.cfg.Complete(); err != nil {
		t.Fatal(err)
	}
	s.login.Mail.Server = &mail.Server{Address: "localhost:25", From: "Sallyport <no-reply@example.org>"}
	web.Config.Handler = s.proxied(s.handler())
	web.Start()
	t.Cleanup(func() {
		web.Close()
		if err := s.Server.file.Close(); err != nil {
			t.Error(err)
		}
	})
	s.set("mfa.mode", setting.Off)
	return s
}

func (s *siege) update(f func(*store.Tx) error) {
	s.t.Helper()
	if err := s.db.Update(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
}

func (s *siege) set(name, value string) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error { _, err := setting.Put(tx, name, value, "test"); return err })
}

// hire makes a user; a password of "" is none.
func (s *siege) hire(name, password string) store.User {
	s.t.Helper()
	phc := ""
	if password != "" {
		var err error
		if phc, err = s.login.Hasher.Hash(s.t.Context(), password); err != nil {
			s.t.Fatal(err)
		}
	}
	s.update(func(tx *store.Tx) error {
		u, err := directory.CreateUser(tx, store.User{StoreID: sampleStore, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{
			Name: store.Name{GivenName: name, FamilyName: name}, Emails: []store.TypedValue{{Value: name + "@sallyport.invalid", Type: "work", Primary: true}},
		}}, "test")
		if s.users[name] = u; err != nil || phc == "" {
			return err
		}
		return s.login.SetPassword(tx, u.ID, phc, false)
	})
	return s.users[name]
}

func (s *siege) disable(name string) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error { return s.login.Disable(tx, s.users[name].ID, "test") })
}

// visitor is a browser without a screen: it keeps cookies and says that its forms are of the page's own origin.
type visitor struct {
	s       *siege
	http    *http.Client
	headers http.Header // sent with every request
	cookies map[string]string
}

// visit comes from an address of this machine.
func (s *siege) visit(address string) *visitor {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, to string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(to)
		return dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	}}
	s.t.Cleanup(transport.CloseIdleConnections)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &visitor{s, &http.Client{Transport: transport, CheckRedirect: stay}, http.Header{}, map[string]string{}}
}

// enter is a visitor with a session of a user's, who has just proved a second factor.
func (s *siege) enter(name string) *visitor {
	s.t.Helper()
	v := s.visit("127.0.0.1")
	s.update(func(tx *store.Tx) error {
		cookie, _, err := s.sessions.StartPortal(tx, s.users[name], session.Origin{IP: "127.0.0.1", UserAgent: "browser"}, s.clock.Now())
		v.cookies[sessionCookie] = string(cookie)
		return err
	})
	return v
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	to     string
	body   string
}

// send makes one request. A form makes it a POST.
func (v *visitor) send(path string, form url.Values, change ...func(http.Header)) reply {
	v.s.t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(v.s.t.Context(), method, v.s.url+path, strings.NewReader(body))
	if err != nil {
		v.s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.s.url)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, values := range v.headers {
		r.Header[name] = values
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, f := range change {
		f(r.Header)
	}
	res, err := v.http.Do(r)
	if err != nil {
		v.s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.s.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if v.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		}
	}
	return reply{res.StatusCode, res.Header, res.Header.Get("Location"), string(text)}
}

// post sends a form of pairs of name and value.
func (v *visitor) post(path string, pairs ...string) reply {
	v.s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.send(path, form)
}

// page opens a page and follows where it leads.
func (v *visitor) page(path string) reply {
	v.s.t.Helper()
	r := v.send(path, nil)
	for n := 0; r.status/100 == 3 && n < 10; n++ {
		r = v.send(r.to, nil)
	}
	return r
}

// signIn gives a user name and a password, and says whether they lead in.
func (v *visitor) signIn(name, password string) bool {
	v.s.t.Helper()
	v.post("/signin/username", "username", name)
	v.post("/signin/password", "password", password)
	v.page("/signin")
	return v.in()
}

// in says whether the visitor is signed in.
func (v *visitor) in() bool {
	v.s.t.Helper()
	return v.send("/portal", nil).status == http.StatusOK
}
