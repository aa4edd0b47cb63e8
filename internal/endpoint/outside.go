package endpoint

import (
	"context"
	"fmt"
	"net/http"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/awsapi"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/policy"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// Outside is a request of a protocol that this package does not speak, but whose callers sign and are authorized as those of the
// APIs: S3's.
type Outside struct {
	API      *API
	Verifier *sigv4.Verifier
	// Administers is as in [Rule].
	Administers func(tx *store.Tx, caller arn.AccountID) (owner arn.AccountID, err error)
}

// Question is what such a request wants to do.
type Question struct {
	Service   string // as metrics name it
	Source    string // of its event
	Operation string
	Action    string
	Resource  string
	Details   map[string]any
	// Conditions are the service's own condition keys, in lower case; those that a request does not have are left out.
	Conditions map[string]string
}

// asked are the condition keys of a question: the service's own, and those of all requests.
type asked struct {
	conditions
	own map[string]string
}

// Lookup is the values of a key, and whether the key is there.
func (a asked) Lookup(key string) ([]string, bool) {
	if v, ok := a.own[key]; ok {
		return []string{v}, true
	}
	return a.conditions.Lookup(key)
}

// Caller establishes who has signed a request without a body.
func (o *Outside) Caller(r *http.Request) (credential.Caller, error) {
	return o.API.signed(r, &mount{verifier: o.Verifier}, nil)
}

// Allowed decides by the caller's policies whether they may. A refusal is recorded before it is told.
func (o *Outside) Allowed(ctx context.Context, c credential.Caller, from Source, q Question) error {
	a := o.API
	e := &audit.Event{
		UserIdentity: Identity(c, a.Owner, a.StoreID), EventSource: q.Source, EventName: q.Operation, AWSRegion: a.Region, SourceIPAddress: from.IP, UserAgent: from.UserAgent,
		RequestID: from.RequestID, ReadOnly: true, RecipientAccountID: string(a.Owner), EventTime: audit.Time(a.Clock.Now()), RequestParameters: q.Details,
	}
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := o.Administers(tx, c.Account); err != nil {
			return fmt.Errorf("hold account against the account rule: %w", err)
		}
		layers, err := a.layers(tx, c)
		if err != nil {
			return fmt.Errorf("load the caller's policies: %w", err)
		}
		call := &Call{Tx: tx, Caller: c, Region: a.Region, Source: from}
		d := policy.Evaluate(policy.Request{
			Principal: policy.Principal{Account: string(c.Account), ARN: principal(c), Issuer: c.RoleARN},
			Action:    q.Action, Resource: q.Resource, Context: asked{conditions{call, tx.Now(), &struct{}{}, q.Resource, &tagCache{}}, q.Conditions},
		}, layers)
		if !d.Allowed {
			return fault.Deniedf("User: %s is not authorized to perform: %s on resource: %s %s", principal(c), q.Action, q.Resource, d.Because())
		}
		return nil
	})
	if err == nil || fault.KindOf(err) != fault.Denied {
		return err
	}
	e.ErrorCode, e.ErrorMessage = "AccessDenied", fault.As(err).Message
	if lost := audit.Record(context.WithoutCancel(ctx), a.DB, e); lost != nil {
		return fmt.Errorf("record refused call: %w", lost)
	}
	return err
}

// Seen counts such a request and writes its line, as those of the APIs. code is of a closed set.
func (o *Outside) Seen(r *http.Request, from Source, q Question, known bool, code string, err error) {
	x := &exchange{start: o.API.Clock.Now(), source: from, service: &awsapi.Service{ID: q.Service}, operation: q.Operation, known: known}
	o.API.told(r, x, code, err)
}
