package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// DriftKind tells in which way a role is not what it should be.
type DriftKind string

// The kinds of findings.
const (
	DriftMissing    DriftKind = "MISSING"    // the role is not in its account
	DriftChanged    DriftKind = "CHANGED"    // it is not as it was provisioned
	DriftUnexpected DriftKind = "UNEXPECTED" // it looks like ours, and nothing explains it
	DriftOutdated   DriftKind = "OUTDATED"   // its permission set was edited since: no drift, and told apart
)

// DriftKinds are all of them.
var DriftKinds = []DriftKind{DriftMissing, DriftChanged, DriftUnexpected, DriftOutdated}

// DriftFinding is one way in which a role is not what it should be.
type DriftFinding struct {
	Account arn.AccountID
	Role    string
	Kind    DriftKind
	Set     arn.PermissionSet // zero: none explains the role
	Details []string          // sentences
	FoundAt time.Time
}

const driftColumns = `account_id, role_name, kind, instance_id, permission_set, details, found_at`

const (
	putDrift query = `INSERT INTO drift_finding (` + driftColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account_id, role_name, kind) DO UPDATE SET instance_id = excluded.instance_id, permission_set = excluded.permission_set, details = excluded.details, found_at = excluded.found_at`
	deleteDrift  query = `DELETE FROM drift_finding WHERE account_id = $1 AND role_name = $2 AND kind = $3`
	driftBetween query = `SELECT ` + driftColumns + ` FROM drift_finding WHERE account_id >= $1 AND account_id <= $2 ORDER BY account_id, role_name, kind`
	driftOfRole  query = `SELECT ` + driftColumns + ` FROM drift_finding WHERE account_id = $1 AND role_name = $2 ORDER BY kind`
	countDrift   query = `SELECT COUNT(*) FROM drift_finding WHERE kind = $1`

	jobOfKey query = `SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE kind = $1 AND key = $2 LIMIT 1) AS j`
)

func scanDrift(r row) (f DriftFinding, err error) {
	var details string
	var at int64
	if err := r.Scan(&f.Account, &f.Role, &f.Kind, &f.Set.Instance, &f.Set.ID, &details, &at); err != nil {
		return f, err
	}
	f.FoundAt = fromMicros(at)
	return f, json.Unmarshal([]byte(details), &f.Details)
}

// PutDriftFinding keeps a finding, in place of the one of its role and kind.
func (tx *Tx) PutDriftFinding(f DriftFinding) error {
	details, err := json.Marshal(f.Details)
	if err != nil {
		return fmt.Errorf("encode finding: %w", err)
	}
	_, err = tx.exec(putDrift, f.Account, f.Role, f.Kind, f.Set.Instance, f.Set.ID, string(details), micros(f.FoundAt))
	return err
}

// DeleteDriftFinding removes a finding; ErrNotFound.
func (tx *Tx) DeleteDriftFinding(f DriftFinding) error {
	return one(tx.exec(deleteDrift, f.Account, f.Role, f.Kind))
}

// DriftFindings are those that are kept of the roles of accounts, from one to another.
func (tx *Tx) DriftFindings(first, last arn.AccountID) ([]DriftFinding, error) {
	return list(tx, driftBetween, scanDrift, first, last)
}

// DriftOfRole are the findings that are kept of one role.
func (tx *Tx) DriftOfRole(account arn.AccountID, role string) ([]DriftFinding, error) {
	return list(tx, driftOfRole, scanDrift, account, role)
}

// CountDriftFindings counts the findings that are kept of a kind.
func (tx *Tx) CountDriftFindings(k DriftKind) (int, error) {
	return get(tx, countDrift, scanCount, k)
}

// HasJob says whether there is a job of that kind and key, waiting or being done.
func (tx *Tx) HasJob(kind, key string) (bool, error) {
	n, err := get(tx, jobOfKey, scanCount, kind, key)
	return n > 0, err
}

// Same says whether two findings are of the same role and kind.
func (f DriftFinding) Same(g DriftFinding) bool {
	return f.Account == g.Account && f.Role == g.Role && f.Kind == g.Kind
}
