package server

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/totp"
)

// everything is all that the database holds, to tell whether something was done.
func (s *siege) everything() string {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var all strings.Builder
	for _, table := range rows(s.t, db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`) {
		name := table[0].(string)
		fmt.Fprintln(&all, name, rows(s.t, db, `SELECT * FROM "`+name+`" ORDER BY 1, 2`))
	}
	return all.String()
}

func rows(t *testing.T, db *sql.DB, query string) (all [][]any) {
	t.Helper()
	got, err := db.QueryContext(t.Context(), query)
	if err != nil && strings.Contains(err.Error(), "2nd ORDER BY term") {
		return rows(t, db, strings.TrimSuffix(query, ", 2"))
	}
	if err != nil {
		t.Fatal(query, err)
	}
	defer func() { _ = got.Close() }()
	columns, err := got.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for got.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := got.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := got.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// target is a person with everything that a form could touch: devices, sessions, notices, links, a program that waits.
type target struct {
	*visitor
	forms map[string]url.Values
}

func (s *siege) target() target {
	s.t.Helper()
	v, other := s.enter("alice"), s.enter("alice")
	factors, notice := s.belongings("alice")
	invitation, disowning := s.links("alice", notice)
	var of store.Session
	s.update(func(tx *store.Tx) (err error) {
		of, err = s.sessions.Portal(tx, other.cookies[sessionCookie])
		return err
	})
	return target{v, map[string]url.Values{
		"/signin/username": {"username": {"mallory"}}, "/signin/password": {"password": {rightPassword}},
		"/signin/new-password": {"new_password": {"Blue-Harbour-41"}, "confirm_password": {"Blue-Harbour-41"}},
		"/signin/restart":      {}, "/signin/passkey/start": {"next": {"/portal"}}, "/signin/passkey/options": {}, "/signin/passkey": {"response": {"{}"}},
		"/signin/code": {"code": {"123456"}}, "/signin/app": {"code": {"123456"}}, "/signin/mail-code/send": {}, "/signin/mail-code": {"code": {"123456"}},
		"/signin/forgot": {"username": {"alice"}}, invitation: {}, disowning: {}, "/signout": {"sure": {"yes"}},
		"/account/confirm": {"next": {"/account"}}, "/account/add-device": {}, "/account/password": {},
		"/account/rename-device": {"device": {factors[0].ID}, "name": {"Theirs"}}, "/account/remove-device": {"device": {factors[1].ID}},
		"/account/end-session": {"session": {of.ID}}, "/account/end-others": {}, "/account/end-all": {}, "/account/disown": {"notice": {notice.ID}},
		"/emergency/signin": {"username": {"alice"}}, "/emergency/request": {"access": {arn.NewUUID()}, "reason": {"To get in from elsewhere."}},
		"/emergency/answer": {"opening": {arn.NewUUID()}, "decision": {"approve"}}, "/emergency/close": {"opening": {arn.NewUUID()}},
		"/emergency/review":   {"opening": {arn.NewUUID()}, "reason": {"To close it from elsewhere."}},
		"/portal/credentials": {"account": {string(sampleMember)}, "role": {"x"}},
		"/device":             {"user_code": {s.ask("127.0.0.9").UserCode}, "decision": {"approve"}}, "/authorize?" + s.codeRequest().Encode(): {"decision": {"approve"}},
	}}
}

// belongings gives a user two devices and a notice.
func (s *siege) belongings(name string) (factors []store.Factor, notice store.Notice) {
	s.t.Helper()
	user := s.users[name].ID
	s.update(func(tx *store.Tx) (err error) {
		for _, device := range []string{"Phone", "Tablet"} {
			if err := s.login.EnrollApp(tx, user, device, totp.NewSeed()); err != nil {
				return err
			}
		}
		if factors, err = tx.Factors(user); err != nil {
			return err
		}
		notice, err = tx.InsertNotice(store.Notice{UserID: user, Kind: store.PasswordChanged, IP: "192.0.2.1"})
		return err
	})
	return factors, notice
}

// links are the paths of an invitation and of the link that disowns a notice.
func (s *siege) links(name string, notice store.Notice) (invitation, disowning string) {
	s.t.Helper()
	user := s.users[name].ID
	token, hash := credential.NewBearer("aol")
	s.update(func(tx *store.Tx) error {
		d, err := s.login.Invite(tx, user, false)
		if err != nil {
			return err
		}
		invitation = strings.TrimPrefix(string(d.Link), s.url)
		return tx.InsertLink(store.Link{Hash: hash, UserID: user, Purpose: store.Disowning, Subject: notice.ID, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour)})
	})
	return invitation, "/link/" + string(token)
}

// client registers a program.
func (s *siege) client() session.Client {
	s.t.Helper()
	c, err := s.sessions.Register(session.Registration{
		Name: "program", Type: "public", Scopes: []string{session.AccountAccess}, RedirectURIs: []string{"http://127.0.0.1/callback"},
	}, session.Origin{IP: "127.0.0.9"})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// codeRequest is a well-formed request for an authorization code.
func (s *siege) codeRequest() url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {s.client().ID}, "redirect_uri": {"http://127.0.0.1:4000/callback"}, "state": {arn.NewUUID()},
		"scopes": {session.AccountAccess}, "code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("A", 43)},
	}
}

// foreignSenders are what browsers say of a form that is not of the page's own origin.
var foreignSenders = map[string]func(http.Header){
	"another site":         func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site"); h.Set("Origin", "https://evil.test") },
	"no origin":            func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site"); h.Del("Origin") },
	"our name as origin":   func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
	"a neighbour":          func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site"); h.Set("Origin", "http://localhost:1") },
	"a word of its own":    func(h http.Header) { h.Set("Sec-Fetch-Site", "Same-Origin") },
	"an old browser":       func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "https://evil.test") },
	"a sandbox, old":       func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "null") },
	"a longer name, old":   func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", h.Get("Origin")+".evil.test") },
	"our name as user":     func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", h.Get("Origin")+"@evil.test") },
	"another port, old":    func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "http://localhost:1") },
	"a method in a header": func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site"); h.Set("X-Http-Method-Override", "GET") },
}

// TestEveryFormIsOurs: whatever a signed-in browser sends from elsewhere, to every form that there is, is refused, and in all of
// the database nothing is another. The same forms from our own pages do something.
func TestEveryFormIsOurs(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	s.hire("alice", rightPassword)
	v := s.target()
	v.coversAllForms()
	v.page("/portal") // whatever a look leaves behind
	v.cookies[attemptCookie] = "planted"
	before := s.everything()
	for path, form := range v.forms {
		for who, change := range foreignSenders {
			r := v.send(path, form, change)
			if r.status != http.StatusForbidden || len(r.header["Set-Cookie"]) > 0 {
				t.Errorf("%s from %s is answered %d, cookies %v", path, who, r.status, r.header["Set-Cookie"])
			}
		}
		if after := s.everything(); after != before {
			t.Fatalf("%s from elsewhere did something:\n%s\nwas\n%s", path, after, before)
		}
	}
	for path, form := range v.forms { // the test could see it
		if strings.HasPrefix(path, "/account/r") || path == "/device" || path == "/emergency/signin" || path == "/account/end-session" || strings.HasPrefix(path, "/authorize") || path == "/signin/forgot" {
			before := s.everything()
			if r := v.send(path, form); r.status >= 400 || s.everything() == before {
				t.Errorf("%s of our own does nothing: %d %s", path, r.status, r.body)
			}
		}
	}
}

// coversAllForms fails the test if a form is served that the target does not have.
func (v target) coversAllForms() {
	v.s.t.Helper()
	source, err := os.ReadFile("../web/web.go")
	if err != nil {
		v.s.t.Fatal(err)
	}
	found := regexp.MustCompile(`"POST (/[^"{]*)`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 18 {
		v.s.t.Errorf("only %d forms were found", len(found))
	}
	for _, f := range found {
		covered := false
		for path := range v.forms {
			path, _, _ := strings.Cut(path, "?")
			covered = covered || path == f[1] || strings.HasSuffix(f[1], "/") && strings.HasPrefix(path, f[1])
		}
		if !covered {
			v.s.t.Errorf("POST %s is not tried", f[1])
		}
	}
}

// TestFormsOfAnotherSession: with a session of their own, and all that another's pages say, nobody touches what is another's.
func TestFormsOfAnotherSession(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	s.hire("alice", rightPassword)
	s.hire("mallory", rightPassword)
	of := s.target()
	of.post("/account/confirm", "next", "/account") // alice is about to prove a factor
	s.belongings("mallory")
	v := s.enter("mallory")
	v.page("/portal")
	before := s.everything()
	for path, form := range of.forms {
		if _, id, _ := strings.Cut(path, "/account/"); id == "" || len(form) == 0 || id == "confirm" {
			continue
		}
		if r := v.send(path, form); r.status < 400 || s.everything() != before {
			t.Errorf("%s with another's %v is answered %d %s", path, form, r.status, r.body)
		}
	}
	v.cookies[sessionCookie] += "x"
	for path, form := range of.forms { // a cookie that is none is no session
		if strings.HasPrefix(path, "/signin") || strings.HasPrefix(path, "/link") || path == "/signout" || path == "/emergency/signin" {
			continue
		}
		refused := func(r reply) bool { return strings.HasPrefix(r.to, "/signin?next=") }
		if strings.HasPrefix(path, "/emergency/") { // asks for a sign-in of its own, on the spot
			refused = func(r reply) bool { return r.status == http.StatusForbidden }
		}
		if r := v.send(path, form); !refused(r) || s.everything() != before {
			t.Errorf("%s without a session is answered %d to %q", path, r.status, r.to)
		}
	}
}
