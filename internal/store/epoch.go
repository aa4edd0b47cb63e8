package store

import (
	"errors"
	"fmt"
)

// metaEpoch names the fact that changes with every restore of a backup (hard part 9).
const metaEpoch = "epoch"

// Voided is what the start of an epoch has made void, as far as somebody has to make it anew.
type Voided struct {
	Codes    []string // names of the emergency accesses that had offline codes
	Links    int64    // invitations, password resets
	OneTimes int64    // one-time passwords
}

const (
	// full scan: those with codes are few.
	emergenciesWithCodes query = `SELECT name FROM emergency_access WHERE id IN (SELECT access_id FROM emergency_code) ORDER BY name_ci`

	// full scan: all of them go.
	voidLinks query = `DELETE FROM link WHERE purpose <> $1`
	// full scan: it is done once in a database's life.
	voidOneTimes query = `DELETE FROM password WHERE one_time`
	// full scan: all of them go.
	voidAllAttempts query = `DELETE FROM attempt`
	// full scan: all of them go.
	voidAuthCodes query = `DELETE FROM auth_code`
	// full scan: all of them go.
	voidDecisions query = `DELETE FROM device_decision`

	// full scan: a row for each worker.
	heldLease query = `SELECT name FROM lease WHERE until > $1 LIMIT 1`
)

// Epoch names the present life of the database: what was issued in another one is dead. It is empty until the first restore.
func (tx *Tx) Epoch() (string, error) {
	e, err := tx.Meta(metaEpoch)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return e, err
}

// SetEpoch starts a new life of the database: what works once, and may have worked after the backup was made, is void from now on.
// That is codes, openings and sign-ins of emergency accesses, links but those that say "this was not me", one-time passwords, sign-ins
// in progress and what clients were to get sessions with. The name must be random: the same backup may be restored twice.
func (tx *Tx) SetEpoch(epoch string) (v Voided, err error) {
	if err := tx.SetMeta(metaEpoch, epoch); err != nil {
		return v, fmt.Errorf("start epoch: %w", err)
	}
	v.Codes, err = list(tx, emergenciesWithCodes, func(r row) (name string, err error) { err = r.Scan(&name); return name, err })
	if err == nil {
		err = tx.voidEmergencies()
	}
	if err != nil {
		return v, fmt.Errorf("end emergencies of the earlier epoch: %w", err)
	}
	if v.Links, err = tx.exec(voidLinks, Disowning); err != nil {
		return v, fmt.Errorf("void links: %w", err)
	}
	if v.OneTimes, err = tx.exec(voidOneTimes); err != nil {
		return v, fmt.Errorf("void one-time passwords: %w", err)
	}
	for _, q := range []query{voidAllAttempts, voidAuthCodes, voidDecisions} {
		if _, err := tx.exec(q); err != nil {
			return v, fmt.Errorf("void sign-ins in progress: %w", err)
		}
	}
	return v, nil
}

// Leased tells whether anybody holds a lease: a server runs, or has ended without giving up what it held.
func (tx *Tx) Leased() (bool, error) {
	_, err := get(tx, heldLease, func(r row) (name string, err error) { err = r.Scan(&name); return name, err }, micros(tx.now))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
