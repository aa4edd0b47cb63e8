package store

import (
	"time"

	"sallyport/internal/arn"
)

// Account is a member of the organization.
type Account struct {
	ID        arn.AccountID
	Name      string
	Email     string
	Backend   string // "local"
	Status    string // AccountActive, or what AWS Organizations says of one that is closed: SUSPENDED, PENDING_CLOSURE
	CreatedAt time.Time
}

// Statuses of an account, in the words of AWS Organizations.
const (
	AccountActive    = "ACTIVE"    // people may reach it
	AccountSuspended = "SUSPENDED" // it was closed here
)

const (
	setAccountStatus query = `UPDATE account SET status = $1, since = $2, event_id = $3, since_by = $4 WHERE id = $5 AND status <> $1`

	insertAccount query = `INSERT INTO account (id, name, email, backend, status, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	accountByID   query = `SELECT id, name, email, backend, status, created_at FROM account WHERE id = $1`
	accountsAfter query = `SELECT id, name, email, backend, status, created_at FROM account WHERE id > $1 ORDER BY id LIMIT $2`

	upsertMeta query = `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	metaByName query = `SELECT value FROM meta WHERE name = $1`
)

func scanAccount(r row) (a Account, err error) {
	var at int64
	err = r.Scan(&a.ID, &a.Name, &a.Email, &a.Backend, &a.Status, &at)
	a.CreatedAt = fromMicros(at)
	return a, err
}

// InsertAccount adds an account to the organization; ErrExists.
func (tx *Tx) InsertAccount(a Account) error {
	_, err := tx.exec(insertAccount, a.ID, a.Name, a.Email, a.Backend, a.Status, micros(a.CreatedAt))
	return err
}

// Account is the account with the id; ErrNotFound.
func (tx *Tx) Account(id arn.AccountID) (Account, error) {
	return get(tx, accountByID, scanAccount, id)
}

// SetAccountStatus says that an account may be reached, which could not be, or the other way about; ErrNotFound when that is no change.
func (tx *Tx) SetAccountStatus(id arn.AccountID, status string) error {
	if err := tx.was(accountWas, id, status); err != nil {
		return err
	}
	return one(tx.exec(setAccountStatus, status, micros(tx.now), tx.cause.Event, tx.cause.By, id))
}

// Accounts lists up to limit accounts by id, after the given one.
func (tx *Tx) Accounts(after arn.AccountID, limit int) ([]Account, error) {
	return list(tx, accountsAfter, scanAccount, after, limit)
}

// SetMeta keeps a fact about the whole deployment, such as its URL.
func (tx *Tx) SetMeta(name, value string) error {
	_, err := tx.exec(upsertMeta, name, value)
	return err
}

// Meta is a fact about the whole deployment; ErrNotFound.
func (tx *Tx) Meta(name string) (string, error) {
	return get(tx, metaByName, func(r row) (v string, err error) { err = r.Scan(&v); return v, err }, name)
}
