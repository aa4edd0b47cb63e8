package endpoint_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"sallyport/internal/arn"
	selfapi "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// people answers a self operation with whose records it would act on.
type people struct {
	selfapi.Unimplemented[*endpoint.Call]
}

func (people) ListMyMfaDevices(_ context.Context, c *endpoint.Call, _ *selfapi.ListMyMfaDevicesRequest) (*selfapi.ListMyMfaDevicesResponse, error) {
	return &selfapi.ListMyMfaDevicesResponse{MfaDevices: []selfapi.MfaDevice{{Name: "of " + c.Caller.UserID}}}, nil
}

func (people) DeleteMyMfaDevice(_ context.Context, c *endpoint.Call, in *selfapi.DeleteMyMfaDeviceRequest) (*selfapi.DeleteMyMfaDeviceResponse, error) {
	return &selfapi.DeleteMyMfaDeviceResponse{}, c.Tx.SetMeta("deleted:"+in.DeviceId, c.Caller.UserID)
}

func (people) EndMyOtherSessions(context.Context, *endpoint.Call, *selfapi.EndMyOtherSessionsRequest) (*selfapi.EndMyOtherSessionsResponse, error) {
	return &selfapi.EndMyOtherSessionsResponse{Ended: 2}, nil
}

func (people) EndAllSessions(context.Context, *endpoint.Call, *selfapi.EndAllSessionsRequest) (*selfapi.EndAllSessionsResponse, error) {
	return &selfapi.EndAllSessionsResponse{Ended: 9}, nil
}

// The keys of role sessions in an account that may not administer, and a portal token that is over.
const (
	annaAdmin   = "ASIAANNAADMIN"  // anna, with a role that may do everything
	annaViewer  = "ASIAANNAVIEWER" // anna, with a role that may do nothing
	machine     = "ASIAMACHINE"    // nobody behind it
	expiredOne  = "aoa-token-that-is-over"
	member      = arn.AccountID("111122223333")
	device      = "0191d6a0-0000-7000-8000-00000000000d"
	deleteInput = `{"DeviceId":"` + device + `"}`
)

// selfWorld is a world with our own service in it, whose rule is as in the server.
type selfWorld struct {
	*world
	denied error // what SelfDenied says
	asked  []string
}

func newSelfWorld(t testing.TB) *selfWorld {
	t.Helper()
	w := &selfWorld{world: newWorld(t)}
	w.roles()
	long := w.api.Key
	w.api.Key = func(ctx context.Context, id, token string) (credential.Caller, credential.Secret, error) {
		if c, ok := roleSessions[id]; ok {
			return c, secret, nil
		}
		return long(ctx, id, token)
	}
	known := w.api.Bearer
	w.api.Bearer = func(tx *store.Tx, token string) (credential.Caller, error) {
		if token == expiredOne {
			return credential.Caller{}, fault.Unauthenticatedf(fault.AuthExpired, "Session token not found or invalid")
		}
		return known(tx, token)
	}
	w.api.Mount(selfapi.Operations[*endpoint.Call](people{}), endpoint.Rule{
		Administers: func(_ *store.Tx, a arn.AccountID, _ string, _ any) (arn.AccountID, error) {
			if a != owner {
				return "", fault.Deniedf("You do not have sufficient access to perform this action.")
			}
			return owner, nil
		},
		SelfDenied: func(_ *store.Tx, operation string) error {
			w.asked = append(w.asked, operation)
			return w.denied
		},
	}, region)
	return w
}

var roleSessions = map[string]credential.Caller{
	annaAdmin: roleSession("Admin", "u-1"), annaViewer: roleSession("Viewer", "u-1"), machine: roleSession("Admin", ""),
}

func roleSession(role, user string) credential.Caller {
	return credential.Caller{
		Kind: credential.RoleSession, Account: member, ARN: fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/anna", member, role),
		PrincipalID: "AROA" + role + ":anna", AccessKeyID: "ASIA" + role, UserName: "anna", RoleARN: member.RoleARN("/", role), RoleName: role,
		RoleID: "AROA" + role, SessionName: "anna", UserID: user, SessionID: "s-1",
	}
}

func (w *selfWorld) roles() {
	w.t.Helper()
	err := w.db.Update(w.t.Context(), func(tx *store.Tx) error {
		all, err := tx.PutDocument(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
		if err != nil {
			return err
		}
		for name, inline := range map[string]string{"Admin": all, "Viewer": ""} {
			r := store.Role{Account: member, Name: name, ID: "AROA" + name, Path: "/", Spec: store.RoleSpec{Inline: inline, SessionDuration: time.Hour}}
			if err := tx.InsertRole(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// ours is a request of our own service, unsigned.
func (w *selfWorld) ours(operation, body string) *http.Request {
	w.t.Helper()
	r := w.target(operation, body)
	r.Header.Set("X-Amz-Target", "Sallyport."+operation)
	return r
}

// by adds a portal token.
func by(token string, r *http.Request) *http.Request {
	r.Header.Set("X-Amz-Sso_bearer_token", token)
	return r
}

// deletedBy is whose device was deleted; "" when it is still there.
func (w *selfWorld) deletedBy() (user string) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		user, _ = tx.Meta("deleted:" + device)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return user
}
