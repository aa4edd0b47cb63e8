package store

import "time"

// FactorKind is a kind of second factor.
type FactorKind string

// The kinds of second factors.
const (
	TOTP    FactorKind = "TOTP"
	Passkey FactorKind = "PASSKEY"
)

// Factor is a second factor of a person: an authenticator app or a passkey.
type Factor struct {
	ID        string
	UserID    string
	Kind      FactorKind
	Name      string
	KeyID     string // of a passkey: its credential id, base64url
	Sealed    []byte // TOTP: the seed; passkey: its record
	Counter   int64  // TOTP: step of the code used last; passkey: its signature counter
	Synced    bool
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
}

const factorColumns = `id, user_id, kind, name, key_id, sealed, counter, synced, created_at, used_at`

const (
	insertFactor query = `INSERT INTO factor (` + factorColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	factorByID   query = `SELECT ` + factorColumns + ` FROM factor WHERE id = $1`
	factorByKey  query = `SELECT ` + factorColumns + ` FROM factor WHERE key_id = $1`
	factorsOf    query = `SELECT ` + factorColumns + ` FROM factor WHERE user_id = $1 ORDER BY id`
	renameFactor query = `UPDATE factor SET name = $1 WHERE id = $2`
	useFactor    query = `UPDATE factor SET counter = $1, sealed = $2, synced = $3, used_at = $4 WHERE id = $5`
	deleteFactor query = `DELETE FROM factor WHERE id = $1`
	wipeFactors  query = `DELETE FROM factor WHERE user_id = $1`
)

func scanFactor(r row) (f Factor, err error) {
	var key *string
	var created, used int64
	err = r.Scan(&f.ID, &f.UserID, &f.Kind, &f.Name, &key, &f.Sealed, &f.Counter, &f.Synced, &created, &used)
	if key != nil {
		f.KeyID = *key
	}
	f.CreatedAt, f.UsedAt = fromMicros(created), fromMicros(used)
	return f, err
}

// InsertFactor adds a factor; ErrExists when the passkey is registered already.
func (tx *Tx) InsertFactor(f Factor) error {
	return added(tx.exec(insertFactor, f.ID, f.UserID, f.Kind, f.Name, nullable(f.KeyID), f.Sealed, f.Counter, f.Synced, micros(f.CreatedAt), micros(f.UsedAt)))
}

// Factor is the factor with the id; ErrNotFound.
func (tx *Tx) Factor(id string) (Factor, error) { return get(tx, factorByID, scanFactor, id) }

// FactorByKey is the passkey with the credential id; ErrNotFound.
func (tx *Tx) FactorByKey(keyID string) (Factor, error) {
	return get(tx, factorByKey, scanFactor, keyID)
}

// Factors lists a person's factors, oldest first. How many there can be is bounded by a rule.
func (tx *Tx) Factors(userID string) ([]Factor, error) {
	return list(tx, factorsOf, scanFactor, userID)
}

// RenameFactor renames a factor; ErrNotFound.
func (tx *Tx) RenameFactor(id, name string) error { return one(tx.exec(renameFactor, name, id)) }

// UseFactor stores that a factor was used now, with what that changed of it; ErrNotFound.
func (tx *Tx) UseFactor(f Factor) error {
	return one(tx.exec(useFactor, f.Counter, f.Sealed, f.Synced, micros(tx.now), f.ID))
}

// DeleteFactor removes a factor; ErrNotFound.
func (tx *Tx) DeleteFactor(id string) error { return one(tx.exec(deleteFactor, id)) }

// SignInState is what sign-in knows of a person beside their factors. A person who never signed in has none.
type SignInState struct {
	UserID          string
	SignedInAt      time.Time
	TrustAfter      time.Time // browsers trusted until then are not any more
	CodeFailures    int64     // wrong codes in a row
	CodeLockedUntil time.Time
}

const (
	signInStateOf     query = `SELECT user_id, signed_in_at, trust_after, code_failures, code_locked_until FROM sign_in_state WHERE user_id = $1`
	upsertSignInState query = `INSERT INTO sign_in_state (user_id, signed_in_at, trust_after, code_failures, code_locked_until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id) DO UPDATE SET signed_in_at = excluded.signed_in_at, trust_after = excluded.trust_after, code_failures = excluded.code_failures, code_locked_until = excluded.code_locked_until`
	distrustBrowsers query = `INSERT INTO sign_in_state (user_id, signed_in_at, trust_after, code_failures, code_locked_until) VALUES ($1, 0, $2, 0, 0)
		ON CONFLICT (user_id) DO UPDATE SET trust_after = excluded.trust_after`
	// full scan: of everybody.
	distrustEverybody query = `UPDATE sign_in_state SET trust_after = $1`
	deleteSignInState query = `DELETE FROM sign_in_state WHERE user_id = $1`
)

func scanSignInState(r row) (s SignInState, err error) {
	var in, trust, locked int64
	err = r.Scan(&s.UserID, &in, &trust, &s.CodeFailures, &locked)
	s.SignedInAt, s.TrustAfter, s.CodeLockedUntil = fromMicros(in), fromMicros(trust), fromMicros(locked)
	return s, err
}

// SignInState is the person's state; ErrNotFound.
func (tx *Tx) SignInState(userID string) (SignInState, error) {
	return get(tx, signInStateOf, scanSignInState, userID)
}

// PutSignInState stores a person's state.
func (tx *Tx) PutSignInState(s SignInState) error {
	_, err := tx.exec(upsertSignInState, s.UserID, micros(s.SignedInAt), micros(s.TrustAfter), s.CodeFailures, micros(s.CodeLockedUntil))
	return err
}

// DistrustBrowsers makes the person's trusted browsers ones that are not.
func (tx *Tx) DistrustBrowsers(userID string) error {
	_, err := tx.exec(distrustBrowsers, userID, micros(tx.now))
	return err
}

// DistrustAllBrowsers does so for everybody: who has no state has no browser that is trusted.
func (tx *Tx) DistrustAllBrowsers() error {
	_, err := tx.exec(distrustEverybody, micros(tx.now))
	return err
}

// WipeSignIn forgets all that sign-in holds of a person who is deleted: factors, password, links, state, notices.
func (tx *Tx) WipeSignIn(userID string) error {
	for _, q := range []query{wipeFactors, deletePassword, wipeOldPasswords, wipeLinks, deleteSignInState, wipeNotices} {
		if _, err := tx.exec(q, userID); err != nil {
			return err
		}
	}
	return nil
}
