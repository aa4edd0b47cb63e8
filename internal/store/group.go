package store

import (
	"encoding/json"
	"fmt"

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
	// MemberChanges rises with every change of its members, and is not written with the rest.
	MemberChanges int64
	GroupAttrs
	Trail
}

// GroupAttrs are the attributes of a group that nothing is looked up by.
type GroupAttrs struct {
	ExternalIDs []ExternalID `json:"externalIds,omitempty"`
}

// ARN is the group's ARN.
func (g Group) ARN() string { return arn.DirectoryGroupARN(g.ID) }

const groupColumns = `id, store_id, display_name, description, revision, attrs, created_at, created_by, updated_at, updated_by, source, member_changes`

const (
	insertGroup query = `INSERT INTO directory_group (` + groupColumns + `, display_name_ci, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`
	updateGroup query = `UPDATE directory_group SET display_name = $1, display_name_ci = $2, description = $3, revision = $4, attrs = $5, updated_at = $6, updated_by = $7, source = $8 WHERE id = $9`
	deleteGroup query = `DELETE FROM directory_group WHERE id = $1`

	groupByID   query = `SELECT ` + groupColumns + ` FROM directory_group WHERE id = $1`
	groupByName query = `SELECT ` + groupColumns + ` FROM directory_group WHERE store_id = $1 AND display_name_ci = $2`
	countGroups query = `SELECT COUNT(*) FROM (SELECT 1 FROM directory_group WHERE store_id = $1 LIMIT $2) AS g`
	groupsAfter query = `SELECT ` + groupColumns + ` FROM directory_group WHERE store_id = $1 AND id > $2 ORDER BY id LIMIT $3`

	insertExternalID  query = `INSERT INTO external_id (store_id, kind, issuer, id, subject_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	deleteExternalIDs query = `DELETE FROM external_id WHERE subject_id = $1`
	externalSubject   query = `SELECT subject_id FROM external_id WHERE store_id = $1 AND kind = $2 AND issuer = $3 AND id = $4`
)

func scanGroup(r row) (g Group, err error) {
	var attrs string
	var created, updated int64
	err = r.Scan(&g.ID, &g.StoreID, &g.DisplayName, &g.Description, &g.Revision, &attrs, &created, &g.CreatedBy, &updated, &g.UpdatedBy, &g.Source, &g.MemberChanges)
	if err != nil {
		return g, err
	}
	g.CreatedAt, g.UpdatedAt = fromMicros(created), fromMicros(updated)
	return g, json.Unmarshal([]byte(attrs), &g.GroupAttrs)
}

// InsertGroup adds a group as given; ErrExists when its id or its name is taken.
func (tx *Tx) InsertGroup(g Group) error {
	attrs, err := json.Marshal(g.GroupAttrs)
	if err != nil {
		return fmt.Errorf("encode group: %w", err)
	}
	err = added(tx.exec(insertGroup, g.ID, g.StoreID, g.DisplayName, g.Description, g.Revision, string(attrs), micros(g.CreatedAt), g.CreatedBy, micros(g.UpdatedAt), g.UpdatedBy, g.Source, g.MemberChanges, fold(g.DisplayName), tx.cause.Event))
	if err != nil {
		return err
	}
	return tx.markGroup(g.ID)
}

// UpdateGroup replaces all of a group but its id, store and creation; ErrNotFound, ErrExists.
func (tx *Tx) UpdateGroup(g Group) error {
	attrs, err := json.Marshal(g.GroupAttrs)
	if err != nil {
		return fmt.Errorf("encode group: %w", err)
	}
	if err := tx.groupWas(g); err != nil {
		return err
	}
	err = one(tx.exec(updateGroup, g.DisplayName, fold(g.DisplayName), g.Description, g.Revision, string(attrs), micros(g.UpdatedAt), g.UpdatedBy, g.Source, g.ID))
	if err != nil {
		return err
	}
	return tx.markGroup(g.ID)
}

// DeleteGroup removes the group's row alone; ErrNotFound.
func (tx *Tx) DeleteGroup(id string) error {
	if err := tx.markGroup(id); err != nil {
		return err
	}
	if err := tx.was(groupGone, id); err != nil {
		return err
	}
	return one(tx.exec(deleteGroup, id))
}

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
