package login_test

import (
	"errors"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/mail/mailtest"
	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/totp"
)

const (
	origin  = "https://id.example.org"
	oneTime = "One-Time-Pass-1"
	chosen  = "My-Own-Pass-2"
)

// newMFAWorld is a world with every setting at its default: a second factor is required.
func newMFAWorld(t testing.TB) *world {
	t.Helper()
	return newMFAWorldOn(t, storetest.Open)
}

func newMFAWorldOn(t testing.TB, open opener) *world {
	t.Helper()
	w := newWorldOn(t, open)
	w.unset("mfa.mode")
	return w
}

// unset puts a setting back to its default.
func (w *world) unset(name string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { _, err := setting.Reset(tx, name); return err })
}

// adduser makes a person beside alice, with her password.
func (w *world) addUser(name string) store.User {
	w.t.Helper()
	phc, err := w.Hasher.Hash(w.t.Context(), password)
	if err != nil {
		w.t.Fatal(err)
	}
	u := store.User{StoreID: storeID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: name, FamilyName: "B"}}}
	w.update(func(tx *store.Tx) (err error) {
		made, err := directory.CreateUser(tx, u, "test")
		if err != nil {
			return err
		}
		u = made
		return w.SetPassword(tx, u.ID, phc, false)
	})
	return u
}

// app gives alice an authenticator app.
func (w *world) app() totp.Seed {
	w.t.Helper()
	seed := totp.NewSeed()
	w.update(func(tx *store.Tx) error { return w.EnrollApp(tx, w.user.ID, "Phone", seed) })
	return seed
}

// code is what an authenticator app shows now.
func (w *world) code(seed totp.Seed) string { return seed.Code(totp.Step(w.clock.Now())) }

// wrongCode is one that the app shows neither now nor around now.
func (w *world) wrongCode(seed totp.Seed) string {
	for _, c := range []string{"000000", "111111", "222222", "333333"} {
		if _, ok := seed.Check(c, w.clock.Now(), 0); !ok {
			return c
		}
	}
	panic("four codes of three steps")
}

// giveCode gives a code of an app and returns the id that the attempt has then.
func (w *world) giveCode(id, code string, from login.Browser) string {
	w.t.Helper()
	id, err := w.GiveCode(w.t.Context(), id, code, false, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// options begins a ceremony.
func (w *world) options(id string) []byte {
	w.t.Helper()
	o, err := w.PasskeyOptions(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// givePasskey answers a ceremony and returns the id that the attempt has then.
func (w *world) givePasskey(id string, response []byte) string {
	w.t.Helper()
	id, err := w.GivePasskey(w.t.Context(), id, string(response), "", false, here)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// key gives a person of the password a passkey, as their first device.
func (w *world) key(name string) *passkeytest.Authenticator {
	w.t.Helper()
	w.set("mfa.first-device", setting.Password)
	defer w.unset("mfa.first-device")
	a := passkeytest.New(origin)
	id := w.give(w.claim(name, here), password, here)
	w.expect(id, login.AskDevice, false)
	w.expect(w.givePasskey(id, a.Create(w.options(id))), login.Done, false)
	return a
}

// alone begins an attempt in which a passkey is to tell who it is.
func (w *world) alone() string {
	w.t.Helper()
	id, err := w.ClaimByPasskey(w.t.Context(), "", "/portal?after=1", here)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// finish ends an attempt in a session.
func (w *world) finish(id string, from login.Browser) login.SignedIn {
	w.t.Helper()
	in, err := w.Finish(w.t.Context(), id, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

// session is the live session of a cookie.
func (w *world) session(in login.SignedIn) (p store.Session) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) { p, err = w.Sessions.Portal(tx, string(in.Cookie)); return err })
	return p
}

// gone checks that an attempt is over.
func (w *world) gone(id string) {
	w.t.Helper()
	if p, err := w.Where(w.t.Context(), id); !errors.Is(err, login.ErrNoAttempt) {
		w.t.Errorf("the attempt is at step %d, %v; want it gone", p.Step, err)
	}
}

// devices counts alice's devices.
func (w *world) devices(want int) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		all, err := login.Factors(tx, w.user.ID)
		if err == nil && len(all) != want {
			w.t.Errorf("%d devices, want %d", len(all), want)
		}
		return err
	})
}

// giveOneTime gives alice the one-time password.
func (w *world) giveOneTime() string {
	w.t.Helper()
	o, err := w.NewOneTime(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error { _, err := w.GiveOneTime(tx, w.user.ID, o); return err })
	return o.Password
}

// invite and reset make links for alice to open, and return their tokens.
func (w *world) invite() string { w.t.Helper(); return w.link(w.Invite) }
func (w *world) reset() string  { w.t.Helper(); return w.link(w.SendReset) }

func (w *world) link(make func(*store.Tx, string, bool) (login.Delivery, error)) (token string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		d, err := make(tx, w.user.ID, false)
		token = w.token(string(d.Link))
		return err
	})
	return token
}

// token is what a link ends with.
func (w *world) token(link string) string {
	w.t.Helper()
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, origin+"/link/") {
		w.t.Fatalf("the link is %q, %v", link, err)
	}
	return path.Base(u.Path)
}

func (w *world) follow(token string) string {
	w.t.Helper()
	id, err := w.FollowLink(w.t.Context(), token, "", here)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// mailbox makes a mail server, and returns what opens it: all letters so far, after delivering what is due.
func (w *world) mailbox() func(want int) []mailtest.Received {
	w.t.Helper()
	s := mailtest.Start(w.t)
	w.Mail.Server = &mail.Server{Address: s.Address, From: "Sallyport <no-reply@example.org>", Roots: s.Roots}
	return func(want int) []mailtest.Received {
		w.t.Helper()
		if err := w.Mail.Drain(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		all := s.Messages()
		if len(all) != want {
			w.t.Fatalf("%d letters, want %d", len(all), want)
		}
		for _, m := range all {
			if len(m.To) != 1 || m.To[0] != address {
				w.t.Fatalf("a letter went to %v", m.To)
			}
		}
		return all
	}
}

var linkInLetter = regexp.MustCompile(origin + `/link/\S+`)

// refresh is a wait after which codes and tokens of before are not those of now.
const refresh = time.Minute
