// Package session has the rules of being signed in: portal sessions of people in a browser, client sessions below them
// (the AWS CLI and its kin), how a client comes to one (device authorization, RFC 8628; authorization code with PKCE,
// RFC 7636; refresh), and how they end.
//
// Anybody may register a client and start a device authorization, so neither leaves a row: client ids and device codes
// are sealed blobs that the client keeps for us. A row is written when a person has decided.
//
// What a person sees of it is package web's and oauth's, the wire is package ssooidc's, and what a session may reach is
// package access's. Refusals carry the OAuth error code as their fault's reason.
package session

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/quota"
)

// Service has the rules of sessions and what they need. The fields are set once, before its first use.
type Service struct {
	Clock    clock.Clock
	Keys     *keyring.Ring
	Instance arn.Instance // clients and codes of another instance mean nothing here
	URLs     URLs

	pending pending       // device authorizations that nobody has decided on
	tries   tries         // failed look-ups of user codes
	opened  quota.Buckets // use of the operations that are open to anyone, by address
}

// URLs are the addresses of the instance.
type URLs struct {
	Start  string // AWS-shaped and opaque: https://d-….awsapps.com/start
	Portal string // where people really go, without a slash at its end: https://id.example.org
	Issuer string // https://identitycenter.amazonaws.com/ssoins-…
}

// Origin is where a request came from. People are shown it, so that they can tell theirs from another's.
type Origin struct {
	IP        string
	UserAgent string
}

// Lifetimes (behaviour reference §5.3). A client registered without scopes is of the old kind: it knows no refresh.
const (
	clientLife   = 90 * 24 * time.Hour
	deviceLife   = 10 * time.Minute
	codeLife     = 2 * time.Minute
	scopedLife   = time.Hour
	unscopedLife = 8 * time.Hour
	refreshGrace = time.Minute // parallel processes share one token (hard part 8)

	// keepSessions is how long a session's row outlives it: longer than any credential that was given out under it.
	keepSessions = 30 * 24 * time.Hour
)

// OAuth error codes (RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8628 §3.5).
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	invalidGrant         = "invalid_grant"
	invalidScope         = "invalid_scope"
	invalidMetadata      = "invalid_client_metadata"
	invalidRedirect      = "invalid_redirect_uri"
	unauthorizedClient   = "unauthorized_client"
	unsupportedGrant     = "unsupported_grant_type"
	unsupportedResponse  = "unsupported_response_type"
	authorizationPending = "authorization_pending"
	slowDown             = "slow_down"
	accessDenied         = "access_denied"
	expiredToken         = "expired_token"
)

// refuse is a refusal with an OAuth error code.
func refuse(code, format string, args ...any) *fault.Error {
	kind := fault.Invalid
	switch code {
	case slowDown:
		kind = fault.Throttled
	case accessDenied:
		kind = fault.Denied
	case expiredToken:
		kind = fault.Expired
	}
	return fault.Newf(kind, format, args...).WithReason(code)
}
