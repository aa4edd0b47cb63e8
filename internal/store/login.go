package store

import "time"

// Attempt is one sign-in in progress: what was asked, who is claimed, which steps are done. The browser holds only its
// random id.
type Attempt struct {
	ID          string // SHA-256, hex, of the browser's id
	Workflow    string // AuthWorkflowID of its audit events
	Next        string // path and query within our origin
	UserName    string // as claimed; empty: a passkey is to tell
	UserID      string // once a factor has been proved
	PasswordAt  time.Time
	MustChange  bool
	Challenged  bool // the challenge is in the audit log
	Problem     string
	CreatedAt   time.Time
	ExpiresAt   time.Time
	Entry       Entry
	SessionID   string // of ByConfirmation: the portal session that it renews
	LinkHash    string // of ByInvitation and ByReset: the link, which is spent when a password is chosen
	MFAAt       time.Time
	MFABy       string // the credential types of audit events: TOTP, WEBAUTHN, EMAIL_OTP
	Enrolled    bool   // a device was registered in it
	Trusted     bool   // the browser is one that the person trusts
	WantsDevice bool   // of ByConfirmation: it leads to a new device
	Work        []byte // of the step at hand, sealed: a seed, a challenge, a code's hash
	FactorID    string // the passkey that was proved, if one was
}

// Entry is how an attempt began.
type Entry string

// The ways in.
const (
	ByPassword     Entry = "PASSWORD"
	ByPasskey      Entry = "PASSKEY" // which also tells who it is
	ByInvitation   Entry = "INVITATION"
	ByReset        Entry = "RESET"
	ByConfirmation Entry = "CONFIRMATION" // somebody who is signed in proves a factor again
	ByEmergency    Entry = "EMERGENCY"    // password and passkey of this directory, whatever else is asked or allowed at sign-in
)

// Password is a user's password hash in PHC form.
type Password struct {
	UserID    string
	PHC       string
	OneTime   bool
	ChangedAt time.Time
	ExpiresAt time.Time // zero: never
}

// SignInFailures counts failures in a row for one claimed name.
type SignInFailures struct {
	NameKey     string
	NameHash    string // the same for all browsers of a name
	Failures    int64
	LeftOut     int64 // tries under a lock since the last one that is in the audit log
	LockedUntil time.Time
	LastAt      time.Time
}

const attemptColumns = `id, workflow, next_url, user_name, user_id, password_at, must_change, challenged, problem, created_at, expires_at, entry, session_id, link_hash, mfa_at, mfa_by, enrolled, trusted, wants_device, work, factor_id`

const (
	insertAttempt query = `INSERT INTO attempt (` + attemptColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`
	attemptByID   query = `SELECT ` + attemptColumns + ` FROM attempt WHERE id = $1`
	updateAttempt query = `UPDATE attempt SET user_id = $1, password_at = $2, must_change = $3, challenged = $4, problem = $5, mfa_at = $6, mfa_by = $7, enrolled = $8, trusted = $9, work = $10, factor_id = $11 WHERE id = $12`
	renameAttempt query = `UPDATE attempt SET id = $1 WHERE id = $2`
	deleteAttempt query = `DELETE FROM attempt WHERE id = $1`
	voidAttempts  query = `DELETE FROM attempt WHERE user_id = $1 AND id <> $2`
	voidEntries   query = `DELETE FROM attempt WHERE user_id = $1 AND entry = $2`
	pruneAttempts query = `DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`

	passwordByUser query = `SELECT user_id, phc, one_time, changed_at, expires_at FROM password WHERE user_id = $1`
	upsertPassword query = `INSERT INTO password (user_id, phc, one_time, changed_at, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, one_time = excluded.one_time, changed_at = excluded.changed_at, expires_at = excluded.expires_at`
	deletePassword query = `DELETE FROM password WHERE user_id = $1`

	failuresByName query = `SELECT name_key, name_hash, failures, left_out, locked_until, last_at FROM sign_in_failure WHERE name_key = $1`
	failuresByHash query = `SELECT name_key, name_hash, failures, left_out, locked_until, last_at FROM sign_in_failure WHERE name_hash = $1 ORDER BY failures DESC LIMIT 1`
	upsertFailures query = `INSERT INTO sign_in_failure (name_key, name_hash, failures, left_out, locked_until, last_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name_key) DO UPDATE SET failures = excluded.failures, left_out = excluded.left_out, locked_until = excluded.locked_until, last_at = excluded.last_at`
	deleteFailures query = `DELETE FROM sign_in_failure WHERE name_key = $1`
	unlockName     query = `DELETE FROM sign_in_failure WHERE name_hash = $1`
	pruneFailures  query = `DELETE FROM sign_in_failure WHERE name_key IN (SELECT name_key FROM sign_in_failure WHERE last_at < $1 ORDER BY last_at LIMIT $2)`
)

func scanAttempt(r row) (a Attempt, err error) {
	var passwordAt, createdAt, expiresAt, mfaAt int64
	err = r.Scan(&a.ID, &a.Workflow, &a.Next, &a.UserName, &a.UserID, &passwordAt, &a.MustChange, &a.Challenged, &a.Problem, &createdAt, &expiresAt,
		&a.Entry, &a.SessionID, &a.LinkHash, &mfaAt, &a.MFABy, &a.Enrolled, &a.Trusted, &a.WantsDevice, &a.Work, &a.FactorID)
	a.PasswordAt, a.CreatedAt, a.ExpiresAt, a.MFAAt = fromMicros(passwordAt), fromMicros(createdAt), fromMicros(expiresAt), fromMicros(mfaAt)
	return a, err
}

func scanPassword(r row) (p Password, err error) {
	var at, expires int64
	err = r.Scan(&p.UserID, &p.PHC, &p.OneTime, &at, &expires)
	p.ChangedAt, p.ExpiresAt = fromMicros(at), fromMicros(expires)
	return p, err
}

func scanFailures(r row) (f SignInFailures, err error) {
	var locked, last int64
	err = r.Scan(&f.NameKey, &f.NameHash, &f.Failures, &f.LeftOut, &locked, &last)
	f.LockedUntil, f.LastAt = fromMicros(locked), fromMicros(last)
	return f, err
}

// InsertAttempt adds a sign-in attempt.
func (tx *Tx) InsertAttempt(a Attempt) error {
	_, err := tx.exec(insertAttempt, a.ID, a.Workflow, a.Next, a.UserName, a.UserID, micros(a.PasswordAt), a.MustChange, a.Challenged, a.Problem,
		micros(a.CreatedAt), micros(a.ExpiresAt), a.Entry, a.SessionID, a.LinkHash, micros(a.MFAAt), a.MFABy, a.Enrolled, a.Trusted, a.WantsDevice, a.Work, a.FactorID)
	return err
}

// Attempt is the attempt with the hashed id, whether or not it has expired; ErrNotFound.
func (tx *Tx) Attempt(id string) (Attempt, error) { return get(tx, attemptByID, scanAttempt, id) }

// UpdateAttempt stores the steps done and the problem to show; ErrNotFound when the attempt was consumed meanwhile.
func (tx *Tx) UpdateAttempt(a Attempt) error {
	return one(tx.exec(updateAttempt, a.UserID, micros(a.PasswordAt), a.MustChange, a.Challenged, a.Problem,
		micros(a.MFAAt), a.MFABy, a.Enrolled, a.Trusted, a.Work, a.FactorID, a.ID))
}

// RenameAttempt gives an attempt a new id; ErrNotFound when it was consumed meanwhile.
func (tx *Tx) RenameAttempt(from, to string) error { return one(tx.exec(renameAttempt, to, from)) }

// DeleteAttempt consumes an attempt; ErrNotFound when somebody else has.
func (tx *Tx) DeleteAttempt(id string) error { return one(tx.exec(deleteAttempt, id)) }

// VoidAttempts deletes every attempt in which a factor of the user has been proved, but for the one with the id keep.
func (tx *Tx) VoidAttempts(userID, keep string) error {
	_, err := tx.exec(voidAttempts, userID, keep)
	return err
}

// VoidEntries deletes every attempt of the user that began that way.
func (tx *Tx) VoidEntries(userID string, e Entry) error {
	_, err := tx.exec(voidEntries, userID, e)
	return err
}

// PruneSignIn deletes up to limit attempts and as many links that have expired, and as many failures that are older than
// the given time. It tells how many rows went.
func (tx *Tx) PruneSignIn(failuresBefore time.Time, limit int) (int64, error) {
	attempts, err := tx.exec(pruneAttempts, micros(tx.now), limit)
	if err != nil {
		return 0, err
	}
	failures, err := tx.exec(pruneFailures, micros(failuresBefore), limit)
	if err != nil {
		return attempts, err
	}
	links, err := tx.exec(pruneLinks, micros(tx.now), limit)
	return attempts + failures + links, err
}

// Password is the user's password; ErrNotFound.
func (tx *Tx) Password(userID string) (Password, error) {
	return get(tx, passwordByUser, scanPassword, userID)
}

// PutPassword sets the user's password.
func (tx *Tx) PutPassword(p Password) error {
	_, err := tx.exec(upsertPassword, p.UserID, p.PHC, p.OneTime, micros(p.ChangedAt), micros(p.ExpiresAt))
	return err
}

// DeletePassword forgets the user's password, if there is one.
func (tx *Tx) DeletePassword(userID string) error {
	_, err := tx.exec(deletePassword, userID)
	return err
}

// SignInFailures are the failures counted for a claimed name; ErrNotFound.
func (tx *Tx) SignInFailures(nameKey string) (SignInFailures, error) {
	return get(tx, failuresByName, scanFailures, nameKey)
}

// PutSignInFailures stores a count.
func (tx *Tx) PutSignInFailures(f SignInFailures) error {
	_, err := tx.exec(upsertFailures, f.NameKey, f.NameHash, f.Failures, f.LeftOut, micros(f.LockedUntil), micros(f.LastAt))
	return err
}

// DeleteSignInFailures forgets the failures of a claimed name.
func (tx *Tx) DeleteSignInFailures(nameKey string) error {
	_, err := tx.exec(deleteFailures, nameKey)
	return err
}

// FoldName is a user name as it is compared: names that differ only by case are one.
func FoldName(s string) string { return fold(s) }

// FailuresOfName are the failures of the browser in which a name has failed most; ErrNotFound.
func (tx *Tx) FailuresOfName(nameHash string) (SignInFailures, error) {
	return get(tx, failuresByHash, scanFailures, nameHash)
}

// UnlockName forgets the failures of a name in all browsers, and tells in how many there were some.
func (tx *Tx) UnlockName(nameHash string) (int64, error) { return tx.exec(unlockName, nameHash) }
