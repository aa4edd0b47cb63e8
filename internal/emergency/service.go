package emergency

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/mail"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// Times and bounds.
const (
	DefaultDuration = time.Hour
	minDuration     = 5 * time.Minute
	maxDuration     = 4 * time.Hour

	// Fresh is how long a sign-in for an emergency is good for: for asking, approving, closing.
	Fresh = 15 * time.Minute
	// AnswerTime is how long a request waits for an approver.
	AnswerTime = 15 * time.Minute

	maxAccesses  = 50
	maxAccounts  = 50
	maxPeople    = 20
	maxCodes     = 20
	maxAddresses = 10

	maxName   = 64 // characters
	minReason = 10
	maxReason = 1000
)

// Source is the source of the events.
const Source = "sallyport"

// Resource types of faults.
const (
	typeAccess  = "EMERGENCY_ACCESS"
	typeOpening = "EMERGENCY_OPENING"
)

// Service has the rules.
type Service struct {
	DB       *store.DB
	Keys     *keyring.Ring
	Minter   *credential.Minter
	Instance arn.Instance
	Store    arn.StoreID
	Owner    arn.AccountID
	Region   string
	Mail     *mail.Outbox
	Letters  mail.Letters
}

// Person is somebody who has signed in for an emergency, in the browser at hand.
type Person struct {
	User    store.User
	Session store.Session
	Passkey string // id of the factor that they have proved
	From    session.Origin
}

// Proved is the person of a portal session, if it began with a password and a passkey for an emergency a short while ago; otherwise an
// Unauthenticated fault.
func (s *Service) Proved(tx *store.Tx, of store.Session, from session.Origin) (Person, error) {
	in, err := tx.EmergencySignIn(of.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Person{}, fmt.Errorf("load sign-in for emergency: %w", err)
	}
	if err != nil || tx.Now().Sub(in.At) >= Fresh {
		return Person{}, fault.Unauthenticatedf(fault.AuthExpired, "Sign in for emergency access first.")
	}
	u, err := tx.User(of.UserID)
	if err != nil {
		return Person{}, fmt.Errorf("load user: %w", err)
	}
	_, err = tx.Factor(in.FactorID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Person{}, fmt.Errorf("load passkey: %w", err)
	}
	if err != nil || u.Status != store.UserEnabled {
		return Person{}, fault.Unauthenticatedf(fault.AuthRevoked, "Sign in for emergency access first.")
	}
	return Person{u, of, in.FactorID, from}, nil
}

// Access is the access with the id; a NotFound fault.
func Access(tx *store.Tx, id string) (store.EmergencyAccess, error) {
	e, err := tx.EmergencyAccess(id)
	if errors.Is(err, store.ErrNotFound) {
		return e, fault.Missing(typeAccess, clip(id))
	}
	return e, wrap(err, "load emergency access")
}

// Opening is the opening with the id; a NotFound fault.
func Opening(tx *store.Tx, id string) (store.Opening, error) {
	o, err := tx.Opening(id)
	if errors.Is(err, store.ErrNotFound) {
		return o, fault.Missing(typeOpening, clip(id))
	}
	return o, wrap(err, "load opening")
}

// reason is what a person says of why, or a fault.
func reason(text string) (string, error) {
	text = strings.TrimSpace(text)
	n := utf8.RuneCountInString(text)
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }
	if n < minReason || n > maxReason || !utf8.ValidString(text) || strings.ContainsFunc(text, unprintable) {
		return "", fault.Invalidf("Say why, in %d to %d characters.", minReason, maxReason)
	}
	return text, nil
}

// event begins the record of what a person has done.
func (s *Service) event(name string, p Person) *audit.Event {
	e := s.serviceEvent(name)
	e.UserIdentity = audit.UserIdentity{
		Type: "IdentityCenterUser", AccountID: string(s.Owner), CredentialID: p.Session.ID,
		OnBehalfOf: &audit.OnBehalfOf{UserID: p.User.ID, IdentityStoreARN: s.Store.ARN(s.Owner)},
	}
	e.SourceIPAddress, e.UserAgent = p.From.IP, p.From.UserAgent
	return e
}

// serviceEvent begins the record of what happens by itself.
func (s *Service) serviceEvent(name string) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: Source}, EventSource: Source, EventName: name, EventType: "AwsServiceEvent",
		AWSRegion: s.Region, SourceIPAddress: Source, UserAgent: Source, RequestID: arn.NewUUID(), RecipientAccountID: string(s.Owner),
	}
}

// details are what events of an opening tell.
func details(o store.Opening, accounts []arn.AccountID) map[string]any {
	d := map[string]any{
		"emergency_opening_id": o.ID, "emergency_access_id": o.AccessID, "emergency_access_name": o.AccessName, "permission_set_arn": o.Set.ARN(),
		"opener_id": o.UserID, "opener_name": o.UserName, "opener_session": o.SessionID, "reason": o.Reason, "state": string(o.State),
	}
	if accounts != nil {
		d["account_ids"] = accounts
	}
	if o.ApproverID != "" {
		d["approver_id"], d["approver_name"] = o.ApproverID, o.ApproverName
	}
	if o.State == store.OpeningOpen {
		d["ends_at"] = audit.Time(o.Until)
	}
	return d
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

func wrap(err error, doing string) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
