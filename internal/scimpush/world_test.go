package scimpush_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/scim"
	"sallyport/internal/scimpush"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	storeID = arn.StoreID("d-1234567890")
	tenant  = "11111111111-2222-3333-4444-555555555555"
	by      = "test"
)

// world is a Sallyport that pushes into another one. No time passes but by the clock.
type world struct {
	t           testing.TB
	clock       *clocktest.Clock
	here, there *store.DB
	worker      *scimpush.Worker
	ring        *keyring.Ring
	target      store.SCIMTarget
	wire        *wire
}

// wire is the way to the other server, on which things happen.
type wire struct {
	handler http.Handler

	mu     sync.Mutex
	asked  []string
	before func(n int, r *http.Request) (*http.Response, error) // in place of the server, unless nil, nil
	after  func(n int, r *http.Request, res *http.Response) (*http.Response, error)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	n := len(w.asked)
	w.asked = append(w.asked, r.Method+" "+r.URL.Path)
	before, after := w.before, w.after
	w.mu.Unlock()
	if before != nil {
		if res, err := before(n, r); res != nil || err != nil {
			return res, err
		}
	}
	rec := httptest.NewRecorder()
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	w.handler.ServeHTTP(rec, httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body)).WithContext(context.Background()).Clone(headers(r)))
	res := rec.Result()
	if after != nil {
		return after(n, r, res)
	}
	return res, nil
}

type headerKey struct{}

// headers hands a request's headers to its copy.
func headers(r *http.Request) context.Context {
	return context.WithValue(context.Background(), headerKey{}, r.Header)
}

func withHeaders(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if all, ok := r.Context().Value(headerKey{}).(http.Header); ok {
			r.Header = all
		}
		h.ServeHTTP(w, r)
	})
}

func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.before, w.after = nil, nil, nil
}

// writes are the requests since reset that were not reads.
func (w *wire) writes() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.asked {
		if !strings.HasPrefix(a, "GET ") {
			out = append(out, a)
		}
	}
	return out
}

func newWorld(t testing.TB) *world { return newWorldOn(t, storetest.Open) }

func newWorldOn(t testing.TB, open func(testing.TB, clock.Clock) *store.DB) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.At(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC))}
	w.here, w.there = open(t, w.clock), storetest.Open(t, w.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	if w.ring, err = keyring.Open(t.Context(), w.here, kek); err != nil {
		t.Fatal(err)
	}
	err = w.here.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertInstance(store.Instance{ID: "ssoins-1234567890abcdef", StoreID: storeID, Owner: "111122223333", Name: "test", Region: "us-east-1", Status: "ACTIVE", CreatedAt: tx.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	w.wire = &wire{handler: withHeaders(w.server())}
	w.worker = w.newWorker("one")
	return w
}

func (w *world) newWorker(owner string) *scimpush.Worker {
	return &scimpush.Worker{
		DB: w.here, Keys: w.ring, Store: storeID, Owner: owner, Log: slog.New(slog.DiscardHandler), Transport: w.wire, Parallel: 1,
		Wait: func(ctx context.Context, d time.Duration) error { w.clock.Advance(d); return ctx.Err() },
	}
}

// server is the other Sallyport.
func (w *world) server() http.Handler {
	w.t.Helper()
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		w.t.Fatal(err)
	}
	ring, err := keyring.Open(w.t.Context(), w.there, kek)
	if err != nil {
		w.t.Fatal(err)
	}
	pages, err := page.NewCodec(make([]byte, 32))
	if err != nil {
		w.t.Fatal(err)
	}
	sessions := &session.Service{Clock: w.clock, Keys: ring, Instance: "ssoins-1234567890abcdef", URLs: session.URLs{Portal: "https://id.example.test"}}
	return &scim.Server{
		DB: w.there, Owner: "111122223333", Region: "us-east-1", URL: "https://id.example.test", Pages: pages, Log: slog.New(slog.DiscardHandler),
		Limits: func(context.Context) (quota.Limits, error) { return quota.Limits{}, nil },
		Record: func(*audit.Event) {}, Origin: func(*http.Request) (string, string) { return "192.0.2.7", "test" },
		Login: &login.Service{
			DB: w.there, Hasher: login.NewHasher(), Store: storeID, Owner: "111122223333", Region: "us-east-1", NameKey: []byte("key"), Sessions: sessions,
			Mail: &mail.Outbox{DB: w.there, Keys: ring, Owner: "test"}, Letters: mail.Letters{Portal: "https://id.example.test"},
		},
	}
}

// connect makes the target. edit may change what is said of it.
func (w *world) connect(dialect store.Dialect, edit func(*scimpush.Change)) {
	w.t.Helper()
	secret, hash := credential.NewBearer("scim_")
	err := w.there.Update(w.t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertSCIMTenant(store.SCIMTenant{ID: tenant, StoreID: storeID, Name: "up", CreatedAt: tx.Now(), CreatedBy: by}); err != nil {
			return err
		}
		return tx.InsertSCIMToken(store.SCIMToken{
			ID: arn.NewUUID(), TenantID: tenant, Hash: hash, Dialect: dialect, CreatedAt: tx.Now(), CreatedBy: by, ExpiresAt: tx.Now().Add(10 * 365 * 24 * time.Hour),
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	c := scimpush.Change{Name: new("down"), URL: new("https://id.example.test/" + tenant + "/scim/v2"), Token: new(string(secret)), Dialect: &dialect}
	if edit != nil {
		edit(&c)
	}
	w.update(func(tx *store.Tx) (err error) {
		w.target, err = scimpush.Create(tx, w.ring, storeID, c, by)
		return err
	})
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.here.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) look(db *store.DB, fn func(*store.Tx) error) {
	w.t.Helper()
	if err := db.View(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) user(name string) (u store.User) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) { u, err = directory.CreateUser(tx, someone(name), by); return err })
	return u
}

func someone(name string) store.User {
	return store.User{
		StoreID: storeID, UserName: name, DisplayName: "The " + name,
		UserAttrs: store.UserAttrs{
			Name: store.Name{GivenName: "Given", FamilyName: name}, Emails: []store.TypedValue{{Value: name + "@example.test", Type: "work", Primary: true}},
			Addresses: []store.Address{{Locality: "Bern", Type: "work"}},
		},
	}
}

func (w *world) group(name string, members ...store.User) (g store.Group) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		if g, err = directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: name}, by); err != nil {
			return err
		}
		for _, u := range members {
			if _, err := directory.AddMember(tx, storeID, g.ID, u.ID, by); err != nil {
				return err
			}
		}
		return nil
	})
	return g
}

// drain pushes until nothing is left that could be pushed, letting time pass.
func (w *world) drain() {
	w.t.Helper()
	for range 300 {
		if err := w.worker.Drain(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
			w.t.Fatal(err)
		}
		if t, b := w.state(); t.Phase == "" && b.Records == 0 {
			return
		}
		w.clock.Advance(7 * time.Minute)
	}
	t, b := w.state()
	w.t.Fatalf("%+v is left: phase %s, %s: %s; %v", b, t.Phase, t.State, t.LastError, w.errors())
}

// once pushes what is due now.
func (w *world) once() {
	w.t.Helper()
	if err := w.worker.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) state() (t store.SCIMTarget, b store.Backlog) {
	w.t.Helper()
	w.look(w.here, func(tx *store.Tx) (err error) {
		if t, err = tx.SCIMTarget(w.target.ID); err != nil {
			return err
		}
		b, err = tx.Backlog(t.ID)
		return err
	})
	return t, b
}

func (w *world) errors() (out []string) {
	w.t.Helper()
	w.look(w.here, func(tx *store.Tx) error {
		all, _, err := tx.DirtyErrors(w.target.ID, page.Query{Limit: 100})
		for _, d := range all {
			out = append(out, d.Error)
		}
		return err
	})
	return out
}

// people describes a directory: users by name, with what is pushed of them, and groups with the names of their members.
func (w *world) people(db *store.DB, external func([]store.ExternalID, string) string) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	w.look(db, func(tx *store.Tx) error {
		clear(out)
		names := map[string]string{}
		users, _, err := tx.Users(storeID, page.Query{Limit: 5000})
		if err != nil {
			return err
		}
		for _, u := range users {
			names[u.ID] = u.UserName
			out["user "+u.UserName] = fmt.Sprint(u.Status, " ", u.DisplayName, u.Name, u.Title, u.Emails, u.Addresses, external(u.ExternalIDs, u.ID))
		}
		groups, _, err := tx.Groups(storeID, page.Query{Limit: 5000})
		if err != nil {
			return err
		}
		for _, g := range groups {
			members, _, err := tx.Members(g.ID, page.Query{Limit: 5000})
			if err != nil {
				return err
			}
			var in []string
			for _, m := range members {
				in = append(in, names[m.UserID])
			}
			slices.Sort(in)
			out["group "+g.DisplayName] = fmt.Sprint(in, external(g.ExternalIDs, g.ID))
		}
		return nil
	})
	return out
}

// same fails unless both sides have the same people and groups.
func (w *world) same() {
	w.t.Helper()
	here := w.people(w.here, func(_ []store.ExternalID, id string) string { return id })
	there := w.people(w.there, func(all []store.ExternalID, _ string) string {
		if len(all) == 0 {
			return ""
		}
		return all[0].ID
	})
	if diff := cmp.Diff(here, there); diff != "" {
		w.t.Errorf("here - there +\n%s", diff)
	}
}

// events are the names of what is on record about the pushing.
func (w *world) events() (out map[string]int) {
	w.t.Helper()
	out = map[string]int{}
	w.look(w.here, func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 100_000)
		for _, e := range all {
			_, name, _ := strings.Cut(string(e.JSON), `"eventName":"ScimPush`)
			if name, _, ok := strings.Cut(name, `"`); ok {
				out[name]++
			}
		}
		return err
	})
	return out
}
