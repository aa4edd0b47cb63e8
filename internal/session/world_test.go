package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	testStart  = "https://d-1234567890.awsapps.com/start"
	testPortal = "http://localhost:8080"
)

var (
	testURLs = URLs{Start: testStart, Portal: testPortal, Issuer: "https://identitycenter.amazonaws.com/ssoins-1234567890abcdef"}
	laptop   = Origin{IP: "192.0.2.7", UserAgent: "aws-cli/2.23.6"}
	browser  = Origin{IP: "192.0.2.7", UserAgent: "Mozilla/5.0"}
	verifier = strings.Repeat("v", 64)
)

// world is a person with a portal session, and a clock to move.
type world struct {
	*Service
	t      testing.TB
	db     *store.DB
	clock  *clocktest.Clock
	user   store.User
	portal store.Session
	cookie string
}

func newWorld(t testing.TB, open func(testing.TB, clock.Clock) *store.DB) *world {
	t.Helper()
	c := clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	w := &world{t: t, clock: c, db: open(t, c)}
	w.Service = w.restart()
	w.user = store.User{ID: "u-1", StoreID: "d-1234567890", UserName: "anna", Status: store.UserEnabled}
	w.update(func(tx *store.Tx) (err error) {
		if err := tx.InsertUser(w.user); err != nil {
			return err
		}
		var cookie credential.Secret
		cookie, w.portal, err = w.StartPortal(tx, w.user, browser, time.Time{})
		w.cookie = string(cookie)
		return err
	})
	return w
}

var testKEK = keyring.NewKEK()

// restart is the service as another process would have it: same database, same keys, empty memory.
func (w *world) restart() *Service {
	w.t.Helper()
	kek, err := keyring.ParseKEK(testKEK)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := keyring.Open(w.t.Context(), w.db, kek)
	if err != nil {
		w.t.Fatal(err)
	}
	return &Service{Clock: w.clock, Keys: keys, Instance: "ssoins-1234567890abcdef", URLs: testURLs}
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// register makes a client and reads its id back.
func (w *world) register(r Registration) Client {
	w.t.Helper()
	if r.Name == "" {
		r.Name, r.Type = "botocore-client-dev", "public"
	}
	c, err := w.Register(r, laptop)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// cli is the registration that the AWS CLI makes for PKCE.
func (w *world) cli() Client {
	return w.register(Registration{
		Scopes: []string{AccountAccess}, GrantTypes: []string{CodeGrant, RefreshGrant},
		RedirectURIs: []string{"http://127.0.0.1/oauth/callback"}, IssuerURL: testStart,
	})
}

// token asks for tokens as CreateToken does.
func (w *world) token(s *Service, r TokenRequest) (Token, error) {
	g, err := s.OpenGrant(r, laptop)
	if err != nil {
		return Token{}, err
	}
	err = w.db.View(context.Background(), func(tx *store.Tx) error { return s.Decided(tx, g) })
	if err != nil {
		return Token{}, err
	}
	var out Outcome
	err = w.db.Update(context.Background(), func(tx *store.Tx) (err error) {
		out, err = s.Redeem(tx, g)
		return err
	})
	if err == nil && out.Refused != nil {
		err = out.Refused
	}
	return out.Token, err
}

// must is a call of token that succeeds.
func (w *world) must(r TokenRequest) Token {
	w.t.Helper()
	tok, err := w.token(w.Service, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return tok
}

// refused checks that a call of token is refused with an OAuth code.
func (w *world) refused(want string, r TokenRequest) {
	w.t.Helper()
	_, err := w.token(w.Service, r)
	wantReason(w.t, err, want)
}

func wantReason(t testing.TB, err error, want string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Reason != want {
		t.Fatalf("got %v, want a refusal with %s", err, want)
	}
}

func wantKind(t testing.TB, err error, want fault.Kind) {
	t.Helper()
	if fault.As(err) == nil || fault.KindOf(err) != want {
		t.Fatalf("got %v, want a fault of kind %d", err, want)
	}
}

// caller authenticates an access token.
func (w *world) caller(access credential.Secret) (c credential.Caller, err error) {
	err = w.db.View(context.Background(), func(tx *store.Tx) (err error) {
		c, err = w.Authenticate(tx, string(access))
		return err
	})
	return c, err
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// setStatus disables or enables the person.
func (w *world) setStatus(s store.UserStatus) {
	w.t.Helper()
	w.user.Status = s
	w.update(func(tx *store.Tx) error { return tx.UpdateUser(w.user) })
}

// changes lists what was written for credentials to notice.
func (w *world) changes() map[string]bool {
	w.t.Helper()
	p, err := w.db.PollChanges(context.Background(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, c := range p.Changes {
		keys[c.Key] = true
	}
	return keys
}

// onEach runs a story on both engines.
func onEach(t *testing.T, story func(t *testing.T, w *world)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) { story(t, newWorld(t, open)) })
}

func onSQLite(t *testing.T) *world {
	t.Parallel()
	return newWorld(t, storetest.Open)
}
