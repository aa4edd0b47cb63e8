package login_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/store/storetest/pgtest"
)

// tap stands between us and PostgreSQL and writes down the statements that pass.
type tap struct {
	mu         sync.Mutex
	statements []string
}

// take returns the statements since the last call.
func (p *tap) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.statements
	p.statements = nil
	return out
}

// open is storetest.OpenPostgres through the tap.
func (p *tap) open(t testing.TB, c clock.Clock) *store.DB {
	t.Helper()
	dsn, err := url.Parse(pgtest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	query := dsn.Query()
	server := filepath.Join(query.Get("host"), ".s.PGSQL.5432")
	dir, err := os.MkdirTemp("", "tap-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	t.Cleanup(func() { l.Close(); open.Wait(); os.RemoveAll(dir) })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { p.pass(client, server) })
		}
	}()
	query.Set("host", dir)
	dsn.RawQuery = query.Encode()
	return storetest.OpenAt(t, dsn.String(), c)
}

func (p *tap) pass(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("unix", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		client.Close()
	}()
	p.read(client, server)
}

// read passes on what a client sends: a start-up message without a type, then messages of a type, a length and a body
// (https://www.postgresql.org/docs/15/protocol-message-formats.html). Statements are written down before they are passed on,
// and so before their answer.
func (p *tap) read(client io.Reader, server io.Writer) {
	prepared := map[string]string{}
	for head := make([]byte, 4); ; head = make([]byte, 5) {
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[len(head)-4:])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if len(head) == 5 {
			fields := strings.SplitN(string(body), "\x00", 3)
			switch head[0] {
			case 'P': // Parse: name, text
				prepared[fields[0]] = fields[1]
			case 'B': // Bind: portal, name of the statement
				p.note(prepared[fields[1]])
			case 'Q': // simple query
				p.note(fields[0])
			}
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}

func (p *tap) note(statement string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statements = append(p.statements, statement)
}

// TestUnknownUserCostsTheSame: nobody finds out who exists: not by what the pages say, not by locks, and neither by the
// statements that reach the database nor by the number of hashes.
func TestUnknownUserCostsTheSame(t *testing.T) {
	t.Parallel()
	var wire tap
	w := newWorldOn(t, wire.open)
	type cost struct {
		Step       string
		Problem    string
		Statements []string
		Hashes     int64
	}
	spend := func(step string, do func()) cost {
		wire.take()
		before := w.Hasher.Hashes()
		do()
		return cost{Step: step, Statements: wire.take(), Hashes: w.Hasher.Hashes() - before}
	}
	try := func(name string) (costs []cost) {
		var id string
		costs = append(costs, spend("claim", func() { id = w.claim(name, here) }))
		for range 7 { // the last two under a lock
			c := spend("password", func() { w.give(id, "wrong", here) })
			if c.Hashes != 1 {
				t.Errorf("%s: %d hashes", name, c.Hashes)
			}
			if len(c.Statements) < 5 {
				t.Errorf("%s: the tap saw only %q", name, c.Statements)
			}
			a, err := w.Where(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			c.Problem = a.Problem
			costs = append(costs, c)
		}
		return append(costs, spend("claim under a lock", func() { w.claim(name, here) }))
	}
	known := try("alice")
	if d := cmp.Diff(known, try("nobody")); d != "" {
		t.Errorf("alice (-) and nobody (+) differ:\n%s", d)
	}
}
