// Package pgtest gives tests a PostgreSQL of their own.
//
// The first call of NewDatabase in a test binary makes a cluster in a temporary folder, reachable by a socket in that
// folder only; every call makes one database in it. The cluster stops and its folder goes when the test binary ends,
// however it ends. The package knows nothing of what is stored.
package pgtest

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// owner is the cluster's superuser.
const owner = "sallyport"

// shared is the test binary's cluster: making one takes seconds, so all tests of a binary use the same.
var shared = sync.OnceValues(startCluster)

// made numbers the databases of this test binary.
var made atomic.Int64

// NewDatabase makes an empty database with bytewise collation and returns its connection URL. It is dropped when the
// test ends, even if somebody is still connected.
func NewDatabase(tb testing.TB) string {
	tb.Helper()
	return cleaned(tb)(Database())
}

// NewCopy is NewDatabase with what another database of this package holds, to which nobody may be connected.
func NewCopy(tb testing.TB, dsn string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	return cleaned(tb)(create(strings.TrimPrefix(u.Path, "/")))
}

// cleaned drops a database that was made when the test ends.
func cleaned(tb testing.TB) func(dsn string, drop func() error, err error) string {
	tb.Helper()
	return func(dsn string, drop func() error, err error) string {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := drop(); err != nil {
				tb.Error(err)
			}
		})
		return dsn
	}
}

// Database is NewDatabase outside of tests.
func Database() (dsn string, drop func() error, err error) { return create("template0") }

// create makes a database as a copy of another.
func create(template string) (dsn string, drop func() error, err error) {
	c, err := shared()
	if err != nil {
		return "", nil, fmt.Errorf("start PostgreSQL (scripts/install-test-deps installs it): %w", err)
	}
	name := fmt.Sprintf("test%d", made.Add(1))
	if err := c.run("createdb", "--template="+template, "--locale=C", "--encoding=UTF8", name); err != nil {
		return "", nil, err
	}
	query := url.Values{"host": {c.dir}}
	dsn = (&url.URL{Scheme: "postgres", User: url.User(owner), Path: "/" + name, RawQuery: query.Encode()}).String()
	return dsn, func() error { return c.run("dropdb", "--force", name) }, nil
}
