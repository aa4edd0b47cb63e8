package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// PermissionSet is a template for roles: policies, boundary, session duration, relay state.
type PermissionSet struct {
	arn.PermissionSet
	Name            string
	Description     string
	SessionDuration string // ISO 8601, as written
	RelayState      string
	Revision        int64 // rises with every edit that a role would show
	PermissionSetAttrs
	CreatedAt time.Time
}

// PermissionSetAttrs are the parts of a permission set that nothing is looked up by.
type PermissionSetAttrs struct {
	Inline   string           `json:"inline,omitempty"`   // hash of the inline policy's document; "": none
	Boundary *Boundary        `json:"boundary,omitempty"` // nil: none
	Customer []CustomerPolicy `json:"customer,omitempty"` // by name, then path
}

// CustomerPolicy refers to a customer managed policy, which each account has its own of.
type CustomerPolicy struct {
	Name string `json:"name"`
	Path string `json:"path"` // begins and ends with a slash
}

// Compare orders references by name, then by path.
func (p CustomerPolicy) Compare(q CustomerPolicy) int {
	return cmp.Or(cmp.Compare(p.Name, q.Name), cmp.Compare(p.Path, q.Path))
}

// Boundary is a permissions boundary: a managed policy's ARN, or a customer managed policy.
type Boundary struct {
	Managed  string          `json:"managed,omitempty"`
	Customer *CustomerPolicy `json:"customer,omitempty"`
}

const permissionSetColumns = `p.id, p.instance_id, p.name, p.description, p.session_duration, p.relay_state, p.revision, p.attrs, p.created_at`

const (
	insertPermissionSet query = `INSERT INTO permission_set (id, instance_id, name, description, session_duration, relay_state, revision, attrs, created_at, event_id, since_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`
	updatePermissionSet query = `UPDATE permission_set SET description = $1, session_duration = $2, relay_state = $3, revision = $4, attrs = $5, since = $6, event_id = $7, since_by = $8 WHERE id = $9`
	deletePermissionSet query = `DELETE FROM permission_set WHERE id = $1`
	deleteSetPolicies   query = `DELETE FROM permission_set_policy WHERE permission_set = $1`

	permissionSetByID   query = `SELECT ` + permissionSetColumns + ` FROM permission_set p WHERE p.id = $1 AND p.instance_id = $2`
	permissionSetByName query = `SELECT ` + permissionSetColumns + ` FROM permission_set p WHERE p.instance_id = $1 AND p.name = $2`
	permissionSetsAfter query = `SELECT ` + permissionSetColumns + ` FROM permission_set p WHERE p.instance_id = $1 AND p.id > $2 ORDER BY p.id LIMIT $3`

	setIDsAfter query = `SELECT COALESCE(string_agg(p.id, ','), '') FROM (SELECT id FROM permission_set WHERE instance_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS p`

	countPermissionSets query = `SELECT COUNT(*) FROM (SELECT 1 FROM permission_set WHERE instance_id = $1 LIMIT $2) AS p`

	insertSetPolicy  query = `INSERT INTO permission_set_policy (permission_set, arn, since, event_id, since_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	deleteSetPolicy  query = `DELETE FROM permission_set_policy WHERE permission_set = $1 AND arn = $2`
	setPoliciesAfter query = `SELECT arn FROM permission_set_policy WHERE permission_set = $1 AND arn > $2 ORDER BY arn LIMIT $3`
)

func scanPermissionSet(r row) (p PermissionSet, err error) {
	var attrs string
	var created int64
	if err := r.Scan(&p.ID, &p.Instance, &p.Name, &p.Description, &p.SessionDuration, &p.RelayState, &p.Revision, &attrs, &created); err != nil {
		return p, err
	}
	p.CreatedAt = fromMicros(created)
	return p, json.Unmarshal([]byte(attrs), &p.PermissionSetAttrs)
}

func scanText(r row) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}

// InsertPermissionSet adds a permission set; ErrExists when its name is taken.
func (tx *Tx) InsertPermissionSet(p PermissionSet) error {
	attrs, err := json.Marshal(p.PermissionSetAttrs)
	if err != nil {
		return fmt.Errorf("encode permission set: %w", err)
	}
	return added(tx.exec(insertPermissionSet, p.ID, p.Instance, p.Name, p.Description, p.SessionDuration, p.RelayState, p.Revision, string(attrs), micros(p.CreatedAt), tx.cause.Event, tx.cause.By))
}

// UpdatePermissionSet replaces what may change of a permission set; ErrNotFound.
func (tx *Tx) UpdatePermissionSet(p PermissionSet) error {
	attrs, err := json.Marshal(p.PermissionSetAttrs)
	if err != nil {
		return fmt.Errorf("encode permission set: %w", err)
	}
	if err := tx.was(setWas, p.ID); err != nil {
		return err
	}
	return one(tx.exec(updatePermissionSet, p.Description, p.SessionDuration, p.RelayState, p.Revision, string(attrs), micros(tx.now), tx.cause.Event, tx.cause.By, p.ID))
}

// DeletePermissionSet removes a permission set and its list of managed policies; ErrNotFound.
func (tx *Tx) DeletePermissionSet(p arn.PermissionSet) error {
	if err := errors.Join(tx.was(setGone, p.ID), tx.was(setPoliciesGone, p.ID)); err != nil {
		return err
	}
	if _, err := tx.exec(deleteSetPolicies, p.ID); err != nil {
		return err
	}
	return one(tx.exec(deletePermissionSet, p.ID))
}

// PermissionSet is the permission set with the ARN; ErrNotFound.
func (tx *Tx) PermissionSet(p arn.PermissionSet) (PermissionSet, error) {
	return get(tx, permissionSetByID, scanPermissionSet, p.ID, p.Instance)
}

// PermissionSetByName is the permission set of an instance with the name; ErrNotFound.
func (tx *Tx) PermissionSetByName(i arn.Instance, name string) (PermissionSet, error) {
	return get(tx, permissionSetByName, scanPermissionSet, i, name)
}

// PermissionSets lists the permission sets of an instance by id.
func (tx *Tx) PermissionSets(i arn.Instance, q page.Query) ([]PermissionSet, page.Key, error) {
	rows, err := list(tx, permissionSetsAfter, scanPermissionSet, i, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(p PermissionSet) page.Key { return page.Key{p.ID} })
	return rows, next, nil
}

// SetIDs lists what identifies the permission sets of an instance, by id. It reads an index and no rows, and has the page in one row of
// its own: to hand a row over costs more than to find it.
func (tx *Tx) SetIDs(i arn.Instance, q page.Query) ([]arn.PermissionSet, page.Key, error) {
	text, err := get(tx, setIDsAfter, scanText, i, at(q.After, 0), q.Limit+1)
	if err != nil || text == "" {
		return nil, nil, err
	}
	ids := strings.Split(text, ",")
	slices.Sort(ids) // an aggregate need not keep the order of what it is made from
	rows := make([]arn.PermissionSet, len(ids))
	for n, id := range ids {
		rows[n] = arn.PermissionSet{Instance: i, ID: id}
	}
	rows, next := page.Trim(rows, q.Limit, func(p arn.PermissionSet) page.Key { return page.Key{p.ID} })
	return rows, next, nil
}

// CountPermissionSets counts the permission sets of an instance, up to a bound.
func (tx *Tx) CountPermissionSets(i arn.Instance, bound int) (int, error) {
	return get(tx, countPermissionSets, scanCount, i, bound)
}

// AttachPolicy adds a managed policy to a permission set; ErrExists.
func (tx *Tx) AttachPolicy(p arn.PermissionSet, policyARN string) error {
	return added(tx.exec(insertSetPolicy, p.ID, policyARN, micros(tx.now), tx.cause.Event, tx.cause.By))
}

// DetachPolicy takes a managed policy off a permission set; ErrNotFound.
func (tx *Tx) DetachPolicy(p arn.PermissionSet, policyARN string) error {
	if err := tx.was(setPolicyGone, p.ID, policyARN); err != nil {
		return err
	}
	return one(tx.exec(deleteSetPolicy, p.ID, policyARN))
}

// AttachedPolicies lists the ARNs of a permission set's managed policies, in their order.
func (tx *Tx) AttachedPolicies(p arn.PermissionSet, q page.Query) ([]string, page.Key, error) {
	rows, err := list(tx, setPoliciesAfter, scanText, p.ID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(s string) page.Key { return page.Key{s} })
	return rows, next, nil
}
