package login

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// The sources of the events.
const (
	signInSource    = "signin.amazonaws.com"
	portalSource    = "sso.amazonaws.com"
	directorySource = "sso-directory.amazonaws.com"
)

// challenge stores a new attempt with the event that its person is asked for a password (behaviour reference §10.4). While
// the name is locked there is no event: it follows if the password turns out right.
func (s *Service) challenge(tx *store.Tx, a store.Attempt, from Browser, notRecorded int64) (recorded bool, err error) {
	user, failures, err := s.claimed(tx, a.UserName, from)
	if err != nil {
		return false, err
	}
	if recorded = !tx.Now().Before(failures.LockedUntil); recorded {
		if err := s.recordChallenge(tx, &a, user, from, notRecorded); err != nil {
			return false, err
		}
	}
	if err := tx.InsertAttempt(a); err != nil {
		return false, fmt.Errorf("add sign-in attempt: %w", err)
	}
	return recorded, nil
}

// recordChallenge has the user name, once for each attempt. One that matches nobody is hidden: people type passwords
// into the name field (hard part 4).
func (s *Service) recordChallenge(tx *store.Tx, a *store.Attempt, user store.User, from Browser, notRecorded int64) error {
	a.Challenged = true
	name := audit.Hidden
	if user.ID != "" {
		name = user.UserName
	}
	e := s.signInEvent("CredentialChallenge", *a, user.ID, from, true)
	e.AdditionalEventData["UserName"] = name
	e.AdditionalEventData["CredentialType"] = "PASSWORD"
	tellLeftOut(e, notRecorded)
	return e.Store(tx)
}

// recordVerification records the outcome of one check, and the challenge before it when that is not on record yet.
func (s *Service) recordVerification(tx *store.Tx, c *candidate, t *try, success bool) error {
	if !c.attempt.Challenged {
		if err := s.recordChallenge(tx, &c.attempt, c.user, t.from, 0); err != nil {
			return err
		}
	}
	e := s.signInEvent("CredentialVerification", c.attempt, c.user.ID, t.from, success)
	e.AdditionalEventData["CredentialType"] = "PASSWORD"
	tellLeftOut(e, c.failures.LeftOut+t.notRecorded)
	if !success {
		tellLock(e, delay(c.position.Settings, c.failures.Failures+1))
	}
	return e.Store(tx)
}

// tellLock says for how long nothing more is tried after a failure, in whole seconds.
func tellLock(e *audit.Event, d time.Duration) {
	if d > 0 {
		e.AdditionalEventData["LockedForSeconds"] = int64(d / time.Second)
	}
}

// tellLeftOut says how many tries before this one, of the same name or network, have no event of their own, because there
// were too many (hard part 4).
func tellLeftOut(e *audit.Event, n int64) {
	if n > 0 {
		e.AdditionalEventData["NotRecorded"] = strconv.FormatInt(n, 10)
	}
}

// recordCheck records that a second factor was asked for and checked.
func (s *Service) recordCheck(tx *store.Tx, a store.Attempt, kind string, from Browser, success bool) error {
	for _, name := range []string{"CredentialChallenge", "CredentialVerification"} {
		e := s.signInEvent(name, a, a.UserID, from, success || name == "CredentialChallenge")
		e.AdditionalEventData["CredentialType"] = kind
		if !success && name == "CredentialVerification" && kind != webAuthn {
			state, err := tx.SignInState(a.UserID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("load sign-in state: %w", err)
			}
			tellLock(e, state.CodeLockedUntil.Sub(tx.Now()))
		}
		if err := e.Store(tx); err != nil {
			return err
		}
	}
	return nil
}

// recordSignIn records that a person is in, and that their portal session has begun.
func (s *Service) recordSignIn(tx *store.Tx, a store.Attempt, started store.Session, from Browser) error {
	e := s.signInEvent("UserAuthentication", a, a.UserID, from, true)
	e.AdditionalEventData["CredentialType"] = proofs(a)
	if a.Enrolled {
		e.AdditionalEventData["DeviceEnrollmentRequired"] = "true"
	}
	e.UserIdentity.CredentialID = started.ID
	if err := e.Store(tx); err != nil {
		return err
	}
	e = s.event(portalSource, "Authenticate", a.UserID, from)
	e.UserIdentity.CredentialID = started.ID
	return e.Store(tx)
}

// proofs are the credential types with which a person came in (behaviour reference §10.4). AWS has no word for links.
func proofs(a store.Attempt) string {
	var all []string
	switch {
	case !a.PasswordAt.IsZero():
		all = append(all, "PASSWORD")
	case a.Entry == store.ByInvitation || a.Entry == store.ByReset:
		all = append(all, "EMAIL_LINK")
	}
	if a.MFABy != "" {
		all = append(all, a.MFABy)
	}
	return strings.Join(all, ",")
}

// recordNewPassword records that a person has chosen a password.
func (s *Service) recordNewPassword(tx *store.Tx, a store.Attempt, from Browser) error {
	e := s.event(directorySource, "UpdatePassword", a.UserID, from)
	e.AdditionalEventData = map[string]any{"AuthWorkflowID": a.Workflow}
	return e.Store(tx)
}

// recordDevice records that a person has registered a device.
func (s *Service) recordDevice(tx *store.Tx, a store.Attempt, f store.Factor, from Browser) error {
	name := "CompleteVirtualMfaDeviceRegistration"
	if f.Kind == store.Passkey {
		name = "CompleteWebAuthnDeviceRegistration"
	}
	e := s.event(directorySource, name, a.UserID, from)
	e.AdditionalEventData = map[string]any{"AuthWorkflowID": a.Workflow}
	e.ServiceEventDetails = map[string]any{"mfa_device_id": f.ID, "mfa_device_name": f.Name}
	return e.Store(tx)
}

// recordReset records that a person was sent a link because somebody says that they have forgotten their password.
func (s *Service) recordReset(tx *store.Tx, userID string) error {
	e := s.event(directorySource, "SendPasswordReset", userID, Browser{})
	e.SourceIPAddress = directorySource
	return e.Store(tx)
}

// recordDisown records that a person says of a notice that it was not them.
func (s *Service) recordDisown(tx *store.Tx, n store.Notice, from Browser) error {
	e := s.event(directorySource, "DisownNotice", n.UserID, from)
	e.ServiceEventDetails = map[string]any{"notice_id": n.ID, "kind": string(n.Kind), "detail": n.Detail, "subject": n.Subject}
	return e.Store(tx)
}

// signInEvent is an event of an attempt in the shape of behaviour reference §10.4.
func (s *Service) signInEvent(name string, a store.Attempt, userID string, from Browser, success bool) *audit.Event {
	outcome := "Success"
	if !success {
		outcome = "Failure"
	}
	e := s.event(signInSource, name, userID, from)
	path, _, _ := strings.Cut(a.Next, "?") // the query may hold a code
	e.AdditionalEventData = map[string]any{"AuthWorkflowID": a.Workflow, "LoginTo": s.Sessions.URLs.Portal + path}
	e.ServiceEventDetails = map[string]any{name: outcome}
	return e
}

// event is an event about a user; an empty id is somebody unknown.
func (s *Service) event(source, name, userID string, from Browser) *audit.Event {
	who := audit.UserIdentity{Type: "Unknown", AccountID: string(s.Owner)}
	if userID != "" {
		who = audit.UserIdentity{
			Type: "IdentityCenterUser", AccountID: string(s.Owner),
			OnBehalfOf: &audit.OnBehalfOf{UserID: userID, IdentityStoreARN: s.Store.ARN(s.Owner)},
		}
	}
	return &audit.Event{
		UserIdentity: who, EventSource: source, EventName: name, EventType: "AwsServiceEvent", AWSRegion: s.Region,
		SourceIPAddress: from.IP, UserAgent: from.UserAgent, RequestID: arn.NewUUID(), RecipientAccountID: string(s.Owner),
	}
}
