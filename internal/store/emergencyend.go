package store

import "time"

// EndedByRestore is who has ended an opening that was of another epoch.
const EndedByRestore = "the restore of a backup"

const (
	// full scan: all of them go.
	voidEmergencyCodes query = `DELETE FROM emergency_code`
	// full scan: all of them go.
	voidEmergencyGrants query = `DELETE FROM emergency_grant`
	// full scan: all of them go.
	voidEmergencySignIns query = `DELETE FROM emergency_sign_in`
	voidOpenings         query = `UPDATE emergency_opening SET state = $1, ended_at = $2, ended_by = $3 WHERE state = $4`

	oldOpening           query = `SELECT id FROM emergency_opening WHERE state = $1 AND until < $2 AND review <> $3 AND reviewed_at < $2 ORDER BY until LIMIT 1`
	pruneEmergencyEvents query = `DELETE FROM emergency_event WHERE opening_id = $1 AND event_id IN (SELECT event_id FROM emergency_event WHERE opening_id = $1 ORDER BY event_id LIMIT $2)`
	pruneEmergencyUses   query = `DELETE FROM emergency_use WHERE opening_id = $1 AND access_key_id IN (SELECT access_key_id FROM emergency_use WHERE opening_id = $1 ORDER BY access_key_id LIMIT $2)`
	pruneOpening         query = `DELETE FROM emergency_opening WHERE id = $1`
)

// voidEmergencies makes void what an earlier epoch has left for emergencies: codes, of which some may have been used after the backup was
// made, requests, openings and what they gave, and sign-ins. What was open stays to be reviewed; counts of wrong codes only go forward.
func (tx *Tx) voidEmergencies() error {
	for _, q := range []query{voidEmergencyCodes, voidEmergencyGrants, voidEmergencySignIns} {
		if _, err := tx.exec(q); err != nil {
			return err
		}
	}
	for _, s := range []OpeningState{OpeningPending, OpeningOpen} {
		if _, err := tx.exec(voidOpenings, OpeningEnded, micros(tx.now), EndedByRestore, s); err != nil {
			return err
		}
	}
	return nil
}

// PruneOpening forgets an opening that was over, and reviewed if it was ever open, before a time, with what was given out and done in it:
// up to limit rows of each kind. It tells whether there may be more.
func (tx *Tx) PruneOpening(before time.Time, limit int) (more bool, err error) {
	for _, s := range []OpeningState{OpeningEnded, OpeningDenied, OpeningExpired} {
		ids, err := list(tx, oldOpening, func(r row) (id string, err error) { err = r.Scan(&id); return id, err }, s, micros(before), ReviewOpen)
		if err != nil {
			return false, err
		}
		if len(ids) > 0 {
			return true, tx.pruneOpening(ids[0], limit)
		}
	}
	return false, nil
}

func (tx *Tx) pruneOpening(id string, limit int) error {
	for _, q := range []query{pruneEmergencyEvents, pruneEmergencyUses} {
		n, err := tx.exec(q, id, limit)
		if err != nil || n == int64(limit) { // the rest another time
			return err
		}
	}
	_, err := tx.exec(pruneOpening, id)
	return err
}
