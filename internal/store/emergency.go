package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// EmergencyAccess is a grant that was prepared for an emergency: nobody has it until it is opened.
type EmergencyAccess struct {
	ID          string
	Name        string
	Description string
	Set         arn.PermissionSet
	Duration    time.Duration // that an opening lasts
	ByCode      bool          // a code takes the approver's place
	Alarm       []string      // mail addresses
	CreatedAt   time.Time
	CreatedBy   string
	TestedAt    time.Time // zero: never
	Failures    []string  // why it could not have been opened then
}

// EmergencyPerson is who may open or approve, with the passkeys that they had when it was prepared.
type EmergencyPerson struct {
	UserID   string
	Opens    bool
	Approves bool
	Passkeys []string // ids of factors
}

const emergencyColumns = `e.id, e.name, e.description, e.instance_id, e.permission_set, e.duration, e.by_code, e.alarm, e.created_at, e.created_by, e.tested_at, e.failures`

const (
	insertEmergency query = `INSERT INTO emergency_access (id, name, name_ci, description, instance_id, permission_set, duration, by_code, alarm, created_at, created_by, tested_at, failures)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, '[]') ON CONFLICT DO NOTHING`
	updateEmergency    query = `UPDATE emergency_access SET description = $1, duration = $2, by_code = $3, alarm = $4 WHERE id = $5`
	testedEmergency    query = `UPDATE emergency_access SET tested_at = $1, failures = $2 WHERE id = $3`
	deleteEmergency    query = `DELETE FROM emergency_access WHERE id = $1`
	emergencyByID      query = `SELECT ` + emergencyColumns + ` FROM emergency_access e WHERE e.id = $1`
	emergenciesAfter   query = `SELECT ` + emergencyColumns + ` FROM emergency_access e WHERE e.name_ci > $1 ORDER BY e.name_ci LIMIT $2`
	emergenciesOfUser  query = `SELECT ` + emergencyColumns + ` FROM emergency_person p JOIN emergency_access e ON e.id = p.access_id WHERE p.user_id = $1 ORDER BY e.name_ci`
	countEmergencies   query = `SELECT COUNT(*) FROM (SELECT 1 FROM emergency_access ORDER BY name_ci LIMIT $1) AS q`
	insertEmergencyAcc query = `INSERT INTO emergency_account (access_id, account_id, permission_set) VALUES ($1, $2, $3)`
	emergencyAccounts  query = `SELECT account_id FROM emergency_account WHERE access_id = $1 ORDER BY account_id`
	wipeEmergencyAccs  query = `DELETE FROM emergency_account WHERE access_id = $1`
	emergencyHolds     query = `SELECT 1 FROM emergency_account WHERE account_id = $1 AND permission_set = $2 LIMIT 1`
	insertEmergencyWho query = `INSERT INTO emergency_person (access_id, user_id, opens, approves, passkeys) VALUES ($1, $2, $3, $4, $5)`
	emergencyPeople    query = `SELECT user_id, opens, approves, passkeys FROM emergency_person WHERE access_id = $1 ORDER BY user_id`
	wipeEmergencyWho   query = `DELETE FROM emergency_person WHERE access_id = $1`

	insertEmergencyCode query = `INSERT INTO emergency_code (hash, access_id, made_at, opening) VALUES ($1, $2, $3, '')`
	useEmergencyCode    query = `UPDATE emergency_code SET opening = $1 WHERE hash = $2 AND access_id = $3 AND opening = ''`
	wipeEmergencyCodes  query = `DELETE FROM emergency_code WHERE access_id = $1`
	emergencyCodesMade  query = `SELECT COALESCE(MAX(made_at), 0) FROM emergency_code WHERE access_id = $1`
	emergencyCodesLeft  query = `SELECT COUNT(*) FROM emergency_code WHERE access_id = $1 AND opening = ''`

	emergencyTryOf     query = `SELECT failures, locked_until FROM emergency_try WHERE user_id = $1`
	upsertEmergencyTry query = `INSERT INTO emergency_try (user_id, failures, locked_until) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET failures = excluded.failures, locked_until = excluded.locked_until`

	insertEmergencySignIn query = `INSERT INTO emergency_sign_in (session_id, factor_id, at) VALUES ($1, $2, $3)`
	emergencySignInOf     query = `SELECT factor_id, at FROM emergency_sign_in WHERE session_id = $1`
	pruneEmergencySignIns query = `DELETE FROM emergency_sign_in WHERE session_id IN (SELECT session_id FROM emergency_sign_in WHERE at < $1 ORDER BY at LIMIT $2)`
)

func scanEmergency(r row) (e EmergencyAccess, err error) {
	var duration, created, tested int64
	var alarm, failures string
	err = r.Scan(&e.ID, &e.Name, &e.Description, &e.Set.Instance, &e.Set.ID, &duration, &e.ByCode, &alarm, &created, &e.CreatedBy, &tested, &failures)
	if err != nil {
		return e, err
	}
	e.Duration, e.CreatedAt, e.TestedAt = time.Duration(duration)*time.Microsecond, fromMicros(created), fromMicros(tested)
	if err := json.Unmarshal([]byte(alarm), &e.Alarm); err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(failures), &e.Failures)
}

func scanEmergencyPerson(r row) (p EmergencyPerson, err error) {
	var passkeys string
	if err := r.Scan(&p.UserID, &p.Opens, &p.Approves, &passkeys); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(passkeys), &p.Passkeys)
}

// texts is a list of texts as a column holds it.
func texts(list []string) (string, error) {
	if list == nil {
		list = []string{}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encode list: %w", err)
	}
	return string(b), nil
}

// InsertEmergencyAccess adds an access; ErrExists when its name is taken.
func (tx *Tx) InsertEmergencyAccess(e EmergencyAccess) error {
	alarm, err := texts(e.Alarm)
	if err != nil {
		return err
	}
	return added(tx.exec(insertEmergency, e.ID, e.Name, fold(e.Name), e.Description, e.Set.Instance, e.Set.ID, e.Duration.Microseconds(), e.ByCode, alarm, micros(e.CreatedAt), e.CreatedBy))
}

// UpdateEmergencyAccess changes what of an access may change; ErrNotFound.
func (tx *Tx) UpdateEmergencyAccess(e EmergencyAccess) error {
	alarm, err := texts(e.Alarm)
	if err != nil {
		return err
	}
	return one(tx.exec(updateEmergency, e.Description, e.Duration.Microseconds(), e.ByCode, alarm, e.ID))
}

// EmergencyTested keeps what a test of an access has found now; ErrNotFound.
func (tx *Tx) EmergencyTested(id string, failures []string) error {
	list, err := texts(failures)
	if err != nil {
		return err
	}
	return one(tx.exec(testedEmergency, micros(tx.now), list, id))
}

// DeleteEmergencyAccess removes an access with all but the record of its openings; ErrNotFound.
func (tx *Tx) DeleteEmergencyAccess(id string) error {
	if err := one(tx.exec(deleteEmergency, id)); err != nil {
		return err
	}
	for _, q := range []query{wipeEmergencyAccs, wipeEmergencyWho, wipeEmergencyCodes} {
		if _, err := tx.exec(q, id); err != nil {
			return err
		}
	}
	return nil
}

// EmergencyAccess is the access with the id; ErrNotFound.
func (tx *Tx) EmergencyAccess(id string) (EmergencyAccess, error) {
	return get(tx, emergencyByID, scanEmergency, id)
}

// LockEmergencyAccess is the access with the id, for whose tests the transaction is the only one until it ends; ErrNotFound.
func (tx *Tx) LockEmergencyAccess(id string) (EmergencyAccess, error) {
	return getLocked(tx, emergencyByID, scanEmergency, id)
}

// EmergencyAccesses lists the accesses, by name.
func (tx *Tx) EmergencyAccesses(q page.Query) ([]EmergencyAccess, page.Key, error) {
	rows, err := list(tx, emergenciesAfter, scanEmergency, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(e EmergencyAccess) page.Key { return page.Key{fold(e.Name)} })
	return rows, next, nil
}

// EmergencyAccessesOf lists the accesses that a user may open or approve, by name. How many there can be is bounded by a rule.
func (tx *Tx) EmergencyAccessesOf(userID string) ([]EmergencyAccess, error) {
	return list(tx, emergenciesOfUser, scanEmergency, userID)
}

// CountEmergencyAccesses counts the accesses, up to a bound.
func (tx *Tx) CountEmergencyAccesses(bound int) (int, error) {
	return get(tx, countEmergencies, scanCount, bound)
}

// PutEmergencyAccounts makes these the accounts of an access.
func (tx *Tx) PutEmergencyAccounts(e EmergencyAccess, accounts []arn.AccountID) error {
	if _, err := tx.exec(wipeEmergencyAccs, e.ID); err != nil {
		return err
	}
	for _, a := range accounts { // as many as an access may have
		if _, err := tx.exec(insertEmergencyAcc, e.ID, a, e.Set.ID); err != nil {
			return err
		}
	}
	return nil
}

// EmergencyAccounts lists the accounts of an access.
func (tx *Tx) EmergencyAccounts(id string) ([]arn.AccountID, error) {
	return list(tx, emergencyAccounts, func(r row) (a arn.AccountID, err error) { err = r.Scan(&a); return a, err }, id)
}

// EmergencyHolds tells whether an access was prepared that needs a permission set's role in an account.
func (tx *Tx) EmergencyHolds(account arn.AccountID, set arn.PermissionSet) (bool, error) {
	return tx.exists(emergencyHolds, account, set.ID)
}

// PutEmergencyPeople makes these the people of an access.
func (tx *Tx) PutEmergencyPeople(id string, people []EmergencyPerson) error {
	if _, err := tx.exec(wipeEmergencyWho, id); err != nil {
		return err
	}
	for _, p := range people { // as many as an access may have
		passkeys, err := texts(p.Passkeys)
		if err != nil {
			return err
		}
		if _, err := tx.exec(insertEmergencyWho, id, p.UserID, p.Opens, p.Approves, passkeys); err != nil {
			return err
		}
	}
	return nil
}

// EmergencyPeople lists the people of an access, by id.
func (tx *Tx) EmergencyPeople(id string) ([]EmergencyPerson, error) {
	return list(tx, emergencyPeople, scanEmergencyPerson, id)
}

// PutEmergencyCodes makes these, by their hashes, the codes of an access. Earlier ones are gone, used or not.
func (tx *Tx) PutEmergencyCodes(id string, hashes []string) error {
	if _, err := tx.exec(wipeEmergencyCodes, id); err != nil {
		return err
	}
	for _, h := range hashes { // as many as an access may have
		if _, err := tx.exec(insertEmergencyCode, h, id, micros(tx.now)); err != nil {
			return err
		}
	}
	return nil
}

// UseEmergencyCode uses a code of an access up for an opening; ErrNotFound when there is none, or it was used.
func (tx *Tx) UseEmergencyCode(id, hash, opening string) error {
	return one(tx.exec(useEmergencyCode, opening, hash, id))
}

// EmergencyCodesLeft counts the codes of an access that have not been used.
func (tx *Tx) EmergencyCodesLeft(id string) (int, error) {
	return get(tx, emergencyCodesLeft, scanCount, id)
}

// EmergencyCodesMade is when the codes of an access were made, all at once; zero: there are none.
func (tx *Tx) EmergencyCodesMade(id string) (time.Time, error) {
	return get(tx, emergencyCodesMade, func(r row) (time.Time, error) {
		var at int64
		err := r.Scan(&at)
		return fromMicros(at), err
	}, id)
}

// EmergencyTry counts a person's wrong codes in a row.
type EmergencyTry struct {
	UserID      string
	Failures    int64
	LockedUntil time.Time
}

// EmergencyTry is the count of a person; ErrNotFound.
func (tx *Tx) EmergencyTry(userID string) (EmergencyTry, error) {
	return get(tx, emergencyTryOf, func(r row) (t EmergencyTry, err error) {
		var until int64
		err = r.Scan(&t.Failures, &until)
		t.UserID, t.LockedUntil = userID, fromMicros(until)
		return t, err
	}, userID)
}

// PutEmergencyTry stores a count.
func (tx *Tx) PutEmergencyTry(t EmergencyTry) error {
	_, err := tx.exec(upsertEmergencyTry, t.UserID, t.Failures, micros(t.LockedUntil))
	return err
}

// EmergencySignIn is with which passkey, and when, the person of a portal session has signed in for an emergency.
type EmergencySignIn struct {
	FactorID string
	At       time.Time
}

// InsertEmergencySignIn notes that a session began with a password and a passkey for an emergency.
func (tx *Tx) InsertEmergencySignIn(sessionID, factorID string) error {
	_, err := tx.exec(insertEmergencySignIn, sessionID, factorID, micros(tx.now))
	return err
}

// EmergencySignIn is the sign-in for an emergency that a session began with; ErrNotFound.
func (tx *Tx) EmergencySignIn(sessionID string) (EmergencySignIn, error) {
	return get(tx, emergencySignInOf, func(r row) (s EmergencySignIn, err error) {
		var at int64
		err = r.Scan(&s.FactorID, &at)
		s.At = fromMicros(at)
		return s, err
	}, sessionID)
}

// PruneEmergencySignIns forgets up to limit sign-ins from before a time, and tells how many.
func (tx *Tx) PruneEmergencySignIns(before time.Time, limit int) (int64, error) {
	return tx.exec(pruneEmergencySignIns, micros(before), limit)
}
