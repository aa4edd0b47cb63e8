package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/apiclient"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/passkey/passkeytest"
)

// visitor is a person at a browser, with a passkey. Its cookies are Secure, which jars do not send to a server without TLS.
type visitor struct {
	ts       *testscript.TestScript
	endpoint string
	name     string
	password string
	key      *passkeytest.Authenticator
	cookies  map[string]string
}

// post sends a form, follows where it leads, and returns the page.
func (v *visitor) post(path string, values ...string) string {
	form := url.Values{}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return v.send(http.MethodPost, path, form)
}

func (v *visitor) send(method, path string, form url.Values) string {
	r, err := http.NewRequest(method, v.endpoint+path, strings.NewReader(form.Encode()))
	v.ts.Check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.endpoint)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	v.ts.Check(err)
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		v.cookies[c.Name] = c.Value
	}
	if to := res.Header.Get("Location"); res.StatusCode/100 == 3 {
		return v.send(http.MethodGet, strings.TrimPrefix(to, v.endpoint), nil)
	}
	page, err := io.ReadAll(res.Body)
	v.ts.Check(err)
	if res.StatusCode != http.StatusOK {
		v.ts.Fatalf("%s %s of %s is %s:\n%s", method, path, v.name, res.Status, page)
	}
	return string(page)
}

// passkey answers what the page asks of the passkey.
func (v *visitor) passkey(answer func(*passkeytest.Authenticator, []byte) []byte) string {
	options := v.post("/signin/passkey/options")
	return v.post("/signin/passkey", "name", "Key", "response", string(answer(v.key, []byte(options))))
}

// visitors are those who were made, by data directory and name.
var (
	visitorsMu sync.Mutex
	visitors   = map[string]*visitor{}
)

// passkeys makes users of a sample world who have a password and a passkey.
func passkeys(ts *testscript.TestScript, _ bool, args []string) {
	c, err := newClient(ts.MkAbs(args[0]))
	ts.Check(err)
	origin := strings.TrimSuffix(c.world.PortalURL, "/portal") // passkeys are of a name, not of an address
	for _, name := range args[1:] {
		ctx, store := context.Background(), string(c.world.IdentityStoreID)
		made, _, err := apiclient.Ask[directoryapi.CreateUserResponse](ctx, c.Client, &directoryapi.CreateUserRequest{
			IdentityStoreId: store, UserName: &name, DisplayName: &name, Name: &directoryapi.Name{GivenName: &name, FamilyName: &name},
		})
		ts.Check(err)
		once, _, err := apiclient.Ask[api.CreateOneTimePasswordResponse](ctx, c.Client, &api.CreateOneTimePasswordRequest{UserId: made.UserId})
		ts.Check(err)
		v := &visitor{ts: ts, endpoint: origin, name: name, password: "Break-Glass-7-quietly", key: passkeytest.New(origin), cookies: map[string]string{}}
		v.post("/signin/username", "username", name)
		v.post("/signin/password", "password", once.OneTimePassword)
		v.passkey(func(k *passkeytest.Authenticator, options []byte) []byte { return k.Create(options) })
		page := v.post("/signin/new-password", "new_password", v.password, "confirm_password", v.password)
		if !strings.Contains(page, "<h1>Accounts</h1>") {
			ts.Fatalf("%s is not in:\n%s", name, page)
		}
		visitorsMu.Lock()
		visitors[ts.MkAbs(args[0])+" "+name] = v
		visitorsMu.Unlock()
	}
}

func visitorOf(ts *testscript.TestScript, dir, name string) *visitor {
	visitorsMu.Lock()
	defer visitorsMu.Unlock()
	v := visitors[ts.MkAbs(dir)+" "+name]
	v.ts = ts
	return v
}

// come signs somebody in for an emergency.
func (v *visitor) come() string {
	v.cookies = map[string]string{}
	v.post("/emergency/signin", "username", v.name)
	v.post("/signin/password", "password", v.password)
	return v.passkey(func(k *passkeytest.Authenticator, options []byte) []byte { return k.Get(options) })
}

var (
	accessOf  = regexp.MustCompile(`name="access" value="([0-9a-f-]+)"`)
	openingOf = regexp.MustCompile(`name="opening" value="([0-9a-f-]+)"`)
)

// open opens an emergency access in a sample world: its opener asks, and another approves. $OPENING is the opening's id.
func openEmergency(ts *testscript.TestScript, _ bool, args []string) {
	opener, approver := visitorOf(ts, args[0], args[1]), visitorOf(ts, args[0], args[2])
	page := opener.come()
	opener.post("/emergency/request", "access", found(ts, accessOf, page), "reason", "The database of production is down.")
	page = approver.come()
	id := found(ts, openingOf, page)
	approver.post("/emergency/answer", "opening", id, "decision", "approve")
	if page := opener.send(http.MethodGet, "/portal", nil); !strings.Contains(page, "444455556666") {
		ts.Fatalf("%s sees no account:\n%s", opener.name, page)
	}
	opener.post("/portal/credentials", "account", "444455556666", "role", "ProductionAdmin")
	ts.Setenv("OPENING", id)
}

func found(ts *testscript.TestScript, what *regexp.Regexp, page string) string {
	m := what.FindStringSubmatch(page)
	if m == nil {
		ts.Fatalf("no %s in:\n%s", what, page)
	}
	return m[1]
}
