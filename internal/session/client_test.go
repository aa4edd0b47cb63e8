package session

import (
	"context"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

func TestRegisterRefuses(t *testing.T) {
	w := onSQLite(t)
	many := strings.Split(strings.Repeat("http://127.0.0.1,", maxValues+1), ",")
	for _, tc := range []struct {
		name, want string
		r          Registration
	}{
		{"confidential", invalidMetadata, Registration{Name: "x", Type: "confidential"}},
		{"no name", invalidMetadata, Registration{Type: "public"}},
		{"long name", invalidMetadata, Registration{Name: strings.Repeat("x", 256), Type: "public"}},
		{"line break in name", invalidMetadata, Registration{Name: "x\ny", Type: "public"}},
		{"direction override in name", invalidMetadata, Registration{Name: "x\u202ey", Type: "public"}},
		{"bytes in name", invalidMetadata, Registration{Name: "x\xff", Type: "public"}},
		{"unknown scope", invalidScope, Registration{Name: "x", Type: "public", Scopes: []string{AccountAccess, "sso:everything"}}},
		{"unknown grant", unsupportedGrant, Registration{Name: "x", Type: "public", GrantTypes: []string{"password"}}},
		{"localhost", invalidRedirect, Registration{Name: "x", Type: "public", RedirectURIs: []string{"http://localhost/cb"}}},
		{"code without redirect", invalidRedirect, Registration{Name: "x", Type: "public", GrantTypes: []string{CodeGrant}}},
		{"too many", invalidMetadata, Registration{Name: "x", Type: "public", RedirectURIs: many}},
		{"foreign issuer", invalidRequest, Registration{Name: "x", Type: "public", IssuerURL: "https://d-0987654321.awsapps.com/start"}},
	} {
		_, err := w.Register(tc.r, laptop)
		if f := fault.As(err); f == nil || f.Reason != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestClientSecret(t *testing.T) {
	w := onSQLite(t)
	c := w.cli()
	r := TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: RefreshGrant, RefreshToken: "aor"}
	w.refused(invalidGrant, r) // the client is right, the token is not

	wrong := r
	wrong.ClientSecret = "x" + r.ClientSecret[1:]
	w.refused(invalidClient, wrong)
	wrong = r
	wrong.ClientID = r.ClientID + "A"
	w.refused(invalidClient, wrong)
	wrong = r
	wrong.ClientID, wrong.ClientSecret = w.cli().ID, r.ClientSecret
	w.refused(invalidClient, wrong)

	elsewhere := w.restart()
	elsewhere.Instance = "ssoins-fedcba0987654321"
	_, err := w.token(elsewhere, r)
	wantReason(t, err, invalidClient)
	_, err = w.token(w.restart(), r) // another node knows it
	wantReason(t, err, invalidGrant)
}

// TestClientExpires is a part of case S29: the code makes the CLI register again.
func TestClientExpires(t *testing.T) {
	w := onSQLite(t)
	c := w.cli()
	if got := c.ExpiresAt.Sub(c.IssuedAt); got != 90*24*time.Hour {
		t.Errorf("the registration lasts %v", got)
	}
	w.clock.Advance(90*24*time.Hour - time.Second)
	r := TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: RefreshGrant, RefreshToken: "aor"}
	w.refused(invalidGrant, r)
	w.clock.Advance(time.Second)
	w.refused(invalidClient, r)
}

func TestGrantTypes(t *testing.T) {
	w := onSQLite(t)
	c := w.register(Registration{GrantTypes: []string{DeviceGrant}, Scopes: []string{AccountAccess}})
	id, secret := c.ID, string(c.Secret)
	w.refused(unauthorizedClient, TokenRequest{ClientID: id, ClientSecret: secret, GrantType: RefreshGrant, RefreshToken: "aor"})
	w.refused(unsupportedGrant, TokenRequest{ClientID: id, ClientSecret: secret, GrantType: "password"})
	w.refused(invalidRequest, TokenRequest{ClientID: id, ClientSecret: secret, GrantType: DeviceGrant})
	cli := w.cli()
	_, err := w.StartDevice(cli.ID, string(cli.Secret), testStart, laptop)
	wantReason(t, err, unauthorizedClient)
	_, err = w.StartDevice(id, secret, "https://d-0987654321.awsapps.com/start", laptop)
	wantReason(t, err, invalidRequest)
}

func TestBlock(t *testing.T) {
	w := onSQLite(t)
	c, tok := w.login()
	if _, err := w.caller(tok.Access); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		opened, err := w.openClient(c.ID)
		if err != nil {
			return err
		}
		_, err = w.Block(tx, opened.Key, "operator")
		return err
	})
	_, err := w.caller(tok.Access)
	wantKind(t, err, fault.Unauthenticated)
	w.refused(invalidClient, TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: RefreshGrant, RefreshToken: string(tok.Refresh)})
	r, err := w.CheckAuthorize(authorizeQuery(c))
	if err != nil {
		t.Fatal(err)
	}
	err = w.db.Update(context.Background(), func(tx *store.Tx) error {
		_, err := w.GrantCode(tx, w.portal, r)
		return err
	})
	wantReason(t, err, invalidClient)
}

// TestOpenOperationsAreBounded: an address that floods is slowed down, others are not.
func TestOpenOperationsAreBounded(t *testing.T) {
	w := onSQLite(t)
	flood := func(ip string) error {
		var err error
		for range 1000 {
			if _, err = w.Register(Registration{Name: "x", Type: "public"}, Origin{IP: ip}); err != nil {
				break
			}
		}
		return err
	}
	wantReason(t, flood("2001:db8::1"), slowDown)
	_, err := w.Register(Registration{Name: "x", Type: "public"}, Origin{IP: "2001:db8::2"})
	wantReason(t, err, slowDown) // the same customer
	if _, err := w.Register(Registration{Name: "x", Type: "public"}, Origin{IP: "2001:db8:1::1"}); err != nil {
		t.Error(err)
	}
	w.clock.Advance(time.Minute)
	if _, err := w.Register(Registration{Name: "x", Type: "public"}, Origin{IP: "2001:db8::1"}); err != nil {
		t.Error(err)
	}
}
