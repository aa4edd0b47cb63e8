package session

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// cookiePrefix marks portal cookies for secret scanners, as AWS's prefixes mark its tokens.
const cookiePrefix = "aop"

// StartPortal makes a portal session for a person who has signed in. The cookie's value is shown this once.
func (s *Service) StartPortal(tx *store.Tx, user store.User, from Origin, mfaAt time.Time) (cookie credential.Secret, _ store.Session, err error) {
	life := s.PortalLife
	if life == 0 {
		life = portalLife
	}
	cookie, hash := credential.NewBearer(cookiePrefix)
	now := tx.Now()
	p := store.Session{
		ID: arn.NewTimeUUID(now), UserID: user.ID, CookieHash: hash, IP: clip(from.IP), UserAgent: cut(from.UserAgent),
		MFAAt: mfaAt, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(life),
	}
	if err := tx.InsertSession(p); err != nil {
		return "", store.Session{}, fmt.Errorf("add portal session: %w", err)
	}
	return cookie, p, nil
}

// Portal is the live session of a cookie whose user is enabled; otherwise an Unauthenticated fault.
func (s *Service) Portal(tx *store.Tx, cookie string) (store.Session, error) {
	if cookie == "" || len(cookie) > maxBearer {
		return store.Session{}, fault.Unauthenticatedf(fault.AuthMissing, "Sign in first.")
	}
	p, err := tx.SessionOfCookie(credential.HashBearer(cookie))
	if errors.Is(err, store.ErrNotFound) {
		return store.Session{}, fault.Unauthenticatedf(fault.AuthUnknownKey, "Your session is not known any more. Sign in again.")
	}
	if err != nil {
		return store.Session{}, fmt.Errorf("load portal session: %w", err)
	}
	return p, live(tx, p)
}

// live refuses a session that has ended, whose time is over or whose user is gone or disabled.
func live(tx *store.Tx, p store.Session) error {
	if !p.EndedAt.IsZero() {
		return fault.Unauthenticatedf(fault.AuthRevoked, "Your session has been ended. Sign in again.")
	}
	if !p.Live(tx.Now()) {
		return fault.Unauthenticatedf(fault.AuthExpired, "Your session is over. Sign in again.")
	}
	u, err := tx.User(p.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load user: %w", err)
	}
	if err != nil || u.Status != store.UserEnabled {
		return fault.Unauthenticatedf(fault.AuthRevoked, "Your account is disabled. Ask your administrator.")
	}
	return nil
}

// End ends a session with all that hangs on it: its children, their tokens, and the role credentials given out under
// them. Ending a session that has been ended already changes nothing.
func (s *Service) End(tx *store.Tx, id, by string) error {
	err := tx.EndSession(id, by)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	// Credentials under a child carry its parent's id too, so one change reaches all of them (hard part 3).
	return tx.Changed("session:" + id)
}

// EndAllOf ends every session of a user.
func (s *Service) EndAllOf(tx *store.Tx, userID, by string) error {
	if _, err := tx.EndSessionsOf(userID, by); err != nil {
		return fmt.Errorf("end user's sessions: %w", err)
	}
	return tx.Changed("user:" + userID)
}

// Ended says whether somebody has ended the session, or the one above it. A session whose row is gone counts as ended;
// natural expiry does not: role credentials outlive it, as on AWS.
func Ended(tx *store.Tx, id string) (bool, error) {
	p, err := tx.Session(id)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("load session: %w", err)
	}
	return !p.EndedAt.IsZero(), nil // ending a parent ends its children's rows
}

// Prune deletes what serves nobody any more, in bounded steps: call it again while it says that there may be more.
func (s *Service) Prune(tx *store.Tx) (more bool, err error) {
	const limit = 500
	n, err := tx.PruneSessions(tx.Now().Add(-keepSessions), limit)
	return n >= limit, err
}

// cut bounds what a client says of itself before it is stored, and leaves out what is no text: PostgreSQL refuses that.
func cut(userAgent string) string {
	return strings.ToValidUTF8(userAgent[:min(len(userAgent), 256)], "")
}
