package store

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Setting is a setting that is not at its default.
type Setting struct {
	Name      string
	Value     string
	UpdatedAt time.Time
	UpdatedBy string
}

const (
	allSettings query = `SELECT name, value, updated_at, updated_by FROM setting WHERE name > $1 ORDER BY name`
	putSetting  query = `INSERT INTO setting (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by`
	deleteSetting query = `DELETE FROM setting WHERE name = $1`
)

func scanSetting(r row) (s Setting, err error) {
	var at int64
	err = r.Scan(&s.Name, &s.Value, &at, &s.UpdatedBy)
	s.UpdatedAt = fromMicros(at)
	return s, err
}

// Settings lists what is not at its default, by name. There are no more than the program knows.
func (tx *Tx) Settings() ([]Setting, error) { return list(tx, allSettings, scanSetting, "") }

// PutSetting sets a setting, now.
func (tx *Tx) PutSetting(name, value, by string) error {
	_, err := tx.exec(putSetting, name, value, micros(tx.now), by)
	return err
}

// DeleteSetting puts a setting back to its default.
func (tx *Tx) DeleteSetting(name string) error {
	_, err := tx.exec(deleteSetting, name)
	return err
}

// StepUp says how old a second factor may be when a permission set's credentials are asked for.
type StepUp struct {
	Set    arn.PermissionSet
	MaxAge time.Duration
}

const (
	putStepUp query = `INSERT INTO step_up (instance_id, permission_set, max_age) VALUES ($1, $2, $3)
		ON CONFLICT (instance_id, permission_set) DO UPDATE SET max_age = excluded.max_age`
	stepUpOf     query = `SELECT instance_id, permission_set, max_age FROM step_up WHERE instance_id = $1 AND permission_set = $2`
	stepUpsAfter query = `SELECT instance_id, permission_set, max_age FROM step_up WHERE instance_id = $1 AND permission_set > $2 ORDER BY permission_set LIMIT $3`
	deleteStepUp query = `DELETE FROM step_up WHERE instance_id = $1 AND permission_set = $2`
)

func scanStepUp(r row) (s StepUp, err error) {
	var age int64
	err = r.Scan(&s.Set.Instance, &s.Set.ID, &age)
	s.MaxAge = time.Duration(age) * time.Microsecond
	return s, err
}

// PutStepUp sets how old a second factor may be for a permission set.
func (tx *Tx) PutStepUp(s StepUp) error {
	_, err := tx.exec(putStepUp, s.Set.Instance, s.Set.ID, s.MaxAge.Microseconds())
	return err
}

// StepUp is what a permission set wants; ErrNotFound when it wants nothing.
func (tx *Tx) StepUp(p arn.PermissionSet) (StepUp, error) {
	return get(tx, stepUpOf, scanStepUp, p.Instance, p.ID)
}

// StepUps lists the permission sets of an instance that want a second factor, by id.
func (tx *Tx) StepUps(i arn.Instance, q page.Query) ([]StepUp, page.Key, error) {
	rows, err := list(tx, stepUpsAfter, scanStepUp, i, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(s StepUp) page.Key { return page.Key{s.Set.ID} })
	return rows, next, nil
}

// DeleteStepUp takes the demand away; ErrNotFound.
func (tx *Tx) DeleteStepUp(p arn.PermissionSet) error {
	return one(tx.exec(deleteStepUp, p.Instance, p.ID))
}
