package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/store"
)

// strangersSteps is what a stranger who has a name can ask of the server.
var strangersSteps = []struct {
	name, path string
	form       func(name, password string) url.Values
}{
	{"forgot password", "/signin/forgot", func(name, _ string) url.Values { return url.Values{"username": {name}} }},
	{"user name", "/signin/username", func(name, _ string) url.Values { return url.Values{"username": {name}} }},
	{"password's page", "/signin", func(string, string) url.Values { return nil }},
	{"passkey's options", "/signin/passkey/options", func(string, string) url.Values { return url.Values{} }},
	{"password", "/signin/password", func(_, password string) url.Values { return url.Values{"password": {password}} }},
	{"page of the refusal", "/signin", func(string, string) url.Values { return nil }},
	{"code", "/signin/code", func(string, string) url.Values { return url.Values{"code": {"123456"}} }},
}

// told is all that a stranger sees who goes through the steps: text, status, headers, and what cookies are called and how long
// they are.
func (v *visitor) told(name, password string) string {
	v.s.t.Helper()
	clear(v.cookies)
	var all strings.Builder
	for _, step := range strangersSteps {
		r := v.send(step.path, step.form(name, password))
		var cookies []string
		for _, c := range (&http.Response{Header: r.header}).Cookies() {
			c.Value = fmt.Sprint(len(c.Value))
			cookies = append(cookies, c.String())
		}
		slices.Sort(cookies)
		for _, h := range []string{"Date", "Set-Cookie", "Content-Length"} {
			r.header.Del(h)
		}
		fmt.Fprintf(&all, "%s: %d, %v, cookies %v\n%s\n", step.name, r.status, r.header, cookies, strings.ReplaceAll(r.body, name, "NAME"))
	}
	return all.String()
}

// TestStrangersAreToldNothing: a name's answers are those of a name that nobody has, whoever its person is: at the first try, when
// some have failed, under a lock, and when that is over.
func TestStrangersAreToldNothing(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	names := []string{"enabled", "blocked", "deleted", "with-app", "no-word", "unknown"}
	for _, name := range names[:4] {
		s.hire(name, rightPassword)
	}
	s.hire("no-word", "")
	s.disable("blocked")
	s.belongings("with-app")
	s.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, sampleStore, s.users["deleted"].ID, "") })
	for state, address := range []string{"127.0.0.5", "127.0.0.5", "127.0.0.5", "127.0.0.6"} {
		v := s.visit(address)
		want := v.told("unknown", "a guess")
		for _, name := range names[:5] {
			if got := v.told(name, "a guess"); got != want {
				t.Errorf("time %d, of %s a stranger sees\n%s\nof nobody\n%s", state, name, got, want)
			}
		}
		for range []int{2, 3, 0, 0}[state] {
			for _, name := range names {
				s.visit("127.0.0.7").signIn(name, "a guess")
			}
		}
		if state == 2 {
			s.clock.Advance(24 * time.Hour)
		}
	}
}

// TestRightPasswordTellsNothing: not even who has somebody's password learns of it when they may not come in with it.
func TestRightPasswordTellsNothing(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	oneTime, err := s.login.NewOneTime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	passwords := map[string]string{"blocked": rightPassword, "expired": oneTime.Password, "locked": rightPassword}
	for name, password := range passwords {
		s.hire(name, password)
	}
	s.disable("blocked")
	s.update(func(tx *store.Tx) error {
		_, err := s.login.GiveOneTime(tx, s.users["expired"].ID, oneTime)
		return err
	})
	s.clock.Advance(365 * 24 * time.Hour)
	for range 6 {
		s.visit("127.0.0.7").signIn("locked", "a guess")
	}
	v := s.visit("127.0.0.5")
	want := v.told("unknown", rightPassword)
	for name, password := range passwords {
		if got := v.told(name, password); got != want {
			t.Errorf("who has the password of %s sees\n%s\nof nobody's\n%s", name, got, want)
		}
	}
}
