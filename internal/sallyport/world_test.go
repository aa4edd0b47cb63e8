package sallyport_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/emergency"
	"sallyport/internal/endpoint"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/policy"
	"sallyport/internal/revocation"
	"sallyport/internal/sallyport"
	"sallyport/internal/session"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/totp"
)

const (
	management arn.AccountID = "999900000001"
	delegate   arn.AccountID = "111122223333" // registered delegated administrator
	member     arn.AccountID = "222233334444"

	region  = "us-east-1"
	portal  = "https://id.example.org"
	unknown = "00000000-0000-4000-8000-000000000000"
)

// world is the API behind the real request path, with real keys and tokens. Requests come from the operator of the management
// account, unless as or bearer says otherwise.
type world struct {
	t        testing.TB
	db       *store.DB
	clock    *clocktest.Clock
	service  *sallyport.Service
	api      *endpoint.API
	instance store.Instance
	keys     map[arn.AccountID]sigv4.Credentials // of the operators; "" is a user of the management account without policies
	user     store.User                          // ana

	caller sigv4.Credentials
	bearer string
}

func newWorld(t testing.TB) *world { return newWorldOn(t, storetest.Open) }

func newWorldOn(t testing.TB, open func(testing.TB, clock.Clock) *store.DB) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)), keys: map[arn.AccountID]sigv4.Credentials{}}
	w.db = open(t, w.clock)
	w.instance = store.Instance{
		ID: "ssoins-1234567890abcdef", StoreID: "d-1234567890", Owner: management, DelegatedAdmin: delegate, Name: "test",
		Region: region, Status: "ACTIVE", CreatedAt: w.clock.Now(),
	}
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), w.db, kek)
	if err != nil {
		t.Fatal(err)
	}
	sessions := &session.Service{Clock: w.clock, Keys: ring, Instance: w.instance.ID, URLs: session.URLs{Portal: portal}}
	w.service = &sallyport.Service{
		Instance: w.instance.ID, Owner: management, OperatorKeys: ring, Sessions: sessions,
		Login: &login.Service{
			DB: w.db, Hasher: login.NewHasher(), Store: w.instance.StoreID, Owner: management, Region: region, NameKey: []byte("key"),
			Sessions: sessions, Mail: &mail.Outbox{DB: w.db, Keys: ring, Owner: "test"}, Letters: mail.Letters{Portal: portal},
		},
	}
	w.service.Emergency = &emergency.Service{
		DB: w.db, Keys: ring, Instance: w.instance.ID, Store: w.instance.StoreID, Owner: management, Region: region, Mail: w.service.Login.Mail, Letters: w.service.Login.Letters,
	}
	w.update(func(tx *store.Tx) error { return w.populate(tx, ring) })
	w.mount(ring)
	w.user = w.person("ana")
	return w
}

// populate makes the accounts with their operators.
func (w *world) populate(tx *store.Tx, ring *keyring.Ring) error {
	if err := tx.InsertInstance(w.instance); err != nil {
		return err
	}
	hash, err := tx.PutDocument(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if err != nil {
		return err
	}
	for _, id := range []arn.AccountID{management, delegate, member, ""} {
		u := store.IAMUser{ID: arn.NewUniqueID("AIDA"), Account: id, Path: "/", Name: "operator", CreatedAt: tx.Now()}
		if id == "" {
			u.Account, u.Name = management, "nobody"
		} else if err := tx.InsertAccount(store.Account{ID: id, Name: "a" + string(id), Email: string(id) + "@example.test", Backend: "local", Status: "ACTIVE", CreatedAt: tx.Now()}); err != nil {
			return err
		}
		if err := tx.InsertIAMUser(u); err != nil {
			return err
		}
		if id != "" {
			if err := tx.PutUserPolicy(store.UserPolicy{UserID: u.ID, Name: "Everything", Inline: true, Document: hash}); err != nil {
				return err
			}
		}
		key, secret, err := credential.CreateAccessKey(tx, ring, u)
		if err != nil {
			return err
		}
		w.keys[id] = sigv4.Credentials{AccessKeyID: key, SecretAccessKey: string(secret)}
	}
	w.caller = w.keys[management]
	return nil
}

func (w *world) mount(ring *keyring.Ring) {
	w.t.Helper()
	pages, err := page.NewCodec(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		w.t.Fatal(err)
	}
	gate := revocation.New(w.db, revocation.Evaluate)
	if err := gate.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	log, known := slog.New(slog.DiscardHandler), credential.NewLongTerm(w.db, ring)
	w.api = &endpoint.API{
		DB: w.db, Clock: w.clock, Region: region, Owner: management, StoreID: w.instance.StoreID, Pages: pages, Log: log,
		Metrics: endpoint.NewMetrics(prometheus.NewRegistry()), Recorder: endpoint.NewRecorder(w.db, log), Policies: policy.NewCache(1 << 20),
		Key: func(ctx context.Context, id, _ string) (credential.Caller, credential.Secret, error) {
			return known.LookUp(ctx, id)
		},
		Bearer: w.service.Sessions.Authenticate, Gate: gate.Check,
	}
	rule := endpoint.Rule{Direct: sallyport.Direct, SelfDenied: sallyport.SelfDenied, Administers: sallyport.Administers(w.instance)}
	w.api.Mount(api.Operations[*endpoint.Call](w.service), rule, region)
}

// as is the world as another IAM user sees it.
func (w *world) as(c sigv4.Credentials) *world {
	other := *w
	other.caller, other.bearer = c, ""
	return &other
}

// with is the world as the holder of a portal access token sees it.
func (w *world) with(token string) *world {
	other := *w
	other.caller, other.bearer = sigv4.Credentials{}, token
	return &other
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// person makes a user.
func (w *world) person(name string) (u store.User) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		u, err = directory.CreateUser(tx, store.User{
			StoreID: w.instance.StoreID, UserName: name, DisplayName: name,
			UserAttrs: store.UserAttrs{Name: store.Name{GivenName: name, FamilyName: name}},
		}, "test")
		return err
	})
	return u
}

// app registers an authenticator app for a user.
func (w *world) app(userID, name string) (id string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		if err := w.service.Login.EnrollApp(tx, userID, name, totp.NewSeed()); err != nil {
			return err
		}
		all, err := tx.Factors(userID)
		id = all[len(all)-1].ID
		return err
	})
	w.clock.Advance(time.Second) // ids are in the order of time
	return id
}

// signIn starts a portal session, whose second factor was proved now, and in it one of a client, with a token.
func (w *world) signIn(u store.User, client string) (p, child store.Session, token string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		if _, p, err = w.service.Sessions.StartPortal(tx, u, session.Origin{IP: "192.0.2.7", UserAgent: "Firefox"}, tx.Now()); err != nil {
			return err
		}
		child = p
		child.ID, child.ParentID, child.CookieHash, child.ClientKey, child.ClientName = arn.NewTimeUUID(tx.Now()), p.ID, "", client, "aws-cli"
		child.Scopes = session.AccountAccess
		if err := tx.InsertSession(child); err != nil {
			return err
		}
		secret, hash := credential.NewBearer("aoa")
		token = string(secret)
		return tx.InsertAccessToken(store.AccessToken{Hash: hash, SessionID: child.ID, IssuedAt: tx.Now(), ExpiresAt: p.ExpiresAt})
	})
	w.clock.Advance(time.Second)
	return p, child, token
}
