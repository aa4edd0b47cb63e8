package login

import (
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// hiddenName stands for a name that matches nobody: people type passwords into the name field (hard part 4).
const hiddenName = audit.Hidden

// recordPassword records one challenge and its outcome (behaviour reference §10.4).
func (s *Service) recordPassword(tx *store.Tx, c candidate, success bool, from session.Origin) error {
	name := hiddenName
	if c.user.ID != "" {
		name = c.user.UserName
	}
	challenge := s.event("CredentialChallenge", c.attempt, c.user.ID, from, true)
	challenge.AdditionalEventData["UserName"] = name
	challenge.AdditionalEventData["CredentialType"] = "PASSWORD"
	if err := challenge.Store(tx); err != nil {
		return err
	}
	verification := s.event("CredentialVerification", c.attempt, c.user.ID, from, success)
	verification.AdditionalEventData["CredentialType"] = "PASSWORD"
	return verification.Store(tx)
}

// recordSignIn records that a person is in.
func (s *Service) recordSignIn(tx *store.Tx, a store.Attempt, started store.Session, from session.Origin) error {
	e := s.event("UserAuthentication", a, a.UserID, from, true)
	e.AdditionalEventData["CredentialType"] = "PASSWORD"
	e.UserIdentity.CredentialID = started.ID
	return e.Store(tx)
}

func (s *Service) event(name string, a store.Attempt, userID string, from session.Origin, success bool) *audit.Event {
	outcome := "Success"
	if !success {
		outcome = "Failure"
	}
	who := audit.UserIdentity{Type: "Unknown", AccountID: string(s.Owner)}
	if userID != "" {
		who = audit.UserIdentity{Type: "IdentityCenterUser", AccountID: string(s.Owner),
			OnBehalfOf: &audit.OnBehalfOf{UserID: userID, IdentityStoreARN: s.Store.ARN(s.Owner)}}
	}
	return &audit.Event{
		UserIdentity: who, EventSource: "signin.amazonaws.com", EventName: name, EventType: "AwsServiceEvent",
		AWSRegion: s.Region, SourceIPAddress: from.IP, UserAgent: from.UserAgent, RequestID: arn.NewUUID(),
		RecipientAccountID:  string(s.Owner),
		AdditionalEventData: map[string]any{"AuthWorkflowID": a.Workflow, "LoginTo": loginTo(a.Next)},
		ServiceEventDetails: map[string]any{name: outcome},
	}
}

// loginTo is where the person was going, without its query: that may hold a code.
func loginTo(next string) string {
	for i := range len(next) {
		if next[i] == '?' || next[i] == '#' {
			return next[:i]
		}
	}
	return next
}
