package ssf

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

// sink is a receiver elsewhere that answers as it is told.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(n int, w http.ResponseWriter) bool // of the nth request; true: it takes the token
	asked  int
	got    []secevent.Token
	auth   []string
}

func newSink(t *testing.T, from *world, answer func(int, http.ResponseWriter) bool) *sink {
	t.Helper()
	s := &sink{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		token, err := secevent.Verify(string(body), from.published(t))
		if err != nil || r.Header.Get("Content-Type") != secevents || token.Issuer != from.URL {
			t.Errorf("pushed %s as %s: %v", body, r.Header.Get("Content-Type"), err)
		}
		s.asked++
		s.auth = append(s.auth, r.Header.Get("Authorization"))
		if !s.answer(s.asked, w) {
			return
		}
		if !slices.ContainsFunc(s.got, func(g secevent.Token) bool { return g.ID == token.ID }) {
			s.got = append(s.got, token)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	return s
}

func takes(int, http.ResponseWriter) bool { return true }

// published are the keys as a server publishes them.
func (w *world) published(t testing.TB) secevent.KeySet {
	keys, err := secevent.ParseKeys([]byte(ask(t, "GET", w.URL+"/signals/jwks.json", "", "", "").body))
	if err != nil {
		t.Error(err)
	}
	return keys
}

func (s *sink) types() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.got {
		out = append(out, g.Type[strings.LastIndexByte(g.Type, '/')+1:])
	}
	return out
}

// TestWhatIsTold: each cause is told once, in order, in the transaction of the cause, and a plain sign-out is not.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := newSink(t, w, takes)
	w.pushTo(to.URL, "theirs")
	id := w.signIn(w.user)
	w.update(func(tx *store.Tx) error { return w.sessions.SignOut(tx, id, w.user.ID) })
	id = w.signIn(w.user)
	w.update(func(tx *store.Tx) error { return w.sessions.End(tx, id, "arn:aws:iam::1:user/op") })
	w.update(func(tx *store.Tx) error { return w.sessions.End(tx, id, "arn:aws:iam::1:user/op") }) // ended already
	w.signIn(w.user)
	w.update(func(tx *store.Tx) error {
		_, err := w.sessions.EndAllOf(tx, w.user.ID, "arn:aws:iam::1:user/op")
		return err
	})
	err := w.DB.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := w.sessions.EndAllOf(tx, w.user.ID, "x"); err != nil {
			return err
		}
		return io.ErrUnexpectedEOF // and nothing has happened
	})
	if err == nil {
		t.Fatal("committed")
	}
	var one login.OneTime
	if one, err = w.login.NewOneTime(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error { _, err := w.login.GiveOneTime(tx, w.user.ID, one); return err })
	w.update(func(tx *store.Tx) error {
		return tx.InsertFactor(store.Factor{ID: "11111111-2222-4333-8444-555555555555", UserID: w.user.ID, Kind: store.Passkey, Name: "key", KeyID: "k", Sealed: []byte("x"), CreatedAt: tx.Now()})
	})
	w.update(func(tx *store.Tx) error {
		_, err := w.login.RemoveFactor(tx, w.user.ID, "11111111-2222-4333-8444-555555555555", "", "arn:aws:iam::1:user/op")
		return err
	})
	w.update(func(tx *store.Tx) error { return w.login.Disable(tx, w.user.ID, "arn:aws:iam::1:user/op") })
	w.update(func(tx *store.Tx) error { return w.login.Disable(tx, w.user.ID, "arn:aws:iam::1:user/op") })
	w.update(func(tx *store.Tx) error { return w.login.Enable(tx, w.user.ID, "arn:aws:iam::1:user/op") })
	w.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, w.user.ID, "") })
	w.drain()
	want := []string{
		"session-revoked", "session-revoked", // one, all
		"credential-change", "session-revoked", // password
		"session-revoked", "credential-change", // device
		"account-disabled", "session-revoked", "session-revoked", // the second is asked for anew
		"account-enabled", "account-purged",
	}
	if got := to.types(); !slices.Equal(got, want) {
		t.Fatalf("told\n%v, want\n%v", got, want)
	}
	first := to.got[0]
	if first.Subject.Format != secevent.Complex || first.Subject.User.Email != "ana@example.org" || first.Subject.Session.ID != id || first.Event["initiating_entity"] != "admin" ||
		first.Event["event_timestamp"] == nil || !slices.Equal(first.Audience, []string{"us"}) {
		t.Errorf("first is %+v", first)
	}
	if device := to.got[5].Event; device["credential_type"] != "fido2-roaming" || device["change_type"] != "revoke" || device["friendly_name"] != "key" {
		t.Errorf("device: %v", device)
	}
	if password := to.got[2].Event; password["credential_type"] != "password" || password["change_type"] != "create" {
		t.Errorf("password: %v", password)
	}
	if to.auth[0] != "Bearer theirs" {
		t.Errorf("pushed with %q", to.auth[0])
	}
}

// TestSubjects: people are named as a stream asks for, and it gets the events that it asked for alone.
func TestSubjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, token := w.stream(func(s *store.SignalStream) {
		s.Subject, s.Events = store.SubjectIssSub, []string{secevent.AccountDisabled}
	})
	w.update(func(tx *store.Tx) error { return w.login.Disable(tx, w.user.ID, "test") })
	out := w.pollOnce(t, s, token, `{"returnImmediately":true}`)
	if len(out.Sets) != 1 || out.MoreAvailable {
		t.Fatalf("%+v", out)
	}
	for jti, set := range out.Sets {
		got, err := secevent.Verify(set, w.published(t))
		if err != nil || got.ID != jti || got.Subject.Issuer != w.URL || got.Subject.Sub != w.user.ID {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func (w *world) pollOnce(t *testing.T, s store.SignalStream, token, body string) (out pollResponse) {
	t.Helper()
	a := ask(t, "POST", w.URL+"/signals/poll/"+s.ID, token, plainJSON, body)
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return out
}

// TestSigningKeyRotates: after a rotation old and new tokens verify with what is published, and only the new key signs.
func TestSigningKeyRotates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.Ring.Current(keyring.Signals).ID()
	w.clock.Advance(time.Second)
	w.update(func(tx *store.Tx) error { _, err := w.Ring.RotateIn(tx, keyring.Signals); return err })
	if err := w.Ring.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.published(t)); n != 2 {
		t.Errorf("%d keys are published before the new one signs", n)
	}
	w.clock.Advance(time.Minute)
	if w.Ring.Current(keyring.Signals).ID() == old {
		t.Error("the old key signs")
	}
	if _, ok := w.published(t)[old]; !ok {
		t.Error("the old key is gone at once")
	}
	w.clock.Advance(retired + time.Second)
	if _, ok := w.published(t)[old]; ok {
		t.Error("the old key is published for ever")
	}
}

// TestStreamManagement: a receiver sees its stream alone, tests it, and acknowledges what it takes.
func TestStreamManagement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, token := w.stream(nil)
	other, _ := w.stream(nil)
	pushed := w.pushTo("https://elsewhere.example/", "x")
	base := w.URL + "/signals/"
	for _, c := range []struct {
		method, url, token, contentType, body string
		status                                int
		holds                                 string
	}{
		{"GET", w.URL + WellKnown, "", "", "", 200, `"verification_endpoint":"` + base + `verify"`},
		{"GET", base + "stream", "", "", "", 401, "authentication_failed"},
		{"GET", base + "stream", "sig_x", "", "", 401, "authentication_failed"},
		{"GET", base + "stream", token, "", "", 200, `[{"aud":"us"`},
		{"GET", base + "stream?stream_id=" + s.ID, token, "", "", 200, `"endpoint_url":"` + base + "poll/" + s.ID},
		{"GET", base + "stream?stream_id=" + other.ID, token, "", "", 404, ""},
		{"GET", base + "status?stream_id=" + s.ID, token, "", "", 200, `"enabled"`},
		{"POST", base + "verify", token, plainJSON, `{"stream_id":"` + other.ID + `"}`, 404, ""},
		{"POST", base + "verify", token, plainJSON, `{`, 400, "invalid_request"},
		{"POST", base + "verify", token, "text/plain", `{"stream_id":"` + s.ID + `"}`, 400, "invalid_request"},
		{"POST", base + "verify", token, plainJSON, `{"stream_id":"` + s.ID + `","state":"VGhpcw=="}`, 204, ""},
		{"POST", base + "poll/" + other.ID, token, plainJSON, `{}`, 404, ""},
		{"POST", base + "poll/" + s.ID, "", plainJSON, `{}`, 401, "authentication_failed"},
		{"POST", base + "poll/" + s.ID, token, plainJSON, `{"maxEvents":-1}`, 400, "invalid_request"},
		{"POST", base + "poll/" + s.ID, token, plainJSON, `{"ack":["` + strings.Repeat(`a","`, 1001) + `a"]}`, 400, "invalid_request"},
		{"POST", base + "poll/" + s.ID, token, plainJSON, strings.Repeat(" ", maxRequest+1), 400, "invalid_request"},
		{"POST", base + "poll/" + s.ID, token, plainJSON, `{"maxEvents":0,"ack":["a\u0000b","x"]}`, 200, `{"sets":{},"moreAvailable":false}`},
		{"GET", base + "poll/" + s.ID, token, "", "", 405, ""},
	} {
		if a := ask(t, c.method, c.url, c.token, c.contentType, c.body); a.status != c.status || !strings.Contains(a.body, c.holds) {
			t.Errorf("%s %s %.60s: %d %s", c.method, c.url, c.body, a.status, a.body)
		}
	}
	out := w.pollOnce(t, s, token, `{}`)
	if len(out.Sets) != 1 || w.waiting(s) != 1 || w.waiting(other)+w.waiting(pushed) != 0 {
		t.Fatalf("polled %+v", out)
	}
	for jti, set := range out.Sets {
		got, err := secevent.Verify(set, w.published(t))
		if err != nil || got.Type != secevent.Verification || got.Event["state"] != "VGhpcw==" || got.Subject.ID != s.ID {
			t.Errorf("%+v, %v", got, err)
		}
		again := w.pollOnce(t, s, token, `{"returnImmediately":true}`) // not acknowledged
		if len(again.Sets) != 1 {
			t.Error("a signal is gone that nobody has taken")
		}
		if last := w.pollOnce(t, s, token, `{"returnImmediately":true,"ack":["`+jti+`"]}`); len(last.Sets) != 0 || w.waiting(s) != 0 {
			t.Errorf("after the acknowledgement: %+v", last)
		}
	}
	for range 5 {
		w.update(func(tx *store.Tx) error { return w.login.Enable(tx, w.user.ID, "test") })
		w.update(func(tx *store.Tx) error { _, err := w.sessions.EndAllOf(tx, w.user.ID, "test"); return err })
	}
	if out := w.pollOnce(t, s, token, `{"maxEvents":2}`); len(out.Sets) != 2 || !out.MoreAvailable {
		t.Errorf("of five, two: %d, %v", len(out.Sets), out.MoreAvailable)
	}
}
