package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/revocation"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// wire is a way to a database server that can be cut: by silence, or by closing every connection.
type wire struct {
	l      net.Listener
	socket string

	mu    sync.Mutex
	flows chan struct{} // closed while bytes pass
	dead  bool          // connections are closed at once
	conns map[net.Conn]bool
}

// newWire returns a way to a database, and its URL by that way.
func newWire(t *testing.T, dsn string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{l: l, socket: u.Query().Get("host") + "/.s.PGSQL.5432", flows: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(w.flows)
	go w.accept()
	t.Cleanup(func() { _ = l.Close(); w.mend(); w.cut(true) })
	return w, fmt.Sprintf("postgres://%s@%s%s?sslmode=disable", u.User.Username(), l.Addr(), u.Path)
}

func (w *wire) accept() {
	for {
		from, err := w.l.Accept()
		if err != nil {
			return
		}
		go w.carry(from)
	}
}

func (w *wire) carry(from net.Conn) {
	to, err := net.Dial("unix", w.socket)
	if err != nil || !w.keep(from, to) {
		_ = from.Close()
		return
	}
	go w.copy(to, from)
	w.copy(from, to)
}

func (w *wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = true
	}
	return !w.dead
}

func (w *wire) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	for b := make([]byte, 64<<10); ; {
		n, err := from.Read(b)
		w.mu.Lock()
		flows := w.flows
		w.mu.Unlock()
		<-flows
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut cuts the way.
func (w *wire) cut(loud bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !loud {
		w.flows = make(chan struct{})
		return
	}
	w.dead = true
	for c := range w.conns {
		_ = c.Close()
	}
	clear(w.conns)
}

// mend makes it whole.
func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
	select {
	case <-w.flows:
	default:
		close(w.flows)
	}
}

// cutOff says whether a node has refused because it cannot tell what was revoked.
func cutOff(err error) bool {
	var refused *awsapi.ResponseError
	return errors.As(err, &refused) && throttled(err) && strings.Contains(refused.Message, "cannot be told")
}

// TestNodeCutOff cuts one of three nodes off from the database. It goes on for a moment, and refuses everything before the bound is
// over; the others notice nothing. When the database is back it knows at once what was revoked meanwhile, and puts the outage on record.
func TestNodeCutOff(t *testing.T) {
	t.Parallel()
	for name, loud := range map[string]bool{"silence": false, "closed connections": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := storetest.NewPostgres(t)
			w, by := newWire(t, dsn)
			n := newNodes(t, dsn, node{}, node{}, node{dsn: by})
			n.must(n.assign("Create", 0, "GROUP", n.groups[0]))
			innocent, other := n.join("innocent", n.groups[0]), n.join("other", n.groups[0])
			n.vendFor(innocent, 0, 0)
			n.vendFor(other, 0, 0)
			alone := n.all[2]
			use := func(c *crowd, m *member) error { return c.try(m.roles, "sts", "GetCallerIdentity") }
			within(t, 10*time.Second, "ready", alone.ready)
			n.must(use(alone, innocent))
			n.must(use(alone, other))
			w.cut(loud)
			since := clock.System{}.Now()
			n.must(n.update(func(tx *store.Tx) error { return n.server.sessions.End(tx, other.portal.ID, "test") }))
			n.refusesAll(alone, innocent, since)
			if alone.ready() {
				t.Error("a node that is cut off is ready")
			}
			if got := metric(t, alone, "sallyport_revocation_refusing"); got != "1" {
				t.Errorf("sallyport_revocation_refusing is %s", got)
			}
			n.must(use(n.all[1], innocent))
			w.mend()
			within(t, 30*time.Second, "ready again", alone.ready)
			if err := use(alone, other); !refusedAs(err) {
				t.Errorf("what was revoked meanwhile: %v", err)
			}
			n.must(use(alone, innocent))
			if got := metric(t, alone, "sallyport_revocation_refusing"); got != "0" {
				t.Errorf("sallyport_revocation_refusing is %s", got)
			}
			within(t, 30*time.Second, "the outage is on record", n.recordsOutage)
		})
	}
}

// refusesAll waits until a node refuses credentials that nothing has revoked, and sees that none passes after the bound.
func (n *nodes) refusesAll(c *crowd, m *member, since time.Time) {
	n.t.Helper()
	for range 2 {
		for {
			sent := (clock.System{}).Now().Sub(since)
			ctx, enough := context.WithTimeout(n.ctx, 300*time.Millisecond) // the database says nothing, and the call waits for it
			_, _, err := c.exchange(ctx, m.roles, "sts", "GetCallerIdentity", "{}")
			enough()
			if cutOff(err) {
				n.t.Logf("refused after %v", (clock.System{}).Now().Sub(since))
				break
			}
			if sent > revocation.Bound {
				n.t.Fatalf("%v after the cut: %v", sent, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (n *nodes) recordsOutage() bool {
	found := false
	err := n.server.db.View(n.ctx, func(tx *store.Tx) error {
		events, err := tx.AuditLog(0, 10_000)
		for _, e := range events {
			found = found || strings.Contains(string(e.JSON), `"RevocationNewsRestored"`) && strings.Contains(string(e.JSON), `"refused":`)
		}
		return err
	})
	n.must(err)
	return found
}

// metric is the value of a metric without labels.
func metric(t *testing.T, c *crowd, name string) string {
	t.Helper()
	res, err := c.http.Get(c.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut("\n"+string(b), "\n"+name+" ")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// TestLaggingDatabase: a database that shows no heartbeat lags behind the one that takes changes, for all that can be told. Nodes refuse
// within the bound that they were told, and go on when it has caught up.
func TestLaggingDatabase(t *testing.T) {
	t.Parallel()
	dsn := storetest.NewPostgres(t)
	n := newNodes(t, dsn, node{}, node{})
	n.must(n.assign("Create", 0, "GROUP", n.groups[0]))
	m := n.join("innocent", n.groups[0])
	n.vendFor(m, 0, 0)
	admin, err := sql.Open("pgx", dsn)
	n.must(err)
	defer admin.Close()
	do := func(statement string) {
		t.Helper()
		_, err := admin.Exec(statement)
		n.must(err)
	}
	do(`CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`)
	do(`CREATE TRIGGER lag BEFORE INSERT OR UPDATE ON heartbeat FOR EACH ROW EXECUTE FUNCTION swallow()`)
	since := clock.System{}.Now()
	for _, c := range n.all {
		n.refusesAll(c, m, since.Add(time.Second)) // a heartbeat may be a second old and good
		if err := c.try(m.bearer, "sso", "ListAccounts"); !cutOff(err) {
			t.Errorf("a portal token on a node without news: %v", err)
		}
		for _, path := range []string{"/portal", "/scim/v2/Users", "/" + string(n.instance.StoreID) + "/scim/v2/Users"} {
			res, err := c.http.Get(c.url + path)
			n.must(err)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
				t.Errorf("%s on a node without news: %s", path, res.Status)
			}
		}
	}
	do(`DROP TRIGGER lag ON heartbeat`)
	for _, c := range n.all {
		within(t, 10*time.Second, "ready again", c.ready)
		n.must(c.try(m.roles, "sts", "GetCallerIdentity"))
	}
}

// TestBoundIsSet: a node refuses by the bound that it is told.
func TestBoundIsSet(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": revocation.Bound, "45s": 45 * time.Second} {
		if got := (&config.Config{RevocationBound: text}).Bound(); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	w := newTestWorld(t)
	if w.gate.Bound() != revocation.Bound {
		t.Errorf("a server that is told nothing has %v", w.gate.Bound())
	}
}
