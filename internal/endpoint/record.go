package endpoint

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/awsapi"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// records tells whether the path writes the operation's event. Open operations have no caller; Direct ones write their own.
func (m *mount) records(op *awsapi.Operation[*Call]) bool {
	return !op.Unsigned || m.rule.Bearer || contains(m.rule.Writes, op.Name)
}

// event begins the record of a call.
func (a *API) event(op *awsapi.Operation[*Call], c credential.Caller, source Source, in any) *audit.Event {
	e := &audit.Event{
		UserIdentity: Identity(c, a.Owner, a.StoreID), EventSource: op.EventSource, EventName: op.Name, AWSRegion: a.Region,
		SourceIPAddress: source.IP, UserAgent: source.UserAgent, RequestID: source.RequestID, ReadOnly: op.ReadOnly,
		RecipientAccountID: string(a.Owner), EventTime: audit.Time(a.Clock.Now()), Emergency: c.Emergency,
	}
	if c.Kind == credential.Bearer { // behaviour reference §10.5: parameters are null, details tell
		e.EventType = "AwsServiceEvent"
		if op.Self && in != nil {
			e.ServiceEventDetails = op.RequestParameters(in)
		}
		return e
	}
	if in != nil {
		e.RequestParameters = op.RequestParameters(in)
	}
	e.Correlate(c.Correlation)
	e.TLSDetails = &source.TLS
	return e
}

// recordFailure stores the event of a call that failed, in a transaction of its own, and returns the call's error.
// When the event cannot be stored the caller is told so instead: a denial that is not on record did not happen.
// There is none where nothing was decided: nobody was established, the caller went away, or is to come back later.
func (a *API) recordFailure(ctx context.Context, m *mount, e *audit.Event, cause error) error {
	if e.UserIdentity.Type == "Unknown" || fault.KindOf(cause) == fault.Throttled || gone(ctx, cause) {
		return cause
	}
	e.ErrorCode, e.ErrorMessage = m.service.Code(cause)
	// The try that failed may have filled these. Its id may even be in the log, if the answer to its commit was lost.
	e.EventID, e.ResponseElements = "", nil
	ctx = context.WithoutCancel(ctx)
	if err := audit.Record(ctx, a.DB, e); err != nil {
		return fmt.Errorf("record failed call: %w", err)
	}
	return cause
}

// Identity is the userIdentity of a caller (behaviour reference §10.5).
func Identity(c credential.Caller, owner arn.AccountID, storeID arn.StoreID) audit.UserIdentity {
	var person *audit.OnBehalfOf
	if c.UserID != "" {
		person = &audit.OnBehalfOf{UserID: c.UserID, IdentityStoreARN: storeID.ARN(owner)}
	}
	signIn := c.SessionID // the portal session, so that all that was done under it has one id
	if c.ParentID != "" {
		signIn = c.ParentID
	}
	switch c.Kind {
	case credential.IAMUser:
		return audit.UserIdentity{
			Type: "IAMUser", PrincipalID: c.PrincipalID, ARN: c.ARN, AccountID: string(c.Account),
			AccessKeyID: c.AccessKeyID, UserName: c.UserName,
		}
	case credential.RoleSession:
		return audit.UserIdentity{
			Type: "AssumedRole", PrincipalID: c.PrincipalID, ARN: c.ARN, AccountID: string(c.Account),
			AccessKeyID: c.AccessKeyID, OnBehalfOf: person, CredentialID: signIn,
			SessionContext: &audit.SessionContext{
				SessionIssuer:  audit.SessionIssuer{Type: "Role", PrincipalID: c.RoleID, ARN: c.RoleARN, AccountID: string(c.Account), UserName: c.RoleName},
				Attributes:     map[string]string{"creationDate": c.Issued.UTC().Format(time.RFC3339), "mfaAuthenticated": fmt.Sprint(!c.MFATime.IsZero())},
				SourceIdentity: c.SourceIdentity,
			},
		}
	case credential.Bearer:
		return audit.UserIdentity{Type: "IdentityCenterUser", AccountID: string(owner), OnBehalfOf: person, CredentialID: signIn}
	}
	return audit.UserIdentity{Type: "Unknown"}
}

// Recorder writes the events of successful reads in batches. At most flushEvery of them are lost by a crash (hard part 4).
type Recorder struct {
	DB  *store.DB
	Log *slog.Logger

	queue chan *audit.Event
}

// The recorder's batches.
const (
	flushEvery = 100 * time.Millisecond
	flushMost  = 256
)

// NewRecorder returns a recorder; Run must run.
func NewRecorder(db *store.DB, log *slog.Logger) *Recorder {
	return &Recorder{DB: db, Log: log, queue: make(chan *audit.Event, 4*flushMost)}
}

// Add hands an event over. A full queue makes the caller wait: events are not dropped.
func (r *Recorder) Add(e *audit.Event) { r.queue <- e }

// Run writes batches until ctx ends, and what is queued then. The end cuts no batch off.
func (r *Recorder) Run(ctx context.Context) {
	lasting := context.WithoutCancel(ctx)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var batch []*audit.Event
	for {
		select {
		case e := <-r.queue:
			if batch = append(batch, e); len(batch) < flushMost {
				continue
			}
		case <-tick.C:
		case <-ctx.Done():
			r.flush(lasting, append(batch, r.rest()...))
			return
		}
		r.flush(lasting, batch)
		batch = nil
	}
}

func (r *Recorder) rest() (left []*audit.Event) {
	for {
		select {
		case e := <-r.queue:
			left = append(left, e)
		default:
			return left
		}
	}
}

func (r *Recorder) flush(ctx context.Context, batch []*audit.Event) {
	if len(batch) == 0 {
		return
	}
	if err := audit.Record(ctx, r.DB, batch...); err != nil {
		r.Log.ErrorContext(ctx, "events of reads were lost", "count", len(batch), "error", err)
	}
}
