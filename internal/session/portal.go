package session

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// cookiePrefix marks portal cookies for secret scanners, as AWS's prefixes mark its tokens.
const cookiePrefix = "aop"

// StartPortal makes a portal session for a person who has signed in. The cookie's value is shown this once.
func (s *Service) StartPortal(tx *store.Tx, user store.User, from Origin, mfaAt time.Time) (cookie credential.Secret, _ store.Session, err error) {
	in, err := setting.Load(tx)
	if err != nil {
		return "", store.Session{}, err
	}
	cookie, hash := credential.NewBearer(cookiePrefix)
	now := tx.Now()
	p := store.Session{
		ID: arn.NewTimeUUID(now), UserID: user.ID, CookieHash: hash, IP: clip(from.IP), UserAgent: cut(from.UserAgent),
		MFAAt: mfaAt, ProvedAt: now, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(in.SessionLife),
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
	if err := live(tx, p); err != nil {
		return p, err
	}
	return p, idle(tx, p)
}

// idle refuses a browser's session that has not been used for longer than the operator allows.
func idle(tx *store.Tx, p store.Session) error {
	in, err := setting.Load(tx)
	if err != nil {
		return err
	}
	if in.SessionIdle > 0 && !tx.Now().Before(p.SeenAt.Add(in.SessionIdle)) {
		return fault.Unauthenticatedf(fault.AuthExpired, "Your session was not used for a while and is over. Sign in again.")
	}
	return nil
}

// seenEvery is how exactly the last use of a browser's session is known.
const seenEvery = time.Minute

// Stale says that the last use of a session is worth storing again.
func Stale(p store.Session, now time.Time) bool { return now.Sub(p.SeenAt) >= seenEvery }

// Renew gives a portal session another cookie, because its person has proved a factor again: what was there before the rise
// in privilege is worth nothing after it. mfaAt zero leaves the time of the second factor as it was.
func (s *Service) Renew(tx *store.Tx, id string, mfaAt time.Time) (cookie credential.Secret, p store.Session, err error) {
	if p, err = tx.Session(id); err != nil {
		return "", p, fmt.Errorf("load portal session: %w", err)
	}
	if err := live(tx, p); err != nil {
		return "", p, err
	}
	cookie, p.CookieHash = credential.NewBearer(cookiePrefix)
	if p.ProvedAt = tx.Now(); !mfaAt.IsZero() {
		p.MFAAt = mfaAt
	}
	if err := tx.RenewSession(p); err != nil {
		return "", p, fmt.Errorf("renew portal session: %w", err)
	}
	return cookie, p, tx.Changed("session:" + id) // its tokens are remembered with the time of the second factor
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
// them, also those that signing out has left alone. Ending a session that has been ended already changes nothing else. Others are
// told of it, as of no sign-out.
func (s *Service) End(tx *store.Tx, id, by string) error {
	if ended, err := end(tx, id, by, false); err != nil || !ended {
		return err
	}
	return signal.SessionEnded(tx, id, by)
}

// SignOut ends a session because its person asks for it. Whether role credentials that were given out under it go on to
// their own end is a setting.
func (s *Service) SignOut(tx *store.Tx, id, by string) error {
	in, err := setting.Load(tx)
	if err != nil {
		return err
	}
	_, err = end(tx, id, by, !in.SignOutEndsRoles)
	return err
}

// end tells whether the session had not been ended before.
func end(tx *store.Tx, id, by string, keepRoles bool) (first bool, err error) {
	err = tx.EndSession(id, by, keepRoles)
	first = err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, fmt.Errorf("end session: %w", err)
	}
	if !first && keepRoles {
		return false, nil
	}
	if !keepRoles { // those that an earlier end has left alone
		if _, err := tx.CutKept(id); err != nil {
			return false, fmt.Errorf("end role credentials: %w", err)
		}
	}
	// Credentials under a child carry its parent's id too, so one change reaches all of them (hard part 3).
	return first, tx.Changed("session:" + id)
}

// EndAllOf ends every session of a user, and the trust in their browsers. It tells how many sessions it were.
func (s *Service) EndAllOf(tx *store.Tx, userID, by string) (int64, error) {
	n, err := tx.EndSessionsOf(userID, by)
	if err := ended(tx, userID, err); err != nil {
		return n, err
	}
	return n, signal.SessionsEnded(tx, userID, n, by)
}

// EndOthersOf ends every session of a user but one and what hangs on it, and the trust in their browsers.
func (s *Service) EndOthersOf(tx *store.Tx, userID, keep, by string) (int64, error) {
	if keep == "" { // and not those without a parent, whose parent's id is empty as well
		return s.EndAllOf(tx, userID, by)
	}
	n, err := tx.EndOtherSessions(userID, keep, by)
	if err := ended(tx, userID, err); err != nil || n == 0 {
		return n, err
	}
	return n, signal.SessionsEnded(tx, userID, n, by) // others do not know which was kept: it signs the person in again there
}

func ended(tx *store.Tx, userID string, err error) error {
	if err == nil {
		err = tx.DistrustBrowsers(userID)
	}
	if err != nil {
		return fmt.Errorf("end user's sessions: %w", err)
	}
	return tx.Changed("user:" + userID)
}

// EndEverything ends every session there is, and the trust in every browser.
func (s *Service) EndEverything(tx *store.Tx, by string) (int64, error) {
	n, err := tx.EndEverySession(by)
	if err == nil {
		err = tx.DistrustAllBrowsers()
	}
	if err != nil {
		return 0, fmt.Errorf("end all sessions: %w", err)
	}
	return n, tx.Changed("all")
}

// Ended says whether somebody has ended the session, or the one above it, and with it the role credentials that were given
// out under it. A session whose row is gone counts as ended; natural expiry does not: they outlive it, as on AWS.
func Ended(tx *store.Tx, id string) (bool, error) {
	p, err := tx.Session(id)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("load session: %w", err)
	}
	return !p.EndedAt.IsZero() && !p.KeepsRoles, nil // ending a parent ends its children's rows
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
