package endpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/arn"
	portalapi "sallyport/internal/awsapi/sso"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	oidcapi "sallyport/internal/awsapi/ssooidc"
	stsapi "sallyport/internal/awsapi/sts"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/policy"
	"sallyport/internal/quota"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/sts"
)

const owner arn.AccountID = "999988887777"

const (
	instance = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
	region   = "us-east-1"
	secret   = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// admin is an implementation whose operations do what a test says.
type admin struct {
	adminapi.Unimplemented[*endpoint.Call]
	read  func(context.Context, *endpoint.Call, *adminapi.ListPermissionSetsRequest) (*adminapi.ListPermissionSetsResponse, error)
	write func(context.Context, *endpoint.Call, *adminapi.CreatePermissionSetRequest) (*adminapi.CreatePermissionSetResponse, error)
}

func (a *admin) ListPermissionSets(ctx context.Context, c *endpoint.Call, in *adminapi.ListPermissionSetsRequest) (*adminapi.ListPermissionSetsResponse, error) {
	return a.read(ctx, c, in)
}

func (a *admin) CreatePermissionSet(ctx context.Context, c *endpoint.Call, in *adminapi.CreatePermissionSetRequest) (*adminapi.CreatePermissionSetResponse, error) {
	return a.write(ctx, c, in)
}

// portal answers with who asks.
type portal struct {
	portalapi.Unimplemented[*endpoint.Call]
}

func (portal) ListAccounts(_ context.Context, c *endpoint.Call, _ *portalapi.ListAccountsRequest) (*portalapi.ListAccountsResponse, error) {
	return &portalapi.ListAccountsResponse{AccountList: []portalapi.AccountInfo{{AccountName: &c.Caller.UserName}}}, nil
}

// world is the request path before small services, over the network.
type world struct {
	*admin
	t     testing.TB
	db    *store.DB
	clock *clocktest.Clock
	api   *endpoint.API
	web   *httptest.Server
	logs  *lines
	reg   *prometheus.Registry
	gate  error // what the gate says
}

// The keys. All have the same secret.
const (
	full    = "AKIAFULL" // may do everything
	none    = "AKIANONE" // has no policy
	other   = "AKIAOTHER"
	expired = "ASIAEXPIRED"
	bearer  = "aoa-token-of-anna"
)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		admin: &admin{read: listed, write: created}, t: t, logs: &lines{}, reg: prometheus.NewRegistry(),
		clock: clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)),
	}
	w.db = storetest.Open(t, w.clock)
	w.populate()
	pages, err := page.NewCodec(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(w.logs, nil))
	w.api = &endpoint.API{
		DB: w.db, Clock: w.clock, Region: region, Owner: owner, StoreID: "d-1234567890", Pages: pages, Log: log,
		Metrics: endpoint.NewMetrics(w.reg), Recorder: endpoint.NewRecorder(w.db, log), Policies: policy.NewCache(1 << 20),
		Key: w.key, Bearer: w.person, Gate: func(context.Context, credential.Caller) error { return w.gate },
	}
	rule := endpoint.Rule{Administers: func(_ *store.Tx, a arn.AccountID, _ string, _ any) (arn.AccountID, error) {
		if a != owner {
			return "", fault.Deniedf("You do not have sufficient access to perform this action.")
		}
		return owner, nil
	}}
	rule.Rates = func(_ string, c *endpoint.Call, _ any) []endpoint.Rate {
		return []endpoint.Rate{{Limit: quota.AdminRate, Key: string(c.Caller.Account)}}
	}
	w.api.Mount(adminapi.Operations[*endpoint.Call](w.admin), rule, region)
	w.api.Mount(stsapi.Operations[*endpoint.Call](sts.Service{}), endpoint.Rule{Free: sts.Free}, region, "eu-west-1")
	w.api.Mount(oidcapi.Operations[*endpoint.Call](oidcapi.Unimplemented[*endpoint.Call]{}), endpoint.Rule{Direct: []string{"RegisterClient"}}, region)
	w.api.Mount(portalapi.Operations[*endpoint.Call](portal{}), endpoint.Rule{Bearer: true}, region)
	w.web = httptest.NewServer(w.api)
	t.Cleanup(w.web.Close)
	return w
}

func listed(context.Context, *endpoint.Call, *adminapi.ListPermissionSetsRequest) (*adminapi.ListPermissionSetsResponse, error) {
	return &adminapi.ListPermissionSetsResponse{PermissionSets: []string{}}, nil
}

func created(_ context.Context, _ *endpoint.Call, in *adminapi.CreatePermissionSetRequest) (*adminapi.CreatePermissionSetResponse, error) {
	return &adminapi.CreatePermissionSetResponse{PermissionSet: &adminapi.PermissionSet{Name: &in.Name}}, nil
}

// callers are the users behind the keys.
var callers = map[string]credential.Caller{
	full:    user(owner, "admin"),
	none:    user(owner, "nobody"),
	other:   user("111122223333", "stranger"),
	expired: {},
}

func user(account arn.AccountID, name string) credential.Caller {
	return credential.Caller{
		Kind: credential.IAMUser, Account: account, ARN: "arn:aws:iam::" + string(account) + ":user/" + name,
		PrincipalID: "AIDA" + name, AccessKeyID: "AKIA" + name, UserName: name,
	}
}

func (w *world) populate() {
	w.t.Helper()
	err := w.db.Update(w.t.Context(), func(tx *store.Tx) error {
		hash, err := tx.PutDocument(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
		if err != nil {
			return err
		}
		for _, c := range callers {
			if c.Kind == credential.Nobody {
				continue
			}
			if err := tx.InsertIAMUser(store.IAMUser{ID: c.PrincipalID, Account: c.Account, Path: "/", Name: c.UserName}); err != nil {
				return err
			}
			if c.UserName == "nobody" {
				continue
			}
			if err := tx.PutUserPolicy(store.UserPolicy{UserID: c.PrincipalID, Name: "All", Inline: true, Document: hash}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) key(_ context.Context, id, token string) (credential.Caller, credential.Secret, error) {
	c, ok := callers[id]
	switch {
	case !ok || token != "" && id != expired:
		return credential.Caller{}, "", fault.Unauthenticatedf(fault.AuthUnknownKey, "The security token included in the request is invalid.")
	case id == expired:
		return credential.Caller{}, "", fault.Unauthenticatedf(fault.AuthExpired, "The security token included in the request is expired")
	}
	return c, secret, nil
}

func (w *world) person(_ *store.Tx, token string) (credential.Caller, error) {
	if token != bearer {
		return credential.Caller{}, fault.Unauthenticatedf(fault.AuthUnknownKey, "Session token not found or invalid")
	}
	return credential.Caller{Kind: credential.Bearer, UserID: "u-1", UserName: "anna", SessionID: "s-2", ParentID: "s-1", Expires: w.clock.Now().Add(time.Hour)}, nil
}

// events are the records so far. What the recorder still holds is written first.
func (w *world) events() (events []map[string]any) {
	w.t.Helper()
	over, stop := context.WithCancel(context.Background())
	stop()
	w.api.Recorder.Run(over)
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
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
	if err != nil {
		w.t.Fatal(err)
	}
	return events
}

// lines keeps a log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
