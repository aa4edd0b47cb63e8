package server

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/probe"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/policy/managed"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// world is a whole server in this process, over a sample organization.
type testWorld struct {
	*Server
	t     *testing.T
	clock *clocktest.Clock
	url   string
	key   OperatorKey
	alice store.User
}

func newTestWorld(t *testing.T) *testWorld {
	t.Helper()
	c := clocktest.At(time.Unix(1_800_000_000, 0))
	db := storetest.Open(t, c)
	s := openServer(t, db, "http://localhost:8080")
	w := &testWorld{Server: s, t: t, clock: c}
	err := operatorKey(t.Context(), db, s.ring, s.instance.Owner, func(k OperatorKey) error { w.key = k; return nil })
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		w.alice, err = directory.CreateUser(tx, store.User{
			StoreID: sampleStore, UserName: "alice", DisplayName: "Alice",
			UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "Alice", FamilyName: "Adams"}},
		}, "test")
		return err
	})
	ctx, stop := context.WithCancel(context.Background())
	done := s.work(ctx)
	web := httptest.NewServer(s.handler())
	w.url = web.URL
	t.Cleanup(func() { web.Close(); stop(); <-done })
	return w
}

func (w *testWorld) update(f func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// send signs a request that a probe made and returns the answer.
func (w *testWorld) send(op *awsapi.OperationMeta, s *awsapi.Service, p probe.Probe, key sigv4.Credentials) (int, string, string) {
	w.t.Helper()
	r := p.Request.Clone(w.t.Context())
	r.Body = io.NopCloser(bytes.NewReader(p.Body))
	r.ContentLength = int64(len(p.Body))
	if !op.Unsigned {
		if err := sigv4.Sign(r, p.Body, key, "us-east-1", s.SigningName, w.clock.Now()); err != nil {
			w.t.Fatal(err)
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("X-Amzn-Errortype"), string(body)
}

func (w *testWorld) operator() sigv4.Credentials {
	return sigv4.Credentials{AccessKeyID: w.key.AccessKeyID, SecretAccessKey: w.key.SecretAccessKey}
}

// administratorOf makes a role with AdministratorAccess in an account and a session of it, as hard part 6 fears it.
func administratorOf(ctx context.Context, s *Server, account arn.AccountID) (sigv4.Credentials, error) {
	p, _ := managed.Lookup(administrator)
	now := s.db.Now()
	role := store.Role{Account: account, Name: "Administrator", ID: arn.NewUniqueID("AROA"), Path: "/", CreatedAt: now, UpdatedAt: now}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		hash, err := tx.PutDocument(p.Document)
		if err != nil {
			return err
		}
		role.Spec = store.RoleSpec{Managed: []store.PinnedPolicy{{ARN: administrator, Document: hash}}, SessionDuration: time.Hour}
		return tx.InsertRole(role)
	})
	if err != nil {
		return sigv4.Credentials{}, err
	}
	c, err := s.minter.Role(credential.RoleGrant{RoleARN: role.ARN(), RoleID: role.ID, SessionName: "alice", UserName: "alice", Issued: now, Duration: time.Hour})
	return sigv4.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: string(c.SecretAccessKey), SessionToken: string(c.SessionToken)}, err
}

// TestOnlyTheOwnersAccountAdministers calls every operation as an administrator of an ordinary member account (hard part 6).
func TestOnlyTheOwnersAccountAdministers(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	elsewhere, err := administratorOf(t.Context(), w.Server, "444455556666")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, s := range w.services() {
		if s.rule.Administers == nil {
			continue
		}
		for _, op := range s.operations {
			if op.Name == "CreateInstance" { // of the account's own
				continue
			}
			p, err := probe.Minimal(op.Service, op.OperationMeta, w.url)
			if err != nil {
				t.Fatal(err)
			}
			_, _, body := w.send(op.OperationMeta, op.Service, p, elsewhere)
			if !strings.Contains(body, "AccessDenied") {
				t.Errorf("%s as an administrator elsewhere: %s", op.Name, body)
			}
			refused++
		}
	}
	if refused != 78+22+125+48 {
		t.Errorf("%d operations were tried, want 273", refused)
	}
}

// TestOperatorReachesEveryOperation: what the operator calls is refused for what it says, never for who calls.
func TestOperatorReachesEveryOperation(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	for _, s := range w.services() {
		for _, op := range s.operations {
			if op.Unsigned {
				continue
			}
			p, err := probe.Minimal(op.Service, op.OperationMeta, w.url)
			if err != nil {
				t.Fatal(err)
			}
			status, _, body := w.send(op.OperationMeta, op.Service, p, w.operator())
			if status >= 500 || strings.Contains(body, "not authorized") {
				t.Errorf("%s as the operator: %d %s", op.Name, status, body)
			}
			if !awsapi.Implemented(s.implementation, op.Name) && !strings.Contains(body, "does not implement") {
				t.Errorf("%s is not there and does not say so: %s", op.Name, body)
			}
		}
	}
}

// TestProbes sends each implemented operation every violation of its model.
func TestProbes(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	sent := 0
	for _, s := range w.services() {
		for _, op := range s.operations {
			if !awsapi.Implemented(s.implementation, op.Name) || s.rule.Bearer {
				continue // the portal's operations need a person's token: see its own tests
			}
			probes, err := probe.All(op.Service, op.OperationMeta, w.url)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range probes {
				sent++
				_, header, body := w.send(op.OperationMeta, op.Service, p, w.operator())
				if !strings.Contains(header+body, p.Code) || !strings.Contains(message(body), p.Want) {
					t.Errorf("%s, %s: want %s %q, got %s %s", op.Name, p.Name, p.Code, p.Want, header, body)
				}
			}
		}
	}
	t.Logf("%d probes", sent)
}

// message is an answer's message without its protocol's escapes.
func message(body string) string {
	var m struct {
		Message     string
		Description string `json:"error_description"`
	}
	if json.Unmarshal([]byte(body), &m) == nil {
		return m.Message + m.Description
	}
	return html.UnescapeString(body)
}

// TestCoverage holds the list of what is there against docs/coverage.txt, so that nobody can claim more than runs.
func TestCoverage(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	var b strings.Builder
	for _, s := range w.services() {
		done := 0
		var lines strings.Builder
		for _, op := range s.operations {
			mark := " "
			if awsapi.Implemented(s.implementation, op.Name) {
				mark, done = "x", done+1
			}
			fmt.Fprintf(&lines, "  [%s] %s\n", mark, op.Name)
		}
		fmt.Fprintf(&b, "%s: %d of %d\n%s", s.operations[0].Service.ID, done, len(s.operations), lines.String())
	}
	golden := filepath.Join("..", "..", "docs", "coverage.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("docs/coverage.txt is not true (rewrite it with -update):\n%s", d)
	}
}
