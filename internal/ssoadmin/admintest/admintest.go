// Package admintest has a small organization behind the real request path: tests of the administration APIs call operations
// in it as clients do, signed and over HTTP, and get what clients get.
package admintest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/awsapi"
	directoryapi "sallyport/internal/awsapi/identitystore"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/identitystore"
	"sallyport/internal/instance"
	"sallyport/internal/page"
	"sallyport/internal/policy"
	"sallyport/internal/provision"
	"sallyport/internal/provision/local"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/sigv4"
	"sallyport/internal/ssoadmin"
	"sallyport/internal/store"
)

// The accounts of the organization.
const (
	Management arn.AccountID = "999900000001"
	Delegate   arn.AccountID = "111122223333" // registered delegated administrator
	Member     arn.AccountID = "222233334444"
	Sandbox    arn.AccountID = "333344445555"
)

// World is an organization with one instance. Its requests come from the operator of an account, the management account's
// unless As is used; its jobs are done when Settle is called.
type World struct {
	DB       *store.DB
	Clock    *clocktest.Clock
	Instance store.Instance
	Worker   *provision.Worker
	Quotas   *quota.Book
	Settings *setting.Values // in force; changed between calls only

	api    *endpoint.API
	caller arn.AccountID
}

const (
	region = "us-east-1"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// New makes a world in a database that open makes, such as storetest.Open.
func New(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *World {
	t.Helper()
	in := setting.Defaults()
	w := &World{Clock: clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)), Quotas: &quota.Book{}, Settings: &in, caller: Management}
	w.DB = open(t, w.Clock)
	w.Instance = store.Instance{
		ID: "ssoins-1234567890abcdef", StoreID: "d-1234567890", Owner: Management, DelegatedAdmin: Delegate, Name: "test",
		Region: region, Status: "ACTIVE", CreatedAt: w.Clock.Now(),
	}
	callers := map[string]credential.Caller{}
	w.Update(t, func(tx *store.Tx) error { return populate(tx, w.Instance, callers) })
	log := slog.New(slog.DiscardHandler)
	w.Worker = &provision.Worker{
		DB: w.DB, Log: log, Owner: "test", Backends: map[string]provision.Provisioner{"local": &local.Provisioner{DB: w.DB}},
		Settings: w.settings, Quotas: w.Quotas,
	}
	w.api = newAPI(t, w, callers, log)
	return w
}

// populate makes the accounts, each with an operator who may do everything that its account may.
func populate(tx *store.Tx, i store.Instance, callers map[string]credential.Caller) error {
	if err := tx.InsertInstance(i); err != nil {
		return err
	}
	hash, err := tx.PutDocument(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if err != nil {
		return err
	}
	for n, id := range []arn.AccountID{Management, Delegate, Member, Sandbox} {
		err := tx.InsertAccount(store.Account{ID: id, Name: fmt.Sprintf("account-%d", n), Email: fmt.Sprintf("a%d@example.test", n), Backend: "local", Status: "ACTIVE", CreatedAt: tx.Now()})
		if err != nil {
			return err
		}
		u := store.IAMUser{ID: fmt.Sprintf("AIDA%017d", n), Account: id, Path: "/", Name: "operator", CreatedAt: tx.Now()}
		if err := tx.InsertIAMUser(u); err != nil {
			return err
		}
		if err := tx.PutUserPolicy(store.UserPolicy{UserID: u.ID, Name: "Everything", Inline: true, Document: hash}); err != nil {
			return err
		}
		callers[keyOf(id)] = credential.Caller{Kind: credential.IAMUser, Account: id, ARN: u.ARN(), PrincipalID: u.ID, AccessKeyID: keyOf(id), UserName: u.Name}
	}
	return nil
}

func keyOf(account arn.AccountID) string { return "AKIATEST" + string(account) }

func newAPI(t *testing.T, w *World, callers map[string]credential.Caller, log *slog.Logger) *endpoint.API {
	pages, err := page.NewCodec(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	a := &endpoint.API{
		DB: w.DB, Clock: w.Clock, Region: region, Owner: Management, StoreID: w.Instance.StoreID, Pages: pages, Log: log,
		Metrics: endpoint.NewMetrics(prometheus.NewRegistry()), Recorder: endpoint.NewRecorder(w.DB, log), Policies: policy.NewCache(1 << 20),
		Key: func(_ context.Context, id, _ string) (credential.Caller, credential.Secret, error) {
			return callers[id], secret, nil
		},
		Gate:     func(context.Context, credential.Caller) error { return nil },
		Settings: w.settings, Quotas: w.Quotas,
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Recorder.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	accounts := access.AccountRule{Organization: w.Instance}
	a.Mount(adminapi.Operations[*endpoint.Call](ssoadmin.Service{}), endpoint.Rule{Administers: ssoadmin.Administers(accounts), Rates: ssoadmin.Rates}, region)
	a.Mount(directoryapi.Operations[*endpoint.Call](identitystore.Service{}), endpoint.Rule{Administers: identitystore.Administers(accounts), Rates: identitystore.Rates}, region)
	return a
}

func (w *World) settings(context.Context) (setting.Values, error) { return *w.Settings, nil }

// As is the world as the operator of another account sees it.
func (w *World) As(account arn.AccountID) *World {
	other := *w
	other.caller = account
	return &other
}

// Call calls an operation of either API: in is a pointer to its request. The error is what a client sees.
func Call[Out, In any](t *testing.T, w *World, in *In) (*Out, error) {
	t.Helper()
	name := strings.TrimSuffix(fmt.Sprintf("%T", *in), "Request")
	name = name[strings.LastIndexByte(name, '.')+1:]
	s := &adminapi.Info
	if strings.Contains(fmt.Sprintf("%T", *in), "identitystore") {
		s = &directoryapi.Info
	}
	out, err := w.send(t, s, name, in)
	if err != nil {
		return nil, err
	}
	return out.(*Out), nil
}

// Must is Call for what has to succeed.
func Must[Out, In any](t *testing.T, w *World, in *In) *Out {
	t.Helper()
	out, err := Call[Out](t, w, in)
	if err != nil {
		t.Fatalf("%T: %v", *in, err)
	}
	return out
}

// Fails calls an operation that has to fail with the exception.
func Fails[Out, In any](t *testing.T, w *World, in *In, code string) *awsapi.ResponseError {
	t.Helper()
	_, err := Call[Out](t, w, in)
	var e *awsapi.ResponseError
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("%T: got %v, want %s", *in, err, code)
	}
	return e
}

func (w *World) send(t *testing.T, s *awsapi.Service, operation string, in any) (any, error) {
	t.Helper()
	var meta *awsapi.OperationMeta
	for _, o := range s.Operations {
		if o.Name == operation {
			meta = o
		}
	}
	if meta == nil {
		t.Fatalf("no operation %s", operation)
	}
	r, err := s.NewRequest(t.Context(), "http://sallyport.test", meta, in)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: keyOf(w.caller), SecretAccessKey: secret}, region, s.SigningName, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
	req.Header, req.Host, req.RequestURI = r.Header, r.URL.Host, r.URL.RequestURI()
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, req)
	return s.ReadResult(meta, rec.Result(), rec.Body.Bytes())
}

// Settle does all jobs that are due.
func (w *World) Settle(t *testing.T) {
	t.Helper()
	if err := access.NewGoneSweeper(w.DB, "test").Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Worker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := instance.NewSweeper(w.DB, "test").Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// View and Update run a closure on the store.
func (w *World) View(t *testing.T, fn func(*store.Tx) error) {
	t.Helper()
	if err := w.DB.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// Update is View for changes.
func (w *World) Update(t *testing.T, fn func(*store.Tx) error) {
	t.Helper()
	if err := w.DB.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// Events are the records of the audit log so far, oldest first.
func (w *World) Events(t *testing.T) (events []map[string]any) {
	t.Helper()
	w.View(t, func(tx *store.Tx) error {
		sealed, err := tx.AuditLog(0, 10_000)
		for _, s := range sealed {
			var e map[string]any
			if err := json.Unmarshal(s.JSON, &e); err != nil {
				return err
			}
			events = append(events, e)
		}
		return err
	})
	return events
}
