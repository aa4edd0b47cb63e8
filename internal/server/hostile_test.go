package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/probe"
	"sallyport/internal/clock"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// unbound forgets what a script would be told.
type unbound struct{}

func (unbound) Setenv(string, string) {}

// hostile are texts that some store, parser or page has stumbled over.
var hostile = []string{
	"a\x00b", "\xff", "'; DROP TABLE directory_user; --", "%", "🙂\u2028", `{"a":`, strings.Repeat("x", 5000),
}

// TestHostileText puts hostile texts wherever an operation takes a text, on each engine: whatever it is told of it, no caller
// can make the server fail. PostgreSQL, for one, takes no zero byte.
func TestHostileText(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		s := newStory(t, open)
		ctx := context.Background()
		if err := s.begin(unbound{}); err != nil {
			t.Fatal(err)
		}
		if err := s.signIn(ctx, "alice", "cli"); err != nil {
			t.Fatal(err)
		}
		sent := 0
		for _, api := range s.services() {
			for _, op := range api.operations {
				if !awsapi.Implemented(api.implementation, op.Name) || op.Name == "Logout" {
					continue
				}
				for _, text := range hostile {
					probes, err := probe.Texts(op.Service, op.OperationMeta, s.url, text)
					if err != nil {
						t.Fatal(err)
					}
					for _, p := range probes {
						sent++
						s.probe(t, op.OperationMeta, op.Service, p)
					}
				}
			}
		}
		t.Logf("%d requests", sent)
	})
}

// probe sends a probe as the operator or as alice's client, and fails if the server does.
func (s *story) probe(t *testing.T, op *awsapi.OperationMeta, api *awsapi.Service, p probe.Probe) {
	t.Helper()
	r := p.Request.WithContext(t.Context())
	r.Body = io.NopCloser(bytes.NewReader(p.Body))
	if op.Unsigned {
		r.Header.Set("X-Amz-Sso_bearer_token", s.callers["cli"].bearer)
	} else if err := sigv4.Sign(r, p.Body, s.callers["operator"].keys, "us-east-1", api.SigningName, s.clock.Now()); err != nil {
		t.Fatal(err)
	}
	res, body, err := s.do(r)
	if err != nil || res.StatusCode >= 500 {
		t.Errorf("%s, %s, %.80q: %v %s", op.Name, p.Name, p.Body, err, body)
	}
}

// TestHostilePages does the same with the forms and the addresses of the pages.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		s := newStory(t, open)
		ctx := context.Background()
		if err := s.begin(unbound{}); err != nil {
			t.Fatal(err)
		}
		if err := s.signIn(ctx, "alice", "cli"); err != nil {
			t.Fatal(err)
		}
		for _, cookie := range []string{s.sessions["cli"].cookie, "x", strings.Repeat("c", 3000)} {
			for _, text := range hostile {
				for _, page := range []string{
					"/start?x=%s", "/signin?next=%s", "/portal?after=%s", "/portal/account/%s", "/portal/account/444455556666?after=%s",
					"/device?user_code=%s", "/authorize?client_id=%s&redirect_uri=%[1]s", "/%s",
					"/link/%s", "/account?x=%s", "/signin/app?x=%s", "/confirm?next=%s",
				} {
					s.page(t, http.MethodGet, fmt.Sprintf(page, url.QueryEscape(text)), cookie, nil)
				}
				for path, fields := range map[string][]string{
					"/signin/username": {"username", "next"}, "/signin/password": {"password"}, "/signin/new-password": {"new_password", "confirm_password"},
					"/signin/restart": {"next"}, "/portal/credentials": {"account", "role"}, "/device": {"user_code", "decision"}, "/authorize": {"decision"},
					"/signin/passkey": {"response", "name", "trust"}, "/signin/code": {"code", "trust"}, "/signin/app": {"code", "name"},
					"/signin/mail-code": {"code"}, "/signin/forgot": {"username"}, "/signin/passkey/start": {"next"}, "/signin/passkey/options": {"x"},
					"/link/" + url.PathEscape(text): {"username", "given_name", "email"}, "/account/confirm": {"next"}, "/account/" + url.PathEscape(text): {"x"},
					"/account/rename-device": {"device", "name"}, "/account/remove-device": {"device"}, "/account/end-session": {"session"}, "/account/disown": {"notice"},
				} {
					form := url.Values{"account": {"444455556666"}, "username": {"alice"}}
					for _, f := range fields {
						form.Set(f, text)
						s.page(t, http.MethodPost, path, cookie, form)
					}
				}
			}
		}
	})
}

func (s *story) page(t *testing.T, method, path, cookie string, form url.Values) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return // not an address that a browser could send
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, name := range []string{"__Host-sallyport-session", "__Host-sallyport-signin"} {
		r.AddCookie(&http.Cookie{Name: name, Value: cookie})
	}
	res, body, err := s.do(r)
	if err != nil || res.StatusCode >= 500 {
		t.Errorf("%s %.100s %.100s: %v %s", method, path, form.Encode(), err, body)
	}
}
