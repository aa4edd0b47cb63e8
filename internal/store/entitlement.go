package store

import (
	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// What a user can reach is the union over the user and the user's groups, in one query each. The directory is joined, not
// trusted: a deleted user or group grants nothing, whatever assignments and memberships still name it. A disabled user has nothing.
// What is listed has also what an emergency access that is open gives; see [Tx.EmergencyGrant].
const (
	granted query = `SELECT 1 FROM directory_user u WHERE u.id = $1 AND u.status = 'ENABLED' AND (
		EXISTS (SELECT 1 FROM assignment a WHERE a.account_id = $2 AND a.permission_set = $3
			AND a.principal_type = 'USER' AND a.principal_id = u.id AND a.state = 'GRANTED')
		OR EXISTS (SELECT 1 FROM membership m JOIN directory_group g ON g.id = m.group_id
			JOIN assignment a ON a.account_id = $2 AND a.permission_set = $3 AND a.principal_type = 'GROUP' AND a.principal_id = m.group_id
			WHERE m.user_id = u.id AND a.state = 'GRANTED'))`

	reachableAccounts query = `SELECT c.id, c.name, c.email, c.backend, c.status, c.created_at FROM account c WHERE c.status = 'ACTIVE' AND c.id IN (
		SELECT a.account_id FROM directory_user u JOIN assignment a ON a.principal_id = u.id
			WHERE u.id = $1 AND u.status = 'ENABLED' AND a.account_id > $2 AND a.principal_type = 'USER' AND a.state = 'GRANTED'
		UNION
		SELECT a.account_id FROM directory_user u JOIN membership m ON m.user_id = u.id JOIN directory_group g ON g.id = m.group_id
			JOIN assignment a ON a.principal_id = m.group_id
			WHERE u.id = $1 AND u.status = 'ENABLED' AND a.account_id > $2 AND a.principal_type = 'GROUP' AND a.state = 'GRANTED'
		UNION
		SELECT e.account_id FROM directory_user u JOIN emergency_grant e ON e.user_id = u.id
			WHERE u.id = $1 AND u.status = 'ENABLED' AND e.account_id > $2 AND e.session_id = $3 AND e.until > $4)
		ORDER BY c.id LIMIT $5`

	reachableSets query = `SELECT ` + permissionSetColumns + ` FROM permission_set p WHERE p.name > $1 AND p.id IN (
		SELECT a.permission_set FROM directory_user u JOIN assignment a ON a.principal_id = u.id
			WHERE u.id = $2 AND u.status = 'ENABLED' AND a.account_id = $3 AND a.principal_type = 'USER' AND a.state = 'GRANTED'
		UNION
		SELECT a.permission_set FROM directory_user u JOIN membership m ON m.user_id = u.id JOIN directory_group g ON g.id = m.group_id
			JOIN assignment a ON a.principal_id = m.group_id
			WHERE u.id = $2 AND u.status = 'ENABLED' AND a.account_id = $3 AND a.principal_type = 'GROUP' AND a.state = 'GRANTED'
		UNION
		SELECT e.permission_set FROM directory_user u JOIN emergency_grant e ON e.user_id = u.id
			WHERE u.id = $2 AND u.status = 'ENABLED' AND e.account_id = $3 AND e.session_id = $4 AND e.until > $5)
		AND EXISTS (SELECT 1 FROM account c WHERE c.id = $3 AND c.status = 'ACTIVE') ORDER BY p.name LIMIT $6`
)

// Granted tells whether any path gives an enabled user the permission set in the account.
func (tx *Tx) Granted(userID string, account arn.AccountID, set arn.PermissionSet) (bool, error) {
	return tx.exists(granted, userID, account, set.ID)
}

// ReachableAccounts lists the accounts in which a user is granted anything, once each, by id; sessionID is the portal session at hand.
func (tx *Tx) ReachableAccounts(userID, sessionID string, q page.Query) ([]Account, page.Key, error) {
	rows, err := list(tx, reachableAccounts, scanAccount, userID, at(q.After, 0), sessionID, micros(tx.now), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a Account) page.Key { return page.Key{string(a.ID)} })
	return rows, next, nil
}

// ReachableSets lists the permission sets that a user is granted in an account that is not closed, once each, by name; sessionID is the portal session at hand.
func (tx *Tx) ReachableSets(userID, sessionID string, account arn.AccountID, q page.Query) ([]PermissionSet, page.Key, error) {
	rows, err := list(tx, reachableSets, scanPermissionSet, at(q.After, 0), userID, account, sessionID, micros(tx.now), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(p PermissionSet) page.Key { return page.Key{p.Name} })
	return rows, next, nil
}
