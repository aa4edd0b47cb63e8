package store

import "time"

// LinkPurpose is what a link is for.
type LinkPurpose string

// What links are for.
const (
	Invitation LinkPurpose = "INVITATION" // choose a password, register a device
	Reset      LinkPurpose = "RESET"      // choose another password
	Founding   LinkPurpose = "FOUNDING"   // become the first administrator
	Disowning  LinkPurpose = "DISOWNING"  // "this was not me"
)

// Link lets the holder of its token in once. Only the token's hash is kept.
type Link struct {
	Hash      string
	UserID    string // of Founding: empty
	Purpose   LinkPurpose
	Subject   string // of Disowning: the notice
	CreatedAt time.Time
	ExpiresAt time.Time
}

const linkColumns = `hash, user_id, purpose, subject, created_at, expires_at`

const (
	insertLink  query = `INSERT INTO link (` + linkColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
	linkByHash  query = `SELECT ` + linkColumns + ` FROM link WHERE hash = $1`
	linksOf     query = `SELECT ` + linkColumns + ` FROM link WHERE user_id = $1 AND purpose = $2 ORDER BY created_at DESC LIMIT 1`
	deleteLink  query = `DELETE FROM link WHERE hash = $1`
	deleteLinks query = `DELETE FROM link WHERE user_id = $1 AND purpose = $2`
	wipeLinks   query = `DELETE FROM link WHERE user_id = $1`
	pruneLinks  query = `DELETE FROM link WHERE hash IN (SELECT hash FROM link WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`
)

func scanLink(r row) (l Link, err error) {
	var created, expires int64
	err = r.Scan(&l.Hash, &l.UserID, &l.Purpose, &l.Subject, &created, &expires)
	l.CreatedAt, l.ExpiresAt = fromMicros(created), fromMicros(expires)
	return l, err
}

// InsertLink adds a link.
func (tx *Tx) InsertLink(l Link) error {
	_, err := tx.exec(insertLink, l.Hash, l.UserID, l.Purpose, l.Subject, micros(l.CreatedAt), micros(l.ExpiresAt))
	return err
}

// Link is the link whose token has the hash, expired or not; ErrNotFound.
func (tx *Tx) Link(hash string) (Link, error) { return get(tx, linkByHash, scanLink, hash) }

// LinkOf is the newest link of a person for a purpose; ErrNotFound.
func (tx *Tx) LinkOf(userID string, purpose LinkPurpose) (Link, error) {
	return get(tx, linksOf, scanLink, userID, purpose)
}

// DeleteLink spends a link; ErrNotFound when somebody else has.
func (tx *Tx) DeleteLink(hash string) error { return one(tx.exec(deleteLink, hash)) }

// DeleteLinks withdraws all links of a person for a purpose.
func (tx *Tx) DeleteLinks(userID string, purpose LinkPurpose) error {
	_, err := tx.exec(deleteLinks, userID, purpose)
	return err
}

// OldPassword is the hash of a password that was replaced.
type OldPassword struct {
	UserID     string
	ReplacedAt time.Time
	PHC        string
}

const (
	insertOldPassword query = `INSERT INTO old_password (user_id, replaced_at, phc) VALUES ($1, $2, $3) ON CONFLICT (user_id, replaced_at) DO UPDATE SET phc = excluded.phc`
	oldPasswordsOf    query = `SELECT user_id, replaced_at, phc FROM old_password WHERE user_id = $1 ORDER BY replaced_at DESC LIMIT $2`
	trimOldPasswords  query = `DELETE FROM old_password WHERE user_id = $1 AND replaced_at < $2`
	wipeOldPasswords  query = `DELETE FROM old_password WHERE user_id = $1`
)

func scanOldPassword(r row) (p OldPassword, err error) {
	var at int64
	err = r.Scan(&p.UserID, &at, &p.PHC)
	p.ReplacedAt = fromMicros(at)
	return p, err
}

// OldPasswords are the n passwords replaced last, newest first.
func (tx *Tx) OldPasswords(userID string, n int) ([]OldPassword, error) {
	return list(tx, oldPasswordsOf, scanOldPassword, userID, n)
}

// KeepOldPassword remembers the hash of a password that is being replaced now, and forgets all but the last keep.
func (tx *Tx) KeepOldPassword(userID, phc string, keep int) error {
	if _, err := tx.exec(insertOldPassword, userID, micros(tx.now), phc); err != nil {
		return err
	}
	have, err := tx.OldPasswords(userID, keep)
	if err != nil || len(have) == 0 {
		return err
	}
	_, err = tx.exec(trimOldPasswords, userID, micros(have[len(have)-1].ReplacedAt))
	return err
}
