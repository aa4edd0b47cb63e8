package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Role is a role of an account that Sallyport hosts, or the record of one that was made in an account elsewhere.
type Role struct {
	Account   arn.AccountID
	Name      string
	ID        string // AROA…
	Path      string
	Set       arn.PermissionSet // that it was made from; zero: none
	Revision  int64             // of the permission set that it was made from
	Spec      RoleSpec
	CreatedAt time.Time
	UpdatedAt time.Time
}

// RoleSpec is what a role may do, with every text pinned by the hash of its content: neither an edit of the permission set
// nor a new edition of the managed policies changes a role before it is provisioned again.
type RoleSpec struct {
	Trust           string         `json:"trust"` // hash of the trust policy's document
	Managed         []PinnedPolicy `json:"managed,omitempty"`
	Customer        []string       `json:"customer,omitempty"` // ARNs of customer managed policies, which apply as they are
	Inline          string         `json:"inline,omitempty"`   // hash of the inline policy's document; "": none
	Boundary        *PinnedPolicy  `json:"boundary,omitempty"` // nil: none
	SessionDuration time.Duration  `json:"sessionDuration"`    // of credentials given out through the portal
	RelayState      string         `json:"relayState,omitempty"`
}

// PinnedPolicy is a managed policy as it read when the role was provisioned.
type PinnedPolicy struct {
	ARN      string `json:"arn"`
	Document string `json:"document,omitempty"` // hash; "": a customer managed policy, which applies as it is
}

// ARN is the role's ARN.
func (r Role) ARN() string { return r.Account.RoleARN(r.Path, r.Name) }

// ProvisioningStatus says whether a role was made from its permission set as that reads now; as a filter, "" means any.
type ProvisioningStatus string

// The states of provisioned roles.
const (
	LatestProvisioned    ProvisioningStatus = "LATEST_PERMISSION_SET_PROVISIONED"
	LatestNotProvisioned ProvisioningStatus = "LATEST_PERMISSION_SET_NOT_PROVISIONED"
)

const (
	roleColumns = `account_id, name, role_id, path, instance_id, permission_set, revision, spec, created_at, updated_at`
	// drift compares revisions; its parameter is the filter, given twice.
	driftFilter = `($3 = '' OR $3 = CASE WHEN r.revision = p.revision THEN 'LATEST_PERMISSION_SET_PROVISIONED' ELSE 'LATEST_PERMISSION_SET_NOT_PROVISIONED' END)`
)

const (
	insertRole query = `INSERT INTO role (` + roleColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`
	updateRole query = `UPDATE role SET revision = $1, spec = $2, updated_at = $3 WHERE account_id = $4 AND name = $5`
	deleteRole query = `DELETE FROM role WHERE account_id = $1 AND name = $2`
	roleByName query = `SELECT ` + roleColumns + ` FROM role WHERE account_id = $1 AND name = $2`
	roleBySet  query = `SELECT ` + roleColumns + ` FROM role WHERE account_id = $1 AND permission_set = $2 AND permission_set <> ''`

	countSetsInAccount query = `SELECT COUNT(*) FROM (SELECT 1 FROM role WHERE account_id = $1 AND permission_set <> '' LIMIT $2) AS r`

	setsInAccount query = `SELECT r.permission_set, p.instance_id FROM role r JOIN permission_set p ON p.id = r.permission_set
		WHERE r.account_id = $1 AND r.permission_set > $2 AND r.permission_set <> '' AND ` + driftFilter + ` AND p.instance_id = $4 ORDER BY r.permission_set LIMIT $5`
	accountsWithSet query = `SELECT r.account_id FROM role r JOIN permission_set p ON p.id = r.permission_set
		WHERE r.permission_set = $1 AND r.account_id > $2 AND ` + driftFilter + ` ORDER BY r.account_id LIMIT $4`
)

func scanRole(r row) (o Role, err error) {
	var spec string
	var created, updated int64
	if err := r.Scan(&o.Account, &o.Name, &o.ID, &o.Path, &o.Set.Instance, &o.Set.ID, &o.Revision, &spec, &created, &updated); err != nil {
		return o, err
	}
	o.CreatedAt, o.UpdatedAt = fromMicros(created), fromMicros(updated)
	return o, json.Unmarshal([]byte(spec), &o.Spec)
}

// InsertRole adds a role; ErrExists when its name is taken, or its permission set has a role in the account.
func (tx *Tx) InsertRole(r Role) error {
	spec, err := json.Marshal(r.Spec)
	if err != nil {
		return fmt.Errorf("encode role: %w", err)
	}
	return added(tx.exec(insertRole, r.Account, r.Name, r.ID, r.Path, r.Set.Instance, r.Set.ID, r.Revision, string(spec), micros(r.CreatedAt), micros(r.UpdatedAt)))
}

// UpdateRole replaces a role's specification and the revision it was made from; ErrNotFound.
func (tx *Tx) UpdateRole(r Role) error {
	spec, err := json.Marshal(r.Spec)
	if err != nil {
		return fmt.Errorf("encode role: %w", err)
	}
	return one(tx.exec(updateRole, r.Revision, string(spec), micros(r.UpdatedAt), r.Account, r.Name))
}

// DeleteRole removes a role; ErrNotFound.
func (tx *Tx) DeleteRole(account arn.AccountID, name string) error {
	return one(tx.exec(deleteRole, account, name))
}

// Role is the account's role with the name; ErrNotFound.
func (tx *Tx) Role(account arn.AccountID, name string) (Role, error) {
	return get(tx, roleByName, scanRole, account, name)
}

// ProvisionedRole is the role that a permission set has become in an account; ErrNotFound.
func (tx *Tx) ProvisionedRole(account arn.AccountID, set arn.PermissionSet) (Role, error) {
	return get(tx, roleBySet, scanRole, account, set.ID)
}

// SetsInAccount lists the permission sets of an instance that are provisioned in an account, by id.
func (tx *Tx) SetsInAccount(i arn.Instance, account arn.AccountID, s ProvisioningStatus, q page.Query) ([]arn.PermissionSet, page.Key, error) {
	rows, err := list(tx, setsInAccount, func(r row) (p arn.PermissionSet, err error) {
		err = r.Scan(&p.ID, &p.Instance)
		return p, err
	}, account, at(q.After, 0), s, i, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(p arn.PermissionSet) page.Key { return page.Key{p.ID} })
	return rows, next, nil
}

// CountSetsInAccount counts the permission sets that are provisioned in an account, up to a bound.
func (tx *Tx) CountSetsInAccount(account arn.AccountID, bound int) (int, error) {
	return get(tx, countSetsInAccount, scanCount, account, bound)
}

// AccountsWithSet lists the accounts in which a permission set is provisioned, by id.
func (tx *Tx) AccountsWithSet(set arn.PermissionSet, s ProvisioningStatus, q page.Query) ([]arn.AccountID, page.Key, error) {
	rows, err := list(tx, accountsWithSet, func(r row) (a arn.AccountID, err error) {
		err = r.Scan(&a)
		return a, err
	}, set.ID, at(q.After, 0), s, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a arn.AccountID) page.Key { return page.Key{string(a)} })
	return rows, next, nil
}
