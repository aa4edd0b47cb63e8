package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// maxBearer bounds what is taken for a token: ours have 46 characters.
const maxBearer = 128

// Authenticate finds the person behind a bearer token of the portal API, in one query. Every refusal reads the same
// (case S33): a client does not learn whether a token is unknown, expired or revoked.
func (s *Service) Authenticate(tx *store.Tx, bearer string) (credential.Caller, error) {
	if bearer == "" || len(bearer) > maxBearer {
		return credential.Caller{}, noSession(fault.AuthMissing)
	}
	b, err := tx.Bearer(credential.HashBearer(bearer))
	if errors.Is(err, store.ErrNotFound) {
		return credential.Caller{}, noSession(fault.AuthUnknownKey)
	}
	if err != nil {
		return credential.Caller{}, fmt.Errorf("load access token: %w", err)
	}
	expires := b.ExpiresAt
	if b.SessionEnd.Before(expires) {
		expires = b.SessionEnd
	}
	switch {
	case b.Ended || b.UserStatus != store.UserEnabled:
		return credential.Caller{}, noSession(fault.AuthRevoked)
	case !tx.Now().Before(expires):
		return credential.Caller{}, noSession(fault.AuthExpired)
	case !slices.Contains(strings.Fields(b.Scopes), AccountAccess):
		return credential.Caller{}, noSession(fault.AuthUnknownKey)
	}
	return credential.Caller{
		Kind: credential.Bearer, UserID: b.UserID, UserName: b.UserName, SessionID: b.SessionID, ParentID: b.ParentID,
		SessionEnds: b.SessionEnd, Issued: b.IssuedAt, Expires: expires, MFATime: b.MFAAt,
	}, nil
}

func noSession(reason string) error {
	return fault.Unauthenticatedf(reason, "Session token not found or invalid")
}
