package store

import (
	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// ApplicationAssignment gives a principal an application.
type ApplicationAssignment struct {
	Application   arn.Application // of lists by principal; otherwise only its ID is set
	PrincipalType PrincipalType
	PrincipalID   string
}

const (
	insertApplicationAssignment query = `INSERT INTO application_assignment (application, principal_type, principal_id, created_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	deleteApplicationAssignment  query = `DELETE FROM application_assignment WHERE application = $1 AND principal_type = $2 AND principal_id = $3`
	deleteApplicationAssignments query = `DELETE FROM application_assignment WHERE application = $1`
	sweepApplicationAssignments  query = `DELETE FROM application_assignment WHERE (application, principal_type, principal_id) IN
		(SELECT application, principal_type, principal_id FROM application_assignment WHERE application = $1 ORDER BY principal_type, principal_id LIMIT $2)`
	deleteApplicationsOf query = `DELETE FROM application_assignment WHERE principal_id = $1 AND principal_type = $2`

	applicationAssigned         query = `SELECT 1 FROM application_assignment WHERE application = $1 AND principal_type = $2 AND principal_id = $3`
	applicationAssignmentsAfter query = `SELECT application, principal_type, principal_id FROM application_assignment
		WHERE application = $1 AND (principal_type, principal_id) > ($2, $3) ORDER BY principal_type, principal_id LIMIT $4`
	groupsOfApplication query = `SELECT COUNT(*) FROM (SELECT 1 FROM application_assignment WHERE application = $1 AND principal_type = 'GROUP' LIMIT $2) AS g`

	applicationsOfPrincipal query = `SELECT p.id, p.instance_id, p.account, a.principal_type, a.principal_id
		FROM application_assignment a JOIN application p ON p.id = a.application
		WHERE a.principal_id = $1 AND a.principal_type = $2 AND p.instance_id = $3 AND ($4 = '' OR $4 = p.id) AND p.id > $5
		ORDER BY p.id LIMIT $6`
	applicationsOfUser query = `SELECT p.id, p.instance_id, p.account, a.principal_type, a.principal_id FROM (
		SELECT application, principal_type, principal_id FROM application_assignment WHERE principal_id = $1 AND principal_type = 'USER'
		UNION ALL
		SELECT a.application, a.principal_type, a.principal_id FROM membership m JOIN directory_group g ON g.id = m.group_id
			JOIN application_assignment a ON a.principal_id = m.group_id AND a.principal_type = 'GROUP' WHERE m.user_id = $1
		) a JOIN application p ON p.id = a.application
		WHERE p.instance_id = $2 AND ($3 = '' OR $3 = p.id) AND (p.id, a.principal_type, a.principal_id) > ($4, $5, $6)
		ORDER BY p.id, a.principal_type, a.principal_id LIMIT $7`
)

// InsertApplicationAssignment assigns a principal to an application; ErrExists.
func (tx *Tx) InsertApplicationAssignment(a ApplicationAssignment) error {
	return added(tx.exec(insertApplicationAssignment, a.Application.ID, a.PrincipalType, a.PrincipalID, micros(tx.now)))
}

// DeleteApplicationAssignment takes an application from a principal; ErrNotFound.
func (tx *Tx) DeleteApplicationAssignment(a ApplicationAssignment) error {
	return one(tx.exec(deleteApplicationAssignment, a.Application.ID, a.PrincipalType, a.PrincipalID))
}

// SweepApplicationAssignments removes up to limit of those who are assigned to an application, and returns how many there were.
func (tx *Tx) SweepApplicationAssignments(application string, limit int) (int64, error) {
	return tx.exec(sweepApplicationAssignments, application, limit)
}

// DeleteApplicationAssignmentsOf takes all applications from a principal.
func (tx *Tx) DeleteApplicationAssignmentsOf(t PrincipalType, id string) error {
	_, err := tx.exec(deleteApplicationsOf, id, t)
	return err
}

// ApplicationAssigned tells whether the principal itself is assigned to the application.
func (tx *Tx) ApplicationAssigned(a ApplicationAssignment) (bool, error) {
	return tx.exists(applicationAssigned, a.Application.ID, a.PrincipalType, a.PrincipalID)
}

// ApplicationAssignments lists who is assigned to an application: groups, then users, by id.
func (tx *Tx) ApplicationAssignments(application string, q page.Query) ([]ApplicationAssignment, page.Key, error) {
	rows, err := list(tx, applicationAssignmentsAfter, func(r row) (a ApplicationAssignment, err error) {
		err = r.Scan(&a.Application.ID, &a.PrincipalType, &a.PrincipalID)
		return a, err
	}, application, at(q.After, 0), at(q.After, 1), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a ApplicationAssignment) page.Key { return page.Key{string(a.PrincipalType), a.PrincipalID} })
	return rows, next, nil
}

// GroupsOfApplication counts the groups assigned to an application, up to limit.
func (tx *Tx) GroupsOfApplication(application string, limit int) (int, error) {
	return get(tx, groupsOfApplication, scanCount, application, limit)
}

// ApplicationsOf lists what applications a principal is assigned to, by application; of a user, also through groups.
// An application's id narrows the list to it; "" does not.
func (tx *Tx) ApplicationsOf(i arn.Instance, t PrincipalType, id, application string, q page.Query) ([]ApplicationAssignment, page.Key, error) {
	var rows []ApplicationAssignment
	var err error
	if t == PrincipalUser {
		rows, err = list(tx, applicationsOfUser, scanApplicationOf, id, i, application, at(q.After, 0), at(q.After, 1), at(q.After, 2), q.Limit+1)
	} else {
		rows, err = list(tx, applicationsOfPrincipal, scanApplicationOf, id, t, i, application, at(q.After, 0), q.Limit+1)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a ApplicationAssignment) page.Key {
		return page.Key{a.Application.ID, string(a.PrincipalType), a.PrincipalID}
	})
	return rows, next, nil
}

func scanApplicationOf(r row) (a ApplicationAssignment, err error) {
	err = r.Scan(&a.Application.ID, &a.Application.Instance, &a.Application.Account, &a.PrincipalType, &a.PrincipalID)
	return a, err
}
