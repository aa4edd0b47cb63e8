package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// Provisioned is what was made of a permission set in an account when it was provisioned last. The role itself, wherever its account
// is, may have been changed since.
type Provisioned struct {
	Account  arn.AccountID
	Set      arn.PermissionSet
	Name     string // of the role
	Path     string
	Revision int64 // of the permission set that it was made from
	Spec     RoleSpec
	At       time.Time
	Latest   int64 // revision of the permission set now, where a list was asked for
}

const provisionedColumns = `v.account_id, v.permission_set, v.instance_id, v.name, v.path, v.revision, v.spec, v.at`

const (
	putProvisioned query = `INSERT INTO provisioned (account_id, permission_set, instance_id, name, path, revision, spec, at, since, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (account_id, permission_set) DO UPDATE SET name = excluded.name, path = excluded.path, revision = excluded.revision, spec = excluded.spec, at = excluded.at, awaited = 0,
		since = CASE WHEN provisioned.spec <> excluded.spec OR provisioned.name <> excluded.name THEN excluded.since WHEN provisioned.since = 0 THEN provisioned.at ELSE provisioned.since END,
		event_id = CASE WHEN provisioned.spec <> excluded.spec OR provisioned.name <> excluded.name THEN excluded.event_id ELSE provisioned.event_id END`
	setAwaited        query = `UPDATE provisioned SET awaited = $1 WHERE account_id = $2 AND permission_set = $3`
	awaitedIn         query = `SELECT instance_id, permission_set FROM provisioned WHERE account_id = $1 AND awaited = 1 ORDER BY permission_set LIMIT $2`
	deleteProvisioned query = `DELETE FROM provisioned WHERE account_id = $1 AND permission_set = $2`

	provisionedBySet query = `SELECT ` + provisionedColumns + `, v.revision FROM provisioned v WHERE v.account_id = $1 AND v.permission_set = $2`
	provisionedAfter query = `SELECT ` + provisionedColumns + `, COALESCE(p.revision, v.revision) FROM provisioned v LEFT JOIN permission_set p ON p.id = v.permission_set
		WHERE v.account_id = $1 AND v.name > $2 ORDER BY v.name LIMIT $3`
	reservedRoles query = `SELECT ` + roleColumns + ` FROM role WHERE account_id = $1 AND name > $2 AND (permission_set <> '' OR path LIKE '/aws-reserved/sso.amazonaws.com/%') ORDER BY name LIMIT $3`
)

func scanProvisioned(r row) (p Provisioned, err error) {
	var spec string
	var at int64
	if err := r.Scan(&p.Account, &p.Set.ID, &p.Set.Instance, &p.Name, &p.Path, &p.Revision, &spec, &at, &p.Latest); err != nil {
		return p, err
	}
	p.At = fromMicros(at)
	return p, json.Unmarshal([]byte(spec), &p.Spec)
}

// PutProvisioned records what was made of a permission set in an account, in place of what was made of it before.
func (tx *Tx) PutProvisioned(p Provisioned) error {
	spec, err := json.Marshal(p.Spec)
	if err != nil {
		return fmt.Errorf("encode role: %w", err)
	}
	if _, err := tx.exec(roleWas, micros(tx.now), tx.cause.Event, p.Account, p.Set.ID, string(spec), p.Name); err != nil {
		return err
	}
	_, err = tx.exec(putProvisioned, p.Account, p.Set.ID, p.Set.Instance, p.Name, p.Path, p.Revision, string(spec), micros(p.At), micros(tx.now), tx.cause.Event)
	return err
}

// DeleteProvisioned records that nothing of a permission set is in an account any more. It may have been so before.
func (tx *Tx) DeleteProvisioned(account arn.AccountID, set arn.PermissionSet) error {
	if _, err := tx.exec(roleGone, micros(tx.now), tx.cause.Event, account, set.ID); err != nil {
		return err
	}
	_, err := tx.exec(deleteProvisioned, account, set.ID)
	return err
}

// SetAwaited says whether a permission set is to be provisioned when its account, which is closed, is reopened. Provisioning it ends that.
func (tx *Tx) SetAwaited(account arn.AccountID, set arn.PermissionSet, awaited bool) error {
	n := 0
	if awaited {
		n = 1
	}
	_, err := tx.exec(setAwaited, n, account, set.ID)
	return err
}

// AwaitedIn lists up to limit permission sets that are to be provisioned when the account is reopened.
func (tx *Tx) AwaitedIn(account arn.AccountID, limit int) ([]arn.PermissionSet, error) {
	return list(tx, awaitedIn, func(r row) (s arn.PermissionSet, err error) {
		err = r.Scan(&s.Instance, &s.ID)
		return s, err
	}, account, limit)
}

// Provisioned is what was made of a permission set in an account; ErrNotFound.
func (tx *Tx) Provisioned(account arn.AccountID, set arn.PermissionSet) (Provisioned, error) {
	return get(tx, provisionedBySet, scanProvisioned, account, set.ID)
}

// ProvisionedIn lists up to limit of what was made in an account, by the role's name, after the given one.
func (tx *Tx) ProvisionedIn(account arn.AccountID, after string, limit int) ([]Provisioned, error) {
	return list(tx, provisionedAfter, scanProvisioned, account, after, limit)
}

// ReservedRoles lists up to limit of an account's roles that were made from permission sets, or look so by their path, by name, after
// the given one.
func (tx *Tx) ReservedRoles(account arn.AccountID, after string, limit int) ([]Role, error) {
	return list(tx, reservedRoles, scanRole, account, after, limit)
}
