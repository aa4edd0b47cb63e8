package store

import "slices"

// SCIMMapping is what a record is called at a target, and what was said of it there last.
type SCIMMapping struct {
	Target string
	Kind   PushKind
	ID     string
	Remote string // "": it may have been made there
	Hash   string // of the form that was pushed; "": it is to be pushed again
	Active bool   // it may be let in there
	Made   bool   // it was not there before
	Round  int64  // the comparison that has seen it there last
}

// PushedMember is a user who was put into a group at a target.
type PushedMember struct {
	User   string
	Remote string // of the user
	Sure   bool   // otherwise they may be in it
}

const mappingColumns = `target_id, kind, local_id, remote_id, hash, active, made, round`

const (
	putMapping query = `INSERT INTO scim_mapping (` + mappingColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (target_id, kind, local_id) DO UPDATE SET remote_id = excluded.remote_id, hash = excluded.hash, active = excluded.active, made = excluded.made, round = excluded.round`
	deleteMapping   query = `DELETE FROM scim_mapping WHERE target_id = $1 AND kind = $2 AND local_id = $3`
	mappingByID     query = `SELECT ` + mappingColumns + ` FROM scim_mapping WHERE target_id = $1 AND kind = $2 AND local_id = $3`
	mappingByRemote query = `SELECT ` + mappingColumns + ` FROM scim_mapping WHERE target_id = $1 AND kind = $2 AND remote_id = $3 AND remote_id <> ''`
	mappingsAfter   query = `SELECT ` + mappingColumns + ` FROM scim_mapping WHERE target_id = $1 AND kind = $2 AND local_id > $3 ORDER BY local_id LIMIT $4`

	insertPushed   query = `INSERT INTO scim_pushed_member (target_id, group_id, user_id, remote_id, sure) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (target_id, group_id, user_id) DO UPDATE SET remote_id = excluded.remote_id, sure = excluded.sure`
	deletePushed   query = `DELETE FROM scim_pushed_member WHERE target_id = $1 AND group_id = $2 AND user_id IN ($3)`
	deletePushedIn query = `DELETE FROM scim_pushed_member WHERE target_id = $1 AND group_id = $2`
	deletePushedOf query = `DELETE FROM scim_pushed_member WHERE target_id = $1 AND user_id = $2`
	pushedAfter    query = `SELECT user_id, remote_id, sure FROM scim_pushed_member WHERE target_id = $1 AND group_id = $2 AND user_id > $3 ORDER BY user_id LIMIT $4`
	knownThere     query = `SELECT p.local_id, p.remote_id, 1 FROM scim_mapping p WHERE p.target_id = $1 AND p.kind = 'USER' AND p.remote_id <> '' AND p.remote_id IN ($2)`

	// Who is in the group here, is at the target, and is not in the group there.
	joining query = `SELECT m.user_id, p.remote_id, 0` + membershipLive + ` JOIN scim_mapping p ON p.target_id = $1 AND p.kind = 'USER' AND p.local_id = m.user_id AND p.remote_id <> ''
		WHERE m.group_id = $2 AND m.user_id > $3 AND NOT EXISTS (SELECT 1 FROM scim_pushed_member x WHERE x.target_id = p.target_id AND x.group_id = m.group_id AND x.user_id = m.user_id AND x.sure = 1) ORDER BY m.user_id LIMIT $4`
	// Who was put into the group there and is not in it here.
	leaving query = `SELECT x.user_id, x.remote_id, x.sure FROM scim_pushed_member x
		WHERE x.target_id = $1 AND x.group_id = $2 AND x.user_id > $3 AND NOT EXISTS (SELECT 1` + membershipLive + ` WHERE m.group_id = x.group_id AND m.user_id = x.user_id) ORDER BY x.user_id LIMIT $4`
)

func scanMapping(r row) (m SCIMMapping, err error) {
	var active, made int
	err = r.Scan(&m.Target, &m.Kind, &m.ID, &m.Remote, &m.Hash, &active, &made, &m.Round)
	m.Active, m.Made = active != 0, made != 0
	return m, err
}

func scanPushed(r row) (p PushedMember, err error) {
	var sure int
	err = r.Scan(&p.User, &p.Remote, &sure)
	p.Sure = sure != 0
	return p, err
}

// PutMapping keeps what is known of a record at a target; ErrExists when what it is called there is another's.
func (tx *Tx) PutMapping(m SCIMMapping) error {
	_, err := tx.exec(putMapping, m.Target, m.Kind, m.ID, m.Remote, m.Hash, bit(m.Active), bit(m.Made), m.Round)
	return err
}

// DeleteMapping forgets a record that is at a target no more, and who was put into which group of it.
func (tx *Tx) DeleteMapping(m SCIMMapping) error {
	if _, err := tx.exec(deleteMapping, m.Target, m.Kind, m.ID); err != nil {
		return err
	}
	q := deletePushedOf
	if m.Kind == PushGroup {
		q = deletePushedIn
	}
	_, err := tx.exec(q, m.Target, m.ID)
	return err
}

// Mapping is what is known of a record at a target; ErrNotFound.
func (tx *Tx) Mapping(target string, kind PushKind, id string) (SCIMMapping, error) {
	return get(tx, mappingByID, scanMapping, target, kind, id)
}

// MappingOf is what is known of what a target calls by an id; ErrNotFound.
func (tx *Tx) MappingOf(target string, kind PushKind, remote string) (SCIMMapping, error) {
	return get(tx, mappingByRemote, scanMapping, target, kind, remote)
}

// Mappings lists what is known of the records of a kind at a target, by id.
func (tx *Tx) Mappings(target string, kind PushKind, after string, limit int) ([]SCIMMapping, error) {
	return list(tx, mappingsAfter, scanMapping, target, kind, after, limit)
}

// Joining are up to limit users, after one, who are to be put into a group at a target.
func (tx *Tx) Joining(target, group, after string, limit int) ([]PushedMember, error) {
	return list(tx, joining, scanPushed, target, group, after, limit)
}

// Leaving are up to limit users, after one, who are to be taken out of a group at a target.
func (tx *Tx) Leaving(target, group, after string, limit int) ([]PushedMember, error) {
	return list(tx, leaving, scanPushed, target, group, after, limit)
}

// Pushed are up to limit users, after one, who were put into a group at a target.
func (tx *Tx) Pushed(target, group, after string, limit int) ([]PushedMember, error) {
	return list(tx, pushedAfter, scanPushed, target, group, after, limit)
}

// KnownThere are those of what a target calls users by those ids whom we know.
func (tx *Tx) KnownThere(target string, remotes []string) ([]PushedMember, error) {
	var out []PushedMember
	for part := range slices.Chunk(remotes, widest) {
		q, args := knownThere.in(part, target)
		rows, err := list(tx, q, scanPushed, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// AddPushed keeps that users were put into a group or, unless it is sure, that they may have been.
func (tx *Tx) AddPushed(target, group string, all []PushedMember, sure bool) error {
	for len(all) > 0 {
		size := largest(len(all))
		args := make([]any, 0, 5*size)
		for _, p := range all[:size] {
			args = append(args, target, group, p.User, p.Remote, bit(sure))
		}
		if _, err := tx.exec(insertPushed.rows(size), args...); err != nil {
			return err
		}
		all = all[size:]
	}
	return nil
}

// RemovePushed forgets that users were put into a group.
func (tx *Tx) RemovePushed(target, group string, all []PushedMember) error {
	for part := range slices.Chunk(all, widest) {
		users := make([]string, len(part))
		for i, p := range part {
			users[i] = p.User
		}
		q, args := deletePushed.in(users, target, group)
		if _, err := tx.exec(q, args...); err != nil {
			return err
		}
	}
	return nil
}
