package session

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

const callback = "http://127.0.0.1:51763/oauth/callback"

// authorizeQuery is what the AWS CLI opens a browser with.
func authorizeQuery(c Client) url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {callback}, "state": {"5f1c"},
		"code_challenge_method": {"S256"}, "scopes": {AccountAccess}, "code_challenge": {challenge(verifier)},
	}
}

// consent has the person agree and returns the token request that follows.
func (w *world) consent(c Client) TokenRequest {
	w.t.Helper()
	r, err := w.CheckAuthorize(authorizeQuery(c))
	if err != nil {
		w.t.Fatal(err)
	}
	var to string
	w.update(func(tx *store.Tx) (err error) { to, err = w.GrantCode(tx, w.portal, r); return err })
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, callback+"?") || u.Query().Get("state") != "5f1c" {
		w.t.Fatalf("the browser is sent to %s: %v", to, err)
	}
	return TokenRequest{
		ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: CodeGrant,
		Code: u.Query().Get("code"), RedirectURI: callback, CodeVerifier: verifier,
	}
}

// login is the CLI's whole way by PKCE.
func (w *world) login() (Client, Token) {
	w.t.Helper()
	c := w.cli()
	return c, w.must(w.consent(c))
}

func TestCode(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		_, tok := w.login()
		if tok.ExpiresIn != time.Hour || !strings.HasPrefix(string(tok.Access), "aoa") || !strings.HasPrefix(string(tok.Refresh), "aor") {
			t.Errorf("got a token for %v", tok.ExpiresIn)
		}
		c, err := w.caller(tok.Access)
		if err != nil {
			t.Fatal(err)
		}
		if c.UserID != w.user.ID || c.UserName != "anna" || c.ParentID != w.portal.ID || c.SessionID == w.portal.ID {
			t.Errorf("the token is %+v's", c)
		}
		w.clock.Advance(time.Hour)
		_, err = w.caller(tok.Access)
		wantKind(t, err, fault.Unauthenticated)
	})
}

func TestCodeRefuses(t *testing.T) {
	w := onSQLite(t)
	c := w.cli()
	for _, tc := range []struct {
		name, want string
		change     func(*TokenRequest)
	}{
		{"other port", invalidGrant, func(r *TokenRequest) { r.RedirectURI = "http://127.0.0.1:51764/oauth/callback" }},
		{"no port", invalidGrant, func(r *TokenRequest) { r.RedirectURI = "http://127.0.0.1/oauth/callback" }},
		{"no redirect URI", invalidRequest, func(r *TokenRequest) { r.RedirectURI = "" }},
		{"no verifier", invalidRequest, func(r *TokenRequest) { r.CodeVerifier = "" }},
		{"wrong verifier", invalidGrant, func(r *TokenRequest) { r.CodeVerifier = strings.Repeat("w", 64) }},
		{"short verifier", invalidGrant, func(r *TokenRequest) { r.CodeVerifier = "v" }},
		{"challenge as verifier", invalidGrant, func(r *TokenRequest) { r.CodeVerifier = challenge(verifier) }},
		{"unknown code", invalidGrant, func(r *TokenRequest) { r.Code += "x" }},
		{"other client", invalidGrant, func(r *TokenRequest) { o := w.cli(); r.ClientID, r.ClientSecret = o.ID, string(o.Secret) }},
	} {
		r := w.consent(c)
		wrong := r
		tc.change(&wrong)
		_, err := w.token(w.Service, wrong)
		if f := fault.As(err); f == nil || f.Reason != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
		w.must(r) // a wrong try uses nothing up: who lacks the verifier cannot get in anyone's way
	}
	r := w.consent(c)
	w.clock.Advance(codeLife)
	w.refused(expiredToken, r)
}

// TestCodeOnce: of parallel exchanges one wins; since a second one had everything, the session made of it ends.
func TestCodeOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		r := w.consent(w.cli())
		tokens := make(chan Token, 8)
		var all sync.WaitGroup
		for range cap(tokens) {
			all.Go(func() {
				tok, err := w.token(w.Service, r)
				if err == nil {
					tokens <- tok
				} else if f := fault.As(err); f == nil || f.Reason != invalidGrant {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		if len(tokens) != 1 {
			t.Fatalf("%d exchanges succeeded", len(tokens))
		}
		_, err := w.caller((<-tokens).Access)
		wantKind(t, err, fault.Unauthenticated)
	})
}

func TestCodeAfterPortalEnded(t *testing.T) {
	w := onSQLite(t)
	r := w.consent(w.cli())
	w.update(func(tx *store.Tx) error { return w.End(tx, w.portal.ID, "u-1") })
	w.refused(accessDenied, r)
}

// TestCheckAuthorize is case S28 and what a hostile page may send.
func TestCheckAuthorize(t *testing.T) {
	w := onSQLite(t)
	c := w.cli()
	change := func(name string, values ...string) url.Values {
		q := authorizeQuery(c)
		if q[name] = values; values == nil {
			delete(q, name)
		}
		return q
	}
	for _, tc := range []struct {
		name string
		q    url.Values
		want string // OAuth code; empty: accepted
		told bool   // whether the client is told by redirect
	}{
		{"as the CLI", authorizeQuery(c), "", false},
		{"no scopes", change("scopes"), "", false},
		{"no state", change("state"), "", false},
		{"unknown parameter", change("foo", "bar", "baz"), "", false},

		{"no client", change("client_id"), invalidRequest, false},
		{"two clients", change("client_id", c.ID, c.ID), invalidRequest, false},
		{"unknown client", change("client_id", "x"), invalidClient, false},
		{"no redirect URI", change("redirect_uri"), invalidRequest, false},
		{"two redirect URIs", change("redirect_uri", callback, "http://evil.test"), invalidRequest, false},
		{"other path", change("redirect_uri", "http://127.0.0.1:51763/other"), invalidRequest, false},
		{"localhost", change("redirect_uri", "http://localhost:51763/oauth/callback"), invalidRequest, false},

		{"two states", change("state", "a", "b"), invalidRequest, true},
		{"long state", change("state", strings.Repeat("s", maxState+1)), invalidRequest, true},
		{"implicit", change("response_type", "token"), unsupportedResponse, true},
		{"two response types", change("response_type", "code", "token"), invalidRequest, true},
		{"plain challenge", change("code_challenge_method", "plain"), invalidRequest, true},
		{"no method", change("code_challenge_method"), invalidRequest, true},
		{"no challenge", change("code_challenge"), invalidRequest, true},
		{"short challenge", change("code_challenge", "abc"), invalidRequest, true},
		{"padded challenge", change("code_challenge", challenge(verifier)+"="), invalidRequest, true},
		{"unknown scope", change("scope", "openid"), invalidScope, true},
		{"unknown scope beside", change("scopes", AccountAccess+" x:y:z"), invalidScope, true},
	} {
		r, err := w.CheckAuthorize(tc.q)
		var told *RedirectError
		switch {
		case tc.want == "":
			if err != nil || r.RedirectURI != callback || r.ClientName != "botocore-client-dev" {
				t.Errorf("%s: got %+v, %v", tc.name, r, err)
			}
		case errors.As(err, &told) != tc.told:
			t.Errorf("%s: got %v; told by redirect: %v", tc.name, err, !tc.told)
		case tc.told:
			if told.Code != tc.want || !strings.HasPrefix(told.Location(), callback+"?error="+tc.want+"&") {
				t.Errorf("%s: got %s, want %s", tc.name, told.Location(), tc.want)
			}
		default:
			if f := fault.As(err); f == nil || f.Reason != tc.want {
				t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
			}
		}
	}
}

func TestDeny(t *testing.T) {
	w := onSQLite(t)
	r, err := w.CheckAuthorize(authorizeQuery(w.cli()))
	if err != nil {
		t.Fatal(err)
	}
	want := callback + "?error=access_denied&error_description=The+person+did+not+allow+it.&state=5f1c"
	if diff := cmp.Diff(want, r.Deny().Location()); diff != "" {
		t.Error(diff)
	}
}

func TestRegisteredForDeviceOnly(t *testing.T) {
	w := onSQLite(t)
	c := w.register(Registration{GrantTypes: []string{DeviceGrant}, RedirectURIs: []string{"http://127.0.0.1/oauth/callback"}})
	_, err := w.CheckAuthorize(authorizeQuery(c))
	var told *RedirectError
	if !errors.As(err, &told) || told.Code != unauthorizedClient {
		t.Errorf("got %v", err)
	}
}
