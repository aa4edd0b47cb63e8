package store

import (
	"strings"
	"time"

	"sallyport/internal/arn"
)

// AccountPolicy is a customer managed policy of an account that Sallyport hosts.
type AccountPolicy struct {
	Account   arn.AccountID
	Path      string // begins and ends with a slash
	Name      string
	Document  string // hash
	UpdatedAt time.Time
}

// ARN is arn:aws:iam::ACCOUNT:policy/PATH/NAME.
func (p AccountPolicy) ARN() string { return p.Account.PolicyARN(p.Path, p.Name) }

const (
	accountPolicyByName query = `SELECT account_id, path, name, document, updated_at FROM account_policy WHERE account_id = $1 AND name_ci = $2`
	putAccountPolicy    query = `INSERT INTO account_policy (account_id, name_ci, name, path, document, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account_id, name_ci) DO UPDATE SET name = excluded.name, path = excluded.path, document = excluded.document, updated_at = excluded.updated_at`
	deleteAccountPolicy query = `DELETE FROM account_policy WHERE account_id = $1 AND name_ci = $2`
)

func scanAccountPolicy(r row) (p AccountPolicy, err error) {
	var at int64
	err = r.Scan(&p.Account, &p.Path, &p.Name, &p.Document, &at)
	p.UpdatedAt = fromMicros(at)
	return p, err
}

// AccountPolicy is the account's policy of that name, whose case does not count; ErrNotFound.
func (tx *Tx) AccountPolicy(account arn.AccountID, name string) (AccountPolicy, error) {
	return get(tx, accountPolicyByName, scanAccountPolicy, account, strings.ToLower(name))
}

// PutAccountPolicy writes a policy in place of the one of its name.
func (tx *Tx) PutAccountPolicy(p AccountPolicy) error {
	_, err := tx.exec(putAccountPolicy, p.Account, strings.ToLower(p.Name), p.Name, p.Path, p.Document, micros(p.UpdatedAt))
	return err
}

// DeleteAccountPolicy removes a policy; ErrNotFound.
func (tx *Tx) DeleteAccountPolicy(account arn.AccountID, name string) error {
	return one(tx.exec(deleteAccountPolicy, account, strings.ToLower(name)))
}
