package store

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// DataKey is a data key, wrapped by the key-encryption key. It is used for writing from ActiveAt until the next one of
// its purpose becomes active, and for reading as long as its purpose says.
type DataKey struct {
	ID       string
	Purpose  string
	Wrapped  []byte
	ActiveAt time.Time
}

const (
	insertDataKey query = `INSERT INTO data_key (id, purpose, wrapped, active_at) VALUES ($1, $2, $3, $4)`
	dataKeys      query = `SELECT id, purpose, wrapped, active_at FROM data_key WHERE purpose = $1 ORDER BY active_at, id`

	insertDocument query = `INSERT INTO policy_document (hash, text) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`
	documentByHash query = `SELECT text FROM policy_document WHERE hash = $1`
)

func scanDataKey(r row) (k DataKey, err error) {
	var at int64
	err = r.Scan(&k.ID, &k.Purpose, &k.Wrapped, &at)
	k.ActiveAt = fromMicros(at)
	return k, err
}

// InsertDataKey adds a wrapped data key; ErrExists.
func (tx *Tx) InsertDataKey(k DataKey) error {
	_, err := tx.exec(insertDataKey, k.ID, k.Purpose, k.Wrapped, micros(k.ActiveAt))
	return err
}

// DataKeys lists all keys of a purpose in the order in which they become active.
func (tx *Tx) DataKeys(purpose string) ([]DataKey, error) {
	return list(tx, dataKeys, scanDataKey, purpose)
}

// PutDocument keeps a policy document under the hash of its text, so that roles and users pin the very text they were
// made with, and equal texts are kept once.
func (tx *Tx) PutDocument(text string) (hash string, err error) {
	sum := sha256.Sum256([]byte(text))
	hash = hex.EncodeToString(sum[:])
	_, err = tx.exec(insertDocument, hash, text)
	return hash, err
}

// Document is the policy document with the hash; ErrNotFound.
func (tx *Tx) Document(hash string) (string, error) {
	return get(tx, documentByHash, func(r row) (text string, err error) { err = r.Scan(&text); return text, err }, hash)
}
