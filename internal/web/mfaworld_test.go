package web_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/totp"
)

// newMFAWorld is a world with every setting at its default: a second factor is required. Alice has a password and a mail
// address, and mail can be sent.
func newMFAWorld(tb testing.TB) *world {
	tb.Helper()
	w := newWorld(tb)
	w.update(func(tx *store.Tx) error { _, err := setting.Reset(tx, "mfa.mode"); return err })
	w.login.Mail.Server = &mail.Server{Address: "localhost:25", From: "Sallyport <no-reply@example.org>"} // letters stay in the outbox
	w.alice.Emails = []store.TypedValue{{Value: "alice@example.org", Type: "work", Primary: true}}
	w.update(func(tx *store.Tx) (err error) {
		w.alice, err = directory.UpdateUser(tx, w.alice, "", "test")
		return err
	})
	w.setPassword(password, false)
	return w
}

// app gives alice an authenticator app.
func (w *world) app(name string) totp.Seed {
	w.tb.Helper()
	seed := totp.NewSeed()
	w.update(func(tx *store.Tx) error { return w.login.EnrollApp(tx, w.alice.ID, name, seed) })
	w.clock.Advance(time.Second) // devices are listed in the order of time
	return seed
}

// code is what an authenticator app shows now.
func (w *world) code(seed totp.Seed) string { return seed.Code(totp.Step(w.clock.Now())) }

// link makes a link and returns its path.
func (w *world) link(make func(*store.Tx) (string, error)) string {
	w.tb.Helper()
	var link string
	w.update(func(tx *store.Tx) (err error) { link, err = make(tx); return err })
	return must(url.Parse(link)).Path
}

func (w *world) invitation() string {
	w.tb.Helper()
	return w.link(func(tx *store.Tx) (string, error) {
		d, err := w.login.Invite(tx, w.alice.ID, false)
		return string(d.Link), err
	})
}

func (w *world) reset() string {
	w.tb.Helper()
	return w.link(func(tx *store.Tx) (string, error) {
		d, err := w.login.SendReset(tx, w.alice.ID, false)
		return string(d.Link), err
	})
}

func (w *world) founding() string {
	w.tb.Helper()
	return w.link(func(tx *store.Tx) (string, error) {
		link, _, err := w.login.FoundingLink(tx)
		return string(link), err
	})
}

// givePasskey does with a page that asks for a passkey what its script does.
func (b *browser) givePasskey(a answer, key *passkeytest.Authenticator, values ...string) answer {
	b.w.tb.Helper()
	options := b.send(http.MethodPost, "/signin/passkey/options", url.Values{})
	if options.status != http.StatusOK {
		b.w.tb.Fatalf("options are %d %s", options.status, options.text)
	}
	var response []byte
	if attr(a.form("response").node, "data-passkey") == "create" {
		response = key.Create([]byte(options.text))
	} else {
		response = key.Get([]byte(options.text))
	}
	return b.submit(a, "response", append(values, "response", string(response))...)
}

// devices are the names of alice's devices.
func (w *world) devices() (names []string) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error {
		names = nil
		all, err := login.Factors(tx, w.alice.ID)
		for _, f := range all {
			names = append(names, f.Name)
		}
		return err
	})
	return names
}
