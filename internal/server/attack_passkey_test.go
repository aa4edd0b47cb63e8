package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// options asks for what the visitor's authenticator is to be told.
func (v *visitor) options() json.RawMessage {
	v.s.t.Helper()
	r := v.post("/signin/passkey/options")
	if r.status != http.StatusOK {
		v.s.t.Fatalf("options: %d %s", r.status, r.body)
	}
	return json.RawMessage(r.body)
}

// begin begins a sign-in by passkey, and returns what is to be signed.
func (v *visitor) begin() json.RawMessage {
	v.s.t.Helper()
	clear(v.cookies)
	v.post("/signin/passkey/start", "next", "/portal")
	return v.options()
}

// give gives an authenticator's answer, and says whether that leads in.
func (v *visitor) give(answer []byte) bool {
	v.s.t.Helper()
	v.post("/signin/passkey", "response", string(answer), "name", "Key")
	v.page("/signin")
	return v.in()
}

// withKey has a user with a passkey, which they registered by an invitation.
func withKey(t *testing.T) (*siege, *passkeytest.Authenticator) {
	t.Helper()
	s := besiege(t)
	s.set("mfa.mode", setting.Always)
	alice := s.hire("alice", "")
	var path string
	s.update(func(tx *store.Tx) error {
		d, err := s.login.Invite(tx, alice.ID, false)
		path = strings.TrimPrefix(string(d.Link), s.url)
		return err
	})
	v, key := s.visit("127.0.0.1"), passkeytest.New(s.url)
	v.post(path)
	v.give(key.Create(v.options()))
	v.post("/signin/new-password", "new_password", rightPassword, "confirm_password", rightPassword)
	if r := v.page("/signin"); !v.in() {
		t.Fatalf("alice is not in: %s", r.body)
	}
	return s, key
}

// TestPasskeysOverHTTP: an answer counts for our origin, and for the challenge that this browser was given last.
func TestPasskeysOverHTTP(t *testing.T) {
	t.Parallel()
	s, key := withKey(t)
	v := s.visit("127.0.0.1")
	for _, origin := range []string{
		"https://evil.test", strings.Replace(s.url, "http:", "https:", 1), s.url + ".evil.test", s.url + "/", strings.ToUpper(s.url), "http://localhost", "http://127.0.0.1" + s.url[len("http://localhost"):],
		"http://evil.localhost" + s.url[len("http://localhost"):], "null", "",
	} {
		key.Origin = origin
		if v.give(key.Get(v.begin())) {
			t.Errorf("what was signed at %q leads in", origin)
		}
	}
	key.Origin = s.url
	stale := v.begin()
	if v.options(); v.give(key.Get(stale)) {
		t.Error("a challenge counts that another one has replaced")
	}
	theirs := s.visit("127.0.0.1").begin()
	if v.begin(); v.give(key.Get(theirs)) {
		t.Error("the challenge of another browser counts")
	}
	good := key.Get(v.begin())
	if !v.give(good) {
		t.Fatal("the passkey does not lead in")
	}
	if v.begin(); v.give(good) {
		t.Error("an answer counts twice")
	}
	wrong := key.Get(v.begin())
	v.post("/signin/passkey", "response", "{}")
	if v.give(wrong) {
		t.Error("a challenge has two tries")
	}
}

// TestAnswerAtOnce: of the same answer, sent many times at once, one begins a session, and the attempt's id from before it is
// worth nothing.
func TestAnswerAtOnce(t *testing.T) {
	t.Parallel()
	s, key := withKey(t)
	v := s.visit("127.0.0.1")
	answer := key.Get(v.begin())
	planted := v.cookies[attemptCookie]
	copies := make([]*visitor, 8)
	var all sync.WaitGroup
	for i := range copies {
		c := s.visit("127.0.0.1")
		c.cookies[attemptCookie] = planted
		copies[i] = c
		all.Go(func() { c.post("/signin/passkey", "response", string(answer)) })
	}
	all.Wait()
	in := 0
	for _, c := range copies {
		c.page("/signin")
		if c.in() {
			in++
		}
		if c.cookies[sessionCookie] == planted {
			t.Error("the session is called as the attempt")
		}
	}
	if in != 1 {
		t.Errorf("%d are in, want 1", in)
	}
	v.cookies[attemptCookie] = planted
	if v.page("/signin"); v.in() {
		t.Error("the id from before the passkey leads in")
	}
}

// TestFixationByLink: whoever has planted an attempt in a browser has nothing when its person has followed an invitation there,
// nor is somebody else signed in there any longer.
func TestFixationByLink(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	s.hire("mallory", rightPassword)
	bob := s.hire("bob", "")
	var path string
	s.update(func(tx *store.Tx) error {
		d, err := s.login.Invite(tx, bob.ID, false)
		path = strings.TrimPrefix(string(d.Link), s.url)
		return err
	})
	thief := s.visit("127.0.0.8")
	thief.post("/signin/username", "username", "mallory")
	planted := thief.cookies[attemptCookie]
	victim := s.enter("mallory")
	victim.cookies[attemptCookie] = planted
	victim.post(path)
	if victim.cookies[attemptCookie] == planted || victim.cookies[sessionCookie] != "" {
		t.Fatalf("cookies after the link: %v", victim.cookies)
	}
	victim.post("/signin/new-password", "new_password", "Blue-Harbour-41-sails", "confirm_password", "Blue-Harbour-41-sails")
	if r := victim.page("/signin"); !strings.Contains(r.body, "bob") || !victim.in() {
		t.Fatalf("bob is not in: %s", r.body)
	}
	thief.post("/signin/password", "password", rightPassword)
	if thief.page("/signin"); thief.in() {
		t.Error("the planted attempt leads in")
	}
	if r := victim.page("/portal"); strings.Contains(r.body, "mallory") {
		t.Errorf("bob's browser is mallory's: %s", r.body)
	}
}
