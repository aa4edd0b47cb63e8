package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// nodes are servers over one PostgreSQL. The first is where things are changed.
type nodes struct {
	*crowd
	all []*crowd
	dsn string

	joined    int  // people
	refreshes bool // refresh tokens are tried too
}

// node says how one of several nodes differs from the others.
type node struct {
	deaf   bool          // to what others tell
	off    time.Duration // of its clock
	obeyed bool          // the clock is not corrected by the database's
	dsn    string        // another way to the database
	time   clock.Clock   // another clock altogether
}

// skewed is a clock that is off, and that nobody corrects.
type skewed struct{ by time.Duration }

func (s skewed) Now() time.Time { return clock.System{}.Now().Add(s.by) }

// wrong is a machine's clock that is off. The database's time corrects it.
type wrong struct{ skewed }

func (wrong) Machine() {}

func (n node) clock() clock.Clock {
	switch {
	case n.time != nil:
		return n.time
	case n.off != 0 && n.obeyed:
		return skewed{n.off}
	case n.off != 0:
		return wrong{skewed{n.off}}
	}
	return clock.System{}
}

func newNodes(t *testing.T, dsn string, of ...node) *nodes {
	t.Helper()
	first := newCrowd(t, storetest.OpenAt(t, dsn, of[0].clock()))
	n := &nodes{crowd: first, all: []*crowd{first}, dsn: dsn}
	for _, o := range of[1:] {
		c, stop := n.start(o)
		t.Cleanup(stop)
		n.all = append(n.all, c)
	}
	return n
}

// start starts another node.
func (n *nodes) start(o node) (*crowd, func()) {
	n.t.Helper()
	dsn := n.dsn
	if o.dsn != "" {
		dsn = o.dsn
	}
	s := openNode(n.t, n.server.cfg, dsn, o)
	web := httptest.NewServer(s.handler())
	ctx, end := context.WithCancel(context.Background())
	done := s.work(ctx)
	stop := func() {
		web.Close()
		end()
		<-done
		if err := s.db.Close(); err != nil {
			n.t.Error(err)
		}
	}
	return &crowd{t: n.t, client: &client{web.URL, web.Client(), clock.System{}, s.instance}, server: s, ctx: n.ctx}, stop
}

// openNode opens a further server over a database, configured as the first is. Whoever calls it runs its workers and closes its database.
func openNode(t *testing.T, first *config.Config, dsn string, o node) *Server {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, o.clock())
	if err != nil {
		t.Fatal(err)
	}
	cfg := *first
	cfg.AuditFile = "off" // the file is the first node's
	s, err := open(t.Context(), &cfg, db, blueprint{})
	if err != nil {
		t.Fatal(err)
	}
	if o.deaf {
		s.gate.Deafen()
	}
	return s
}

func (n *nodes) update(f func(*store.Tx) error) error {
	for {
		err := n.server.db.Update(n.ctx, f)
		if fault.KindOf(err) != fault.Throttled {
			return err
		}
	}
}

func (n *nodes) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// member is somebody with all kinds of credentials.
type member struct {
	user       store.User
	portal     store.Session
	session    store.Session
	client     session.Client
	membership string
	bearer     caller
	refresh    string
	roles      caller
}

// join makes a person, with a membership of the group if one is named, and signs them in.
func (n *nodes) join(name, group string) *member {
	n.t.Helper()
	m := &member{}
	n.joined++
	from := session.Origin{IP: fmt.Sprintf("10.%d.%d.1", n.joined/250, n.joined%250), UserAgent: "nodes"}
	s := n.server.sessions
	n.must(n.update(func(tx *store.Tx) (err error) {
		m.user, err = directory.CreateUser(tx, store.User{
			StoreID: n.instance.StoreID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: name, FamilyName: name}},
		}, byDev)
		if err != nil || group == "" {
			return err
		}
		in, err := directory.AddMember(tx, n.instance.StoreID, group, m.user.ID, byDev)
		m.membership = in.ID
		return err
	}))
	var err error
	m.client, err = s.Register(session.Registration{Name: "nodes", Type: "public", Scopes: []string{session.AccountAccess}}, from)
	n.must(err)
	device, err := s.StartDevice(m.client.ID, string(m.client.Secret), n.instance.StartURL, from)
	n.must(err)
	grant, err := s.OpenGrant(session.TokenRequest{ClientID: m.client.ID, ClientSecret: string(m.client.Secret), GrantType: session.DeviceGrant, DeviceCode: string(device.DeviceCode)}, from)
	n.must(err)
	n.must(n.update(func(tx *store.Tx) error {
		_, portal, err := s.StartPortal(tx, m.user, from, time.Time{})
		if err != nil {
			return err
		}
		m.portal = portal
		if err := s.ApproveDevice(tx, portal, device.UserCode, from); err != nil {
			return err
		}
		out, err := s.Redeem(tx, grant)
		m.session, m.bearer, m.refresh = out.Session, caller{bearer: string(out.Token.Access)}, string(out.Token.Refresh)
		return err
	}))
	return m
}

// vendFor gets role credentials for a person on a node.
func (n *nodes) vendFor(m *member, on, set int) {
	n.t.Helper()
	var err error
	m.roles, err = n.all[on].vend(m.bearer, n.sets[set].name)
	n.must(err)
}

// renew uses a refresh token on a node, and returns the next one.
func (c *crowd) renew(m *member, token string) (string, error) {
	out, _, err := c.exchange(c.ctx, caller{}, "sso-oidc", "CreateToken", fmt.Sprintf(
		`{"ClientId": %q, "ClientSecret": %q, "GrantType": "refresh_token", "RefreshToken": %q}`, m.client.ID, string(m.client.Secret), token))
	return text(out, "refreshToken"), err
}

// refusedAs says whether an error is a refusal for good, and not one for now.
func refusedAs(err error) bool {
	var refused *awsapi.ResponseError
	return errors.As(err, &refused) && !throttled(err) && refused.Status < 500
}

// ready asks a node whether it is.
func (c *crowd) ready() bool {
	res, err := c.http.Get(c.url + "/readyz")
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// within calls try until it is content, and fails the test after a time.
func within(t *testing.T, d time.Duration, what string, try func() bool) {
	t.Helper()
	over := time.NewTimer(d)
	defer over.Stop()
	for !try() {
		select {
		case <-over.C:
			t.Fatalf("%s: not within %v", what, d)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// threeNodes are three servers over a database of their own.
func threeNodes(t *testing.T, of ...node) *nodes {
	t.Helper()
	return newNodes(t, storetest.NewPostgres(t), of...)
}
