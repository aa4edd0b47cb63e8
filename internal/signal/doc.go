// Package signal tells others what has happened to people and their sessions here, by security events (OpenID Shared Signals
// Framework 1.0). Rules say so in the transaction of the cause; each stream that asked for such an event gets it queued there, so
// that it is sent if, and only if, the cause is committed. Sending is package ssf's.
//
// What is sent:
//
//   - session-revoked when somebody, or a rule, ends sessions. A plain sign-out is none: it is its person's wish for that one
//     session, and others would sign them out everywhere.
//   - credential-change when a password or a device is added, changed or taken away.
//   - account-disabled, account-enabled, and account-purged when a user is deleted.
//
// Without streams, all of it is one query of an empty table.
package signal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

// Types are the events that streams may ask for.
var Types = []string{secevent.SessionRevoked, secevent.CredentialChange, secevent.AccountDisabled, secevent.AccountEnabled, secevent.AccountPurged}

// Heeded begins the name of who acts where a signal of others has made us act.
const Heeded = "signal/"

// Body is a signal as it waits: its subject is written as each stream wants it when it is sent.
type Body struct {
	Type    string         `json:"type"`
	UserID  string         `json:"userId,omitempty"`
	Email   string         `json:"email,omitempty"`
	Session string         `json:"session,omitempty"`
	Event   map[string]any `json:"event"`
}

// Credential is what has changed of what a person signs in with (CAEP 1.0 §3.3).
type Credential struct {
	Type   string // password, fido2-roaming, app
	Change string // create, update, revoke
	Name   string // as its person calls it
}

// SessionEnded tells that somebody has ended one session.
func SessionEnded(tx *store.Tx, id, by string) error {
	if told, err := tx.HasSignalStreams(); err != nil || !told {
		return wrap(err, "look for signal streams")
	}
	p, err := tx.Session(id)
	if err != nil {
		return wrap(err, "load session")
	}
	return about(tx, p.UserID, func(u store.User) Body { return sessions(u, id, by) })
}

// SessionsEnded tells that somebody has ended a person's sessions. n is how many it were: a signal of others that ended none is not
// handed on, or two servers would tell each other for ever.
func SessionsEnded(tx *store.Tx, userID string, n int64, by string) error {
	if n == 0 && strings.HasPrefix(by, Heeded) {
		return nil
	}
	return about(tx, userID, func(u store.User) Body { return sessions(u, "", by) })
}

func sessions(u store.User, id, by string) Body {
	b := person(u, secevent.SessionRevoked)
	b.Session, b.Event["initiating_entity"] = id, initiator(u, by)
	return b
}

// CredentialChanged tells that what a person signs in with has changed.
func CredentialChanged(tx *store.Tx, userID string, c Credential, by string) error {
	return about(tx, userID, func(u store.User) Body {
		b := person(u, secevent.CredentialChange)
		b.Event["credential_type"], b.Event["change_type"], b.Event["initiating_entity"] = c.Type, c.Change, initiator(u, by)
		if c.Name != "" {
			b.Event["friendly_name"] = c.Name
		}
		return b
	})
}

// StatusChanged tells that a person was disabled or enabled.
func StatusChanged(tx *store.Tx, u store.User) error {
	kind := secevent.AccountEnabled
	if u.Status != store.UserEnabled {
		kind = secevent.AccountDisabled
	}
	return emit(tx, u, func(u store.User) Body { return person(u, kind) })
}

// Purged tells that a user is deleted.
func Purged(tx *store.Tx, u store.User) error {
	return emit(tx, u, func(u store.User) Body { return person(u, secevent.AccountPurged) })
}

func person(u store.User, kind string) Body {
	return Body{Type: kind, UserID: u.ID, Email: u.PrimaryEmail(), Event: map[string]any{}}
}

// initiator is who acts, in the words of CAEP 1.0 §2.
func initiator(u store.User, by string) string {
	switch {
	case by == u.ID:
		return "user"
	case strings.HasPrefix(by, "arn:"):
		return "admin"
	}
	return "system"
}

// about is emit for a user who may be gone: of one whom nobody knows any more, nothing is to be told.
func about(tx *store.Tx, userID string, body func(store.User) Body) error {
	if told, err := tx.HasSignalStreams(); err != nil || !told {
		return wrap(err, "look for signal streams")
	}
	u, err := tx.User(userID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load user: %w", err)
	}
	return emit(tx, u, body)
}

// emit queues a signal in every stream that wants it.
func emit(tx *store.Tx, u store.User, body func(store.User) Body) error {
	streams, err := tx.SignalStreams(u.StoreID)
	if err != nil {
		return fmt.Errorf("list signal streams: %w", err)
	}
	for _, s := range streams {
		b := body(u)
		if b.Type == secevent.SessionRevoked || b.Type == secevent.CredentialChange {
			b.Event["event_timestamp"] = tx.Now().Unix()
		}
		if !slices.Contains(s.Events, b.Type) {
			continue
		}
		if err := Queue(tx, s, b); err != nil {
			return err
		}
	}
	return nil
}

// Queue puts a signal into one stream.
func Queue(tx *store.Tx, s store.SignalStream, b Body) error {
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode signal: %w", err)
	}
	if err := tx.InsertSignalOut(store.SignalOut{StreamID: s.ID, JTI: arn.NewUUID(), At: tx.Now(), Body: string(text)}); err != nil {
		return fmt.Errorf("queue signal: %w", err)
	}
	return nil
}

// Verify queues the event by which a stream is tested. state is what its receiver wants to see in it; nil: nothing.
func Verify(tx *store.Tx, s store.SignalStream, state *string) error {
	event := map[string]any{}
	if state != nil {
		event["state"] = *state
	}
	return Queue(tx, s, Body{Type: secevent.Verification, Event: event})
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
