package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/provision/local"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// clientSession is a client that a person has approved in a browser.
type clientSession struct {
	cookie, clientID, clientSecret, refresh string
}

type addCommand func(name string, least, most int, run func(*testscript.TestScript, []string) error)

func (s *story) peopleCommands(add addCommand) {
	ctx := context.Background()
	add("signin", 2, 2, func(_ *testscript.TestScript, args []string) error { return s.signIn(ctx, args[0], args[1]) })
	add("refresh", 1, 1, func(_ *testscript.TestScript, args []string) error { return s.refresh(ctx, args[0]) })
	add("signout", 1, 1, func(_ *testscript.TestScript, args []string) error {
		return s.post(ctx, s.sessions[args[0]].cookie, "/signout", url.Values{"sure": {"yes"}})
	})
	add("credentials", 4, 4, func(_ *testscript.TestScript, args []string) error {
		return s.credentials(ctx, args[0], args[1], args[2], args[3])
	})
	add("confirm", 1, 1, func(_ *testscript.TestScript, args []string) error { return s.confirm(ctx, args[0]) })
	add("policy", 4, 4, func(ts *testscript.TestScript, args []string) error {
		accounts := local.Provisioner{DB: s.db}
		return accounts.PutPolicy(ctx, arn.AccountID(args[0]), args[1], args[2], ts.ReadFile(args[3]))
	})
	add("status", 2, 2, func(_ *testscript.TestScript, args []string) error {
		return s.db.Update(ctx, func(tx *store.Tx) error {
			u, err := tx.UserByName(s.Server.instance.StoreID, args[0])
			if err != nil {
				return err
			}
			u.Status = store.UserStatus(args[1])
			_, err = directory.UpdateUser(tx, u, "", byDev)
			return err
		})
	})
}

// signIn takes the way of `aws sso login --use-device-code`, but for the password: the person is in, and approves.
func (s *story) signIn(ctx context.Context, user, as string) error {
	var c clientSession
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByName(s.Server.instance.StoreID, user)
		if err != nil {
			return err
		}
		cookie, _, err := s.Server.sessions.StartPortal(tx, u, session.Origin{IP: "127.0.0.1", UserAgent: "browser"}, time.Time{})
		c.cookie = string(cookie)
		return err
	})
	if err != nil {
		return fmt.Errorf("start portal session: %w", err)
	}
	s.secrets[c.cookie] = "portal cookie"
	client, err := s.oidc(ctx, "RegisterClient", map[string]any{"clientName": "story", "clientType": "public", "scopes": []string{session.AccountAccess}})
	if err != nil {
		return err
	}
	c.clientID, c.clientSecret = text(client, "clientId"), text(client, "clientSecret")
	s.secrets[c.clientSecret] = "client secret"
	device, err := s.oidc(ctx, "StartDeviceAuthorization", map[string]any{"clientId": c.clientID, "clientSecret": c.clientSecret, "startUrl": s.Server.instance.StartURL})
	if err != nil {
		return err
	}
	s.secrets[text(device, "deviceCode")] = "device code"
	if err := s.post(ctx, c.cookie, "/device", url.Values{"user_code": {text(device, "userCode")}, "decision": {"approve"}}); err != nil {
		return err
	}
	s.sessions[as] = &c
	return s.token(ctx, as, map[string]any{"grantType": session.DeviceGrant, "deviceCode": text(device, "deviceCode")})
}

func (s *story) refresh(ctx context.Context, name string) error {
	return s.token(ctx, name, map[string]any{"grantType": session.RefreshGrant, "refreshToken": s.sessions[name].refresh})
}

// confirm is the person using their second factor again in the browser.
func (s *story) confirm(ctx context.Context, name string) error {
	c := s.sessions[name]
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := s.Server.sessions.Portal(tx, c.cookie)
		if err != nil {
			return err
		}
		cookie, _, err := s.Server.sessions.Renew(tx, p.ID, tx.Now())
		c.cookie = string(cookie)
		return err
	})
	s.secrets[c.cookie] = "portal cookie"
	return err
}

// token gets tokens for a session.
func (s *story) token(ctx context.Context, name string, in map[string]any) error {
	c := s.sessions[name]
	in["clientId"], in["clientSecret"] = c.clientID, c.clientSecret
	out, err := s.oidc(ctx, "CreateToken", in)
	if err != nil {
		return err
	}
	c.refresh = text(out, "refreshToken")
	s.secrets[c.refresh], s.secrets[text(out, "accessToken")] = "refresh token", "access token"
	s.callers[name] = caller{bearer: text(out, "accessToken")}
	return nil
}

func (s *story) oidc(ctx context.Context, operation string, in map[string]any) (any, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return s.call(ctx, caller{}, "sso-oidc", operation, string(b))
}

// post submits a form of a page.
func (s *story) post(ctx context.Context, cookie, path string, form url.Values) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.web.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "__Host-sallyport-session", Value: cookie})
	res, body, err := s.do(r)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("POST %s: %s %s", path, res.Status, body)
	}
	return err
}

func (s *story) credentials(ctx context.Context, from, account, set, as string) error {
	in, err := json.Marshal(map[string]string{"accountId": account, "roleName": set})
	if err != nil {
		return err
	}
	out, err := s.call(ctx, s.callers[from], "sso", "GetRoleCredentials", string(in))
	if err != nil {
		return err
	}
	k := keysOf(out)
	s.secrets[k.SecretAccessKey], s.secrets[k.SessionToken] = "secret access key", "session token"
	s.callers[as] = caller{keys: k}
	return nil
}

// text is a member of an answer.
func text(v any, member string) string {
	m, _ := v.(map[string]any)
	t, _ := m[member].(string)
	return t
}
