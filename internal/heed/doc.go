// Package heed does here what signals of others ask for (OpenID Shared Signals Framework 1.0, CAEP 1.0, RISC 1.0). A signal never
// grants anything: it ends sessions, or keeps a person out. What it does, its audit event, and the memory of its jti that makes it
// act once, are one transaction.
//
// A transmitter is never told whether it has named anybody: a signal about somebody who is not here is taken like any other.
//
// Both ways of failing are looked after. A signal whose effect is bounded (a person signs in again) is always heeded. Disabling is
// bounded for each receiver and hour by the setting signals.disablings-an-hour, so that a transmitter that errs, or is in wrong
// hands, locks few people out; beyond it, sessions end and an operator decides on the rest.
package heed

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/login"
	"sallyport/internal/secevent"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// Types are the events that may act.
var Types = []string{secevent.SessionRevoked, secevent.CredentialChange, secevent.AccountDisabled, secevent.AccountPurged}

// Outcomes of signals.
const (
	Ended    = "SESSIONS_ENDED"
	Disabled = "DISABLED"
	Held     = "HELD"    // sessions are ended; whether to disable is for an operator to decide
	Nobody   = "NOBODY"  // about somebody, or a session, that is not here
	Ignored  = "IGNORED" // of a type that does not act
	Verified = "VERIFIED"
)

// Service has the rules and what they need.
type Service struct {
	Login    *login.Service
	Sessions *session.Service
	Owner    arn.AccountID
	Region   string
	URL      string // of the server, without a slash at its end: the issuer of our own user ids, and part of that of sources
}

// source names where signals' events come from.
const source = "signals.sallyport"

// keep is how long a signal is remembered: longer than a token is taken after it was issued.
const keep = secevent.MaxAge + 24*time.Hour

// Heed does what a token asks for that has been verified and checked. One that has been heeded already changes nothing.
func (s *Service) Heed(tx *store.Tx, receiver string, t secevent.Token) (outcome string, err error) {
	r, err := tx.LockSignalReceiver(receiver) // so that two signals do not pass the bound on disabling together
	if err != nil {
		return "", fmt.Errorf("load signal receiver: %w", err)
	}
	sum := sha256.Sum256([]byte(t.ID))
	jti := hex.EncodeToString(sum[:])
	err = tx.InsertSignalIn(r.ID, jti, Ignored)
	if errors.Is(err, store.ErrExists) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("remember signal: %w", err)
	}
	cause := store.Cause{Event: arn.NewTimeUUID(tx.Now()), By: signal.Heeded + r.ID}
	tx.Because(cause)
	outcome, userID, err := s.act(tx, r, t)
	if err != nil {
		return "", err
	}
	if err := tx.PutSignalIn(r.ID, jti, outcome); err != nil {
		return "", fmt.Errorf("remember what came of signal: %w", err)
	}
	e := s.event(r, t, outcome, userID)
	e.EventID = cause.Event
	return outcome, e.Store(tx)
}

func (s *Service) act(tx *store.Tx, r store.SignalReceiver, t secevent.Token) (outcome, userID string, err error) {
	switch {
	case t.Type == secevent.Verification:
		return Verified, "", nil
	case !slices.Contains(r.Events, t.Type), t.Type == secevent.CredentialChange && t.Event["change_type"] == "create":
		return Ignored, "", nil
	}
	by := signal.Heeded + r.ID
	userID, err = s.user(tx, r, person(t.Subject))
	if err != nil {
		return "", "", err
	}
	if t.Type == secevent.SessionRevoked && t.Subject.Session != nil {
		return s.endSession(tx, r, userID, *t.Subject.Session, by)
	}
	if userID == "" {
		return Nobody, "", nil
	}
	if t.Type == secevent.SessionRevoked || t.Type == secevent.CredentialChange {
		_, err = s.Sessions.EndAllOf(tx, userID, by)
		return Ended, userID, err
	}
	return s.disable(tx, r, userID, by)
}

// endSession ends the session that is named, if it is one of ours and of the person who is named with it.
func (s *Service) endSession(tx *store.Tx, r store.SignalReceiver, userID string, named secevent.Subject, by string) (string, string, error) {
	p, err := tx.Session(named.ID)
	if errors.Is(err, store.ErrNotFound) {
		return Nobody, userID, nil
	}
	if err != nil {
		return "", "", fmt.Errorf("load session: %w", err)
	}
	u, err := tx.User(p.UserID)
	if errors.Is(err, store.ErrNotFound) || err == nil && (u.StoreID != r.StoreID || userID != "" && userID != u.ID) {
		return Nobody, userID, nil
	}
	if err != nil {
		return "", "", fmt.Errorf("load user: %w", err)
	}
	return Ended, u.ID, s.Sessions.End(tx, p.ID, by)
}

// disable keeps a person out, unless the transmitter has done so to too many within the hour: then it ends their sessions alone.
func (s *Service) disable(tx *store.Tx, r store.SignalReceiver, userID, by string) (string, string, error) {
	u, err := tx.User(userID)
	if err != nil {
		return "", "", fmt.Errorf("load user: %w", err)
	}
	in, err := setting.Load(tx)
	if err != nil {
		return "", "", err
	}
	n, err := tx.CountSignalsIn(r.ID, Disabled, tx.Now().Add(-time.Hour))
	if err != nil {
		return "", "", fmt.Errorf("count signals: %w", err)
	}
	if u.Status == store.UserEnabled && n >= int64(in.SignalDisablings) {
		_, err := s.Sessions.EndAllOf(tx, userID, by)
		return Held, userID, err
	}
	outcome := Disabled
	if u.Status != store.UserEnabled {
		outcome = Ended // disabled already: it counts for no bound
	}
	return outcome, userID, s.Login.Disable(tx, userID, by)
}

// event is the record of a signal. Who is meant is told by our own id, or not at all.
func (s *Service) event(r store.SignalReceiver, t secevent.Token, outcome, userID string) *audit.Event {
	e := s.newEvent("ReceiveSignal", r)
	e.ServiceEventDetails = map[string]any{
		"receiver": r.Name, "receiver_id": r.ID, "issuer": t.Issuer, "jti": t.ID, "type": t.Type, "issued_at": audit.Time(t.IssuedAt), "outcome": outcome,
	}
	if userID != "" {
		e.ServiceEventDetails["user_id"] = userID
	}
	return e
}

func (s *Service) newEvent(name string, r store.SignalReceiver) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "WebIdentityUser", PrincipalID: r.ID, AccountID: string(s.Owner), UserName: r.Name},
		EventSource:  source, EventName: name, EventType: "AwsServiceEvent", AWSRegion: s.Region, SourceIPAddress: source, RequestID: arn.NewUUID(),
		RecipientAccountID: string(s.Owner),
	}
}

// Refused is the record of a token that was not taken.
func (s *Service) Refused(r store.SignalReceiver, p *secevent.Problem) *audit.Event {
	e := s.newEvent("ReceiveSignal", r)
	e.ErrorCode, e.ErrorMessage = p.Code, p.Description
	e.ServiceEventDetails = map[string]any{"receiver": r.Name, "receiver_id": r.ID}
	return e
}

// Prune forgets signals that cannot come again, in bounded steps: call it again while it says that there may be more.
func (s *Service) Prune(tx *store.Tx) (more bool, err error) {
	const limit = 500
	n, err := tx.PruneSignalsIn(tx.Now().Add(-keep), limit)
	return n >= limit, err
}
