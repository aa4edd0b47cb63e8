package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/passkey"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/vend"
	"sallyport/internal/web"
)

const (
	instance arn.Instance  = "ssoins-1234567890abcdef"
	storeID  arn.StoreID   = "d-1234567890"
	owner    arn.AccountID = "999988887777"
	member   arn.AccountID = "111122223333"
	startURL               = "https://d-1234567890.awsapps.com/start"
	portal                 = "http://localhost:8080"
	password               = "Correct-Horse-7"
	home                   = "192.0.2.7" // address of browsers, unless they say otherwise
)

var verifier = strings.Repeat("v", 64)

// world is the pages over a directory of one person, alice, who can be ReadOnly in one account.
type world struct {
	tb       testing.TB
	db       *store.DB
	clock    *clocktest.Clock
	login    *login.Service
	sessions *session.Service
	pages    *web.Server
	handler  http.Handler
	log      *bytes.Buffer // of the server, at its most talkative
	alice    store.User
}

func newWorld(tb testing.TB) *world { return newWorldOn(tb, storetest.Open) }

func newWorldOn(tb testing.TB, open func(testing.TB, clock.Clock) *store.DB) *world {
	tb.Helper()
	c := clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	w := &world{tb: tb, clock: c, db: open(tb, c), log: new(bytes.Buffer)}
	kek := must(keyring.ParseKEK(keyring.NewKEK()))
	keys := must(keyring.Open(tb.Context(), w.db, kek))
	w.sessions = &session.Service{Clock: c, Keys: keys, Instance: instance, URLs: session.URLs{Start: startURL, Portal: portal}}
	w.login = &login.Service{
		DB: w.db, Hasher: login.NewHasher(), Store: storeID, Owner: owner, Region: "us-east-1", NameKey: []byte("key"), Sessions: w.sessions,
		Party: must(passkey.New(portal, "Sallyport")), Mail: &mail.Outbox{DB: w.db, Keys: keys, Owner: "test"}, Letters: mail.Letters{Portal: portal},
	}
	s := &web.Server{
		DB: w.db, Login: w.login, Sessions: w.sessions, Instance: instance, URL: must(url.Parse(portal)), StartURL: startURL,
		Vendor: &vend.Vendor{DB: w.db, Minter: must(credential.NewMinter(tb.Context(), w.db, keys)), Instance: instance},
		Record: func(e *audit.Event) { w.update(e.Store) },
		Log:    slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	w.pages, w.handler = s, s.Handler()
	w.people()
	w.set("mfa.mode", setting.Off) // most tests are about something else
	w.grant(member, "ReadOnly")
	return w
}

// must is for what cannot fail in a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) update(f func(*store.Tx) error) {
	w.tb.Helper()
	if err := w.db.Update(w.tb.Context(), f); err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) people() {
	w.tb.Helper()
	w.update(func(tx *store.Tx) (err error) {
		w.alice, err = directory.CreateUser(tx, store.User{
			StoreID: storeID, UserName: "alice", DisplayName: "Alice",
			UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "Alice", FamilyName: "Adams"}},
		}, "test")
		return err
	})
}

// set sets a setting.
func (w *world) set(name, value string) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error { _, err := setting.Put(tx, name, value, "test"); return err })
}

// setPassword gives alice a password. It hashes, which takes a while: tests that are not about signing in use signedIn.
func (w *world) setPassword(p string, oneTime bool) {
	w.tb.Helper()
	phc := must(w.login.Hasher.Hash(w.tb.Context(), p))
	w.update(func(tx *store.Tx) error { return w.login.SetPassword(tx, w.alice.ID, phc, oneTime) })
}

// grant makes an account, if it is new, and lets alice be a role in it.
func (w *world) grant(account arn.AccountID, name string) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			a := store.Account{ID: account, Name: "Prüfung <b>" + string(account), Email: string(account) + "@example.org", Backend: "local", Status: "ACTIVE"}
			if err := tx.InsertAccount(a); err != nil {
				return err
			}
		}
		set := arn.NewPermissionSet(instance)
		if err := tx.InsertPermissionSet(store.PermissionSet{PermissionSet: set, Name: name, SessionDuration: "PT1H"}); err != nil {
			return err
		}
		err := tx.InsertAssignment(store.Assignment{Account: account, Set: set, PrincipalType: store.PrincipalUser, PrincipalID: w.alice.ID, State: store.AssignmentGranted})
		if err != nil {
			return err
		}
		return tx.InsertRole(store.Role{
			Account: account, Name: arn.RoleName(name, arn.RoleSuffix()), ID: arn.NewUniqueID("AROA"), Path: arn.RolePath("us-east-1"),
			Set: set, Spec: store.RoleSpec{SessionDuration: time.Hour},
		})
	})
}

// signedIn is a browser in which alice is signed in.
func (w *world) signedIn() *browser {
	w.tb.Helper()
	b := w.browser()
	w.update(func(tx *store.Tx) error {
		cookie, _, err := w.sessions.StartPortal(tx, w.alice, session.Origin{IP: home}, time.Time{})
		b.cookies[sessionCookie] = string(cookie)
		return err
	})
	return b
}

// register registers a client that may use every grant, with a redirect URI.
func (w *world) register(name, redirect string) session.Client {
	w.tb.Helper()
	c, err := w.sessions.Register(session.Registration{Name: name, Type: "public", Scopes: []string{session.AccountAccess}, RedirectURIs: []string{redirect}}, session.Origin{IP: home})
	if err != nil {
		w.tb.Fatal(err)
	}
	return c
}

// startDevice begins a device authorization at an address.
func (w *world) startDevice(c session.Client, from session.Origin) session.DeviceStart {
	w.tb.Helper()
	d, err := w.sessions.StartDevice(c.ID, string(c.Secret), startURL, from)
	if err != nil {
		w.tb.Fatal(err)
	}
	return d
}

// authorizeQuery is a well-formed request for an authorization code; change changes it.
func authorizeQuery(c session.Client, redirect string, change ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {redirect}, "state": {"st&te=1"}, "scopes": {session.AccountAccess},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	for i := 0; i < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	return "/authorize?" + q.Encode()
}

// redeem asks for tokens as the client would.
func (w *world) redeem(r session.TokenRequest) (session.Outcome, error) {
	w.tb.Helper()
	g, err := w.sessions.OpenGrant(r, session.Origin{IP: home})
	if err != nil {
		return session.Outcome{}, err
	}
	err = w.db.View(w.tb.Context(), func(tx *store.Tx) error { return w.sessions.Decided(tx, g) })
	if err != nil {
		return session.Outcome{}, err
	}
	var out session.Outcome
	w.update(func(tx *store.Tx) (err error) { out, err = w.sessions.Redeem(tx, g); return err })
	if out.Refused != nil {
		return out, out.Refused
	}
	return out, nil
}

// wantReason checks for a refusal with an OAuth code.
func wantReason(tb testing.TB, err error, reason string) {
	tb.Helper()
	if f := fault.As(err); f == nil || f.Reason != reason {
		tb.Errorf("got %v, want %s", err, reason)
	}
}

// caller says whether an access token works.
func (w *world) works(access credential.Secret) bool {
	w.tb.Helper()
	return w.db.View(w.tb.Context(), func(tx *store.Tx) error {
		_, err := w.sessions.Authenticate(tx, string(access))
		return err
	}) == nil
}

// events are the stored audit events, as names with their error codes.
func (w *world) events() (names []string) {
	w.tb.Helper()
	for _, e := range w.audit() {
		name := e.EventName
		if e.ErrorCode != "" {
			name += " " + e.ErrorCode
		}
		names = append(names, name)
	}
	return names
}

func (w *world) audit() (events []audit.Event) {
	w.tb.Helper()
	err := w.db.View(w.tb.Context(), func(tx *store.Tx) error {
		rows, err := tx.AuditLog(0, 10_000)
		for _, r := range rows {
			var e audit.Event
			if err := json.Unmarshal(r.JSON, &e); err != nil {
				return fmt.Errorf("event %d: %w", r.Seq, err)
			}
			events = append(events, e)
		}
		return err
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return events
}
