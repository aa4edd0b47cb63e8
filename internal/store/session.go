package store

import "time"

// Session is a time during which a person is signed in: in a browser (a portal session), or with a client such as the
// AWS CLI that was approved in a portal session, its parent.
type Session struct {
	ID         string // UUID; the credentialId of audit events
	ParentID   string // empty: a portal session
	UserID     string
	CookieHash string // of a portal session only
	ClientKey  string // of a client session only: which registration
	ClientName string // as the client calls itself
	Scopes     string // separated by spaces
	IP         string
	UserAgent  string
	MFAAt      time.Time // zero: none
	ProvedAt   time.Time // when a factor was proved last
	CreatedAt  time.Time
	SeenAt     time.Time // last used to get something
	ExpiresAt  time.Time
	EndedAt    time.Time // zero: nobody has ended it
	EndedBy    string
	KeepsRoles bool // its end left alone the role credentials that were given out under it
}

// Live says that nobody has ended the session and that its time is not over.
func (s Session) Live(now time.Time) bool { return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) }

// AccessToken is a bearer token of a session, known by its hash.
type AccessToken struct {
	Hash      string
	SessionID string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Bearer is what counts of an access token, its session and its user whenever the token is used: one query, and no more
// columns than that.
type Bearer struct {
	IssuedAt   time.Time
	ExpiresAt  time.Time
	SessionID  string
	ParentID   string
	Scopes     string // separated by spaces
	MFAAt      time.Time
	Ended      bool      // by somebody
	SessionEnd time.Time // natural
	UserID     string
	UserName   string
	UserStatus UserStatus
}

const sessionColumns = `s.id, s.parent_id, s.user_id, s.cookie_hash, s.client_key, s.client_name, s.scopes, s.ip, s.user_agent, s.mfa_at, s.created_at, s.seen_at, s.expires_at, s.ended_at, s.ended_by, s.proved_at, s.keeps_roles`

// Where a parent, a user or a client is named, the plus keeps SQLite from the index of all live sessions, which it would rather walk.
const (
	insertSession query = `INSERT INTO session (id, parent_id, user_id, cookie_hash, client_key, client_name, scopes, ip, user_agent, mfa_at, created_at, seen_at, expires_at, ended_at, ended_by, proved_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '', $14)`
	sessionByID     query = `SELECT ` + sessionColumns + ` FROM session s WHERE s.id = $1`
	sessionByCookie query = `SELECT ` + sessionColumns + ` FROM session s WHERE s.cookie_hash = $1`
	sessionSeen     query = `UPDATE session SET seen_at = $1 WHERE id = $2`
	renewSession    query = `UPDATE session SET cookie_hash = $1, mfa_at = $2, proved_at = $3, seen_at = $4 WHERE id = $5`
	renewChildren   query = `UPDATE session SET mfa_at = $1 WHERE parent_id = $2`
	endSession      query = `UPDATE session SET ended_at = $1, ended_by = $2, keeps_roles = $3 WHERE id = $4 AND ended_at = 0`
	endChildren     query = `UPDATE session SET ended_at = $1, ended_by = $2, keeps_roles = $3 WHERE parent_id = $4 AND +ended_at = 0`
	cutKept         query = `UPDATE session SET keeps_roles = FALSE WHERE id = $1 AND keeps_roles`
	cutKeptBelow    query = `UPDATE session SET keeps_roles = FALSE WHERE parent_id = $1 AND keeps_roles`
	cutKeptOfUser   query = `UPDATE session SET keeps_roles = FALSE WHERE user_id = $1 AND keeps_roles`
	cutKeptOfOthers query = `UPDATE session SET keeps_roles = FALSE WHERE user_id = $1 AND keeps_roles AND id <> $2 AND parent_id <> $3`
	cutKeptOfAll    query = `UPDATE session SET keeps_roles = FALSE WHERE keeps_roles`
	endUser         query = `UPDATE session SET ended_at = $1, ended_by = $2 WHERE user_id = $3 AND +ended_at = 0`
	endOthers       query = `UPDATE session SET ended_at = $1, ended_by = $2 WHERE user_id = $3 AND +ended_at = 0 AND id <> $4 AND parent_id <> $5`
	endEvery        query = `UPDATE session SET ended_at = $1, ended_by = $2 WHERE ended_at = 0`
	liveOfClient    query = `SELECT id FROM session WHERE client_key = $1 AND +ended_at = 0 AND expires_at > $2 ORDER BY id`
	pruneSessions   query = `DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
	insertToken     query = `INSERT INTO access_token (hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)`
	bearerByHash    query = `SELECT t.issued_at, t.expires_at, s.id, s.parent_id, s.scopes, s.mfa_at, s.ended_at, s.expires_at, u.id, u.user_name, u.status
		FROM access_token t JOIN session s ON s.id = t.session_id JOIN directory_user u ON u.id = s.user_id WHERE t.hash = $1`
	pruneTokens query = `DELETE FROM access_token WHERE hash IN (SELECT hash FROM access_token WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
)

// sessionRow receives a session's columns, in the order in which every query of this file names them.
type sessionRow struct {
	s                                  Session
	cookie                             *string
	mfa, created, seen, expires, ended int64
	proved                             int64
}

func (r *sessionRow) dest() []any {
	s := &r.s
	return []any{
		&s.ID, &s.ParentID, &s.UserID, &r.cookie, &s.ClientKey, &s.ClientName, &s.Scopes, &s.IP, &s.UserAgent,
		&r.mfa, &r.created, &r.seen, &r.expires, &r.ended, &s.EndedBy, &r.proved, &s.KeepsRoles,
	}
}

func (r *sessionRow) session() Session {
	s := r.s
	if r.cookie != nil {
		s.CookieHash = *r.cookie
	}
	s.MFAAt, s.CreatedAt = fromMicros(r.mfa), fromMicros(r.created)
	s.SeenAt, s.ExpiresAt, s.EndedAt = fromMicros(r.seen), fromMicros(r.expires), fromMicros(r.ended)
	s.ProvedAt = fromMicros(r.proved)
	return s
}

func scanSession(r row) (Session, error) {
	var in sessionRow
	err := r.Scan(in.dest()...)
	return in.session(), err
}

func scanBearer(r row) (b Bearer, err error) {
	var issued, expires, mfa, ended, end int64
	err = r.Scan(&issued, &expires, &b.SessionID, &b.ParentID, &b.Scopes, &mfa, &ended, &end, &b.UserID, &b.UserName, &b.UserStatus)
	b.IssuedAt, b.ExpiresAt, b.MFAAt, b.Ended, b.SessionEnd = fromMicros(issued), fromMicros(expires), fromMicros(mfa), ended != 0, fromMicros(end)
	return b, err
}

// InsertSession adds a session that nobody has ended.
func (tx *Tx) InsertSession(s Session) error {
	_, err := tx.exec(insertSession, s.ID, s.ParentID, s.UserID, nullable(s.CookieHash), s.ClientKey, s.ClientName, s.Scopes, s.IP, s.UserAgent,
		micros(s.MFAAt), micros(s.CreatedAt), micros(s.SeenAt), micros(s.ExpiresAt), micros(s.ProvedAt))
	return err
}

// Session is the session with the id, live or not; ErrNotFound.
func (tx *Tx) Session(id string) (Session, error) { return get(tx, sessionByID, scanSession, id) }

// SessionOfCookie is the portal session whose cookie has the hash, live or not; ErrNotFound.
func (tx *Tx) SessionOfCookie(hash string) (Session, error) {
	return get(tx, sessionByCookie, scanSession, hash)
}

// SessionSeen stamps a session as used now.
func (tx *Tx) SessionSeen(id string) error { return one(tx.exec(sessionSeen, micros(tx.now), id)) }

// RenewSession gives a portal session another cookie and the times at which factors were proved; its children inherit that
// of the second factor. ErrNotFound.
func (tx *Tx) RenewSession(s Session) error {
	if err := one(tx.exec(renewSession, s.CookieHash, micros(s.MFAAt), micros(s.ProvedAt), micros(tx.now), s.ID)); err != nil {
		return err
	}
	_, err := tx.exec(renewChildren, micros(s.MFAAt), s.ID)
	return err
}

// EndSession ends a session, with all of its children; ErrNotFound when it is not there or has been ended already.
// keepRoles leaves alone the role credentials that were given out under it.
func (tx *Tx) EndSession(id, by string, keepRoles bool) error {
	if err := one(tx.exec(endSession, micros(tx.now), by, keepRoles, id)); err != nil {
		return err
	}
	_, err := tx.exec(endChildren, micros(tx.now), by, keepRoles, id)
	return err
}

// CutKept ends the role credentials that the end of a session, or of its children, has left alone. It tells in how many sessions.
func (tx *Tx) CutKept(id string) (int64, error) {
	n, err := tx.exec(cutKept, id)
	if err != nil {
		return 0, err
	}
	m, err := tx.exec(cutKeptBelow, id)
	return n + m, err
}

// EndOtherSessions ends every session of a user but the one with the id keep and its children, and tells how many it were. Role
// credentials of sessions that had ended before end as well: here and in what follows.
func (tx *Tx) EndOtherSessions(userID, keep, by string) (int64, error) {
	if _, err := tx.exec(cutKeptOfOthers, userID, keep, keep); err != nil {
		return 0, err
	}
	return tx.exec(endOthers, micros(tx.now), by, userID, keep, keep)
}

// EndEverySession ends every session there is and tells how many it were.
func (tx *Tx) EndEverySession(by string) (int64, error) {
	if _, err := tx.exec(cutKeptOfAll); err != nil {
		return 0, err
	}
	return tx.exec(endEvery, micros(tx.now), by)
}

// EndSessionsOf ends every session of a user and tells how many it were.
func (tx *Tx) EndSessionsOf(userID, by string) (int64, error) {
	if _, err := tx.exec(cutKeptOfUser, userID); err != nil {
		return 0, err
	}
	return tx.exec(endUser, micros(tx.now), by, userID)
}

// LiveSessionsOfClient lists the ids of the live sessions of one client registration.
func (tx *Tx) LiveSessionsOfClient(clientKey string) ([]string, error) {
	return list(tx, liveOfClient, func(r row) (id string, err error) { err = r.Scan(&id); return id, err }, clientKey, micros(tx.now))
}

// InsertAccessToken adds a bearer token.
func (tx *Tx) InsertAccessToken(t AccessToken) error {
	_, err := tx.exec(insertToken, t.Hash, t.SessionID, micros(t.IssuedAt), micros(t.ExpiresAt))
	return err
}

// Bearer is what the token with the hash stands for, live or not; ErrNotFound, also when the user is gone.
func (tx *Tx) Bearer(hash string) (Bearer, error) { return get(tx, bearerByHash, scanBearer, hash) }

// PruneSessions deletes up to limit rows of each kind that serve nobody any more: expired tokens, codes and decisions, roles
// that are not in use any more, and notices and sessions from before the given time. It tells how many rows went.
func (tx *Tx) PruneSessions(sessionsBefore time.Time, limit int) (int64, error) {
	var total int64
	for _, p := range []struct {
		q      query
		before time.Time
	}{{pruneTokens, tx.now}, {pruneRefresh, tx.now}, {pruneAuthCodes, tx.now}, {pruneDecisions, tx.now}, {pruneUses, tx.now}, {pruneNotices, sessionsBefore}, {pruneSessions, sessionsBefore}} {
		n, err := tx.exec(p.q, micros(p.before), limit)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}
