package store

import (
	"time"

	"sallyport/internal/arn"
)

// TargetState says whether a target is pushed to.
type TargetState string

// The states of a target.
const (
	TargetOn      TargetState = "ON"
	TargetOff     TargetState = "OFF"     // changes are kept for later
	TargetFailing TargetState = "FAILING" // the server refuses the token
)

// Deprovision is what becomes at a target of people who leave.
type Deprovision string

// The ways to leave.
const (
	LeaveDisabled Deprovision = "DISABLE"
	LeaveDeleted  Deprovision = "DELETE"
)

// SCIMTarget is a server to which people and groups are pushed.
type SCIMTarget struct {
	ID          string
	StoreID     arn.StoreID
	Name        string
	URL         string
	Dialect     Dialect
	Token       []byte // sealed
	State       TargetState
	Everyone    bool // otherwise the groups of TargetGroups, and their members
	Deprovision Deprovision
	Rate        int // requests a second
	CreatedAt   time.Time
	CreatedBy   string

	// Of the comparison of both sides.
	Phase     string // "": none is going on
	Place     string
	Round     int64
	Prune     bool
	Strangers int64
	SyncedAt  time.Time

	// Of the pushing.
	ResumeAt  time.Time
	Failures  int
	LastError string
	ErrorAt   time.Time
	Pushed    int64
	PushedAt  time.Time
}

const targetColumns = `id, store_id, name, url, dialect, token, state, everyone, deprovision, rate, created_at, created_by, phase, place, round, prune, strangers, synced_at, resume_at, failures, last_error, error_at, pushed, pushed_at`

const (
	insertTarget query = `INSERT INTO scim_target (` + targetColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24) ON CONFLICT DO NOTHING`
	updateTarget query = `UPDATE scim_target SET name = $1, url = $2, dialect = $3, token = $4, everyone = $5, deprovision = $6, rate = $7 WHERE id = $8`
	stateTarget  query = `UPDATE scim_target SET state = $1, resume_at = $2, failures = $3, last_error = $4, error_at = $5 WHERE id = $6`
	walkTarget   query = `UPDATE scim_target SET phase = $1, place = $2, round = $3, prune = $4, strangers = $5, synced_at = $6 WHERE id = $7`
	countTarget  query = `UPDATE scim_target SET pushed = pushed + $1, pushed_at = $2 WHERE id = $3`
	deleteTarget query = `DELETE FROM scim_target WHERE id = $1`
	targetByID   query = `SELECT ` + targetColumns + ` FROM scim_target WHERE id = $1`
	targetsOf    query = `SELECT ` + targetColumns + ` FROM scim_target WHERE store_id = $1 ORDER BY name`

	insertTargetGroup  query = `INSERT INTO scim_target_group (target_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	deleteTargetGroups query = `DELETE FROM scim_target_group WHERE target_id = $1`
	targetGroups       query = `SELECT group_id FROM scim_target_group WHERE target_id = $1 ORDER BY group_id`
	targetHasGroup     query = `SELECT COUNT(*) FROM scim_target_group WHERE target_id = $1 AND group_id = $2`
	targetHasUser      query = `SELECT COUNT(*) FROM (SELECT 1 FROM scim_target_group s JOIN membership m ON m.group_id = s.group_id JOIN directory_group g ON g.id = m.group_id WHERE s.target_id = $1 AND m.user_id = $2 LIMIT 1) AS u`

	sweepDirty   query = `DELETE FROM scim_dirty WHERE target_id = $1`
	sweepMapping query = `DELETE FROM scim_mapping WHERE target_id = $1`
	sweepPushed  query = `DELETE FROM scim_pushed_member WHERE target_id = $1`
)

func scanTarget(r row) (t SCIMTarget, err error) {
	var created, synced, resume, failed, pushed int64
	var everyone, prune int
	err = r.Scan(&t.ID, &t.StoreID, &t.Name, &t.URL, &t.Dialect, &t.Token, &t.State, &everyone, &t.Deprovision, &t.Rate, &created, &t.CreatedBy,
		&t.Phase, &t.Place, &t.Round, &prune, &t.Strangers, &synced, &resume, &t.Failures, &t.LastError, &failed, &t.Pushed, &pushed)
	t.Everyone, t.Prune, t.CreatedAt, t.SyncedAt = everyone != 0, prune != 0, fromMicros(created), fromMicros(synced)
	t.ResumeAt, t.ErrorAt, t.PushedAt = fromMicros(resume), fromMicros(failed), fromMicros(pushed)
	return t, err
}

// bit is how a truth is stored.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// InsertSCIMTarget adds a target; ErrExists when its name is taken.
func (tx *Tx) InsertSCIMTarget(t SCIMTarget) error {
	return added(tx.exec(insertTarget, t.ID, t.StoreID, t.Name, t.URL, t.Dialect, t.Token, t.State, bit(t.Everyone), t.Deprovision, t.Rate, micros(t.CreatedAt), t.CreatedBy,
		t.Phase, t.Place, t.Round, bit(t.Prune), t.Strangers, micros(t.SyncedAt), micros(t.ResumeAt), t.Failures, t.LastError, micros(t.ErrorAt), t.Pushed, micros(t.PushedAt)))
}

// UpdateSCIMTarget stores what an operator says of a target; ErrNotFound, ErrExists.
func (tx *Tx) UpdateSCIMTarget(t SCIMTarget) error {
	return one(tx.exec(updateTarget, t.Name, t.URL, t.Dialect, t.Token, bit(t.Everyone), t.Deprovision, t.Rate, t.ID))
}

// SetTargetState stores whether a target is pushed to and what has become of trying; ErrNotFound.
func (tx *Tx) SetTargetState(t SCIMTarget) error {
	return one(tx.exec(stateTarget, t.State, micros(t.ResumeAt), t.Failures, t.LastError, micros(t.ErrorAt), t.ID))
}

// SetTargetWalk stores how far the comparison of both sides has come; ErrNotFound.
func (tx *Tx) SetTargetWalk(t SCIMTarget) error {
	tx.enqueued = true
	return one(tx.exec(walkTarget, t.Phase, t.Place, t.Round, bit(t.Prune), t.Strangers, micros(t.SyncedAt), t.ID))
}

// CountPushed adds to the number of changes that were pushed to a target; ErrNotFound.
func (tx *Tx) CountPushed(target string, n int) error {
	return one(tx.exec(countTarget, n, micros(tx.now), target))
}

// DeleteSCIMTarget removes a target with all that is known of what was pushed to it; ErrNotFound.
func (tx *Tx) DeleteSCIMTarget(id string) error {
	for _, q := range []query{sweepDirty, sweepMapping, sweepPushed, deleteTargetGroups} {
		if _, err := tx.exec(q, id); err != nil {
			return err
		}
	}
	return one(tx.exec(deleteTarget, id))
}

// SCIMTarget is the target with the id; ErrNotFound.
func (tx *Tx) SCIMTarget(id string) (SCIMTarget, error) { return get(tx, targetByID, scanTarget, id) }

// SCIMTargets lists the targets of a store by name. There are few.
func (tx *Tx) SCIMTargets(storeID arn.StoreID) ([]SCIMTarget, error) {
	return list(tx, targetsOf, scanTarget, storeID)
}

// SetTargetGroups makes those the groups of a target. There are few.
func (tx *Tx) SetTargetGroups(target string, groups []string) error {
	if _, err := tx.exec(deleteTargetGroups, target); err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := tx.exec(insertTargetGroup, target, g); err != nil {
			return err
		}
	}
	return nil
}

// TargetGroups are the ids of a target's groups, in order.
func (tx *Tx) TargetGroups(target string) ([]string, error) {
	return list(tx, targetGroups, scanText, target)
}

// TargetHasGroup says whether a group is among a target's.
func (tx *Tx) TargetHasGroup(target, group string) (bool, error) {
	n, err := get(tx, targetHasGroup, scanCount, target, group)
	return n > 0, err
}

// TargetHasUser says whether a user is in one of a target's groups.
func (tx *Tx) TargetHasUser(target, user string) (bool, error) {
	n, err := get(tx, targetHasUser, scanCount, target, user)
	return n > 0, err
}
