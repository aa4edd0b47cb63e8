// Package portalclient signs a person in at a portal and lists what they reach, by the same open APIs as the AWS CLI.
// It is for our own commands; the server does not use it.
package portalclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sallyport/internal/fault"
)

// Portal is what a portal says of itself at /.well-known/sallyport.
type Portal struct {
	Endpoint string `json:"endpoint"`
	StartURL string `json:"start_url"` // AWS-shaped
	Region   string `json:"region"`
}

// Client calls one portal.
type Client struct {
	Portal Portal
	HTTP   *http.Client
}

// answerLimit bounds what is read of an answer.
const answerLimit = 4 << 20

// Open asks a portal URL, as a person knows it, for its facts.
func Open(ctx context.Context, portal string) (*Client, error) {
	u, err := url.Parse(portal)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.Invalidf("%q is not a portal's URL: expected https://host.", portal)
	}
	c := &Client{HTTP: &http.Client{Timeout: 30 * time.Second}}
	known := u.Scheme + "://" + u.Host + "/.well-known/sallyport"
	if err := c.call(ctx, http.MethodGet, known, "", nil, &c.Portal); err != nil {
		return nil, fmt.Errorf("ask %s whether it is a Sallyport portal: %w", u.Host, err)
	}
	if c.Portal.Endpoint == "" || c.Portal.StartURL == "" || c.Portal.Region == "" {
		return nil, fault.Invalidf("%s does not answer as a Sallyport portal.", u.Host)
	}
	return c, nil
}

// oauthError is how the OIDC endpoints refuse; the portal's have a message.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	Message     string `json:"message"`
}

func (e *oauthError) Error() string {
	return strings.Join(strings.Fields(e.Code+" "+e.Description+" "+e.Message), " ")
}

func (c *Client) call(ctx context.Context, method, url, bearer string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("x-amz-sso_bearer_token", bearer)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		e := &oauthError{}
		if json.Unmarshal(b, e) != nil || e.Error() == "" {
			e.Message = res.Status
		}
		return e
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// Device is what a person needs to approve a sign-in.
type Device struct {
	UserCode string `json:"userCode"`
	URI      string `json:"verificationUriComplete"`
}

// SignIn runs the device flow (RFC 8628). show tells the person where to go; it is called once.
func (c *Client) SignIn(ctx context.Context, clientName string, show func(Device)) (token string, err error) {
	var client struct {
		ID     string `json:"clientId"`
		Secret string `json:"clientSecret"`
	}
	register := map[string]any{"clientName": clientName, "clientType": "public", "scopes": []string{"sso:account:access"}}
	if err := c.call(ctx, http.MethodPost, c.Portal.Endpoint+"/client/register", "", register, &client); err != nil {
		return "", fmt.Errorf("register as a client: %w", err)
	}
	var grant struct {
		Device
		Code     string `json:"deviceCode"`
		Interval int    `json:"interval"`
	}
	start := map[string]string{"clientId": client.ID, "clientSecret": client.Secret, "startUrl": c.Portal.StartURL}
	if err := c.call(ctx, http.MethodPost, c.Portal.Endpoint+"/device_authorization", "", start, &grant); err != nil {
		return "", fmt.Errorf("start device authorization: %w", err)
	}
	show(grant.Device)
	ask := map[string]string{
		"clientId": client.ID, "clientSecret": client.Secret, "deviceCode": grant.Code,
		"grantType": "urn:ietf:params:oauth:grant-type:device_code",
	}
	return c.poll(ctx, ask, time.Duration(max(1, grant.Interval))*time.Second)
}

func (c *Client) poll(ctx context.Context, ask map[string]string, every time.Duration) (string, error) {
	for {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(every):
		}
		var got struct {
			AccessToken string `json:"accessToken"`
		}
		err := c.call(ctx, http.MethodPost, c.Portal.Endpoint+"/token", "", ask, &got)
		var refused *oauthError
		switch {
		case err == nil:
			return got.AccessToken, nil
		case !errors.As(err, &refused):
			return "", err
		case refused.Code == "slow_down":
			every += 5 * time.Second // RFC 8628 §3.5
		case refused.Code == "access_denied":
			return "", fault.Deniedf("The sign-in was denied in the browser.")
		case refused.Code == "expired_token":
			return "", fault.Newf(fault.Expired, "Nobody approved the sign-in in time. Start again.")
		case refused.Code != "authorization_pending":
			return "", err
		}
	}
}

// Account is one account that the person reaches.
type Account struct {
	ID   string `json:"accountId"`
	Name string `json:"accountName"`
}

// Accounts lists all of the person's accounts.
func (c *Client) Accounts(ctx context.Context, token string) ([]Account, error) {
	var all []Account
	for next := ""; ; {
		var page struct {
			List []Account `json:"accountList"`
			Next string    `json:"nextToken"`
		}
		q := url.Values{"max_result": {"100"}}
		if next != "" {
			q.Set("next_token", next)
		}
		if err := c.call(ctx, http.MethodGet, c.Portal.Endpoint+"/assignment/accounts?"+q.Encode(), token, nil, &page); err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		all = append(all, page.List...)
		if next = page.Next; next == "" {
			return all, nil
		}
	}
}

// Roles lists the names of the person's roles in one account.
func (c *Client) Roles(ctx context.Context, token, account string) ([]string, error) {
	var all []string
	for next := ""; ; {
		var page struct {
			List []struct {
				Name string `json:"roleName"`
			} `json:"roleList"`
			Next string `json:"nextToken"`
		}
		q := url.Values{"max_result": {"100"}, "account_id": {account}}
		if next != "" {
			q.Set("next_token", next)
		}
		if err := c.call(ctx, http.MethodGet, c.Portal.Endpoint+"/assignment/roles?"+q.Encode(), token, nil, &page); err != nil {
			return nil, fmt.Errorf("list roles in %s: %w", account, err)
		}
		for _, r := range page.List {
			all = append(all, r.Name)
		}
		if next = page.Next; next == "" {
			return all, nil
		}
	}
}

// SignOut ends the session that SignIn made.
func (c *Client) SignOut(ctx context.Context, token string) error {
	return c.call(ctx, http.MethodPost, c.Portal.Endpoint+"/logout", token, nil, nil)
}
