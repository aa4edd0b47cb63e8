package ssf

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/heed"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/session"
	"sallyport/internal/signal"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	storeID = arn.StoreID("d-1234567890")
	owner   = arn.AccountID("111122223333")
)

// world is a server of signals behind a real listener, with a person.
type world struct {
	*Server
	t        testing.TB
	clock    *clocktest.Clock
	login    *login.Service
	sessions *session.Service
	user     store.User // ana

	mu      sync.Mutex
	refused []*audit.Event
}

func newWorld(t testing.TB) *world { return newWorldOn(t, storetest.Open) }

func newWorldOn(t testing.TB, open func(testing.TB, clock.Clock) *store.DB) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))}
	db := open(t, w.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(nil)
	url := "http://" + web.Listener.Addr().String()
	w.sessions = &session.Service{Clock: w.clock, Keys: ring, Instance: "ssoins-1234567890abcdef", URLs: session.URLs{Portal: url}}
	w.login = &login.Service{
		DB: db, Hasher: login.NewHasher(), Store: storeID, Owner: owner, Region: "us-east-1", NameKey: []byte("key"), Sessions: w.sessions,
		Mail: &mail.Outbox{DB: db, Keys: ring, Owner: "test"}, Letters: mail.Letters{Portal: url},
	}
	w.Server = &Server{
		DB: db, Ring: ring, URL: url, Owner: arn.NewUUID(), Log: slog.New(slog.DiscardHandler), Client: NewClient(nil),
		Heed:     &heed.Service{Login: w.login, Sessions: w.sessions, Owner: owner, Region: "us-east-1", URL: url},
		Stopping: func() bool { return false },
		Record: func(e *audit.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.refused = append(w.refused, e)
		},
	}
	web.Config.Handler = w.Handler()
	web.Start()
	t.Cleanup(web.Close)
	w.user = w.person("ana")
	return w
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.DB.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(name string) (u store.User) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		u, err = directory.CreateUser(tx, store.User{StoreID: storeID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{
			Name: store.Name{GivenName: name, FamilyName: name}, Emails: []store.TypedValue{{Value: name + "@example.org", Type: "work", Primary: true}},
		}}, "test")
		return err
	})
	return u
}

// signIn gives a person a session and returns its id.
func (w *world) signIn(u store.User) (id string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		_, p, err := w.sessions.StartPortal(tx, u, session.Origin{IP: "192.0.2.1"}, tx.Now())
		id = p.ID
		return err
	})
	return id
}

func (w *world) live(u store.User) int {
	w.t.Helper()
	var all []store.Session
	w.update(func(tx *store.Tx) (err error) {
		all, _, err = tx.SessionsOf(u.ID, false, page.Query{Limit: 100})
		return err
	})
	return len(all)
}

func (w *world) status(u store.User) (s store.UserStatus) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { now, err := tx.User(u.ID); s = now.Status; return err })
	return s
}

// receiver lets a transmitter's signals act, and returns the token that it pushes with.
func (w *world) receiver(issuer string, change func(*store.SignalReceiver)) (r store.SignalReceiver, token string) {
	w.t.Helper()
	secret, hash := credential.NewBearer("sig_")
	r = store.SignalReceiver{
		ID: arn.NewUUID(), StoreID: storeID, Name: arn.NewUUID(), Issuer: issuer, Audience: "us", Delivery: store.SignalPush, TokenHash: hash, Events: heed.Types,
	}
	if change != nil {
		change(&r)
	}
	w.update(func(tx *store.Tx) error { return heed.Create(tx, r) })
	return r, string(secret)
}

// stream tells a receiver, and returns the token that it polls with.
func (w *world) stream(change func(*store.SignalStream)) (s store.SignalStream, token string) {
	w.t.Helper()
	secret, hash := credential.NewBearer("sig_")
	s = store.SignalStream{
		ID: arn.NewUUID(), StoreID: storeID, Name: arn.NewUUID(), Audience: "us", Delivery: store.SignalPoll, TokenHash: hash, Subject: store.SubjectEmail, Events: signal.Types,
	}
	if change != nil {
		change(&s)
	}
	w.update(func(tx *store.Tx) error { return signal.Create(tx, s) })
	return s, string(secret)
}

// pushTo makes a stream that pushes to a URL.
func (w *world) pushTo(url, token string) store.SignalStream {
	w.t.Helper()
	s, _ := w.stream(func(s *store.SignalStream) {
		s.Delivery, s.PushURL, s.PushToken = store.SignalPush, url, w.Ring.SealRecord("signal_stream", "push_token", s.ID, []byte(token))
	})
	return s
}

func (w *world) waiting(s store.SignalStream) (n int64) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) { n, err = tx.CountSignalsOut(s.ID); return err })
	return n
}

func (w *world) drain() {
	w.t.Helper()
	if err := w.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// events are the audit events of a name, as they were stored.
func (w *world) events(name string) (out []audit.Event) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		rows, err := tx.AuditLog(0, 10_000)
		for _, r := range rows {
			var e audit.Event
			if err := json.Unmarshal(r.JSON, &e); err != nil {
				return err
			}
			if e.EventName == name {
				out = append(out, e)
			}
		}
		return err
	})
	return out
}

// told is what a request was answered with.
type told struct {
	status int
	header http.Header
	body   string
}

func (a told) err() string {
	var p struct{ Err, Description string }
	if json.Unmarshal([]byte(a.body), &p) != nil || p.Err == "" || p.Description == "" {
		return "no error body: " + a.body
	}
	return p.Err
}

func ask(t testing.TB, method, url, token, contentType, body string) told {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return told{resp.StatusCode, resp.Header, string(b)}
}
