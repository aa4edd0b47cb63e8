package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/internal/session"
	"sallyport/internal/store"
)

const hostileName = `<b>AWS</b> "CLI" {{.}}`

// deviceToken polls once for a device's token.
func (w *world) deviceToken(c session.Client, d session.DeviceStart) (session.Outcome, error) {
	w.tb.Helper()
	w.clock.Advance(time.Second)
	return w.redeem(session.TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: session.DeviceGrant, DeviceCode: string(d.DeviceCode)})
}

// TestDevice is RFC 8628 as the person sees it (case S31).
func TestDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.register(hostileName, "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: "198.51.100.99", UserAgent: "evil\u202e<i>/1.0"})
	b := w.signedIn()

	a := b.open("/device").expect(http.StatusOK, "Approve a device")
	a = b.submit(a, "user_code", "user_code", strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " "))).expect(http.StatusOK, "Allow access?")
	a.says(d.UserCode).says(hostileName + " name not verified").says("198.51.100.99, at 09:00:00 UTC on 25 November 2026").says("You are at " + home).says("another network than yours")
	if n := len(a.find("i")) + len(a.find("b")); n > 0 {
		t.Errorf("what the client says of itself became markup:\n%s", a.text)
	}
	if _, err := w.deviceToken(c, d); err == nil {
		t.Error("looking at the page was enough")
	}
	b.submit(a, "decision", "decision", "approve").expect(http.StatusOK, "Access allowed")
	b.submit(a, "decision", "decision", "deny").expect(http.StatusConflict, "Approve a device").says("decided on already") // the back button
	b.open("/device?user_code="+d.UserCode).expect(http.StatusConflict, "Approve a device").says("decided on already")
	if out, err := w.deviceToken(c, d); err != nil || out.Session.UserID != w.alice.ID {
		t.Errorf("no token for alice: %+v, %v", out.Session, err)
	}
	if e := w.audit(); len(e) != 1 || e[0].EventName != "AuthorizeClient" || e[0].UserIdentity.OnBehalfOf.UserID != w.alice.ID || e[0].ServiceEventDetails["client_name"] != hostileName {
		t.Errorf("on record: %+v", e)
	}

	// Consent is asked every time, and from the same network there is no warning.
	d = w.startDevice(c, session.Origin{IP: home, UserAgent: "aws-cli"})
	a = b.open("/device?user_code="+d.UserCode).expect(http.StatusOK, "Allow access?")
	if strings.Contains(a.text, "another network") {
		t.Error("warned of the person's own network")
	}
	b.submit(a, "decision", "decision", "deny").expect(http.StatusOK, "Access denied")
	_, err := w.deviceToken(c, d)
	wantReason(t, err, "access_denied")
	if got := w.events(); got[len(got)-1] != "AuthorizeClient AccessDenied" {
		t.Errorf("on record: %v", got)
	}
}

// TestDeviceNeedsSignIn: the code in the address survives the sign-in, and only who signed in approves.
func TestDeviceNeedsSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	c := w.register("cli", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: home})
	b := w.browser()
	page := b.open("/device?user_code="+d.UserCode).expect(http.StatusOK, "Sign in")
	b.follow(b.send(http.MethodPost, "/device", url.Values{"user_code": {d.UserCode}, "decision": {"approve"}})).expect(http.StatusOK, "Sign in")
	if _, err := w.deviceToken(c, d); err == nil {
		t.Error("nobody approved and there is a token")
	}
	a := b.signIn(page, "alice", password).expect(http.StatusOK, "Allow access?").says(d.UserCode)
	b.send(http.MethodPost, "/signout", url.Values{})
	b.submit(a, "decision", "decision", "approve").expect(http.StatusOK, "Sign in") // too late
	if _, err := w.deviceToken(c, d); err == nil {
		t.Error("somebody who is signed out approved")
	}
}

func TestDeviceWrongCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.register("cli", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: home})
	b := w.signedIn()
	for _, code := range []string{"BCDF-GHJK", "x", "<script>", "' OR 1=1", strings.Repeat("B", 5000), "ÄÖÜ"} {
		b.open("/device?user_code="+url.QueryEscape(code)).expect(http.StatusNotFound, "Approve a device").says("No sign-in waits for this code")
	}
	for range 4 {
		b.follow(b.send(http.MethodPost, "/device", url.Values{"user_code": {"BCDF-GHJK"}, "decision": {"approve"}})).expect(http.StatusNotFound, "Approve a device")
	}
	b.open("/device?user_code="+d.UserCode).expect(http.StatusTooManyRequests, "Approve a device").says("Too many codes")
	w.clock.Advance(time.Minute)
	b.open("/device?user_code="+d.UserCode).expect(http.StatusOK, "Allow access?")
	w.clock.Advance(10 * time.Minute)
	b.open("/device?user_code="+d.UserCode).expect(http.StatusNotFound, "Approve a device").says("No sign-in waits")
}

// TestDeniedClient: an administrator has blocked the client while the person looks at its page.
func TestDeniedClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.register("cli", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: home})
	b := w.signedIn()
	device, code := b.open("/device?user_code="+d.UserCode), b.open(authorizeQuery(c, "http://127.0.0.1:4000/callback"))
	asked := must(url.Parse(authorizeQuery(c, "http://127.0.0.1:4000/callback")))
	key := must(w.sessions.CheckAuthorize(asked.Query())).ClientKey
	w.update(func(tx *store.Tx) error { _, err := w.sessions.Block(tx, key, "test"); return err })
	b.submit(device, "decision", "decision", "approve").expect(http.StatusBadRequest, "Approve a device").says("blocked by an administrator")
	b.submit(code, "decision", "decision", "approve").expect(http.StatusBadRequest, "That did not work").says("blocked by an administrator")
	if got := w.events(); len(got) > 0 {
		t.Errorf("on record though nothing was allowed: %v", got)
	}
}

// TestAuthorize is the authorization code flow as the AWS CLI uses it (case S28).
func TestAuthorize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	c := w.register(hostileName, "http://127.0.0.1/oauth/callback")
	redirect := "http://127.0.0.1:51763/oauth/callback"
	b := w.browser()
	a := b.signIn(b.open(authorizeQuery(c, redirect)), "alice", password).expect(http.StatusOK, "Allow access?")
	a.says(hostileName + " name not verified").says("127.0.0.1:51763, on this computer")
	if got := a.header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "; form-action 'self' http://127.0.0.1:51763") {
		t.Errorf("policy of the consent page: %s", got)
	}
	to := b.submit(a, "decision", "decision", "approve").leads(redirect + "?")
	if to.Query().Get("state") != "st&te=1" || to.Query().Get("code") == "" || len(to.Query()) != 2 {
		t.Errorf("the answer is %s", to)
	}
	exchange := session.TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: session.CodeGrant, Code: to.Query().Get("code"), RedirectURI: redirect, CodeVerifier: verifier}
	if _, err := w.redeem(exchange); err != nil {
		t.Error(err)
	}
	a = b.open(authorizeQuery(c, redirect)).expect(http.StatusOK, "Allow access?") // asked every time
	to = b.submit(a, "decision", "decision", "deny").leads(redirect + "?")
	if to.Query().Get("error") != "access_denied" || to.Query().Get("state") != "st&te=1" {
		t.Errorf("a refusal is %s", to)
	}
	form := a.form("decision")
	to = b.send(http.MethodPost, form.action, url.Values{}).leads(redirect + "?")
	if to.Query().Get("error") != "access_denied" {
		t.Errorf("no decision is taken as %s", to)
	}
	if strings.Contains(strings.Join(b.visited, "\n")+w.log.String(), to.Query().Get("code")) && to.Query().Has("code") {
		t.Error("the code is in an address of ours or in the log")
	}
}

// TestAuthorizeRefusals: what is wrong with the client or its address is told to the person and leads nowhere; anything else
// goes back to the client, with its state, without a sign-in.
func TestAuthorizeRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	redirect := "http://127.0.0.1:4000/callback"
	c := w.register("cli", "http://127.0.0.1/callback")
	for _, b := range []*browser{w.browser(), w.signedIn()} {
		for _, change := range [][]string{
			{"client_id", "nonsense"},
			{"client_id", ""},
			{"client_id", c.ID[1:]},
			{"redirect_uri", "https://evil.test/callback"},
			{"redirect_uri", "http://localhost:4000/callback"},
			{"redirect_uri", "http://127.0.0.1.evil.test/callback"},
			{"redirect_uri", "http://127.0.0.1:1@evil.test/callback"},
			{"redirect_uri", "http://127.0.0.1:4000/other"},
			{"redirect_uri", ""},
			{"redirect_uri", "http://127.0.0.1:4000/callback\r\nSet-Cookie: x"},
			{"redirect_uri", "http://127.0.0.1:4000/callback?x"},
			{"redirect_uri", "http://127.0.0.1:4000/callback#x"},
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				var form url.Values
				if method == http.MethodPost {
					form = url.Values{"decision": {"approve"}}
				}
				a := b.send(method, authorizeQuery(c, redirect, change...), form)
				if a.expect(http.StatusBadRequest, "That did not work"); a.header.Get("Location") != "" {
					t.Errorf("%v leads to %s", change, a.header.Get("Location"))
				}
			}
		}
		twice := b.send(http.MethodGet, authorizeQuery(c, redirect)+"&redirect_uri=https%3A%2F%2Fevil.test", nil)
		twice.expect(http.StatusBadRequest, "That did not work")
		for _, change := range [][]string{
			{"response_type", "token"}, {"code_challenge_method", "plain"}, {"code_challenge", ""}, {"code_challenge", "short"}, {"scopes", "sso:admin"},
		} {
			to := b.send(http.MethodGet, authorizeQuery(c, redirect, change...), nil).leads(redirect + "?")
			if to.Query().Get("error") == "" || to.Query().Get("state") != "st&te=1" {
				t.Errorf("%v is answered with %s", change, to)
			}
		}
	}
}

// TestAuthorizeIPv6: the grammar of policies has no IPv6 addresses, and a form that may not lead there would end nowhere.
func TestAuthorizeIPv6(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.register("cli", "http://[::1]/callback")
	b := w.signedIn()
	a := b.open(authorizeQuery(c, "http://[::1]:4000/callback")).expect(http.StatusOK, "Allow access?").says("[::1]:4000")
	if got := a.header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "; form-action 'self' http:") {
		t.Errorf("policy of the consent page: %s", got)
	}
	b.submit(a, "decision", "decision", "approve").leads("http://[::1]:4000/callback?code=")
}

// TestSessionEndsBeforeConsent: the person signs in again and is asked again; the program is not left waiting.
func TestSessionEndsBeforeConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword(password, false)
	c := w.register("cli", "http://127.0.0.1/callback")
	b := w.signedIn()
	a := b.open(authorizeQuery(c, "http://127.0.0.1:4000/callback")).expect(http.StatusOK, "Allow access?")
	w.clock.Advance(9 * time.Hour)
	a = b.submit(a, "decision", "decision", "approve").expect(http.StatusOK, "Sign in")
	b.signIn(a, "alice", password).expect(http.StatusOK, "Allow access?")
}
