// Package audit has the record of what was done: CloudTrail's shape, the sealed log, and the sinks that it is shipped to.
// Rules and protocols fill events; they are stored in the transaction of the change that they tell of, or alone where
// there is none.
package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// Hidden stands where a secret would have been, as on AWS.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// Event is one audit record in CloudTrail's shape (behaviour reference §10.6).
type Event struct {
	EventVersion        string         `json:"eventVersion"`
	UserIdentity        UserIdentity   `json:"userIdentity"`
	EventTime           string         `json:"eventTime"` // when it happened; Store sets it if nobody has
	EventSource         string         `json:"eventSource"`
	EventName           string         `json:"eventName"`
	AWSRegion           string         `json:"awsRegion"`
	SourceIPAddress     string         `json:"sourceIPAddress"`
	UserAgent           string         `json:"userAgent,omitempty"`
	ErrorCode           string         `json:"errorCode,omitempty"`
	ErrorMessage        string         `json:"errorMessage,omitempty"`
	RequestParameters   any            `json:"requestParameters"`
	ResponseElements    any            `json:"responseElements"`
	AdditionalEventData map[string]any `json:"additionalEventData,omitempty"`
	RequestID           string         `json:"requestID"`
	EventID             string         `json:"eventID"` // set by Store if nobody has
	ReadOnly            bool           `json:"readOnly"`
	Resources           []Resource     `json:"resources,omitempty"`
	EventType           string         `json:"eventType"` // AwsApiCall, AwsServiceEvent
	ManagementEvent     bool           `json:"managementEvent"`
	RecipientAccountID  string         `json:"recipientAccountId"`
	ServiceEventDetails map[string]any `json:"serviceEventDetails,omitempty"`
	EventCategory       string         `json:"eventCategory"`
	TLSDetails          *TLSDetails    `json:"tlsDetails,omitempty"`

	Emergency string `json:"-"` // opening of an emergency access in which it was done; it is told, and noted for the review
}

// UserIdentity tells who acted (behaviour reference §10.5).
type UserIdentity struct {
	Type           string          `json:"type"` // IAMUser, AssumedRole, IdentityCenterUser, AWSService, Unknown
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	InvokedBy      string          `json:"invokedBy,omitempty"`
	SessionContext *SessionContext `json:"sessionContext,omitempty"`
	OnBehalfOf     *OnBehalfOf     `json:"onBehalfOf,omitempty"`
	CredentialID   string          `json:"credentialId,omitempty"` // portal session: joins all that was done under it
}

// SessionContext tells of the role behind a session.
type SessionContext struct {
	SessionIssuer SessionIssuer     `json:"sessionIssuer"`
	Attributes    map[string]string `json:"attributes"`

	SourceIdentity string `json:"sourceIdentity,omitempty"` // who is behind the role, as its first session said
}

// SessionIssuer is the role itself.
type SessionIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

// OnBehalfOf is the person of the directory for whom the call was made.
type OnBehalfOf struct {
	UserID           string `json:"userId"`
	IdentityStoreARN string `json:"identityStoreArn"`
}

// Resource is a thing that the call touched.
type Resource struct {
	ARN       string `json:"ARN"`
	AccountID string `json:"accountId,omitempty"`
	Type      string `json:"type,omitempty"`
}

// correlationKey names the correlation id among the additional data, as AWS names those of Identity Center there.
const correlationKey = "identitycenter:CorrelationId"

// Correlate marks an event as one of those that belong to one role session: that which gave it out, and all that was done with it.
// An empty id marks nothing. AWS has no such id (behaviour reference §10.5).
func (e *Event) Correlate(id string) {
	if id == "" {
		return
	}
	if e.AdditionalEventData == nil {
		e.AdditionalEventData = map[string]any{}
	}
	e.AdditionalEventData[correlationKey] = id
}

// Time is a time as events have it.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Begin says that what the transaction changes from here on comes from this event, which must be stored in it: histories name it.
func (e *Event) Begin(tx *store.Tx) {
	if e.EventID == "" {
		e.EventID = arn.NewTimeUUID(tx.Now())
	}
	tx.Because(store.Cause{Event: e.EventID, By: e.UserIdentity.actor()})
}

// actor is who acted, in one text.
func (u UserIdentity) actor() string {
	if u.ARN == "" && u.OnBehalfOf != nil {
		return arn.DirectoryUserARN(u.OnBehalfOf.UserID)
	}
	return cmp.Or(u.ARN, u.InvokedBy, u.PrincipalID, u.UserName)
}

// Store appends the event to the transaction that it tells of.
func (e *Event) Store(tx *store.Tx) error {
	row, err := e.row(tx.Now())
	if err != nil {
		return err
	}
	if err := tx.AppendEvent(row); err != nil || e.Emergency == "" {
		return err
	}
	err = tx.InsertEmergencyEvent(store.EmergencyEvent{
		OpeningID: e.Emergency, EventID: e.EventID, At: tx.Now(), Source: e.EventSource, Name: e.EventName, Error: e.ErrorCode,
	})
	if err != nil {
		return fmt.Errorf("note event for review: %w", err)
	}
	return nil
}

// storeAll stores events of which some are noted for reviews.
func storeAll(ctx context.Context, db *store.DB, events []*Event) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		for _, e := range events { // a batch
			if err := e.Store(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// Record stores events that tell of no change in the database. All of them are durable when it returns.
func Record(ctx context.Context, db *store.DB, events ...*Event) error {
	if slices.ContainsFunc(events, func(e *Event) bool { return e.Emergency != "" }) {
		return storeAll(ctx, db, events)
	}
	rows := make([]store.Event, len(events))
	for i, e := range events {
		var err error
		if rows[i], err = e.row(db.Now()); err != nil {
			return err
		}
	}
	return db.AppendEvents(ctx, rows...)
}

// row fills in what nobody has said and encodes the event. What is too long for an event is cut.
func (e *Event) row(now time.Time) (store.Event, error) {
	if e.EventID == "" {
		e.EventID = arn.NewTimeUUID(now)
	}
	if e.EventTime == "" {
		e.EventTime = Time(now)
	}
	if e.EventType == "" {
		e.EventType = "AwsApiCall"
	}
	if e.Emergency != "" {
		e.AdditionalEventData = maps.Clone(e.AdditionalEventData)
		if e.AdditionalEventData == nil {
			e.AdditionalEventData = map[string]any{}
		}
		e.AdditionalEventData["EmergencyOpeningId"] = e.Emergency
	}
	e.EventVersion, e.EventCategory, e.ManagementEvent = "1.11", "Management", true
	b, err := e.encode()
	if err != nil {
		return store.Event{}, fmt.Errorf("encode event %s: %w", e.EventName, err)
	}
	return store.Event{ID: e.EventID, At: now, JSON: b}, nil
}
