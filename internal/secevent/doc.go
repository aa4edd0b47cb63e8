// Package secevent reads and writes security event tokens (RFC 8417) as the OpenID Shared Signals Framework 1.0 has them: one
// event a token, its subject in sub_id (RFC 9493), signed as a JWS. It knows bytes and keys; what an event does is package heed's,
// and how tokens travel is package ssf's.
//
// A token is taken only with one of a few asymmetric algorithms, the type secevent+jwt and a key id that the issuer publishes. So
// no other JWT of the same issuer (an ID token) passes for one, nor one that somebody without a key has made.
package secevent

import "fmt"

// MaxSize bounds the tokens that are looked at, in bytes.
const MaxSize = 64 << 10

// Types of events.
const (
	SessionRevoked   = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
	CredentialChange = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
	AccountDisabled  = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
	AccountEnabled   = "https://schemas.openid.net/secevent/risc/event-type/account-enabled"
	AccountPurged    = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
	Verification     = "https://schemas.openid.net/secevent/ssf/event-type/verification"
)

// Codes of problems (RFC 8935 §2.4, which RFC 8936 shares).
const (
	InvalidRequest       = "invalid_request"
	InvalidKey           = "invalid_key"
	InvalidIssuer        = "invalid_issuer"
	InvalidAudience      = "invalid_audience"
	AuthenticationFailed = "authentication_failed"
	AccessDenied         = "access_denied"
)

// Problem says why a token is not taken. It is what the transmitter is told.
type Problem struct {
	Code        string `json:"err"`
	Description string `json:"description"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.Description }

func problem(code, format string, args ...any) *Problem {
	return &Problem{code, fmt.Sprintf(format, args...)}
}
