package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/directory"
	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// formOf is the form of a list's entry that has the words.
func (a answer) formOf(entry, action string) url.Values {
	a.tb.Helper()
	for _, li := range a.find("li") {
		if !strings.Contains(words(li), entry) {
			continue
		}
		for _, n := range within(li, "form") {
			if attr(n, "action") == action {
				return form{node: n}.data()
			}
		}
	}
	a.tb.Fatalf("%q has no form for %s:\n%s", entry, action, words(a.page))
	return nil
}

// in says whether somebody is signed in in the browser.
func (b *browser) in() bool {
	b.w.tb.Helper()
	return b.open("/portal").title() == "Accounts"
}

// TestEndOneSession ends one of a person's own sessions, and nobody else's.
func TestEndOneSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, lost, third := w.signedIn(), w.signedIn(), w.signedIn()
	c := w.register("aws-cli", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: home})
	lost.submit(lost.open("/device?user_code="+d.UserCode), "decision", "decision", "approve").expect(http.StatusOK, "Access allowed")
	out, err := w.redeem(session.TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: session.DeviceGrant, DeviceCode: string(d.DeviceCode)})
	if err != nil || !w.works(out.Token.Access) {
		t.Fatalf("no token: %v", err)
	}
	page := b.open("/account").expect(http.StatusOK, "Your account").says("aws-cli").says("this one")
	if n := strings.Count(page.text, `action="/account/end-session"`); n != 3 {
		t.Errorf("%d sessions may be ended, want all but this one", n)
	}
	id := out.Session.ParentID
	b.follow(b.send(http.MethodPost, "/account/end-session", url.Values{"session": {id}})).expect(http.StatusOK, "Your account")
	if !b.in() || lost.in() || !third.in() {
		t.Error("another session than that one has ended")
	}
	if w.works(out.Token.Access) {
		t.Error("the program that was approved in it goes on")
	}
	b.send(http.MethodPost, "/account/end-session", url.Values{"session": {"00000000-0000-4000-8000-000000000000"}}).expect(http.StatusNotFound, "Page not found").says("no such session")

	mallory := w.other("mallory")
	theirs := mallory.open("/account")
	victim := b.open("/account").formOf("Browser", "/account/end-session")
	mallory.send(http.MethodPost, "/account/end-session", victim).expect(http.StatusNotFound, "Page not found")
	mallory.follow(mallory.send(http.MethodPost, "/account/end-others", url.Values{})).expect(http.StatusOK, "Your account")
	if !third.in() || !mallory.in() || strings.Contains(theirs.text, victim.Get("session")) {
		t.Error("somebody else may end it, or sees it")
	}
}

// other is a browser in which another person is signed in.
func (w *world) other(name string) *browser {
	w.tb.Helper()
	alice := w.alice
	defer func() { w.alice = alice }()
	w.update(func(tx *store.Tx) (err error) {
		w.alice, err = directory.CreateUser(tx, store.User{
			StoreID: storeID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: name, FamilyName: name}},
		}, "test")
		return err
	})
	return w.signedIn()
}

// TestEndOtherSessions signs out everywhere else, or everywhere.
func TestEndOtherSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, lost := w.signedIn(), w.signedIn()
	b.follow(b.send(http.MethodPost, "/account/end-others", url.Values{})).expect(http.StatusOK, "Your account")
	if !b.in() || lost.in() {
		t.Error("not the others have ended")
	}
	lost = w.signedIn()
	cookie := b.cookies[sessionCookie]
	b.send(http.MethodPost, "/account/end-all", url.Values{}).expect(http.StatusOK, "Signed out").says("and their credentials")
	if b.cookies[sessionCookie] != "" {
		t.Error("the cookie stays")
	}
	b.cookies[sessionCookie] = cookie // a thief has it
	if b.in() || lost.in() {
		t.Error("a session goes on")
	}
	if n := slices.IndexFunc(w.events(), func(e string) bool { return e == "EndSession" }); n < 0 {
		t.Errorf("not on record: %v", w.events())
	}
	b.follow(b.send(http.MethodPost, "/account/end-all", url.Values{})).expect(http.StatusOK, "Sign in") // of nobody
}

// TestDevices are renamed at once, and removed when a factor was proved a short while ago.
func TestDevices(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	seed := w.app("Phone")
	w.app("Old phone")
	b, elsewhere := w.signedIn(), w.signedIn()
	change := b.open("/account").formOf("Old phone", "/account/rename-device")
	change.Set("name", "Lost <phone>")
	page := b.follow(b.send(http.MethodPost, "/account/rename-device", change)).expect(http.StatusOK, "Your account").says("Lost <phone>")

	remove := page.formOf("Lost <phone>", "/account/remove-device")
	ask := b.follow(b.send(http.MethodPost, "/account/remove-device", remove)).expect(http.StatusOK, "Confirm that it is you")
	if d := cmp.Diff([]string{"Phone", "Lost <phone>"}, w.devices()); d != "" {
		t.Errorf("removed without a factor: %s", d)
	}
	before := b.cookies[sessionCookie]
	page = b.submit(ask, "code", "code", w.code(seed)).expect(http.StatusOK, "Your account")
	if b.cookies[sessionCookie] == before {
		t.Error("the cookie is that of before the confirmation")
	}
	b.follow(b.send(http.MethodPost, "/account/remove-device", remove)).expect(http.StatusOK, "Your account")
	if d := cmp.Diff([]string{"Phone"}, w.devices()); d != "" {
		t.Error(d)
	}
	if !b.in() || elsewhere.in() {
		t.Error("whoever has the device may be signed in elsewhere")
	}
	b.send(http.MethodPost, "/account/remove-device", remove).expect(http.StatusNotFound, "Your account").says("not found")
	w.other("mallory").send(http.MethodPost, "/account/rename-device", page.formOf("Phone", "/account/rename-device")).expect(http.StatusForbidden, "Your account")
	if d := cmp.Diff([]string{"Phone"}, w.devices()); d != "" {
		t.Error(d)
	}
	w.set("mfa.self-service", "false")
	b.send(http.MethodPost, "/account/remove-device", page.formOf("Phone", "/account/remove-device")).expect(http.StatusForbidden, "Your account").says("Your organization manages devices for you")
	b.send(http.MethodPost, "/account/add-device", url.Values{}).expect(http.StatusForbidden, "Not allowed")
}

// TestAddDevice: a second device needs the first one, and the person is told.
func TestAddDevice(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	b := w.signedIn()
	b.send(http.MethodPost, "/account/add-device", url.Values{}).expect(http.StatusForbidden, "Not allowed").says("with an invitation")
	seed := w.app("Phone")
	ask := b.follow(b.send(http.MethodPost, "/account/add-device", url.Values{})).expect(http.StatusOK, "Confirm that it is you")
	page := b.submit(ask, "code", "code", w.code(seed)).expect(http.StatusOK, "Register a device")
	key := passkeytest.New(portal)
	b.givePasskey(page, key, "name", "Blue key").expect(http.StatusOK, "Your account").says("Blue key").says("A device was registered: Blue key")

	b = w.browser() // and it is good for signing in, alone
	page = b.follow(b.send(http.MethodPost, "/signin/passkey/start", url.Values{"next": {"/account"}})).expect(http.StatusOK, "Sign in with a passkey")
	b.givePasskey(page, key).expect(http.StatusOK, "Your account")
}

// TestChangePassword asks for a factor, not for the old password, and tells the person.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	seed := w.app("Phone")
	b, elsewhere := w.signedIn(), w.signedIn()
	ask := b.follow(b.send(http.MethodPost, "/account/password", url.Values{})).expect(http.StatusOK, "Confirm that it is you")
	page := b.submit(ask, "code", "code", w.code(seed)).expect(http.StatusOK, "Choose a new password")
	b.submit(page, "new_password", "new_password", "My-Own-Pass-2", "confirm_password", "My-Own-Pass-2").expect(http.StatusOK, "Your account").says("Your password was changed")
	if elsewhere.in() {
		t.Error("whoever knew the old one is still signed in")
	}
	w.clock.Advance(time.Minute)
	other := w.browser()
	other.signIn(other.open("/portal"), "alice", password).says("not right")
	other.submit(other.open("/signin"), "password", "password", "My-Own-Pass-2").expect(http.StatusOK, "Second factor")
}

// TestDisown: "this was not me" ends everything, also in the browser in which it is said.
func TestDisown(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	seed := w.app("Phone")
	b, thief := w.signedIn(), w.signedIn()
	ask := thief.follow(thief.send(http.MethodPost, "/account/add-device", url.Values{}))
	thief.givePasskey(thief.submit(ask, "code", "code", w.code(seed)), passkeytest.New(portal), "name", "Foreign key")
	said := b.open("/account").formOf("Foreign key", "/account/disown")
	w.other("mallory").send(http.MethodPost, "/account/disown", said).expect(http.StatusNotFound, "Page not found")
	b.send(http.MethodPost, "/account/disown", said).expect(http.StatusOK, "Everything is ended")
	if b.in() || thief.in() || len(w.devices()) != 1 {
		t.Errorf("signed in, or devices %v", w.devices())
	}
	other := w.browser()
	other.signIn(other.open("/portal"), "alice", password).says("not right")
}
