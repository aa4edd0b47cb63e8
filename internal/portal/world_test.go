package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sso"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/keyring"
	"sallyport/internal/page"
	"sallyport/internal/portal"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/vend"
)

const (
	instance = "ssoins-1234567890abcdef"
	startURL = "https://d-1234567890.awsapps.com/start"
)

var home = session.Origin{IP: "192.0.2.7", UserAgent: "aws-cli/2.23.6"}

// world is the API as it is mounted, with people, accounts and roles.
type world struct {
	*session.Service
	tb     testing.TB
	db     *store.DB
	clock  *clocktest.Clock
	minter *credential.Minter
	api    *endpoint.API
	admin  arn.PermissionSet // "AdministratorAccess", for four hours
	reader arn.PermissionSet // "ReadOnly", for one
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	c := clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	w := &world{tb: tb, clock: c, db: storetest.Open(tb, c), admin: arn.NewPermissionSet(instance), reader: arn.NewPermissionSet(instance)}
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := keyring.Open(tb.Context(), w.db, kek)
	if err != nil {
		tb.Fatal(err)
	}
	if w.minter, err = credential.NewMinter(tb.Context(), w.db, keys); err != nil {
		tb.Fatal(err)
	}
	pages, err := page.NewCodec(make([]byte, 32))
	if err != nil {
		tb.Fatal(err)
	}
	w.Service = &session.Service{Clock: c, Keys: keys, Instance: instance, URLs: session.URLs{Start: startURL, Portal: "http://localhost:8080"}}
	w.api = &endpoint.API{
		DB: w.db, Clock: c, Region: "us-east-1", Owner: "999988887777", StoreID: "d-1234567890", Pages: pages,
		Log: slog.New(slog.DiscardHandler), Metrics: endpoint.NewMetrics(prometheus.NewRegistry()),
		Recorder: endpoint.NewRecorder(w.db, slog.New(slog.DiscardHandler)), Bearer: w.Authenticate,
	}
	s := &portal.Service{Sessions: w.Service, Vendor: &vend.Vendor{DB: w.db, Minter: w.minter, Instance: instance}}
	w.api.Mount(api.Operations[*endpoint.Call](s), endpoint.Rule{Bearer: true, Direct: []string{"GetRoleCredentials"}}, "us-east-1")
	w.update(func(tx *store.Tx) error {
		if err := tx.InsertPermissionSet(store.PermissionSet{PermissionSet: w.admin, Name: "AdministratorAccess", SessionDuration: "PT4H"}); err != nil {
			return err
		}
		return tx.InsertPermissionSet(store.PermissionSet{PermissionSet: w.reader, Name: "ReadOnly", SessionDuration: "PT1H"})
	})
	return w
}

func (w *world) update(fn func(*store.Tx) error) {
	w.tb.Helper()
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.tb.Fatal(err)
	}
}

// accounts adds accounts 1 to n.
func (w *world) accounts(n int) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error {
		for i := 1; i <= n; i++ {
			a := store.Account{ID: account(i), Name: fmt.Sprint("Account ", i), Email: fmt.Sprintf("a%d@example.org", i), Backend: "local", Status: "ACTIVE"}
			if err := tx.InsertAccount(a); err != nil {
				return err
			}
		}
		return nil
	})
}

func account(i int) arn.AccountID { return arn.AccountID(fmt.Sprintf("%012d", i)) }

// grant gives a user a permission set in an account, as provisioned.
func (w *world) grant(userID string, a arn.AccountID, set arn.PermissionSet, duration time.Duration) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error {
		err := tx.InsertAssignment(store.Assignment{Account: a, Set: set, PrincipalType: store.PrincipalUser, PrincipalID: userID, State: store.AssignmentGranted})
		if err != nil {
			return err
		}
		return tx.InsertRole(store.Role{
			Account: a, Name: arn.RoleName("x", arn.RoleSuffix()), ID: arn.NewUniqueID("AROA"), Path: arn.RolePath("us-east-1"),
			Set: set, Spec: store.RoleSpec{SessionDuration: duration},
		})
	})
}

// login makes a user who has logged in with the CLI, and returns their access token.
func (w *world) login(userID, userName string) string {
	w.tb.Helper()
	var p store.Session
	w.update(func(tx *store.Tx) (err error) {
		u := store.User{ID: userID, StoreID: "d-1234567890", UserName: userName, Status: store.UserEnabled}
		if err := tx.InsertUser(u); err != nil {
			return err
		}
		_, p, err = w.StartPortal(tx, u, home, time.Time{})
		return err
	})
	c, err := w.Register(session.Registration{Name: "cli", Type: "public", Scopes: []string{session.AccountAccess}}, home)
	if err != nil {
		w.tb.Fatal(err)
	}
	d, err := w.StartDevice(c.ID, string(c.Secret), startURL, home)
	if err != nil {
		w.tb.Fatal(err)
	}
	g, err := w.OpenGrant(session.TokenRequest{
		ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: session.DeviceGrant, DeviceCode: string(d.DeviceCode),
	}, home)
	if err != nil {
		w.tb.Fatal(err)
	}
	var out session.Outcome
	w.update(func(tx *store.Tx) error { return w.ApproveDevice(tx, p, d.UserCode, home) })
	w.update(func(tx *store.Tx) (err error) { out, err = w.Redeem(tx, g); return err })
	if out.Refused != nil {
		w.tb.Fatal(out.Refused)
	}
	return string(out.Token.Access)
}

// answer is what a client sees.
type answer struct {
	status    int
	exception string
	body      map[string]any
}

func (w *world) call(method, target, bearer string) answer {
	w.tb.Helper()
	r := httptest.NewRequest(method, target, nil)
	if bearer != "" {
		r.Header.Set("x-amz-sso_bearer_token", bearer)
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	a := answer{status: rec.Code, exception: rec.Header().Get("X-Amzn-Errortype")}
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &a.body); err != nil {
			w.tb.Fatalf("%s answered %d %q: %v", target, rec.Code, rec.Body, err)
		}
	}
	return a
}

func (w *world) get(target, bearer string) answer {
	w.tb.Helper()
	return w.call(http.MethodGet, target, bearer)
}

// events are the stored audit events.
func (w *world) events() (all []map[string]any) {
	w.tb.Helper()
	err := w.db.View(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.AuditLog(0, 1000)
		for _, r := range rows {
			var e map[string]any
			if err := json.Unmarshal(r.JSON, &e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return err
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return all
}

// grantAgain gives another user a permission set whose role stands in the account.
func (w *world) grantAgain(userID string, a arn.AccountID, set arn.PermissionSet) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error {
		return tx.InsertAssignment(store.Assignment{Account: a, Set: set, PrincipalType: store.PrincipalUser, PrincipalID: userID, State: store.AssignmentGranted})
	})
}
