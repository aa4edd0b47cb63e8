package store

import (
	"encoding/json"
	"fmt"

	"sallyport/internal/arn"
)

// AccessControlAttribute makes an attribute of a person a session tag.
type AccessControlAttribute struct {
	Key    string `json:"key"`
	Source string `json:"source"` // such as ${path:enterprise.costCenter}
}

const (
	accessControl       query = `SELECT attributes FROM access_control WHERE instance_id = $1`
	insertAccessControl query = `INSERT INTO access_control (instance_id, attributes, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	updateAccessControl query = `UPDATE access_control SET attributes = $1 WHERE instance_id = $2`
	deleteAccessControl query = `DELETE FROM access_control WHERE instance_id = $1`
)

func scanAccessControl(r row) (list []AccessControlAttribute, err error) {
	var text string
	if err := r.Scan(&text); err != nil {
		return nil, err
	}
	return list, json.Unmarshal([]byte(text), &list)
}

// AccessControl is an instance's configuration of attributes for access control; ErrNotFound.
func (tx *Tx) AccessControl(i arn.Instance) ([]AccessControlAttribute, error) {
	return get(tx, accessControl, scanAccessControl, i)
}

// InsertAccessControl turns attributes for access control on; ErrExists.
func (tx *Tx) InsertAccessControl(i arn.Instance, attributes []AccessControlAttribute) error {
	text, err := json.Marshal(attributes)
	if err != nil {
		return fmt.Errorf("encode attributes for access control: %w", err)
	}
	return added(tx.exec(insertAccessControl, i, string(text), micros(tx.now)))
}

// UpdateAccessControl replaces the attributes; ErrNotFound.
func (tx *Tx) UpdateAccessControl(i arn.Instance, attributes []AccessControlAttribute) error {
	text, err := json.Marshal(attributes)
	if err != nil {
		return fmt.Errorf("encode attributes for access control: %w", err)
	}
	return one(tx.exec(updateAccessControl, string(text), i))
}

// DeleteAccessControl turns attributes for access control off; ErrNotFound.
func (tx *Tx) DeleteAccessControl(i arn.Instance) error {
	return one(tx.exec(deleteAccessControl, i))
}
