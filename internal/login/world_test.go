package login_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/directory"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/passkey"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	storeID  = arn.StoreID("d-1234567890")
	password = "Correct-Horse-7"
	address  = "alice@example.org"
)

// here is a browser that nobody has signed in with yet.
var here = login.Browser{Origin: session.Origin{IP: "192.0.2.1", UserAgent: "test"}}

// world is alice, who has a password, and a clock to move.
type world struct {
	*login.Service
	t     testing.TB
	clock *clocktest.Clock
	user  store.User
}

func newWorld(t testing.TB) *world { return newWorldOn(t, storetest.Open) }

// opener opens a database of an engine.
type opener = func(testing.TB, clock.Clock) *store.DB

func newWorldOn(t testing.TB, open opener) *world {
	t.Helper()
	c := clocktest.At(time.Unix(1_800_000_000, 0))
	db := open(t, c)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	s := &login.Service{
		DB: db, Hasher: login.NewCheapHasher(), Store: storeID, Owner: "111122223333", Region: "us-east-1", NameKey: []byte("key"),
		Sessions: &session.Service{Clock: c, Keys: ring, Instance: "ssoins-1234567890abcdef", URLs: session.URLs{Portal: "https://id.example.org"}},
		Mail:     &mail.Outbox{DB: db, Keys: ring, Log: slog.New(slog.DiscardHandler), Owner: "test"}, Letters: mail.Letters{Portal: "https://id.example.org"},
	}
	if s.Party, err = passkey.New("https://id.example.org", "Sallyport"); err != nil {
		t.Fatal(err)
	}
	w := &world{Service: s, t: t, clock: c}
	w.set("mfa.mode", setting.Off) // many tests are about passwords alone
	w.setPassword(password, false)
	return w
}

// setPassword makes alice when she is not there yet.
func (w *world) setPassword(p string, oneTime bool) {
	w.t.Helper()
	phc, err := w.Hasher.Hash(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		if w.user.ID == "" {
			w.user, err = directory.CreateUser(tx, store.User{
				StoreID: storeID, UserName: "alice", DisplayName: "Alice",
				UserAttrs: store.UserAttrs{
					Name: store.Name{GivenName: "Alice", FamilyName: "Adams"}, Emails: []store.TypedValue{{Value: address, Primary: true}},
				},
			}, "test")
			if err != nil {
				return err
			}
		}
		return w.SetPassword(tx, w.user.ID, phc, oneTime)
	})
}

// set sets a setting.
func (w *world) set(name, value string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { _, err := setting.Put(tx, name, value, "test"); return err })
}

func (w *world) update(f func(*store.Tx) error) {
	w.t.Helper()
	if err := w.DB.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// claim begins an attempt and returns its id.
func (w *world) claim(name string, from login.Browser) string {
	w.t.Helper()
	id, err := w.Claim(w.t.Context(), "", "/portal?after=1", name, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// give gives a password and returns the id that the attempt has then.
func (w *world) give(id, p string, from login.Browser) string {
	w.t.Helper()
	id, err := w.GivePassword(w.t.Context(), id, p, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// choose gives a new password and returns the id that the attempt has then.
func (w *world) choose(id, p, again string) string {
	w.t.Helper()
	id, err := w.ChangePassword(w.t.Context(), id, p, again, here)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// enter signs alice in from a browser, which then is a known one.
func (w *world) enter(p string, from *login.Browser) login.SignedIn {
	w.t.Helper()
	in, err := w.Finish(w.t.Context(), w.give(w.claim("alice", *from), p, *from), *from)
	if err != nil {
		w.t.Fatal(err)
	}
	from.Known = in.Known
	return in
}

func (w *world) expect(id string, want login.Step, problem bool) {
	w.t.Helper()
	p, err := w.Where(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	if p.Step != want || (p.Problem != "") != problem {
		w.t.Fatalf("step %d with problem %q; want step %d, problem %v", p.Step, p.Problem, want, problem)
	}
}

// events reads the audit log from an event on.
func (w *world) events(after int64) (out []audit.Event) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer stop()
	err := w.DB.View(ctx, func(tx *store.Tx) error {
		sealed, err := tx.AuditLog(after, 1000)
		for _, s := range sealed {
			var e audit.Event
			if err := json.Unmarshal(s.JSON, &e); err != nil {
				return err
			}
			out = append(out, e)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}
