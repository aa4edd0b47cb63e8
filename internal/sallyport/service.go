// Package sallyport implements the API of the same name: what AWS keeps in its console. Administrators see how people sign in
// and change that, end sessions, block clients, and set what is demanded of everybody; people see and end what is theirs. It
// translates between the wire and the rules of packages login, session, setting and access, and has no rule but about the
// operator's keys.
//
// Operations that the model marks self act on records of the caller alone. Those of others look like ones that are not there.
package sallyport

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/awsapi"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/directory"
	"sallyport/internal/emergency"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/page"
	"sallyport/internal/policy"
	"sallyport/internal/provision"
	"sallyport/internal/scimpush"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// Service is the implementation.
type Service struct {
	Login        *login.Service
	Sessions     *session.Service
	Instance     arn.Instance
	Owner        arn.AccountID // the management account, whose user the operator is
	SCIM         string        // the server's URL, under which the endpoints of sources are
	OperatorKeys *keyring.Ring // seals the secrets of the operator's access keys, and tokens for other servers and of theirs
	Inspector    *provision.Inspector
	Push         *scimpush.Worker
	Sinks        *stream.Worker
	Emergency    *emergency.Service
	Trails       Trails
	// SignalKeys fetches the keys of a transmitter of signals and tells how many it publishes.
	SignalKeys func(context.Context, store.SignalReceiver) (int, error)
	// RoleLayers are the policies that sessions of a role are held against.
	RoleLayers func(*store.Tx, store.Role) policy.Layers
}

var _ api.Service[*endpoint.Call] = (*Service)(nil)

// Direct names the operations that open their own transactions: see [endpoint.Rule].
var Direct = []string{
	"CreateOneTimePassword", "ListDriftFindings", "RotateTrailKey", "StartScimTargetSync", "TestEmergencyAccess", "TestEventSink", "VerifySignalReceiver",
}

// Administers is the service's rule of accounts: it is about how people sign in, which those of the organization's instance alone
// do, and it is for whoever administers that instance.
func Administers(organization store.Instance) func(*store.Tx, arn.AccountID, string, any) (arn.AccountID, error) {
	return func(tx *store.Tx, caller arn.AccountID, _ string, _ any) (arn.AccountID, error) {
		if caller == organization.Owner { // who never changes
			return caller, nil
		}
		return organization.Owner, access.MayAdminister(tx, organization.ID, caller)
	}
}

// Resource types of the model.
const (
	typeSession    = "SESSION"
	typeClient     = "CLIENT"
	typeSet        = "PERMISSION_SET"
	typeHealing    = "DRIFT_HEALING"
	typeKey        = "OPERATOR_KEY"
	typeAccount    = "ACCOUNT"
	typeRevocation = "REVOCATION"
)

// SelfDenied refuses people the self operations that the operator has taken away from them: see [endpoint.Rule].
func SelfDenied(tx *store.Tx, operation string) error {
	if operation != "DeleteMyMfaDevice" && operation != "RenameMyMfaDevice" {
		return nil
	}
	in, err := setting.Load(tx)
	if err != nil || in.MFASelfService {
		return err
	}
	return fault.Deniedf("Your organization manages devices for you. Ask your administrator.").WithReason(string(api.AccessDeniedExceptionReasonSelfServiceOff))
}

// user is a user of the identity store; a NotFound fault.
func (s *Service) user(c *endpoint.Call, id string) (store.User, error) {
	return directory.User(c.Tx, s.Login.Store, id)
}

// missing makes a record that is not there a fault of the model's type; other errors say what was being done.
func missing(err error, resource, id, doing string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.Missing(resource, id)
	}
	return wrap(err, doing)
}

func wrap(err error, doing string) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// root is the portal session under which a call was made: a program's session hangs on the one that it was approved in.
func root(c *endpoint.Call) string {
	if c.Caller.ParentID != "" {
		return c.Caller.ParentID
	}
	return c.Caller.SessionID
}

// origin is where a call came from.
func origin(c *endpoint.Call) session.Origin {
	return session.Origin{IP: c.Source.IP, UserAgent: c.Source.UserAgent}
}

// paged cuts a page out of a short list that is sorted by key.
func paged[T any](all []T, q page.Query, key func(T) string) ([]T, page.Key) {
	if len(q.After) > 0 {
		for len(all) > 0 && strings.Compare(key(all[0]), q.After[0]) <= 0 {
			all = all[1:]
		}
	}
	return page.Trim(all, q.Limit, func(v T) page.Key { return page.Key{key(v)} })
}

// responseElements are those of a Direct operation's event.
func responseElements(operation string, out any) map[string]any {
	for _, o := range api.Info.Operations {
		if o.Name == operation {
			return o.ResponseElements(out)
		}
	}
	return map[string]any{operation: awsapi.Hidden} // no such operation: a mistake of this package that must not tell secrets
}

// when is a time that is left out where there is none.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// optional is a member that is left out when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// count is a number as the model has it.
func count(n int64) int32 { return int32(max(0, min(n, math.MaxInt32))) }

func mapped[In, Out any](in []In, f func(In) Out) []Out {
	out := make([]Out, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}
