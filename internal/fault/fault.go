// Package fault is the only error type that crosses packages on purpose.
//
// A rule returns a fault; the edge that faces a wire translates it there, once.
// Any other error is internal: its text is logged and never sent to a client.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong, coarsely enough that every wire has an answer for it.
type Kind uint8

// The kinds. Internal is the zero value, so an unset kind reveals nothing.
const (
	Internal        Kind = iota
	Invalid              // the request breaks a rule of shape or meaning
	Malformed            // the bytes are not the protocol's: bad JSON, wrong type
	Unauthenticated      // nobody could be established; Reason says why (see the Auth constants)
	Denied               // somebody was established, and may not
	NotFound
	Conflict
	Quota
	Throttled
	Expired
	Unimplemented // modelled, and honestly not there yet
	UnknownOperation
	TooLarge    // more bytes than are read
	Unavailable // not now, though the request is good: ask again later
)

// Reasons of Unauthenticated.
const (
	AuthMissing    = "missing"     // no credentials at all
	AuthIncomplete = "incomplete"  // credentials that lack a part
	AuthUnknownKey = "unknown-key" // no such key, or one whose token is not ours
	AuthSignature  = "signature"   // the signature does not match
	AuthSkew       = "skew"        // signed too long ago, or in the future
	AuthExpired    = "expired"     // the credentials' life is over
	AuthRevoked    = "revoked"     // the right behind the credentials is gone
)

// Error is a fault. Message is for the person who reads it: what was wrong, what to do.
type Error struct {
	Kind       Kind
	Resource   string // kind of thing: "PermissionSet", "USER"
	ID         string
	Reason     string // machine-readable detail, where a wire models one
	Message    string
	RetryAfter time.Duration
	Err        error // cause, for the log only
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Newf makes a fault of the given kind.
func Newf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Invalidf says that the request breaks a rule.
func Invalidf(format string, args ...any) *Error { return Newf(Invalid, format, args...) }

// Conflictf says that the request does not fit the present state.
func Conflictf(format string, args ...any) *Error { return Newf(Conflict, format, args...) }

// Deniedf says that the caller is known and may not.
func Deniedf(format string, args ...any) *Error { return Newf(Denied, format, args...) }

// Quotaf says that a limit is reached.
func Quotaf(format string, args ...any) *Error { return Newf(Quota, format, args...) }

// Missing says that a resource of the given kind does not exist.
func Missing(resource, id string) *Error {
	return &Error{Kind: NotFound, Resource: resource, ID: id, Message: resource + " not found."}
}

// Unauthenticatedf says that no caller could be established; reason is one of the Auth constants.
func Unauthenticatedf(reason, format string, args ...any) *Error {
	e := Newf(Unauthenticated, format, args...)
	e.Reason = reason
	return e
}

// WithReason returns e with its machine-readable reason set.
func (e *Error) WithReason(reason string) *Error {
	e.Reason = reason
	return e
}

// As finds the fault in err's chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// KindOf is the kind of the fault in err's chain; Internal when there is none.
func KindOf(err error) Kind {
	if e := As(err); e != nil {
		return e.Kind
	}
	return Internal
}
