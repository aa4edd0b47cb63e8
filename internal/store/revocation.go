package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// RevocationScope says what was cut off.
type RevocationScope string

// The scopes.
const (
	RevokedUser    RevocationScope = "USER"
	RevokedSession RevocationScope = "SESSION"
	RevokedSet     RevocationScope = "PERMISSION_SET" // in all accounts, or in one
	RevokedAccount RevocationScope = "ACCOUNT"
)

// RevocationStatus says how far a revocation, or its part in an account, has come.
type RevocationStatus string

// The states.
const (
	RevocationPending RevocationStatus = "IN_PROGRESS"
	RevocationReached RevocationStatus = "REACHED"
	RevocationFailed  RevocationStatus = "FAILED" // in one account at least
)

// Revocation is the record of one: what was cut off, by whom and why, and how far that has come.
type Revocation struct {
	ID          string
	Scope       RevocationScope
	UserID      string // whose, of RevokedUser and RevokedSession
	SessionID   string // of RevokedSession
	Set         arn.PermissionSet
	Account     arn.AccountID
	Disabled    bool // the user as well
	Reason      string
	By          string
	At          time.Time
	Status      RevocationStatus
	Remaining   int64 // parts that have not ended
	Counts      RevocationCounts
	ConfirmedAt time.Time // since when no server lets through what was cut off; zero: not yet
	EndedAt     time.Time
}

// RevocationCounts are how many there were of what was cut off. Roles and Accounts are counted up to a bound.
type RevocationCounts struct {
	Portal   int64 `json:"portal"`   // portal sessions
	Clients  int64 `json:"clients"`  // client sessions
	Families int64 `json:"families"` // of refresh tokens
	Roles    int64 `json:"roles"`    // with credentials in use, each of a session
	Accounts int64 `json:"accounts"` // whose backends are told
}

// RevokedIn is what the backend of an account said to a revocation.
type RevokedIn struct {
	Revocation string
	Account    arn.AccountID
	Status     RevocationStatus
	Within     time.Duration // of ReachedAt, by the backend's word
	Residue    []string      // sentences: what goes on working
	Reason     string        // of a failure
	ReachedAt  time.Time
}

const (
	revocationColumns = `id, scope, user_id, session_id, instance_id, permission_set, account_id, disabled, reason, requested_by, at, status, remaining, counts, confirmed_at, ended_at`
	revokedInColumns  = `revocation_id, account_id, status, within, residue, reason, reached_at`
)

const (
	insertRevocation query = `INSERT INTO revocation (` + revocationColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0)`
	updateRevocation query = `UPDATE revocation SET status = $1, remaining = $2, confirmed_at = $3, ended_at = $4 WHERE id = $5`
	revocationByID   query = `SELECT ` + revocationColumns + ` FROM revocation WHERE id = $1`
	revocationsUntil query = `SELECT ` + revocationColumns + ` FROM revocation WHERE id < $1 ORDER BY id DESC LIMIT $2`
	pruneRevocations query = `DELETE FROM revocation WHERE id IN (SELECT id FROM revocation WHERE id < $1 ORDER BY id LIMIT $2)`

	putRevokedIn query = `INSERT INTO revocation_account (` + revokedInColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (revocation_id, account_id) DO UPDATE SET status = excluded.status, within = excluded.within, residue = excluded.residue, reason = excluded.reason, reached_at = excluded.reached_at`
	revokedIn       query = `SELECT ` + revokedInColumns + ` FROM revocation_account WHERE revocation_id = $1 AND account_id > $2 ORDER BY account_id LIMIT $3`
	pruneRevokedIns query = `DELETE FROM revocation_account WHERE (revocation_id, account_id) IN (SELECT revocation_id, account_id FROM revocation_account WHERE revocation_id < $1 ORDER BY revocation_id, account_id LIMIT $2)`
)

func scanRevocation(r row) (v Revocation, err error) {
	var counts string
	var at, confirmed, ended int64
	err = r.Scan(&v.ID, &v.Scope, &v.UserID, &v.SessionID, &v.Set.Instance, &v.Set.ID, &v.Account, &v.Disabled, &v.Reason, &v.By, &at, &v.Status,
		&v.Remaining, &counts, &confirmed, &ended)
	if err != nil {
		return v, err
	}
	v.At, v.ConfirmedAt, v.EndedAt = fromMicros(at), fromMicros(confirmed), fromMicros(ended)
	return v, json.Unmarshal([]byte(counts), &v.Counts)
}

func scanRevokedIn(r row) (v RevokedIn, err error) {
	var residue string
	var within, reached int64
	if err := r.Scan(&v.Revocation, &v.Account, &v.Status, &within, &residue, &v.Reason, &reached); err != nil {
		return v, err
	}
	v.Within, v.ReachedAt = time.Duration(within)*time.Microsecond, fromMicros(reached)
	return v, json.Unmarshal([]byte(residue), &v.Residue)
}

// InsertRevocation records a revocation, made now, and returns it with its id.
func (tx *Tx) InsertRevocation(v Revocation) (Revocation, error) {
	v.ID, v.At = newID(tx.now), tx.now
	counts, err := json.Marshal(v.Counts)
	if err != nil {
		return v, fmt.Errorf("encode revocation: %w", err)
	}
	_, err = tx.exec(insertRevocation, v.ID, v.Scope, v.UserID, v.SessionID, v.Set.Instance, v.Set.ID, v.Account, v.Disabled, v.Reason, v.By,
		micros(v.At), v.Status, v.Remaining, string(counts))
	return v, err
}

// UpdateRevocation records how far a revocation has come; ErrNotFound.
func (tx *Tx) UpdateRevocation(v Revocation) error {
	return one(tx.exec(updateRevocation, v.Status, v.Remaining, micros(v.ConfirmedAt), micros(v.EndedAt), v.ID))
}

// Revocation is the one with the id; ErrNotFound.
func (tx *Tx) Revocation(id string) (Revocation, error) {
	return get(tx, revocationByID, scanRevocation, id)
}

// Revocations lists them, newest first.
func (tx *Tx) Revocations(q page.Query) ([]Revocation, page.Key, error) {
	before := at(q.After, 0)
	if before == "" {
		before = "g" // after every id, which are hexadecimal
	}
	rows, err := list(tx, revocationsUntil, scanRevocation, before, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(v Revocation) page.Key { return page.Key{v.ID} })
	return rows, next, nil
}

// PutRevokedIn records how far a revocation has come in an account.
func (tx *Tx) PutRevokedIn(v RevokedIn) error {
	if v.Residue == nil {
		v.Residue = []string{}
	}
	residue, err := json.Marshal(v.Residue)
	if err != nil {
		return fmt.Errorf("encode residue: %w", err)
	}
	_, err = tx.exec(putRevokedIn, v.Revocation, v.Account, v.Status, v.Within.Microseconds(), string(residue), v.Reason, micros(v.ReachedAt))
	return err
}

// RevokedIns lists what the backends of accounts said to a revocation, by account.
func (tx *Tx) RevokedIns(id string, q page.Query) ([]RevokedIn, page.Key, error) {
	rows, err := list(tx, revokedIn, scanRevokedIn, id, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(v RevokedIn) page.Key { return page.Key{string(v.Account)} })
	return rows, next, nil
}

// PruneRevocations forgets revocations of before a time, up to limit rows, and returns how many.
func (tx *Tx) PruneRevocations(before time.Time, limit int) (int64, error) {
	n, err := tx.exec(pruneRevokedIns, newID(before), limit)
	if err != nil || n == int64(limit) { // a record goes after its parts
		return n, err
	}
	m, err := tx.exec(pruneRevocations, newID(before), limit)
	return n + m, err
}
