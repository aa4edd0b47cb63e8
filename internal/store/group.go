package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Group is a set of users of an identity store.
type Group struct {
	ID          string
	StoreID     arn.StoreID
	DisplayName string // as written; compared without case
	Description string
	Revision    int64
	Source      string // the SCIM tenant that it comes from; "": made here
	GroupAttrs
	Trail
}

// GroupAttrs are the attributes of a group that nothing is looked up by.
type GroupAttrs struct {
	ExternalIDs []ExternalID `json:"externalIds,omitempty"`
}

// Membership puts a user into a group.
type Membership struct {
	ID        string
	StoreID   arn.StoreID
	GroupID   string
	UserID    string
	CreatedAt time.Time
	CreatedBy string
}

// ARN is the group's ARN.
func (g Group) ARN() string { return arn.DirectoryGroupARN(g.ID) }

// ARN is the membership's ARN.
func (m Membership) ARN() string { return arn.MembershipARN(m.ID) }

const (
	groupColumns      = `id, store_id, display_name, description, revision, attrs, created_at, created_by, updated_at, updated_by, source`
	membershipColumns = `m.id, m.store_id, m.group_id, m.user_id, m.created_at, m.created_by`
)

const (
	insertGroup query = `INSERT INTO directory_group (` + groupColumns + `, display_name_ci) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`
	updateGroup query = `UPDATE directory_group SET display_name = $1, display_name_ci = $2, description = $3, revision = $4, attrs = $5, updated_at = $6, updated_by = $7, source = $8 WHERE id = $9`
	deleteGroup query = `DELETE FROM directory_group WHERE id = $1`

	groupByID   query = `SELECT ` + groupColumns + ` FROM directory_group WHERE id = $1`
	groupByName query = `SELECT ` + groupColumns + ` FROM directory_group WHERE store_id = $1 AND display_name_ci = $2`
	countGroups query = `SELECT COUNT(*) FROM (SELECT 1 FROM directory_group WHERE store_id = $1 LIMIT $2) AS g`
	groupsAfter query = `SELECT ` + groupColumns + ` FROM directory_group WHERE store_id = $1 AND id > $2 ORDER BY id LIMIT $3`

	insertMembership query = `INSERT INTO membership (id, store_id, group_id, user_id, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	deleteMembership query = `DELETE FROM membership WHERE id = $1`
	sweepMemberships query = `DELETE FROM membership WHERE id IN (SELECT id FROM membership WHERE group_id = $1 ORDER BY user_id LIMIT $2)`
	sweepMember      query = `DELETE FROM membership WHERE id IN (SELECT id FROM membership WHERE user_id = $1 ORDER BY group_id LIMIT $2)`

	// The joins pass over memberships that a deleted group or user has left to the sweep.
	membershipLive          = ` FROM membership m JOIN directory_group g ON g.id = m.group_id JOIN directory_user u ON u.id = m.user_id`
	membershipByID    query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.id = $1`
	membershipByPair  query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.group_id = $1 AND m.user_id = $2`
	membershipsAfter  query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.group_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3`
	membershipsOfUser query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.user_id = $1 AND m.group_id > $2 ORDER BY m.group_id LIMIT $3`

	groupsOfUser query = `SELECT m.group_id` + membershipLive + ` WHERE m.user_id = $1 AND m.group_id >= $2 AND m.group_id <= $3 ORDER BY m.group_id`

	insertExternalID  query = `INSERT INTO external_id (store_id, kind, issuer, id, subject_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	deleteExternalIDs query = `DELETE FROM external_id WHERE subject_id = $1`
	externalSubject   query = `SELECT subject_id FROM external_id WHERE store_id = $1 AND kind = $2 AND issuer = $3 AND id = $4`
)

func scanGroup(r row) (g Group, err error) {
	var attrs string
	var created, updated int64
	err = r.Scan(&g.ID, &g.StoreID, &g.DisplayName, &g.Description, &g.Revision, &attrs, &created, &g.CreatedBy, &updated, &g.UpdatedBy, &g.Source)
	if err != nil {
		return g, err
	}
	g.CreatedAt, g.UpdatedAt = fromMicros(created), fromMicros(updated)
	return g, json.Unmarshal([]byte(attrs), &g.GroupAttrs)
}

func scanMembership(r row) (m Membership, err error) {
	var created int64
	err = r.Scan(&m.ID, &m.StoreID, &m.GroupID, &m.UserID, &created, &m.CreatedBy)
	m.CreatedAt = fromMicros(created)
	return m, err
}

// InsertGroup adds a group as given; ErrExists when its id or its name is taken.
func (tx *Tx) InsertGroup(g Group) error {
	attrs, err := json.Marshal(g.GroupAttrs)
	if err != nil {
		return fmt.Errorf("encode group: %w", err)
	}
	return added(tx.exec(insertGroup, g.ID, g.StoreID, g.DisplayName, g.Description, g.Revision, string(attrs), micros(g.CreatedAt), g.CreatedBy, micros(g.UpdatedAt), g.UpdatedBy, g.Source, fold(g.DisplayName)))
}

// UpdateGroup replaces all of a group but its id, store and creation; ErrNotFound, ErrExists.
func (tx *Tx) UpdateGroup(g Group) error {
	attrs, err := json.Marshal(g.GroupAttrs)
	if err != nil {
		return fmt.Errorf("encode group: %w", err)
	}
	return one(tx.exec(updateGroup, g.DisplayName, fold(g.DisplayName), g.Description, g.Revision, string(attrs), micros(g.UpdatedAt), g.UpdatedBy, g.Source, g.ID))
}

// DeleteGroup removes the group's row alone; ErrNotFound.
func (tx *Tx) DeleteGroup(id string) error { return one(tx.exec(deleteGroup, id)) }

// Group is the group with the id; ErrNotFound.
func (tx *Tx) Group(id string) (Group, error) { return get(tx, groupByID, scanGroup, id) }

// GroupByName is the group with the name, compared without case; ErrNotFound.
func (tx *Tx) GroupByName(storeID arn.StoreID, displayName string) (Group, error) {
	return get(tx, groupByName, scanGroup, storeID, fold(displayName))
}

// CountGroups counts the groups of a store, up to a bound.
func (tx *Tx) CountGroups(storeID arn.StoreID, bound int) (int, error) {
	return get(tx, countGroups, scanCount, storeID, bound)
}

// Groups lists the groups of a store by id.
func (tx *Tx) Groups(storeID arn.StoreID, q page.Query) ([]Group, page.Key, error) {
	rows, err := list(tx, groupsAfter, scanGroup, storeID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(g Group) page.Key { return page.Key{g.ID} })
	return rows, next, nil
}

// InsertMembership adds a membership; ErrExists when the user is in the group.
func (tx *Tx) InsertMembership(m Membership) error {
	return added(tx.exec(insertMembership, m.ID, m.StoreID, m.GroupID, m.UserID, micros(m.CreatedAt), m.CreatedBy))
}

// DeleteMembership removes a membership; ErrNotFound.
func (tx *Tx) DeleteMembership(id string) error { return one(tx.exec(deleteMembership, id)) }

// SweepMembers removes up to limit memberships of a group and returns how many there were.
func (tx *Tx) SweepMembers(groupID string, limit int) (int64, error) {
	return tx.exec(sweepMemberships, groupID, limit)
}

// SweepMemberships removes up to limit memberships of a user and returns how many there were.
func (tx *Tx) SweepMemberships(userID string, limit int) (int64, error) {
	return tx.exec(sweepMember, userID, limit)
}

// Membership is the membership with the id; ErrNotFound.
func (tx *Tx) Membership(id string) (Membership, error) {
	return get(tx, membershipByID, scanMembership, id)
}

// MembershipOf is the membership of a user in a group; ErrNotFound.
func (tx *Tx) MembershipOf(groupID, userID string) (Membership, error) {
	return get(tx, membershipByPair, scanMembership, groupID, userID)
}

// Members lists the memberships of a group by user id.
func (tx *Tx) Members(groupID string, q page.Query) ([]Membership, page.Key, error) {
	rows, err := list(tx, membershipsAfter, scanMembership, groupID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(m Membership) page.Key { return page.Key{m.UserID} })
	return rows, next, nil
}

// Memberships lists the memberships of a user by group id.
func (tx *Tx) Memberships(userID string, q page.Query) ([]Membership, page.Key, error) {
	rows, err := list(tx, membershipsOfUser, scanMembership, userID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(m Membership) page.Key { return page.Key{m.GroupID} })
	return rows, next, nil
}

// GroupsOf lists the ids of the groups that a user is in, from one id to another: both inclusive, in order.
func (tx *Tx) GroupsOf(userID, from, to string) ([]string, error) {
	return list(tx, groupsOfUser, scanText, userID, from, to)
}

// InsertExternalID names a user or group by what its source calls it; ErrExists when the name is another's.
func (tx *Tx) InsertExternalID(storeID arn.StoreID, kind PrincipalType, e ExternalID, subjectID string) error {
	return added(tx.exec(insertExternalID, storeID, kind, e.Issuer, e.ID, subjectID))
}

// DeleteExternalIDs removes all external names of a user or group.
func (tx *Tx) DeleteExternalIDs(subjectID string) error {
	_, err := tx.exec(deleteExternalIDs, subjectID)
	return err
}

// SubjectOf is the id of the user or group that a source calls e; ErrNotFound.
func (tx *Tx) SubjectOf(storeID arn.StoreID, kind PrincipalType, e ExternalID) (string, error) {
	return get(tx, externalSubject, func(r row) (id string, err error) { err = r.Scan(&id); return id, err }, storeID, kind, e.Issuer, e.ID)
}
