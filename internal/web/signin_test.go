package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	b := w.browser()

	a := b.open("/portal/account/"+string(member)).expect(http.StatusOK, "Sign in")
	if n := len(b.cookies); n != 0 {
		t.Errorf("opening a page left %d cookies", n)
	}
	a = b.submit(a, "username", "username", " Alice ").expect(http.StatusOK, "Enter your password")
	before := b.cookies[attemptCookie]
	a = b.submit(a, "password", "password", "wrong").expect(http.StatusOK, "Enter your password").says("not right")
	b.submit(a, "password", "password", password).expect(http.StatusOK, "Prüfung <b>111122223333").says("Signed in as alice")

	if b.cookies[attemptCookie] != "" || b.cookies[sessionCookie] == "" || b.cookies[knownCookie] == "" {
		t.Errorf("cookies after signing in: %v", sorted(b.cookies))
	}
	b.open("/signin").expect(http.StatusOK, "Accounts") // the back button
	everything := strings.Join(b.visited, "\n") + w.log.String()
	for _, secret := range []string{password, "wrong", before, b.cookies[sessionCookie], b.cookies[knownCookie], "alice", "Alice"} {
		if strings.Contains(everything, secret) {
			t.Errorf("%q is in an address or in the log", secret)
		}
	}
}

func TestForcedChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword("One-Time-Pass-1", true)
	b := w.browser()
	a := b.signIn(b.open("/device"), "alice", "One-Time-Pass-1").expect(http.StatusOK, "Choose a new password")
	a = b.submit(a, "new_password", "new_password", "short", "confirm_password", "short").says("8 to 64 characters")
	a = b.submit(a, "new_password", "new_password", "My-Own-Pass-2", "confirm_password", "My-Own-Pass-3").says("The two passwords differ.")
	b.open("/portal").expect(http.StatusOK, "Sign in") // skipped: not signed in
	b.submit(a, "new_password", "new_password", "My-Own-Pass-2", "confirm_password", "My-Own-Pass-2").expect(http.StatusOK, "Approve a device")
}

// TestUnknownUserLooksTheSame compares everything that a browser can see of a known and of an unknown name.
func TestUnknownUserLooksTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	type sight struct {
		From, Text string
		Status     int
		Header     http.Header
	}
	look := func(name string) (seen []sight) {
		b := w.browser()
		note := func(a answer) {
			h := a.header.Clone()
			for i, c := range h["Set-Cookie"] {
				name, value, _ := strings.Cut(c, "=")
				h["Set-Cookie"][i] = name + " of " + strings.Repeat("x", strings.Index(value, ";")) // random, and of the same length
			}
			seen = append(seen, sight{a.from, strings.ReplaceAll(a.text, name, "NAME"), a.status, h})
		}
		form := b.open("/portal").form("username").data()
		form.Set("username", name)
		note(b.send(http.MethodPost, "/signin/username", form))
		note(b.send(http.MethodGet, "/signin", nil))
		for range 6 { // the last under a lock
			note(b.send(http.MethodPost, "/signin/password", url.Values{"password": {"wrong"}}))
			note(b.send(http.MethodGet, "/signin", nil))
		}
		note(b.send(http.MethodPost, "/signin/new-password", url.Values{"new_password": {"My-Own-Pass-2"}, "confirm_password": {"My-Own-Pass-2"}}))
		note(b.send(http.MethodPost, "/signin/restart", url.Values{}))
		return seen
	}
	if d := cmp.Diff(look("alice"), look("nobody")); d != "" {
		t.Errorf("alice (-) and nobody (+) differ:\n%s", d)
	}
}

// TestOneBrowserGivesNothingToAnother: an attempt is its browser's alone, and what was planted before the password is
// worth nothing after it.
func TestOneBrowserGivesNothingToAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	b, other, thief := w.browser(), w.browser(), w.browser()

	b.cookies[sessionCookie], b.cookies[attemptCookie] = "planted", "planted"
	a := b.submit(b.open("/portal"), "username", "username", "alice").expect(http.StatusOK, "Enter your password")
	if b.cookies[attemptCookie] == "planted" {
		t.Error("the planted attempt was taken up")
	}
	other.open("/signin").expect(http.StatusOK, "Sign in")
	thief.cookies[attemptCookie] = b.cookies[attemptCookie] // seen, or planted, before the password
	b.submit(a, "password", "password", password).expect(http.StatusOK, "Accounts")
	if b.cookies[sessionCookie] == "planted" {
		t.Error("the planted session was taken up")
	}
	for _, path := range []string{"/signin", "/portal"} {
		other.open(path).expect(http.StatusOK, "Sign in")
		thief.open(path).expect(http.StatusOK, "Sign in")
	}
	thief.cookies[sessionCookie] = "planted"
	thief.open("/portal").expect(http.StatusOK, "Sign in")
}

func TestStepsOutOfOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	b := w.browser()
	for path, form := range map[string]url.Values{ // skipped: there is no attempt yet
		"/signin/password": {"password": {password}}, "/signin/new-password": {"new_password": {"My-Own-Pass-2"}, "confirm_password": {"My-Own-Pass-2"}}, "/signin/restart": {},
	} {
		b.follow(b.send(http.MethodPost, path, form)).expect(http.StatusOK, "Sign in").says("This sign-in is over")
	}
	a := b.submit(b.open("/device"), "username", "username", "alice").expect(http.StatusOK, "Enter your password")
	b.follow(b.send(http.MethodPost, "/signin/new-password", url.Values{"new_password": {"My-Own-Pass-2"}, "confirm_password": {"My-Own-Pass-2"}})).
		expect(http.StatusOK, "Enter your password")
	b.submit(a, "password", "password", "").expect(http.StatusOK, "Enter your password").says("not right")

	restarted := b.follow(b.send(http.MethodPost, "/signin/restart", url.Values{})).expect(http.StatusOK, "Sign in")
	if next := restarted.form("username").data().Get("next"); next != "/device" {
		t.Errorf("after a restart the sign-in leads to %q", next)
	}
	b.signIn(restarted, "alice", password).expect(http.StatusOK, "Approve a device")
	session := b.cookies[sessionCookie]
	b.submit(restarted, "username", "username", "bob").expect(http.StatusOK, "Approve a device") // a page from before
	b.submit(a, "password", "password", password).expect(http.StatusOK, "Accounts")
	if b.cookies[sessionCookie] != session {
		t.Error("a repeated step made another session")
	}
}

func TestExpiredAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	b := w.browser()
	a := b.submit(b.open("/portal"), "username", "username", "alice")
	w.clock.Advance(16 * time.Minute)
	b.submit(a, "password", "password", password).expect(http.StatusOK, "Sign in").says("took too long")
	if b.cookies[attemptCookie] != "" {
		t.Error("the cookie of the old attempt stays")
	}
	b.open("/portal").expect(http.StatusOK, "Sign in")
}

// TestNothingIsStoredForVisitors: whoever opens pages leaves no row behind, only whoever says a name does.
func TestNothingIsStoredForVisitors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.register("cli", "http://127.0.0.1/callback")
	before := w.db.Stats().Transactions
	for _, target := range []string{"/portal", "/device?user_code=BCDF-GHJK", "/signin", "/signin?next=/device", authorizeQuery(c, "http://127.0.0.1:4000/callback"), "/nothing"} {
		w.browser().open(target)
		b := w.browser()
		b.cookies[attemptCookie], b.cookies[sessionCookie] = "nonsense", "nonsense"
		b.open(target)
	}
	if n := w.db.Stats().Transactions - before; n != 0 {
		t.Errorf("%d transactions of change", n)
	}
}

func TestTooManySignIns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	form := b.open("/portal").form("username").data()
	form.Set("username", "nobody")
	var a answer
	for range 101 {
		a = b.send(http.MethodPost, "/signin/username", form)
	}
	a.expect(http.StatusTooManyRequests, "Wait a moment").says("from your network")
	other := w.browser()
	other.ip = "198.51.100.1"
	other.submit(other.open("/portal"), "username", "username", "nobody").expect(http.StatusOK, "Enter your password")
}

// TestOpenRedirects: a sign-in leads nowhere but to this portal.
func TestOpenRedirects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, in := w.browser(), w.signedIn()
	for _, next := range []string{"https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "javascript:alert(1)", "http:evil.test", "\\/evil.test", "/\r\nSet-Cookie: x=1"} {
		a := b.open("/signin?next="+url.QueryEscape(next)).expect(http.StatusOK, "Sign in")
		if got := a.form("username").data().Get("next"); got != "/portal" {
			t.Errorf("the page leads from %q to %q", next, got)
		}
		in.send(http.MethodGet, "/signin?next="+url.QueryEscape(next), nil).leads("/portal")
		in.send(http.MethodPost, "/signin/username", url.Values{"next": {next}, "username": {"alice"}}).leads("/portal")
		b.send(http.MethodPost, "/signin/username", url.Values{"next": {next}, "username": {"alice"}}).leads("/signin")
		a = b.follow(b.send(http.MethodPost, "/signin/restart", url.Values{}))
		if got := a.form("username").data().Get("next"); got != "/portal" {
			t.Errorf("the attempt leads from %q to %q", next, got)
		}
	}
	for _, path := range []string{"//evil.test/portal", "/portal//evil.test", "/%2f%2fevil.test", "///evil.test/.."} {
		if to := in.send(http.MethodGet, path, nil).header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, "://evil") {
			t.Errorf("%s leads to %q", path, to)
		}
	}
}

// TestOddNames: whatever is typed as a name is shown as text, and is an error of nobody's.
func TestOddNames(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		b := w.browser()
		page := b.open("/portal")
		for name, status := range map[string]int{
			"": 422, "   ": 422, strings.Repeat("x", 129): 422, strings.Repeat("x", 60_000): 422, "a\x01b": 422, "a\nb": 422,
			"a\x00b": 400, "\xff": 400,
			strings.Repeat("ü", 128): 200, "用户": 200, `"><script>alert(1)</script>`: 200, "{{.}}": 200, "a\u202eb": 200, "'; DROP TABLE attempt; --": 200,
		} {
			a := b.submit(page, "username", "username", name)
			if a.status != status {
				t.Errorf("%.40q is answered %d, want %d", name, a.status, status)
			}
			if status != 200 {
				continue
			}
			if got := attr(a.find("input")[0], "value"); got != name {
				t.Errorf("%q is shown as %q", name, got)
			}
			if len(a.find("script")) > 0 {
				t.Errorf("%q became markup:\n%s", name, a.text)
			}
		}
		for _, p := range []string{strings.Repeat("x", 60_000), "用户\u202e", "\n"} {
			b.submit(b.submit(page, "username", "username", "alice"), "password", "password", p).expect(http.StatusOK, "Enter your password").says("not right")
		}
		if w.log.Len() > 0 {
			t.Errorf("log: %s", w.log)
		}
	})
}

// TestSignOut ends the session, the sessions below it and what was given out under them, and no others.
func TestSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, elsewhere := w.signedIn(), w.signedIn()
	c := w.register("cli", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: home})
	b.submit(b.open("/device?user_code="+d.UserCode), "decision", "decision", "approve").expect(http.StatusOK, "Access allowed")
	out, err := w.redeem(session.TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: session.DeviceGrant, DeviceCode: string(d.DeviceCode)})
	if err != nil || !w.works(out.Token.Access) {
		t.Fatalf("no token: %v", err)
	}
	cookie := b.cookies[sessionCookie]

	b.submit(b.open("/portal"), "").expect(http.StatusOK, "Signed out")
	if b.cookies[sessionCookie] != "" {
		t.Error("the cookie stays")
	}
	b.cookies[sessionCookie] = cookie // a thief has it
	b.open("/portal").expect(http.StatusOK, "Sign in")
	if w.works(out.Token.Access) {
		t.Error("the CLI's token works")
	}
	_, err = w.redeem(session.TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: session.RefreshGrant, RefreshToken: string(out.Token.Refresh)})
	wantReason(t, err, "invalid_grant")
	p, err := w.db.PollChanges(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(p.Changes, func(c store.Change) bool { return c.Key == "session:"+out.Session.ParentID }) {
		t.Errorf("role credentials are not told: %+v", p.Changes)
	}
	elsewhere.open("/portal").expect(http.StatusOK, "Accounts")
	seen := len(w.events())
	b.follow(b.send(http.MethodPost, "/signout", url.Values{})).expect(http.StatusOK, "Signed out") // again
	if more := w.events()[seen:]; len(more) > 0 {
		t.Errorf("signing out of nothing is on record: %v", more)
	}
	w.browser().open("/signout").expect(http.StatusMethodNotAllowed, "Not possible here")
}

// TestDisabledUserSignsOut: being enabled again does not bring back a session that was signed out of.
func TestDisabledUserSignsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	cookie := b.cookies[sessionCookie]
	status := func(s store.UserStatus) {
		w.update(func(tx *store.Tx) error {
			u, err := tx.User(w.alice.ID)
			u.Status = s
			if err != nil {
				return err
			}
			return tx.UpdateUser(u)
		})
	}
	status(store.UserDisabled)
	b.open("/portal").expect(http.StatusOK, "Sign in")
	b.follow(b.send(http.MethodPost, "/signout", url.Values{})).expect(http.StatusOK, "Signed out")
	status(store.UserEnabled)
	b.cookies[sessionCookie] = cookie
	b.open("/portal").expect(http.StatusOK, "Sign in")
}
