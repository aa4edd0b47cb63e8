package store

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// RoleUse says that role credentials given out under a session may be in use until a time.
type RoleUse struct {
	SessionID string
	Account   string
	Set       string // permission set's ARN
	Until     time.Time
	CutsSeen  int64 // the number of the last cut that the credentials were given out after
}

const (
	putRoleUse query = `INSERT INTO role_use (session_id, account, permission_set, until, cuts_seen) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (session_id, account, permission_set) DO UPDATE SET cuts_seen = excluded.cuts_seen, until = CASE WHEN excluded.until > role_use.until THEN excluded.until ELSE role_use.until END`
	pruneUses query = `DELETE FROM role_use WHERE (session_id, account, permission_set) IN (SELECT session_id, account, permission_set FROM role_use WHERE until < $1 ORDER BY until LIMIT $2)`

	// inUse are the roles with credentials that nobody has cut off yet: neither by an end of their session nor by a cut.
	inUse = ` FROM session s JOIN role_use u ON u.session_id = s.id WHERE u.until > $1 AND (s.ended_at = 0 OR s.keeps_roles)
		AND NOT EXISTS (SELECT 1 FROM cut c WHERE c.key IN ('account:' || u.account, 'set:' || u.permission_set, 'grant:' || u.account || '/' || u.permission_set) AND c.number > u.cuts_seen)`
	rolesInUse    query = `SELECT COUNT(*)` + inUse + ` AND u.session_id IN (SELECT id FROM session WHERE id = $2 UNION ALL SELECT id FROM session WHERE parent_id = $3)`
	usesOfUser    query = `SELECT COUNT(*) FROM (SELECT 1` + inUse + ` AND s.user_id = $2 LIMIT $3) AS n`
	usesOfSet     query = `SELECT COUNT(*) FROM (SELECT 1` + inUse + ` AND u.permission_set = $2 LIMIT $3) AS n`
	usesInAccount query = `SELECT COUNT(*) FROM (SELECT 1` + inUse + ` AND u.account = $2 LIMIT $3) AS n`
	usesOfGrant   query = `SELECT COUNT(*) FROM (SELECT 1` + inUse + ` AND u.account = $2 AND u.permission_set = $3 LIMIT $4) AS n`

	accountsOfUser    query = `SELECT DISTINCT u.account FROM session s JOIN role_use u ON u.session_id = s.id WHERE s.user_id = $1 AND u.until > $2 AND u.account > $3 ORDER BY u.account LIMIT $4`
	accountsOfSession query = `SELECT DISTINCT account FROM role_use WHERE until > $1 AND account > $2 AND session_id IN (SELECT id FROM session WHERE id = $3 UNION ALL SELECT id FROM session WHERE parent_id = $4) ORDER BY account LIMIT $5`
	setsOfUser        query = `SELECT DISTINCT u.permission_set FROM session s JOIN role_use u ON u.session_id = s.id WHERE s.user_id = $1 AND u.account = $2 ORDER BY u.permission_set`
	setsOfSession     query = `SELECT DISTINCT permission_set FROM role_use WHERE account = $1 AND session_id IN (SELECT id FROM session WHERE id = $2 UNION ALL SELECT id FROM session WHERE parent_id = $3) ORDER BY permission_set`

	portalOfUser    query = `SELECT COUNT(*) FROM session WHERE user_id = $1 AND parent_id = '' AND ended_at = 0 AND expires_at > $2`
	clientsOfUser   query = `SELECT COUNT(*) FROM session WHERE user_id = $1 AND parent_id <> '' AND ended_at = 0 AND expires_at > $2`
	clientsBelow    query = `SELECT COUNT(*) FROM session WHERE parent_id = $1 AND ended_at = 0 AND expires_at > $2`
	familiesOfUser  query = `SELECT COUNT(DISTINCT t.session_id) FROM session s JOIN refresh_token t ON t.session_id = s.id WHERE s.user_id = $1 AND s.ended_at = 0 AND s.expires_at > $2`
	familiesOfBelow query = `SELECT COUNT(DISTINCT t.session_id) FROM session s JOIN refresh_token t ON t.session_id = s.id WHERE s.id IN (SELECT id FROM session WHERE id = $1 UNION ALL SELECT id FROM session WHERE parent_id = $2) AND s.ended_at = 0 AND s.expires_at > $3`
)

// PutRoleUse stores until when credentials of a role may be in use; an earlier time than is known changes nothing.
func (tx *Tx) PutRoleUse(u RoleUse) error {
	_, err := tx.exec(putRoleUse, u.SessionID, u.Account, u.Set, micros(u.Until), u.CutsSeen)
	return err
}

// RolesInUse counts the roles whose credentials, given out under a session or its children, may be in use, and which nobody has cut off.
func (tx *Tx) RolesInUse(sessionID string) (int64, error) {
	return get(tx, rolesInUse, scanLarge, micros(tx.now), sessionID, sessionID)
}

func scanLarge(r row) (n int64, err error) { err = r.Scan(&n); return n, err }

// UsesOfUser counts the roles whose credentials, given out to a user, may be in use, as RolesInUse, up to a bound.
func (tx *Tx) UsesOfUser(userID string, bound int) (int64, error) {
	return get(tx, usesOfUser, scanLarge, micros(tx.now), userID, bound)
}

// UsesOf counts the uses of a permission set's roles, or (the zero set) of all roles of an account, as RolesInUse, up to a bound. Without
// an account it is in all.
func (tx *Tx) UsesOf(set arn.PermissionSet, account arn.AccountID, bound int) (int64, error) {
	switch {
	case account == "":
		return get(tx, usesOfSet, scanLarge, micros(tx.now), set.ARN(), bound)
	case set.ID == "":
		return get(tx, usesInAccount, scanLarge, micros(tx.now), account, bound)
	}
	return get(tx, usesOfGrant, scanLarge, micros(tx.now), account, set.ARN(), bound)
}

// AccountsInUse lists the accounts in which role credentials may be in use that were given out to a user or, if it is not
// empty, in a session and its children.
func (tx *Tx) AccountsInUse(userID, sessionID string, q page.Query) ([]arn.AccountID, page.Key, error) {
	scan := func(r row) (a arn.AccountID, err error) { err = r.Scan(&a); return a, err }
	var rows []arn.AccountID
	var err error
	if sessionID == "" {
		rows, err = list(tx, accountsOfUser, scan, userID, micros(tx.now), at(q.After, 0), q.Limit+1)
	} else {
		rows, err = list(tx, accountsOfSession, scan, micros(tx.now), at(q.After, 0), sessionID, sessionID, q.Limit+1)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a arn.AccountID) page.Key { return page.Key{string(a)} })
	return rows, next, nil
}

// SetsInUse are the ARNs of the permission sets of whose roles in an account credentials were given out: as AccountsInUse.
func (tx *Tx) SetsInUse(account arn.AccountID, userID, sessionID string) ([]string, error) {
	if sessionID == "" {
		return list(tx, setsOfUser, scanText, userID, account)
	}
	return list(tx, setsOfSession, scanText, account, sessionID, sessionID)
}

// LiveOfUser counts a user's live sessions, and the families of refresh tokens among them.
func (tx *Tx) LiveOfUser(userID string) (c RevocationCounts, err error) {
	if c.Portal, err = get(tx, portalOfUser, scanLarge, userID, micros(tx.now)); err != nil {
		return c, err
	}
	if c.Clients, err = get(tx, clientsOfUser, scanLarge, userID, micros(tx.now)); err != nil {
		return c, err
	}
	c.Families, err = get(tx, familiesOfUser, scanLarge, userID, micros(tx.now))
	return c, err
}

// LiveBelow counts the live client sessions below a portal session, and the families of refresh tokens of it and them.
func (tx *Tx) LiveBelow(sessionID string) (c RevocationCounts, err error) {
	if c.Clients, err = get(tx, clientsBelow, scanLarge, sessionID, micros(tx.now)); err != nil {
		return c, err
	}
	c.Families, err = get(tx, familiesOfBelow, scanLarge, sessionID, sessionID, micros(tx.now))
	return c, err
}
