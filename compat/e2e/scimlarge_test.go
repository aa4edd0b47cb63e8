package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
)

// TestSCIMLargeGroup has a group of 10,000, which one user joins and leaves.
func TestSCIMLargeGroup(t *testing.T) {
	t.Parallel()
	const many = 10_000
	s := startDev(t)
	s.cli("settings", "set", "limits.mode", "relaxed")
	c := s.scim()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	users, group, err := c.largeGroup(ctx, many)
	if err != nil {
		t.Fatal(err)
	}
	last := users[many]
	for _, step := range []struct {
		op string
		in int
	}{{"add", 1}, {"add", 1}, {"remove", 0}, {"remove", 0}} { // whoever is in it may join, and whoever is not may leave
		if err := c.change(ctx, group, step.op, last); err != nil {
			t.Fatal(err)
		}
		for user, want := range map[string]int{last: step.in, users[0]: 1, users[many-1]: 1} {
			found, err := c.find(ctx, "/Groups", fmt.Sprintf(`id eq %q and members eq %q`, group, user))
			if err != nil || len(found) != want {
				t.Errorf("after %s: membership of %s is found %d times (%v), want %d", step.op, user, len(found), err, want)
			}
		}
	}
	var made struct{ BearerToken string }
	s.cliJSON(&made, "scim", "token", "directory", "--dialect", "complete")
	full := &scimClient{endpoint: c.endpoint, token: made.BearerToken}
	for _, show := range []struct {
		client *scimClient
		query  string
		want   int
	}{
		{c, "", 0}, // AWS's dialect shows no members, however a group is asked for
		{full, "", many},
		{full, "?attributes=members", many},
		{full, "?excludedAttributes=members", 0},
	} {
		out, err := show.client.ask(ctx, "GET", "/Groups/"+group+show.query, "")
		if err != nil || out.status != http.StatusOK || len(out.Members) != show.want {
			t.Errorf("group%s: %d with %d members (%v), want %d", show.query, out.status, len(out.Members), err, show.want)
		}
	}
}

// largeGroup makes a group of so many users, and one user more.
func (c *scimClient) largeGroup(ctx context.Context, many int) (users []string, group string, err error) {
	if users, err = manyAtOnce(many+1, func(i int) (string, error) { return c.createUser(ctx, i) }); err != nil {
		return nil, "", err
	}
	if group, err = c.createGroup(ctx, 0); err != nil {
		return nil, "", err
	}
	const atOnce = 100 // as many as AWS's dialect takes in a request
	_, err = manyAtOnce(many/atOnce, func(i int) (string, error) {
		return "", c.change(ctx, group, "add", users[i*atOnce:(i+1)*atOnce]...)
	})
	return users, group, err
}
