package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/totp"
)

// program is a client that waits for somebody to enter its code.
type program struct {
	session.DeviceStart
	s  *siege
	id session.Client
}

// ask begins a device authorization at an address.
func (s *siege) ask(address string) program {
	s.t.Helper()
	c := s.client()
	d, err := s.sessions.StartDevice(c.ID, string(c.Secret), s.Server.instance.StartURL, session.Origin{IP: address, UserAgent: "aws-cli/2"})
	if err != nil {
		s.t.Fatal(err)
	}
	return program{d, s, c}
}

// poll asks for the token, as long after the last time as a client has to; the error is that of RFC 8628 §3.5.
func (p program) poll() (access, refused string) {
	p.s.t.Helper()
	p.s.clock.Advance(time.Second)
	in, err := json.Marshal(map[string]string{
		"clientId": p.id.ID, "clientSecret": string(p.id.Secret), "grantType": session.DeviceGrant, "deviceCode": string(p.DeviceCode),
	})
	if err != nil {
		p.s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.s.t.Context(), http.MethodPost, p.s.url+"/token", bytes.NewReader(in))
	if err != nil {
		p.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := p.s.visit("127.0.0.9").http.Do(r)
	if err != nil {
		p.s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out struct{ AccessToken, Error string }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		p.s.t.Fatal(err)
	}
	return out.AccessToken, out.Error
}

// waits fails the test unless nobody has decided.
func (p program) waits(when string) {
	p.s.t.Helper()
	if access, refused := p.poll(); access != "" || refused != "authorization_pending" {
		p.s.t.Errorf("%s: token %q, %s", when, access, refused)
	}
}

// owner is whom a token stands for.
func (s *siege) owner(access string) string {
	s.t.Helper()
	var user store.User
	s.update(func(tx *store.Tx) error {
		c, err := s.sessions.Authenticate(tx, access)
		if err != nil {
			return err
		}
		user, err = tx.User(c.UserID)
		return err
	})
	return user.UserName
}

// TestS31NeedsTheWholeSignIn: with a password alone nobody sees who asks, or answers; with the second factor they do.
func TestS31NeedsTheWholeSignIn(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	s.set("mfa.mode", setting.Always)
	alice := s.hire("alice", rightPassword)
	seed := totp.NewSeed()
	s.update(func(tx *store.Tx) error { return s.login.EnrollApp(tx, alice.ID, "Phone", seed) })
	p, v := s.ask("127.0.0.9"), s.visit("127.0.0.1")
	link := "/device?user_code=" + p.UserCode
	for _, step := range []func(){
		func() { v.post("/signin/username", "username", "alice", "next", link) },
		func() { v.post("/signin/password", "password", rightPassword) },
		func() { v.post("/signin/code", "code", "000000") },
	} {
		step()
		for _, r := range []reply{v.send(link, nil), v.post("/device", "user_code", p.UserCode, "decision", "approve")} {
			if !strings.HasPrefix(r.to, "/signin?next=") || strings.Contains(r.body, "program") {
				t.Errorf("before the sign-in is whole: %d to %q %s", r.status, r.to, r.body)
			}
		}
		p.waits("before the sign-in is whole")
	}
	v.post("/signin/code", "code", seed.Code(totp.Step(s.clock.Now())))
	if r := v.page("/signin"); !strings.Contains(r.body, p.UserCode) || !strings.Contains(r.body, `value="deny"`) || !strings.Contains(r.body, "127.0.0.9") || !strings.Contains(r.body, "program") {
		t.Fatalf("after it: %d %s", r.status, r.body)
	}
	p.waits("the page was looked at")
	v.post("/device", "user_code", p.UserCode, "decision", "approve")
	if access, refused := p.poll(); access == "" || s.owner(access) != "alice" {
		t.Errorf("approved: %s", refused)
	}
}

// TestS31OneDecides: of many who answer at the same moment one has answered, and the token is theirs alone.
func TestS31OneDecides(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	names := []string{"alice", "bob"}
	for _, name := range names {
		s.hire(name, "")
	}
	for range 5 {
		p := s.ask("127.0.0.9")
		answers := make([]reply, 8)
		var all sync.WaitGroup
		for i := range answers {
			v, decision := s.enter(names[i%2]), []string{"approve", "deny"}[i/2%2]
			all.Go(func() { answers[i] = v.post("/device", "user_code", p.UserCode, "decision", decision) })
		}
		all.Wait()
		won := slices.IndexFunc(answers, func(r reply) bool { return r.status == http.StatusOK })
		for i, r := range answers {
			if i != won && r.status != http.StatusConflict {
				t.Errorf("answer %d is taken too, or worse: %d %s", i, r.status, r.body)
			}
		}
		if won < 0 {
			t.Fatal("nobody's answer is taken")
		}
		access, refused := p.poll()
		if approved := won/2%2 == 0; approved && (access == "" || s.owner(access) != names[won%2]) || !approved && refused != "access_denied" {
			t.Errorf("%s answered first (%d), and the program gets %q, %s", names[won%2], won, access, refused)
		}
		if again, refused := p.poll(); again != "" || refused == "authorization_pending" || refused == "access_denied" {
			t.Errorf("and once more: %q, %s", again, refused)
		}
	}
}

// status sets a user's status and does nothing else.
func (s *siege) status(name string, to store.UserStatus) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		u, err := tx.User(s.users[name].ID)
		if err != nil {
			return err
		}
		u.Status = to
		_, err = directory.UpdateUser(tx, u, "", "test")
		return err
	})
}

// TestS31ApproverIsGone: who is disabled, or signed out elsewhere, while they look at the page approves nothing; and who is
// disabled between their answer and the program's next poll has allowed nothing.
func TestS31ApproverIsGone(t *testing.T) {
	t.Parallel()
	s := besiege(t)
	s.hire("alice", "")
	s.hire("bob", "")
	v, p := s.enter("alice"), s.ask("127.0.0.9")
	if r := v.send("/device?user_code="+p.UserCode, nil); r.status != http.StatusOK {
		t.Fatalf("the page is %d", r.status)
	}
	s.enter("alice").post("/account/end-others")
	if r := v.post("/device", "user_code", p.UserCode, "decision", "approve"); !strings.HasPrefix(r.to, "/signin") {
		t.Errorf("signed out elsewhere: %d %s", r.status, r.body)
	}
	v = s.enter("alice")
	s.status("alice", store.UserDisabled)
	if r := v.post("/device", "user_code", p.UserCode, "decision", "approve"); !strings.HasPrefix(r.to, "/signin") {
		t.Errorf("disabled: %d %s", r.status, r.body)
	}
	p.waits("nobody is there")
	s.status("alice", store.UserEnabled)
	s.disable("alice") // as the operator does, which also ends the session
	s.status("alice", store.UserEnabled)
	if r := v.post("/device", "user_code", p.UserCode, "decision", "approve"); !strings.HasPrefix(r.to, "/signin") {
		t.Errorf("disabled and enabled: %d %s", r.status, r.body)
	}
	if r := s.enter("bob").post("/device", "user_code", p.UserCode, "decision", "approve"); r.status != http.StatusOK {
		t.Fatalf("bob cannot: %d %s", r.status, r.body)
	}
	s.status("bob", store.UserDisabled)
	if access, refused := p.poll(); access != "" || refused != "access_denied" {
		t.Errorf("disabled after their answer: %q, %s", access, refused)
	}
}
