package session

import (
	"errors"
	"fmt"
	"strconv"

	"sallyport/internal/credential"
	"sallyport/internal/store"
)

const refreshLabel = "refresh token"

// redeemRefresh exchanges a refresh token for an access token and the next refresh token of its family, which is the
// client session. Processes that share a cache file refresh at once with the same token, and only one answer stays in
// the file: so for a minute a used token gives the same successor again. Used later, it has been stolen by somebody, and
// the family ends (hard part 8, RFC 9700 §4.14.2).
func (s *Service) redeemRefresh(tx *store.Tx, g Grant) (Outcome, error) {
	t, err := tx.RefreshToken(credential.HashBearer(g.RefreshToken))
	if errors.Is(err, store.ErrNotFound) {
		return refused(refuse(invalidGrant, "The refresh token is not known. Sign in again."))
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("load refresh token: %w", err)
	}
	c, err := tx.Session(t.SessionID)
	if err != nil {
		return Outcome{}, fmt.Errorf("load client session: %w", err)
	}
	if c.ClientKey != g.client.Key {
		return refused(refuse(invalidGrant, "The refresh token belongs to another client."))
	}
	if err := live(tx, c); err != nil {
		return refusedAs(invalidGrant, err) // case S29
	}
	if !t.UsedAt.IsZero() && !tx.Now().Before(t.UsedAt.Add(refreshGrace)) {
		return s.endFamily(tx, c.ID, "refresh token")
	}
	if err := tx.SessionSeen(c.ID); err != nil {
		return Outcome{}, fmt.Errorf("stamp client session: %w", err)
	}
	out := Outcome{Session: c}
	if out.Token, err = s.accessToken(tx, g.client, c); err != nil {
		return Outcome{}, err
	}
	if !t.UsedAt.IsZero() {
		out.Token.Refresh, _ = s.familyMember(c, t.Generation+1)
		return out, nil
	}
	if err := tx.UseRefreshToken(t.Hash); err != nil {
		return Outcome{}, fmt.Errorf("use refresh token: %w", err)
	}
	out.Token.Refresh, err = s.refreshToken(tx, c, t.Generation+1)
	return out, err
}

// endFamily ends a client session because something of it was used twice.
func (s *Service) endFamily(tx *store.Tx, id, what string) (Outcome, error) {
	c, err := tx.Session(id)
	if err != nil {
		return Outcome{}, fmt.Errorf("load client session: %w", err)
	}
	if err := s.End(tx, id, what+" used twice"); err != nil {
		return Outcome{}, err
	}
	return Outcome{Session: c, Reused: what, Refused: refuse(invalidGrant, "This has been used before, so somebody else may have it: the session has been ended. Sign in again.")}, nil
}

// refreshToken stores and returns the token of a generation.
func (s *Service) refreshToken(tx *store.Tx, c store.Session, generation int64) (credential.Secret, error) {
	token, hash := s.familyMember(c, generation)
	err := tx.InsertRefreshToken(store.RefreshToken{Hash: hash, SessionID: c.ID, Generation: generation, ExpiresAt: c.ExpiresAt})
	if err != nil {
		return "", fmt.Errorf("add refresh token: %w", err)
	}
	return token, nil
}

// familyMember is the token of a generation: the same each time, though only its hash is stored.
func (s *Service) familyMember(c store.Session, generation int64) (credential.Secret, string) {
	mac := s.Keys.MAC(refreshLabel, c.CreatedAt, c.ID, strconv.FormatInt(generation, 10))
	return credential.BearerFrom(credential.RefreshToken, mac)
}
