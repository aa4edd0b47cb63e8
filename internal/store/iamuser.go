package store

import (
	"strings"
	"time"

	"sallyport/internal/arn"
)

// IAMUser is a user of an account, with long-term access keys: an operator or a machine. People are directory users.
type IAMUser struct {
	ID        string // AIDA…
	Account   arn.AccountID
	Path      string // starts and ends with a slash
	Name      string
	CreatedAt time.Time
}

// ARN is the user's ARN.
func (u IAMUser) ARN() string { return u.Account.UserARN(u.Path, u.Name) }

// AccessKey is a long-term access key with its user.
type AccessKey struct {
	ID        string // AKIA…
	User      IAMUser
	Secret    []byte // sealed by package keyring
	Status    string // KeyActive, KeyInactive
	CreatedAt time.Time
	UsedAt    time.Time // to about a minute; zero: never
}

// Status of an access key, as IAM writes them.
const (
	KeyActive   = "Active"
	KeyInactive = "Inactive"
)

// UserPolicy is a policy of an IAM user, pinned to its document.
type UserPolicy struct {
	UserID   string
	Name     string // ARN of a managed policy, or name of an inline one
	Inline   bool
	Document string // hash
}

const (
	insertIAMUser query = `INSERT INTO iam_user (id, account, path, name, name_ci, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	iamUserByName query = `SELECT id, account, path, name, created_at FROM iam_user WHERE account = $1 AND name_ci = $2`
	iamUsersAfter query = `SELECT id, account, path, name, created_at FROM iam_user WHERE account = $1 AND name_ci > $2 ORDER BY name_ci LIMIT $3`

	insertAccessKey    query = `INSERT INTO access_key (id, user_id, secret, status, created_at) VALUES ($1, $2, $3, $4, $5)`
	accessKeyByID      query = `SELECT k.id, k.secret, k.status, k.created_at, k.used_at, u.id, u.account, u.path, u.name, u.created_at FROM access_key k JOIN iam_user u ON u.id = k.user_id WHERE k.id = $1`
	accessKeysOfUser   query = `SELECT k.id, k.secret, k.status, k.created_at, k.used_at, u.id, u.account, u.path, u.name, u.created_at FROM access_key k JOIN iam_user u ON u.id = k.user_id WHERE k.user_id = $1 ORDER BY k.id`
	setAccessKeyStatus query = `UPDATE access_key SET status = $1 WHERE id = $2`
	useAccessKey       query = `UPDATE access_key SET used_at = $1 WHERE id = $2`
	deleteAccessKey    query = `DELETE FROM access_key WHERE id = $1`

	putUserPolicy    query = `INSERT INTO user_policy (user_id, name, inline, document) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, inline, name) DO UPDATE SET document = excluded.document`
	userPolicies     query = `SELECT user_id, name, inline, document FROM user_policy WHERE user_id = $1 ORDER BY inline, name`
	deleteUserPolicy query = `DELETE FROM user_policy WHERE user_id = $1 AND inline = $2 AND name = $3`
)

func scanIAMUser(r row) (u IAMUser, err error) {
	var at int64
	err = r.Scan(&u.ID, &u.Account, &u.Path, &u.Name, &at)
	u.CreatedAt = fromMicros(at)
	return u, err
}

func scanAccessKey(r row) (k AccessKey, err error) {
	var at, used, userAt int64
	err = r.Scan(&k.ID, &k.Secret, &k.Status, &at, &used, &k.User.ID, &k.User.Account, &k.User.Path, &k.User.Name, &userAt)
	k.CreatedAt, k.UsedAt, k.User.CreatedAt = fromMicros(at), fromMicros(used), fromMicros(userAt)
	return k, err
}

func scanUserPolicy(r row) (p UserPolicy, err error) {
	err = r.Scan(&p.UserID, &p.Name, &p.Inline, &p.Document)
	return p, err
}

// InsertIAMUser adds a user; ErrExists when the name is taken. As in IAM, names are unique whatever their case.
func (tx *Tx) InsertIAMUser(u IAMUser) error {
	_, err := tx.exec(insertIAMUser, u.ID, u.Account, u.Path, u.Name, strings.ToLower(u.Name), micros(u.CreatedAt))
	return err
}

// IAMUser is the user of the account with the name, whatever its case; ErrNotFound.
func (tx *Tx) IAMUser(account arn.AccountID, name string) (IAMUser, error) {
	return get(tx, iamUserByName, scanIAMUser, account, strings.ToLower(name))
}

// IAMUsers lists up to limit users of the account by name, after the given one.
func (tx *Tx) IAMUsers(account arn.AccountID, after string, limit int) ([]IAMUser, error) {
	return list(tx, iamUsersAfter, scanIAMUser, account, strings.ToLower(after), limit)
}

// InsertAccessKey adds a long-term key of k.User; ErrExists when the id is taken.
func (tx *Tx) InsertAccessKey(k AccessKey) error {
	_, err := tx.exec(insertAccessKey, k.ID, k.User.ID, k.Secret, k.Status, micros(k.CreatedAt))
	return err
}

// AccessKey is the long-term key with the id, and its user; ErrNotFound.
func (tx *Tx) AccessKey(id string) (AccessKey, error) {
	return get(tx, accessKeyByID, scanAccessKey, id)
}

// AccessKeys lists the long-term keys of a user. IAM allows two of them.
func (tx *Tx) AccessKeys(userID string) ([]AccessKey, error) {
	return list(tx, accessKeysOfUser, scanAccessKey, userID)
}

// SetAccessKeyStatus makes a key active or inactive; ErrNotFound.
func (tx *Tx) SetAccessKeyStatus(id, status string) error {
	return one(tx.exec(setAccessKeyStatus, status, id))
}

// AccessKeyUsed stamps a key as used now; ErrNotFound.
func (tx *Tx) AccessKeyUsed(id string) error { return one(tx.exec(useAccessKey, micros(tx.now), id)) }

// DeleteAccessKey removes a key; ErrNotFound.
func (tx *Tx) DeleteAccessKey(id string) error { return one(tx.exec(deleteAccessKey, id)) }

// PutUserPolicy attaches a policy to a user, or gives an attached one another document.
func (tx *Tx) PutUserPolicy(p UserPolicy) error {
	_, err := tx.exec(putUserPolicy, p.UserID, p.Name, p.Inline, p.Document)
	return err
}

// UserPolicies lists the policies of a user: managed ones first, by name.
func (tx *Tx) UserPolicies(userID string) ([]UserPolicy, error) {
	return list(tx, userPolicies, scanUserPolicy, userID)
}

// DeleteUserPolicy takes a policy from a user; ErrNotFound.
func (tx *Tx) DeleteUserPolicy(userID string, inline bool, name string) error {
	return one(tx.exec(deleteUserPolicy, userID, inline, name))
}
