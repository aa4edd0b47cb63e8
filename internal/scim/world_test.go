package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/scim"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	storeID = arn.StoreID("d-1234567890")
	tenant  = "11111111111-2222-3333-4444-555555555555"
	home    = "192.0.2.7"
)

// world is a SCIM server on a database, and a client of it.
type world struct {
	t     testing.TB
	db    *store.DB
	clock *clocktest.Clock
	scim.Server
	events []*audit.Event
	token  string

	dialect store.Dialect // of the token
}

func newWorld(t testing.TB, dialect store.Dialect) *world {
	return newWorldOn(t, dialect, storetest.Open)
}

func newWorldOn(t testing.TB, dialect store.Dialect, open func(testing.TB, clock.Clock) *store.DB) *world {
	t.Helper()
	w := &world{t: t, dialect: dialect, clock: clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))}
	w.db = open(t, w.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), w.db, kek)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.NewCodec(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	sessions := &session.Service{Clock: w.clock, Keys: ring, Instance: "ssoins-1234567890abcdef", URLs: session.URLs{Portal: "https://id.example.test"}}
	w.Server = scim.Server{
		DB: w.db, Owner: "111122223333", Region: "us-east-1", URL: "https://id.example.test", Pages: pages, Log: slog.New(slog.DiscardHandler),
		Limits: func(context.Context) (quota.Limits, error) { return quota.Limits{}, nil },
		Record: func(e *audit.Event) { w.events = append(w.events, e) },
		Origin: func(*http.Request) (string, string) { return home, "test" },
		Login: &login.Service{
			DB: w.db, Hasher: login.NewHasher(), Store: storeID, Owner: "111122223333", Region: "us-east-1", NameKey: []byte("key"), Sessions: sessions,
			Mail: &mail.Outbox{DB: w.db, Keys: ring, Owner: "test"}, Letters: mail.Letters{Portal: "https://id.example.test"},
		},
	}
	w.token = w.newToken(tenant, dialect)
	return w
}

// newToken makes a token of a tenant, with the tenant if it is new.
func (w *world) newToken(tenant string, dialect store.Dialect, networks ...string) string {
	w.t.Helper()
	secret, hash := credential.NewBearer("scim_")
	w.update(func(tx *store.Tx) error {
		if _, err := tx.SCIMTenant(tenant); err != nil {
			if err := tx.InsertSCIMTenant(store.SCIMTenant{ID: tenant, StoreID: storeID, Name: tenant, CreatedAt: tx.Now(), CreatedBy: "test"}); err != nil {
				return err
			}
		}
		return tx.InsertSCIMToken(store.SCIMToken{
			ID: arn.NewUUID(), TenantID: tenant, Hash: hash, Dialect: dialect, Networks: networks, CreatedAt: tx.Now(), CreatedBy: "test", ExpiresAt: tx.Now().Add(365 * 24 * time.Hour),
		})
	})
	return string(secret)
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// reply is what a request was answered with.
type reply struct {
	t      testing.TB
	asked  string
	status int
	body   map[string]any
	header http.Header
}

// do sends a request. A body is JSON text, or nothing.
func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	r := httptest.NewRequest(method, "https://id.example.test/"+tenant+"/scim/v2"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", "application/scim+json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if !w.Serves(r) {
		w.t.Fatalf("%s is not served", path)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	a := reply{t: w.t, asked: method + " " + path + " " + body, status: rec.Code, header: rec.Result().Header}
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &a.body); err != nil {
			w.t.Fatalf("%s: %v: %s", a.asked, err, rec.Body)
		}
		if t := a.header.Get("Content-Type"); t != "application/scim+json" {
			w.t.Errorf("%s: content type %s", a.asked, t)
		}
	}
	return a
}

// expect fails unless the status is right.
func (a reply) expect(status int) reply {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: %d %v, want %d", a.asked, a.status, a.body, status)
	}
	return a
}

// refused fails unless the error is of RFC 7644 and AWS, and says the words.
func (a reply) refused(status int, words string) reply {
	a.t.Helper()
	a.expect(status)
	detail, _ := a.body["detail"].(string)
	if !strings.Contains(detail, words) || a.body["status"] != fmt.Sprint(status) || fmt.Sprint(a.body["schemas"]) != "[urn:ietf:params:scim:api:messages:2.0:Error]" {
		a.t.Errorf("%s: %v, want %q", a.asked, a.body, words)
	}
	return a
}

// at is a member by its path.
func (a reply) at(path ...string) any {
	var v any = a.body
	for _, k := range path {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func (a reply) id() string { s, _ := a.body["id"].(string); return s }

// ids are those of a list's resources.
func (a reply) ids() (out []string) {
	all, _ := a.body["Resources"].([]any)
	for _, r := range all {
		m, _ := r.(map[string]any)
		id, _ := m["id"].(string)
		out = append(out, id)
	}
	return out
}

func userJSON(name string, more ...string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"displayName":"The %s","name":{"givenName":"Given","familyName":"Family"}%s}`,
		name, name, strings.Join(append([]string{""}, more...), ","))
}

func patch(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

func (w *world) user(name string, more ...string) string {
	w.t.Helper()
	return w.do("POST", "/Users", userJSON(name, more...)).expect(http.StatusCreated).id()
}

func (w *world) group(name string, members ...string) string {
	w.t.Helper()
	var all []string
	for _, m := range members {
		all = append(all, fmt.Sprintf(`{"value":%q}`, m))
	}
	return w.do("POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[%s]}`, name, strings.Join(all, ","))).expect(http.StatusCreated).id()
}

// members are the users of a group, by the database.
func (w *world) members(group string) (out []string) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		rows, _, err := tx.Members(group, page.Query{Limit: 1000})
		for _, m := range rows {
			out = append(out, m.UserID)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// holdTurn keeps requests from scanning until it is left.
func (w *world) holdTurn() (leave func()) {
	w.t.Helper()
	leave, err := scim.TakeTurn(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return leave
}
