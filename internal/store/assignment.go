package store

import (
	"errors"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// PrincipalType tells users from groups where either may stand.
type PrincipalType string

// The types of principals.
const (
	PrincipalUser  PrincipalType = "USER"
	PrincipalGroup PrincipalType = "GROUP"
)

// AssignmentState says how far an assignment has come. Only a granted one gives access.
type AssignmentState string

// The states of an assignment (hard part 5).
const (
	AssignmentPending  AssignmentState = "PENDING"  // asked for: grants nothing, is not listed
	AssignmentGranted  AssignmentState = "GRANTED"  // its role stands
	AssignmentDeleting AssignmentState = "DELETING" // taken away: is listed until its role has been seen to
	AssignmentStuck    AssignmentState = "STUCK"    // taken away, and the backend failed for good: Create or Delete again
)

// Assignment gives a principal a permission set in an account. The first four fields identify it.
type Assignment struct {
	Account       arn.AccountID
	Set           arn.PermissionSet
	PrincipalType PrincipalType
	PrincipalID   string // may name nobody any more
	State         AssignmentState
	CreatedAt     time.Time
}

// GrantKey is the change key of everything that rests on the assignment's account and permission set.
func (a Assignment) GrantKey() string { return "grant:" + string(a.Account) + "/" + a.Set.ARN() }

const assignmentColumns = `a.account_id, a.instance_id, a.permission_set, a.principal_type, a.principal_id, a.state, a.created_at`

// heldColumns are those that an index has by principal, so that what a principal has is listed without a look at the rows.
const heldColumns = `a.account_id, a.instance_id, a.permission_set, a.principal_type, a.principal_id, a.state`

const (
	insertAssignment query = `INSERT INTO assignment (account_id, permission_set, principal_type, principal_id, instance_id, state, created_at, event_id, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`
	grantAssignment  query = `UPDATE assignment SET state = $1, granted_at = CASE WHEN state = 'GRANTED' THEN granted_at ELSE $2 END WHERE account_id = $3 AND permission_set = $4 AND principal_type = $5 AND principal_id = $6`
	askAssignment    query = `UPDATE assignment SET state = $1, event_id = $2, created_by = $3 WHERE account_id = $4 AND permission_set = $5 AND principal_type = $6 AND principal_id = $7`
	updateAssignment query = `UPDATE assignment SET state = $1 WHERE account_id = $2 AND permission_set = $3 AND principal_type = $4 AND principal_id = $5`
	deleteAssignment query = `DELETE FROM assignment WHERE account_id = $1 AND permission_set = $2 AND principal_type = $3 AND principal_id = $4`
	assignmentByKey  query = `SELECT ` + assignmentColumns + ` FROM assignment a WHERE a.account_id = $1 AND a.permission_set = $2 AND a.principal_type = $3 AND a.principal_id = $4`

	allAssignments   query = `SELECT ` + assignmentColumns + ` FROM assignment a WHERE (a.account_id, a.permission_set, a.principal_type, a.principal_id) > ($1, $2, $3, $4) AND a.instance_id = $5 ORDER BY a.account_id, a.permission_set, a.principal_type, a.principal_id LIMIT $6`
	assignmentsAfter query = `SELECT ` + assignmentColumns + ` FROM assignment a
		WHERE a.account_id = $1 AND a.permission_set = $2 AND (a.principal_type, a.principal_id) > ($3, $4) AND a.state <> 'PENDING'
		ORDER BY a.principal_type, a.principal_id LIMIT $5`

	// The two halves of what a principal has: by itself, and (of a user) by its groups.
	assignmentsOfPrincipal query = `SELECT ` + heldColumns + ` FROM assignment a
		WHERE a.principal_id = $1 AND a.account_id >= $2 AND a.account_id <= $3 AND a.instance_id = $4 AND a.principal_type = $5 AND a.state <> 'PENDING'
		AND (a.account_id, a.permission_set) > ($6, $7)
		ORDER BY a.account_id, a.permission_set LIMIT $8`
	assignmentsOfUser query = `SELECT ` + heldColumns + ` FROM (
		SELECT ` + heldColumns + ` FROM assignment a
			WHERE a.principal_id = $1 AND a.account_id >= $2 AND a.account_id <= $3 AND a.principal_type = 'USER' AND a.state <> 'PENDING'
		UNION ALL
		SELECT ` + heldColumns + ` FROM membership m JOIN directory_group g ON g.id = m.group_id JOIN assignment a ON a.principal_id = m.group_id
			WHERE m.user_id = $1 AND a.account_id >= $2 AND a.account_id <= $3 AND a.principal_type = 'GROUP' AND a.state <> 'PENDING'
		) a WHERE a.instance_id = $4 AND (a.account_id, a.permission_set, a.principal_id) > ($5, $6, $7)
		ORDER BY a.account_id, a.permission_set, a.principal_id LIMIT $8`

	// The pending ones come last, so that they hold up none of the others.
	assignmentsLeft query = `SELECT ` + assignmentColumns + ` FROM assignment a WHERE a.principal_id = $1 AND a.principal_type = $2 AND a.state <> 'DELETING'
		ORDER BY CASE WHEN a.state = 'PENDING' THEN 1 ELSE 0 END, a.account_id, a.permission_set LIMIT $3`
	assignedAnything query = `SELECT 1 WHERE EXISTS (SELECT 1 FROM assignment WHERE principal_id = $1 AND principal_type = $2)
		OR EXISTS (SELECT 1 FROM application_assignment WHERE principal_id = $1 AND principal_type = $2)`

	// An account up to which a user's groups have at least a page: so many of them have at least as many assignments up to there.
	pageOfUser query = `SELECT p.account_id FROM (
		SELECT (SELECT a.account_id FROM assignment a
			WHERE a.principal_id = m.group_id AND a.account_id >= $1 AND a.account_id <= $2 AND a.principal_type = 'GROUP' AND a.state <> 'PENDING'
			AND a.instance_id = $3 AND (a.account_id, a.permission_set, a.principal_id) > ($4, $5, $6)
			ORDER BY a.account_id, a.permission_set LIMIT 1 OFFSET $7) AS account_id
		FROM membership m JOIN directory_group g ON g.id = m.group_id WHERE m.user_id = $8
		) p WHERE p.account_id IS NOT NULL ORDER BY p.account_id LIMIT 1 OFFSET $9`

	setInUse query = `SELECT 1 WHERE EXISTS (SELECT 1 FROM assignment WHERE permission_set = $1)
		OR EXISTS (SELECT 1 FROM role WHERE permission_set = $1)
		OR EXISTS (SELECT 1 FROM request WHERE permission_set = $1 AND status = 'IN_PROGRESS')
		OR EXISTS (SELECT 1 FROM emergency_account WHERE permission_set = $1)`
	setInAccount query = `SELECT 1 WHERE EXISTS (SELECT 1 FROM assignment WHERE account_id = $1 AND permission_set = $2)
		OR EXISTS (SELECT 1 FROM role WHERE account_id = $1 AND permission_set = $2 AND permission_set <> '')`
	otherAssignment query = `SELECT 1 FROM assignment WHERE account_id = $1 AND permission_set = $2 AND NOT (principal_type = $3 AND principal_id = $4)
		UNION ALL SELECT 1 FROM emergency_account WHERE account_id = $1 AND permission_set = $2 LIMIT 1`
	otherGrant        query = `SELECT 1 FROM assignment WHERE account_id = $1 AND permission_set = $2 AND NOT (principal_type = $3 AND principal_id = $4) AND state = 'GRANTED' LIMIT 1`
	groupsAssigned    query = `SELECT COUNT(*) FROM (SELECT 1 FROM assignment WHERE account_id = $1 AND permission_set = $2 AND principal_type = 'GROUP' LIMIT $3) AS g`
	groupsStanding    query = `SELECT COUNT(*) FROM (SELECT 1 FROM assignment WHERE account_id = $1 AND permission_set = $2 AND principal_type = 'GROUP' AND state <> 'PENDING' LIMIT $3) AS g`
	grantsOfPrincipal query = `SELECT DISTINCT a.account_id, a.instance_id, a.permission_set FROM assignment a
		WHERE a.principal_id = $1 AND a.state = 'GRANTED' LIMIT $2`
)

func scanAssignment(r row) (a Assignment, err error) {
	var created int64
	err = r.Scan(&a.Account, &a.Set.Instance, &a.Set.ID, &a.PrincipalType, &a.PrincipalID, &a.State, &created)
	a.CreatedAt = fromMicros(created)
	return a, err
}

func scanHeld(r row) (a Assignment, err error) {
	err = r.Scan(&a.Account, &a.Set.Instance, &a.Set.ID, &a.PrincipalType, &a.PrincipalID, &a.State)
	return a, err
}

// InsertAssignment adds an assignment; ErrExists.
func (tx *Tx) InsertAssignment(a Assignment) error {
	return added(tx.exec(insertAssignment, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID, a.Set.Instance, a.State, micros(a.CreatedAt), tx.cause.Event, tx.cause.By))
}

// SetAssignmentState moves the assignment to the state that a has; ErrNotFound.
func (tx *Tx) SetAssignmentState(a Assignment) error {
	switch a.State {
	case AssignmentGranted:
		return one(tx.exec(grantAssignment, a.State, micros(tx.now), a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID))
	case AssignmentPending:
		if err := tx.assignmentWas(a); err != nil {
			return err
		}
		return one(tx.exec(askAssignment, a.State, tx.cause.Event, tx.cause.By, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID))
	case AssignmentDeleting, AssignmentStuck:
	}
	if err := tx.assignmentWas(a); err != nil {
		return err
	}
	return one(tx.exec(updateAssignment, a.State, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID))
}

// DeleteAssignment removes the assignment that a identifies; ErrNotFound.
func (tx *Tx) DeleteAssignment(a Assignment) error {
	if err := tx.assignmentWas(a); err != nil {
		return err
	}
	return one(tx.exec(deleteAssignment, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID))
}

// Assignment is the assignment that a identifies, as it stands; ErrNotFound.
func (tx *Tx) Assignment(a Assignment) (Assignment, error) {
	return get(tx, assignmentByKey, scanAssignment, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID)
}

// Assignments lists who has a permission set in an account: groups, then users, by id. Pending ones are left out.
func (tx *Tx) Assignments(account arn.AccountID, set arn.PermissionSet, q page.Query) ([]Assignment, page.Key, error) {
	rows, err := list(tx, assignmentsAfter, scanAssignment, account, set.ID, at(q.After, 0), at(q.After, 1), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a Assignment) page.Key { return page.Key{string(a.PrincipalType), a.PrincipalID} })
	return rows, next, nil
}

// AllAssignments lists the assignments of an instance in every state: by account, permission set, principal.
func (tx *Tx) AllAssignments(i arn.Instance, q page.Query) ([]Assignment, page.Key, error) {
	rows, err := list(tx, allAssignments, scanAssignment, at(q.After, 0), at(q.After, 1), at(q.After, 2), at(q.After, 3), i, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a Assignment) page.Key {
		return page.Key{string(a.Account), a.Set.ID, string(a.PrincipalType), a.PrincipalID}
	})
	return rows, next, nil
}

// AssignmentsOf lists what a principal has, by account and permission set; of a user, also what its groups have. An
// account narrows the list to it; "" does not. When they were made is left out.
func (tx *Tx) AssignmentsOf(i arn.Instance, t PrincipalType, id string, account arn.AccountID, q page.Query) ([]Assignment, page.Key, error) {
	low, high := account, account
	if account == "" {
		high = "999999999999" // account ids are 12 digits
	}
	var rows []Assignment
	var err error
	if t == PrincipalUser {
		if high, err = tx.pageOfUser(i, id, low, high, q); err != nil {
			return nil, nil, err
		}
		rows, err = list(tx, assignmentsOfUser, scanHeld, id, low, high, i, at(q.After, 0), at(q.After, 1), at(q.After, 2), q.Limit+1)
	} else {
		rows, err = list(tx, assignmentsOfPrincipal, scanHeld, id, low, high, i, t, at(q.After, 0), at(q.After, 1), q.Limit+1)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a Assignment) page.Key { return page.Key{string(a.Account), a.Set.ID, a.PrincipalID} })
	return rows, next, nil
}

// AssignmentsLeft lists up to limit assignments of a principal that are not being deleted, the pending ones last.
func (tx *Tx) AssignmentsLeft(t PrincipalType, id string, limit int) ([]Assignment, error) {
	return list(tx, assignmentsLeft, scanAssignment, id, t, limit)
}

// AssignedAnything tells whether an account or an application is assigned to the principal itself, in any state.
func (tx *Tx) AssignedAnything(t PrincipalType, id string) (bool, error) {
	return tx.exists(assignedAnything, id, t)
}

// ofEach is how many assignments of each of a user's groups are looked at to tell where a page of all of them ends.
const ofEach = 3

// pageOfUser is an account, at most high, up to which the next page of what a user has is complete. Who is in many groups that have
// much has the page put together from a few assignments of each, and not from all that come before what was found so far.
func (tx *Tx) pageOfUser(i arn.Instance, id string, low, high arn.AccountID, q page.Query) (arn.AccountID, error) {
	groups := (q.Limit + ofEach) / ofEach // that have as many each hold a page and one more
	bound, err := get(tx, pageOfUser, scanText, low, high, i, at(q.After, 0), at(q.After, 1), at(q.After, 2), ofEach-1, id, groups-1)
	if errors.Is(err, ErrNotFound) {
		return high, nil
	}
	return arn.AccountID(bound), err
}

// SetInUse tells whether anything still hangs on a permission set: an assignment, a role, a request in progress.
func (tx *Tx) SetInUse(set arn.PermissionSet) (bool, error) { return tx.exists(setInUse, set.ID) }

// SetInAccount tells whether a permission set is provisioned in an account, or about to be.
func (tx *Tx) SetInAccount(account arn.AccountID, set arn.PermissionSet) (bool, error) {
	return tx.exists(setInAccount, account, set.ID)
}

// OtherAssignments tells whether principals other than a's have its permission set in its account, in any state, or an emergency
// access needs its role there, and whether one of them is granted.
func (tx *Tx) OtherAssignments(a Assignment) (some, granted bool, err error) {
	some, err = tx.exists(otherAssignment, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID)
	if err != nil || !some {
		return false, false, err
	}
	granted, err = tx.exists(otherGrant, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID)
	return some, granted, err
}

// GroupsAssigned counts the groups that a permission set is assigned to in an account, up to a bound: those that were asked for
// and those that stand, or the latter alone.
func (tx *Tx) GroupsAssigned(account arn.AccountID, set arn.PermissionSet, standing bool, bound int) (int, error) {
	q := groupsAssigned
	if standing {
		q = groupsStanding
	}
	return get(tx, q, scanCount, account, set.ID, bound)
}

func scanCount(r row) (n int, err error) {
	err = r.Scan(&n)
	return n, err
}

// Grants lists up to limit pairs of account and permission set that a principal itself is granted.
func (tx *Tx) Grants(principalID string, limit int) ([]Assignment, error) {
	return list(tx, grantsOfPrincipal, func(r row) (a Assignment, err error) {
		err = r.Scan(&a.Account, &a.Set.Instance, &a.Set.ID)
		return a, err
	}, principalID, limit)
}

func (tx *Tx) exists(q query, args ...any) (bool, error) {
	rows, err := list(tx, q, func(r row) (n int, err error) { err = r.Scan(&n); return n, err }, args...)
	return len(rows) > 0, err
}
