package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// scimClient sends people and groups as directories do: whatever is not answered, or with an error of the server's, is asked for again.
type scimClient struct {
	endpoint, token string
	answered        chan struct{} // told of each answer, if there is one
}

// scimAnswer is what these tests read of an answer.
type scimAnswer struct {
	status     int
	ID         string
	Detail     string
	Members    []struct{ Value string }
	Resources  []struct{ ID, UserName, DisplayName string }
	NextCursor string
}

// scim turns provisioning on, and returns a client with a token of its own.
func (s *server) scim() *scimClient {
	s.tb.Helper()
	var tenant struct{ ScimTenant struct{ Endpoint string } }
	s.cliJSON(&tenant, "scim", "add", "directory")
	var made struct{ BearerToken string }
	s.cliJSON(&made, "scim", "token", "directory")
	return &scimClient{endpoint: tenant.ScimTenant.Endpoint, token: made.BearerToken}
}

// ask sends a request until the server has answered it.
func (c *scimClient) ask(ctx context.Context, method, path, body string) (scimAnswer, error) {
	for {
		out, err := c.once(ctx, method, path, body)
		if err == nil && out.status < 500 && out.status != http.StatusTooManyRequests {
			if c.answered != nil {
				c.answered <- struct{}{}
			}
			return out, nil
		}
		select {
		case <-ctx.Done():
			return out, fmt.Errorf("%s %s: no answer: %w", method, path, errors.Join(err, ctx.Err()))
		case <-time.After(20*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

func (c *scimClient) once(ctx context.Context, method, path, body string) (out scimAnswer, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, strings.NewReader(body))
	if err != nil {
		return out, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/scim+json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &out)
	}
	out.status = resp.StatusCode
	return out, err
}

// create makes a user or a group. Where it is there already, as the answer may have been lost, it is looked for.
func (c *scimClient) create(ctx context.Context, kind, body, filter string) (string, error) {
	out, err := c.ask(ctx, "POST", kind, body)
	switch {
	case err != nil:
		return "", err
	case out.status == http.StatusCreated:
		return out.ID, nil
	case out.status != http.StatusConflict:
		return "", fmt.Errorf("%s: %d %s", body, out.status, out.Detail)
	}
	ids, err := c.find(ctx, kind, filter)
	if err == nil && len(ids) != 1 {
		err = fmt.Errorf("%s is there, and a filter finds %d of it", body, len(ids))
	}
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

func (c *scimClient) createUser(ctx context.Context, i int) (string, error) {
	return c.create(ctx, "/Users", fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "sent%d@example.com", "externalId": "ext-%[1]d",
		"name": {"givenName": "Given", "familyName": "Family"}, "displayName": "Person %[1]d", "emails": [{"value": "sent%[1]d@example.com", "type": "work", "primary": true}], "active": true}`, i),
		fmt.Sprintf(`userName eq "sent%d@example.com"`, i))
}

func (c *scimClient) createGroup(ctx context.Context, i int) (string, error) {
	return c.create(ctx, "/Groups", fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sent %d", "externalId": "team-%[1]d"}`, i),
		fmt.Sprintf(`displayName eq "Sent %d"`, i))
}

// change adds users to a group, or removes them, by one request.
func (c *scimClient) change(ctx context.Context, group, op string, users ...string) error {
	members := make([]string, len(users))
	for i, u := range users {
		members[i] = fmt.Sprintf(`{"value": %q}`, u)
	}
	out, err := c.ask(ctx, "PATCH", "/Groups/"+group, fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations": [{"op": %q, "path": "members", "value": [%s]}]}`, op, strings.Join(members, ", ")))
	if err == nil && out.status != http.StatusNoContent && out.status != http.StatusOK {
		err = fmt.Errorf("%s of members of %s: %d %s", op, group, out.status, out.Detail)
	}
	return err
}

// find are the ids that a filter finds.
func (c *scimClient) find(ctx context.Context, kind, filter string) ([]string, error) {
	out, err := c.ask(ctx, "GET", kind+"?filter="+url.QueryEscape(filter), "")
	if err == nil && out.status != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", filter, out.status, out.Detail)
	}
	var ids []string
	for _, r := range out.Resources {
		ids = append(ids, r.ID)
	}
	return ids, err
}

// all are the names and ids of all users or groups, page by page.
func (c *scimClient) all(ctx context.Context, kind string) (names, ids []string, err error) {
	for cursor := ""; ; {
		out, err := c.ask(ctx, "GET", kind+"?count=50&cursor="+url.QueryEscape(cursor), "")
		if err == nil && out.status != http.StatusOK {
			err = fmt.Errorf("page of %s: %d %s", kind, out.status, out.Detail)
		}
		if err != nil {
			return nil, nil, err
		}
		for _, r := range out.Resources {
			names, ids = append(names, r.UserName+r.DisplayName), append(ids, r.ID)
		}
		if cursor = out.NextCursor; cursor == "" {
			return names, ids, nil
		}
	}
}

// manyAtOnce does n things, some at a time, and returns what they return.
func manyAtOnce(n int, do func(i int) (string, error)) ([]string, error) {
	const workers = 16
	out, errs := make([]string, n), make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < n && errs[w] == nil; i += workers {
				out[i], errs[w] = do(i)
			}
		})
	}
	all.Wait()
	return out, errors.Join(errs...)
}
