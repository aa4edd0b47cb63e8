package store

import (
	"errors"
	"time"

	"sallyport/internal/arn"
)

// AccountThen is an account as it was at a time.
type AccountThen struct {
	ID     arn.AccountID
	Status string // AccountActive or what it was instead; "": was before this was written down, or is forgotten
	Since  Mark   // of the status
}

const (
	accountsMade   query = `SELECT r.id, '', 0, '', '' FROM account r WHERE r.created_at <= $1 AND r.id IN ($2)`
	accountsNow    query = `SELECT r.id, r.status, ` + sinceOf + `, r.event_id, r.since_by FROM account r WHERE ` + sinceOf + ` <= $1 AND r.id IN ($2)`
	accountsBefore query = `SELECT p.account_id, p.status, p.from_at, p.from_event, p.from_by FROM account_past p WHERE p.to_at > $1 AND p.from_at <= $1 AND p.account_id IN ($2)`

	roleSpanNow query = `SELECT ` + provisionedColumns + `, v.revision FROM provisioned v
		WHERE v.account_id = $1 AND v.permission_set = $2 AND CASE WHEN v.since = 0 THEN v.at ELSE v.since END <= $3`
	roleSpanBefore query = `SELECT v.account_id, v.permission_set, v.instance_id, v.name, v.path, v.revision, v.spec, v.from_at, v.revision FROM provisioned_past v
		WHERE v.account_id = $1 AND v.permission_set = $2 AND v.to_at > $3 AND v.from_at <= $3`
)

func scanAccountThen(r row) (a AccountThen, err error) {
	var from int64
	err = r.Scan(&a.ID, &a.Status, &from, &a.Since.Event, &a.Since.By)
	a.Since.At = fromMicros(from)
	return a, err
}

// AccountsAt are those of the accounts that were there at a time, by id, as they were then.
func (tx *Tx) AccountsAt(ids []string, t time.Time) (map[arn.AccountID]AccountThen, error) {
	out := make(map[arn.AccountID]AccountThen, len(ids))
	return out, chunked(tx, ids, scanAccountThen, func(a AccountThen) { out[a.ID] = a }, []any{micros(t)}, accountsMade, accountsNow, accountsBefore)
}

// ProvisionedAt is what had been made of a permission set in an account by a time, as it stood then; ErrNotFound where there was nothing,
// or nobody knows any more.
func (tx *Tx) ProvisionedAt(account arn.AccountID, set arn.PermissionSet, t time.Time) (Provisioned, error) {
	p, err := get(tx, roleSpanNow, scanProvisioned, account, set.ID, micros(t))
	if errors.Is(err, ErrNotFound) {
		return get(tx, roleSpanBefore, scanProvisioned, account, set.ID, micros(t))
	}
	return p, err
}
