package store

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Path is one way by which a user has a permission set in an account at a time: by an assignment of their own, or by one of a group
// that they are in. Whether the user is enabled is another question: see [Tx.UsersAt].
type Path struct {
	Account       arn.AccountID
	Set           arn.PermissionSet
	PrincipalType PrincipalType
	PrincipalID   string // the user's, or the group's
	UserID        string

	Granted, Revoked Mark // of the assignment; Revoked.At is zero while it stands
	Joined, Left     Mark // of the membership; zero where there is none
}

// Since is the end of the path's making: of the assignment or of the membership, whichever was later.
func (p Path) Since() Mark {
	if p.Joined.At.After(p.Granted.At) {
		return p.Joined
	}
	return p.Granted
}

// Until is how the path ended: the zero Mark while it stands.
func (p Path) Until() Mark {
	if p.Revoked.At.IsZero() || !p.Left.At.IsZero() && p.Left.At.Before(p.Revoked.At) {
		return p.Left
	}
	return p.Revoked
}

// What assignments and memberships say, as what stands and as what has ended, in the same columns; $1 is the time.
const (
	stands   = `a.account_id, a.instance_id, a.permission_set, a.principal_type, a.principal_id, ` + grantedAt + `, a.event_id, a.created_by, 0, '', ''`
	stood    = `a.account_id, a.instance_id, a.permission_set, a.principal_type, a.principal_id, a.from_at, a.from_event, a.from_by, a.to_at, a.to_event, a.to_by`
	isIn     = `, m.user_id, m.created_at, m.event_id, m.created_by, 0, '', ''`
	wasIn    = `, m.user_id, m.from_at, m.from_event, m.from_by, m.to_at, m.to_event, m.to_by`
	byItself = `, a.principal_id AS user_id, 0, '', '', 0, '', ''`

	standsThen = grantedAt + ` <= $1 AND a.state = 'GRANTED'`
	stoodThen  = `a.from_at <= $1 AND a.to_at > $1`
	isInThen   = `m.created_at <= $1`
	wasInThen  = `m.from_at <= $1 AND m.to_at > $1`
	groupThen  = ` AND a.principal_type = 'GROUP' AND (EXISTS (SELECT 1 FROM directory_group g WHERE g.id = m.group_id)
		OR EXISTS (SELECT 1 FROM group_past g WHERE g.group_id = m.group_id AND g.to_at > $1 AND g.gone))
		AND (EXISTS (SELECT 1 FROM directory_user u WHERE u.id = m.user_id) OR EXISTS (SELECT 1 FROM user_past u WHERE u.user_id = m.user_id AND u.to_at > $1 AND u.gone))`
	userThen = ` AND a.principal_type = 'USER'
		AND (EXISTS (SELECT 1 FROM directory_user u WHERE u.id = a.principal_id) OR EXISTS (SELECT 1 FROM user_past u WHERE u.user_id = a.principal_id AND u.to_at > $1 AND u.gone))`

	viaNow  = ` FROM membership m JOIN assignment a ON a.principal_id = m.group_id WHERE ` + isInThen + ` AND ` + standsThen + groupThen
	viaThen = ` FROM membership m JOIN assignment_past a ON a.principal_id = m.group_id WHERE ` + isInThen + ` AND ` + stoodThen + groupThen
	wereNow = ` FROM membership_past m JOIN assignment a ON a.principal_id = m.group_id WHERE ` + wasInThen + ` AND ` + standsThen + groupThen
	were    = ` FROM membership_past m JOIN assignment_past a ON a.principal_id = m.group_id WHERE ` + wasInThen + ` AND ` + stoodThen + groupThen
	ownNow  = ` FROM assignment a WHERE ` + standsThen + userThen
	ownThen = ` FROM assignment_past a WHERE ` + stoodThen + userThen

	inReach  = ` AND m.user_id = $2 AND a.account_id >= $3 AND a.account_id <= $4`
	ownReach = ` AND a.principal_id = $2 AND a.account_id >= $3 AND a.account_id <= $4`

	pathsOfUser query = `SELECT * FROM (
		SELECT ` + stands + isIn + viaNow + inReach + `
		UNION ALL SELECT ` + stood + isIn + viaThen + inReach + `
		UNION ALL SELECT ` + stands + wasIn + wereNow + inReach + `
		UNION ALL SELECT ` + stood + wasIn + were + inReach + `
		UNION ALL SELECT ` + stands + byItself + ownNow + ownReach + `
		UNION ALL SELECT ` + stood + byItself + ownThen + ownReach + `
		) p WHERE instance_id = $5 AND (account_id, permission_set, principal_id) > ($6, $7, $8)
		ORDER BY account_id, permission_set, principal_id LIMIT $9`
)

func scanPath(r row) (p Path, err error) {
	var from, to, in, out int64
	err = r.Scan(&p.Account, &p.Set.Instance, &p.Set.ID, &p.PrincipalType, &p.PrincipalID,
		&from, &p.Granted.Event, &p.Granted.By, &to, &p.Revoked.Event, &p.Revoked.By,
		&p.UserID, &in, &p.Joined.Event, &p.Joined.By, &out, &p.Left.Event, &p.Left.By)
	p.Granted.At, p.Revoked.At, p.Joined.At, p.Left.At = fromMicros(from), fromMicros(to), fromMicros(in), fromMicros(out)
	return p, err
}

// PathsOfUser lists the paths of a user at a time, by account, permission set and principal. An account narrows the list to it; "" does not.
func (tx *Tx) PathsOfUser(i arn.Instance, userID string, account arn.AccountID, t time.Time, q page.Query) ([]Path, page.Key, error) {
	low, high := account, account
	if account == "" {
		low, high = arn.AccountID(at(q.After, 0)), "999999999999" // account ids are 12 digits
	}
	rows, err := list(tx, pathsOfUser, scanPath, micros(t), userID, low, high, i, at(q.After, 0), at(q.After, 1), at(q.After, 2), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(p Path) page.Key { return page.Key{string(p.Account), p.Set.ID, p.PrincipalID} })
	return rows, next, nil
}

// lastEnds are when assignments and memberships ended that may have led a user into an account.
const lastEnds query = `SELECT DISTINCT to_at FROM (
	SELECT a.to_at FROM assignment_past a WHERE a.principal_id = $1 AND a.account_id = $2
	UNION ALL SELECT a.to_at FROM membership m JOIN assignment_past a ON a.principal_id = m.group_id WHERE m.user_id = $1 AND a.account_id = $2
	UNION ALL SELECT a.to_at FROM membership_past m JOIN assignment_past a ON a.principal_id = m.group_id WHERE m.user_id = $1 AND a.account_id = $2
	UNION ALL SELECT m.to_at FROM membership_past m WHERE m.user_id = $1 AND (EXISTS (SELECT 1 FROM assignment a WHERE a.principal_id = m.group_id AND a.account_id = $2)
		OR EXISTS (SELECT 1 FROM assignment_past a WHERE a.principal_id = m.group_id AND a.account_id = $2))
	) e WHERE to_at <= $3 ORDER BY to_at DESC LIMIT $4`

// LastEnds are the latest times up to one, the last first, at which a path of a user into an account may have ended.
func (tx *Tx) LastEnds(userID string, account arn.AccountID, t time.Time, limit int) ([]time.Time, error) {
	return list(tx, lastEnds, func(r row) (time.Time, error) {
		var n int64
		err := r.Scan(&n)
		return fromMicros(n), err
	}, userID, account, micros(t), limit)
}
