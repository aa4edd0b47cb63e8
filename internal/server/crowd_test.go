package server

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/store"
)

// crowd is a server and what is known of everybody's rights.
type crowd struct {
	t *testing.T
	*client
	server   *Server
	operator caller
	ctx      context.Context

	users  [people]store.User
	groups [groups]string
	sets   [sets]struct{ arn, name string }

	enabled  [people]*fact
	member   [people][groups]*fact
	assigned [groups][sets]*fact
	direct   [people][sets]*fact
	passing  [people]*fact // by way of a group that comes and goes, to set 0

	mu      sync.Mutex
	logins  []*signedIn
	credits []*credit

	accepted, refused, undecided, changes atomic.Int64
}

// signedIn is a client session below a portal session.
type signedIn struct {
	user           int
	portal, client *fact
	portalID       string
	clientID       string
	caller         caller
}

// credit is a set of role credentials.
type credit struct {
	*signedIn
	set    int
	caller caller
}

func newCrowd(t *testing.T, db *store.DB) *crowd {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	s := openServer(t, db, "http://"+web.Listener.Addr().String())
	web.Config.Handler = s.handler()
	web.Start()
	ctx, stop := context.WithCancel(context.Background())
	done := s.work(ctx)
	t.Cleanup(func() { web.Close(); stop(); <-done })
	c := &crowd{t: t, client: &client{web.URL, web.Client(), clock.System{}, s.instance}, server: s, ctx: t.Context()}
	err := operatorKey(c.ctx, db, s.ring, s.instance.Owner, func(k OperatorKey) error {
		c.operator = caller{keys: signer{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey}}
		return nil
	})
	if err == nil {
		err = c.found()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// found makes people, groups and sets, with a group of nobody that every set is assigned to: so no role comes and goes.
func (c *crowd) found() error {
	anchor, err := c.make("identitystore", "CreateGroup", `{"DisplayName": "anchor"}`, "GroupId")
	if err != nil {
		return err
	}
	for k := range c.sets {
		c.sets[k].name = fmt.Sprint("Set", k)
		out, err := c.admin("sso-admin", "CreatePermissionSet", fmt.Sprintf(`{"Name": %q}`, c.sets[k].name))
		if err != nil {
			return err
		}
		c.sets[k].arn = text(out.(map[string]any)["PermissionSet"], "PermissionSetArn")
		if _, err := c.admin("sso-admin", "AttachManagedPolicyToPermissionSet", fmt.Sprintf(`{"PermissionSetArn": %q, "ManagedPolicyArn": "arn:aws:iam::aws:policy/SecurityAudit"}`, c.sets[k].arn)); err != nil {
			return err
		}
		if err := c.assign("Create", k, "GROUP", anchor); err != nil {
			return err
		}
	}
	for g := range c.groups {
		if c.groups[g], err = c.make("identitystore", "CreateGroup", fmt.Sprintf(`{"DisplayName": "group %d"}`, g), "GroupId"); err != nil {
			return err
		}
		for k := range c.sets {
			c.assigned[g][k] = newFact(false)
		}
	}
	for u := range c.users {
		c.enabled[u], c.passing[u] = newFact(true), newFact(false)
		for g := range c.groups {
			c.member[u][g] = newFact(false)
		}
		for k := range c.sets {
			c.direct[u][k] = newFact(false)
		}
		err := c.server.db.Update(c.ctx, func(tx *store.Tx) (err error) {
			c.users[u], err = directory.CreateUser(tx, store.User{
				StoreID: c.instance.StoreID, UserName: fmt.Sprint("user", u), DisplayName: "U",
				UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "U", FamilyName: "U"}},
			}, byDev)
			return err
		})
		if err == nil {
			err = c.signIn(u)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// admin calls an operation as the operator, again where the server asks for it.
func (c *crowd) admin(service, operation, input string) (any, error) {
	for {
		out, _, err := c.exchange(c.ctx, c.operator, service, operation, input)
		if !throttled(err) {
			return out, err
		}
	}
}

func throttled(err error) bool {
	var refused *awsapi.ResponseError
	return errors.As(err, &refused) && (strings.HasPrefix(refused.Code, "Throttling") || refused.Code == "TooManyRequestsException")
}

func (c *crowd) make(service, operation, input, member string) (string, error) {
	out, err := c.admin(service, operation, input)
	return text(out, member), err
}

// begin asks for an assignment's creation or deletion, and returns what waits for its end.
func (c *crowd) begin(verb string, set int, kind, principal string) (wait func() error, err error) {
	out, err := c.admin("sso-admin", verb+"AccountAssignment", fmt.Sprintf(
		`{"TargetId": %q, "TargetType": "AWS_ACCOUNT", "PermissionSetArn": %q, "PrincipalType": %q, "PrincipalId": %q}`, sampleMember, c.sets[set].arn, kind, principal))
	if err != nil {
		return nil, err
	}
	noun := map[string]string{"Create": "Creation", "Delete": "Deletion"}[verb]
	id := text(out.(map[string]any)["AccountAssignment"+noun+"Status"], "RequestId")
	return func() error {
		for {
			out, err := c.admin("sso-admin", "DescribeAccountAssignment"+noun+"Status", fmt.Sprintf(`{"AccountAssignment%sRequestId": %q}`, noun, id))
			if err != nil {
				return err
			}
			status := out.(map[string]any)["AccountAssignment"+noun+"Status"]
			switch text(status, "Status") {
			case "SUCCEEDED":
				return nil
			case "FAILED":
				return errors.New(text(status, "FailureReason"))
			}
		}
	}, nil
}

func (c *crowd) assign(verb string, set int, kind, principal string) error {
	wait, err := c.begin(verb, set, kind, principal)
	if err != nil {
		return err
	}
	return wait()
}
