package ssooidc_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	api "sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/endpoint"
	"sallyport/internal/keyring"
	"sallyport/internal/session"
	"sallyport/internal/ssooidc"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const startURL = "https://d-1234567890.awsapps.com/start"

// world is the API as it is mounted, with a person who is signed in.
type world struct {
	*session.Service
	t      *testing.T
	db     *store.DB
	clock  *clocktest.Clock
	api    *endpoint.API
	portal store.Session
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	db := storetest.Open(t, c)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: db, clock: c, Service: &session.Service{
		Clock: c, Keys: keys, Instance: "ssoins-1234567890abcdef",
		URLs: session.URLs{Start: startURL, Portal: "http://localhost:8080"},
	}}
	w.api = &endpoint.API{
		DB: db, Clock: c, Region: "us-east-1", Owner: "999988887777", StoreID: "d-1234567890",
		Log: slog.New(slog.DiscardHandler), Metrics: endpoint.NewMetrics(prometheus.NewRegistry()),
	}
	s := &ssooidc.Service{Sessions: w.Service, Owner: "999988887777", StoreID: "d-1234567890"}
	w.api.Mount(api.Operations[*endpoint.Call](s), endpoint.Rule{Direct: []string{"RegisterClient", "StartDeviceAuthorization", "CreateToken"}}, "us-east-1")
	w.update(func(tx *store.Tx) error {
		u := store.User{ID: "u-1", StoreID: "d-1234567890", UserName: "anna", Status: store.UserEnabled}
		if err := tx.InsertUser(u); err != nil {
			return err
		}
		_, w.portal, err = w.StartPortal(tx, u, session.Origin{IP: "192.0.2.7"}, time.Time{})
		return err
	})
	return w
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// answer is what a client sees.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (w *world) post(path string, members map[string]any) answer {
	w.t.Helper()
	body, err := json.Marshal(members)
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	a := answer{status: rec.Code, header: rec.Header()}
	if err := json.Unmarshal(rec.Body.Bytes(), &a.body); err != nil {
		w.t.Fatalf("%s answered %d %q: %v", path, rec.Code, rec.Body, err)
	}
	return a
}

// ok is a post that succeeds.
func (w *world) ok(path string, members map[string]any) map[string]any {
	w.t.Helper()
	a := w.post(path, members)
	if a.status != http.StatusOK {
		w.t.Fatalf("%s answered %d %v", path, a.status, a.body)
	}
	return a.body
}

// refused checks an error as case S28 has it: exception in the header, OAuth members in the body.
func (w *world) refused(status int, exception, code, path string, members map[string]any) {
	w.t.Helper()
	a := w.post(path, members)
	description, _ := a.body["error_description"].(string)
	if a.status != status || a.header.Get("X-Amzn-Errortype") != exception || a.body["error"] != code || description == "" {
		w.t.Fatalf("%s answered %d %s %v, want %d %s %s", path, a.status, a.header.Get("X-Amzn-Errortype"), a.body, status, exception, code)
	}
}

// events are the names of the stored audit events.
func (w *world) events() (all []map[string]any) {
	w.t.Helper()
	err := w.db.View(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.AuditLog(0, 100)
		for _, r := range rows {
			var e map[string]any
			if err := json.Unmarshal(r.JSON, &e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// TestDeviceFlow is the AWS CLI's way with --use-device-code, in its dialect.
func TestDeviceFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.ok("/client/register", map[string]any{
		"clientName": "botocore-client-dev", "clientType": "public", "scopes": []string{"sso:account:access"},
	})
	if c["clientSecretExpiresAt"].(float64)-c["clientIdIssuedAt"].(float64) != 90*24*3600 || c["tokenEndpoint"] != "http://localhost:8080/token" {
		t.Errorf("registration: %v", c)
	}
	d := w.ok("/device_authorization", map[string]any{"clientId": c["clientId"], "clientSecret": c["clientSecret"], "startUrl": startURL})
	if d["expiresIn"] != 600.0 || d["interval"] != 1.0 {
		t.Errorf("device authorization: %v", d)
	}
	poll := map[string]any{
		"clientId": c["clientId"], "clientSecret": c["clientSecret"], "deviceCode": d["deviceCode"],
		"grantType": "urn:ietf:params:oauth:grant-type:device_code",
	}
	w.refused(400, "AuthorizationPendingException", "authorization_pending", "/token", poll)
	w.refused(400, "AuthorizationPendingException", "authorization_pending", "/token", poll)
	w.refused(400, "SlowDownException", "slow_down", "/token", poll)
	w.update(func(tx *store.Tx) error {
		return w.ApproveDevice(tx, w.portal, d["userCode"].(string), session.Origin{IP: "192.0.2.7"})
	})
	w.clock.Advance(time.Second)
	tok := w.ok("/token", poll)
	if tok["tokenType"] != "Bearer" || tok["expiresIn"] != 3600.0 || tok["idToken"] != nil {
		t.Errorf("token: %v", tok)
	}
	w.clock.Advance(time.Second)
	w.refused(400, "InvalidGrantException", "invalid_grant", "/token", poll)
	next := w.ok("/token", map[string]any{
		"clientId": c["clientId"], "clientSecret": c["clientSecret"], "grantType": "refresh_token", "refreshToken": tok["refreshToken"],
	})
	if next["accessToken"] == tok["accessToken"] || next["refreshToken"] == tok["refreshToken"] {
		t.Error("a refresh gave the same tokens again")
	}

	events := w.events()
	if len(events) != 2 {
		t.Fatalf("%d events, want one for each token given out: %v", len(events), events)
	}
	text, _ := json.Marshal(events)
	for _, secret := range []any{c["clientSecret"], d["deviceCode"], tok["accessToken"], tok["refreshToken"], next["refreshToken"]} {
		if strings.Contains(string(text), secret.(string)) {
			t.Error("an event holds a secret")
		}
	}
	who := events[0]["userIdentity"].(map[string]any)
	if events[0]["eventName"] != "CreateToken" || events[0]["eventSource"] != "sso.amazonaws.com" || who["type"] != "IdentityCenterUser" ||
		who["credentialId"] != w.portal.ID || who["onBehalfOf"].(map[string]any)["userId"] != "u-1" {
		t.Errorf("event: %v", events[0])
	}
}

// TestCodeFlow is the AWS CLI's default way.
func TestCodeFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.ok("/client/register", map[string]any{
		"clientName": "botocore-client-dev", "clientType": "public", "scopes": []string{"sso:account:access"},
		"grantTypes": []string{"authorization_code", "refresh_token"}, "redirectUris": []string{"http://127.0.0.1/oauth/callback"},
		"issuerUrl": startURL, "unknownMember": map[string]any{"is": "ignored"},
	})
	verifier := strings.Repeat("a.b-c_d~", 8)
	sum := sha256.Sum256([]byte(verifier))
	r, err := w.CheckAuthorize(url.Values{
		"response_type": {"code"}, "client_id": {c["clientId"].(string)}, "redirect_uri": {"http://127.0.0.1:51763/oauth/callback"},
		"state": {"s"}, "code_challenge_method": {"S256"}, "scopes": {"sso:account:access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	})
	if err != nil {
		t.Fatal(err)
	}
	var to string
	w.update(func(tx *store.Tx) (err error) { to, err = w.GrantCode(tx, w.portal, r); return err })
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	exchange := map[string]any{
		"clientId": c["clientId"], "clientSecret": c["clientSecret"], "grantType": "authorization_code", "code": u.Query().Get("code"),
		"codeVerifier": verifier, "redirectUri": "http://127.0.0.1:51764/oauth/callback",
	}
	w.refused(400, "InvalidGrantException", "invalid_grant", "/token", exchange) // another port
	exchange["redirectUri"] = "http://127.0.0.1:51763/oauth/callback"
	w.ok("/token", exchange)
	w.refused(400, "InvalidGrantException", "invalid_grant", "/token", exchange)
	events := w.events()
	if len(events) != 2 || events[1]["errorCode"] != "InvalidGrantException" {
		t.Errorf("the second exchange ended the session, which must be on record: %v", events)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	public := map[string]any{"clientName": "x", "clientType": "public"}
	with := func(name string, value any) map[string]any {
		m := map[string]any{}
		for k, v := range public {
			m[k] = v
		}
		m[name] = value
		return m
	}
	c := w.ok("/client/register", public)
	token := func(grant string) map[string]any {
		return map[string]any{"clientId": c["clientId"], "clientSecret": c["clientSecret"], "grantType": grant}
	}
	for _, tc := range []struct {
		path            string
		members         map[string]any
		status          int
		exception, code string
	}{
		{"/client/register", with("clientType", "confidential"), 400, "InvalidClientMetadataException", "invalid_client_metadata"},
		{"/client/register", with("scopes", []string{"x:y:z"}), 400, "InvalidScopeException", "invalid_scope"},
		{"/client/register", with("redirectUris", []string{"https://app.example.org/cb"}), 400, "InvalidRedirectUriException", "invalid_redirect_uri"},
		{"/client/register", with("grantTypes", []string{"password"}), 400, "UnsupportedGrantTypeException", "unsupported_grant_type"},
		{"/client/register", with("issuerUrl", "https://example.org"), 400, "InvalidRequestException", "invalid_request"},
		{"/client/register", with("entitledApplicationArn", "arn:aws:sso::1:application/x"), 400, "InvalidRequestException", "invalid_request"},
		{"/client/register", map[string]any{"clientName": "x"}, 400, "InvalidRequestException", "invalid_request"},
		{"/device_authorization", map[string]any{"clientId": "x", "clientSecret": "y", "startUrl": startURL}, 401, "InvalidClientException", "invalid_client"},
		{"/device_authorization", map[string]any{"clientId": c["clientId"], "clientSecret": c["clientSecret"], "startUrl": "https://example.org"}, 400, "InvalidRequestException", "invalid_request"},
		{"/token", token("password"), 400, "UnsupportedGrantTypeException", "unsupported_grant_type"},
		{"/token", token("refresh_token"), 400, "InvalidRequestException", "invalid_request"},
	} {
		w.refused(tc.status, tc.exception, tc.code, tc.path, tc.members)
	}
	if got := w.events(); len(got) != 0 {
		t.Errorf("strangers wrote events: %v", got)
	}
}
