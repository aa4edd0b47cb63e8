package credential

import (
	"context"
	"crypto/sha256"
	"time"

	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// knownFor is how long a long-term key that was found is remembered: far shorter than changes are kept for the gate.
const knownFor = 5 * time.Minute

// LongTerm finds long-term keys and remembers them for a while, so that a signed call costs no read for its key.
//
// That is safe for the reason for which role credentials need no read: a key's caller carries the time at which it was read,
// package revocation holds it against every change since, and a key that was made inactive or deleted is such a change.
// Nothing else about a key changes.
type LongTerm struct {
	db    *store.DB
	ring  *keyring.Ring
	known *cache
}

// NewLongTerm returns a finder that remembers nothing yet.
func NewLongTerm(db *store.DB, ring *keyring.Ring) *LongTerm {
	return &LongTerm{db: db, ring: ring, known: newCache(cacheSize)}
}

// LookUp finds the caller behind a long-term key and the secret that they must have signed with; AuthUnknownKey. Whether the
// key still stands is for the gate to say.
func (l *LongTerm) LookUp(ctx context.Context, id string) (c Caller, secret Secret, err error) {
	hash := sha256.Sum256([]byte(id))
	if o, ok := l.known.get(hash); ok && l.db.Now().Sub(o.caller.Issued) < knownFor {
		return o.caller, o.secret, nil
	}
	err = l.db.View(ctx, func(tx *store.Tx) error {
		c, secret, err = LookUp(tx, l.ring, id)
		return err
	})
	if err == nil {
		l.known.put(hash, &opened{caller: c, secret: secret})
	}
	return c, secret, err
}
