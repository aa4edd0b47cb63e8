package store

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Who reaches an account is put together from its assignments and, of each group, a page of its members: a group may have fifty thousand,
// and have twenty permission sets there, so that to sort all paths for each page of them is out of the question.
const (
	inAccount = ` AND a.account_id = $2 AND a.permission_set >= $3 AND a.permission_set <= $4`
	principal = ` AND (a.principal_type = 'USER' AND (EXISTS (SELECT 1 FROM directory_user u WHERE u.id = a.principal_id)
			OR EXISTS (SELECT 1 FROM user_past u WHERE u.user_id = a.principal_id AND u.to_at > $1 AND u.gone))
		OR a.principal_type = 'GROUP' AND (EXISTS (SELECT 1 FROM directory_group g WHERE g.id = a.principal_id)
			OR EXISTS (SELECT 1 FROM group_past g WHERE g.group_id = a.principal_id AND g.to_at > $1 AND g.gone)))`

	grantsThen query = `SELECT * FROM (
		SELECT ` + stands + byItself + ` FROM assignment a WHERE ` + standsThen + inAccount + principal + `
		UNION ALL SELECT ` + stood + byItself + ` FROM assignment_past a WHERE ` + stoodThen + inAccount + principal + `
		) p WHERE p.instance_id = $5 AND (p.permission_set, p.principal_type, p.principal_id) >= ($6, $7, $8)
		ORDER BY permission_set, principal_type, principal_id LIMIT $9`

	userOfThen = ` AND (EXISTS (SELECT 1 FROM directory_user u WHERE u.id = m.user_id) OR EXISTS (SELECT 1 FROM user_past u WHERE u.user_id = m.user_id AND u.to_at > $1 AND u.gone))`

	membersThen query = `SELECT m.user_id, m.created_at, m.event_id, m.created_by, 0, '', '' FROM membership m WHERE m.created_at <= $1 AND m.group_id = $2 AND m.user_id > $3` + userOfThen + `
		UNION ALL SELECT m.user_id, m.from_at, m.from_event, m.from_by, m.to_at, m.to_event, m.to_by FROM membership_past m
			WHERE m.from_at <= $1 AND m.to_at > $1 AND m.group_id = $2 AND m.user_id > $3` + userOfThen + `
		ORDER BY user_id LIMIT $4`
)

// groupsAPage bounds how many groups one page of an account's paths looks into.
const groupsAPage = 25

// behind is behind every id.
const behind = "~"

// PathsOfAccount lists the paths of everybody into an account at a time, by permission set, principal and user. A permission set narrows
// the list to it; the zero one does not. A page may be shorter than asked for, and be followed by others.
func (tx *Tx) PathsOfAccount(i arn.Instance, account arn.AccountID, set arn.PermissionSet, t time.Time, q page.Query) ([]Path, page.Key, error) {
	low, high := set.ID, set.ID
	if set.ID == "" {
		low, high = at(q.After, 0), behind
	}
	grants, err := list(tx, grantsThen, scanPath, micros(t), account, low, high, i, at(q.After, 0), at(q.After, 1), at(q.After, 2), q.Limit+2)
	if err != nil {
		return nil, nil, err
	}
	var out []Path
	groups, told := 0, 0 // told: how many of the grants have been gone through
	for ; told < len(grants) && len(out) <= q.Limit && groups < groupsAPage; told++ {
		g, after := grants[told], ""
		if told == 0 && g.is(q.After) {
			after = q.After[3] // the user up to whom it has been told
		}
		switch {
		case g.PrincipalType == PrincipalUser && after == "":
			out = append(out, g)
		case g.PrincipalType == PrincipalGroup && after != behind:
			groups++
			if out, err = tx.withMembers(out, g, t, after, q.Limit+1-len(out)); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(out) <= q.Limit && (told < len(grants) || len(grants) > q.Limit+1) { // not full, but there is more
		return out, grants[told-1].key(behind), nil
	}
	out, next := page.Trim(out, q.Limit, func(p Path) page.Key { return p.key(p.UserID) })
	return out, next, nil
}

// GrantsAt lists up to limit principals that had a permission set in an account at a time, groups first, as paths without a member.
func (tx *Tx) GrantsAt(i arn.Instance, account arn.AccountID, set arn.PermissionSet, t time.Time, limit int) ([]Path, error) {
	return list(tx, grantsThen, scanPath, micros(t), account, set.ID, set.ID, i, "", "", "", limit)
}

// key is where a page of an account's paths ends: at a user of an assignment, or behind all of them.
func (p Path) key(user string) page.Key {
	return page.Key{p.Set.ID, string(p.PrincipalType), p.PrincipalID, user}
}

// is says whether a page ended at the path's assignment.
func (p Path) is(k page.Key) bool {
	return len(k) == 4 && p.Set.ID == k[0] && string(p.PrincipalType) == k[1] && p.PrincipalID == k[2]
}

// withMembers adds the paths of a group's members by one of its assignments.
func (tx *Tx) withMembers(out []Path, g Path, t time.Time, after string, limit int) ([]Path, error) {
	err := tx.each(membersThen, func(r row) (bool, error) {
		p := g
		var in, left int64
		err := r.Scan(&p.UserID, &in, &p.Joined.Event, &p.Joined.By, &left, &p.Left.Event, &p.Left.By)
		p.Joined.At, p.Left.At = fromMicros(in), fromMicros(left)
		out = append(out, p)
		return true, err
	}, micros(t), g.PrincipalID, after, limit)
	return out, err
}
