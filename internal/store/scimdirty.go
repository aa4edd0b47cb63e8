package store

import (
	"errors"
	"time"

	"sallyport/internal/page"
)

// PushKind is the kind of a record that is pushed.
type PushKind string

// The kinds.
const (
	PushUser  PushKind = "USER"
	PushGroup PushKind = "GROUP"
)

// The order in which records are pushed: first of all people are kept out.
const (
	PushFirst  = 0
	PushUsers  = 1
	PushGroups = 2
)

// SCIMDirty is a record that has changed since it was pushed to a target.
type SCIMDirty struct {
	Target   string
	Kind     PushKind
	ID       string
	Version  int64
	Priority int
	Since    time.Time
	DueAt    time.Time
	Attempts int
	Error    string // of the last attempt
}

const (
	dirtyColumns = `target_id, kind, local_id, version, priority, since, due_at, attempts, error`
	dirtyAgain   = ` ON CONFLICT (target_id, kind, local_id) DO UPDATE SET version = scim_dirty.version + 1, priority = CASE WHEN excluded.priority < scim_dirty.priority THEN excluded.priority ELSE scim_dirty.priority END, due_at = excluded.due_at, attempts = 0`
)

// These run in the transaction of each change of a user, a group or a membership: one statement, which finds nothing to do where there
// is no target. What only some groups' people are pushed to hears of users whose memberships change, too.
const (
	markUser query = `INSERT INTO scim_dirty (` + dirtyColumns + `) SELECT t.id, 'USER', u.id, 1, $1, $2, $2, 0, '' FROM directory_user u JOIN scim_target t ON t.store_id = u.store_id WHERE u.id = $3` + dirtyAgain

	markGroup query = `INSERT INTO scim_dirty (` + dirtyColumns + `) SELECT t.id, 'GROUP', g.id, 1, 2, $1, $1, 0, '' FROM directory_group g JOIN scim_target t ON t.store_id = g.store_id WHERE g.id = $2` + dirtyAgain

	markMembers query = `INSERT INTO scim_dirty (` + dirtyColumns + `) SELECT t.id, 'USER', u.id, 1, 1, $1, $1, 0, '' FROM directory_user u JOIN scim_target t ON t.store_id = u.store_id WHERE t.everyone = 0 AND u.id IN ($2)` + dirtyAgain

	markSwept query = `INSERT INTO scim_dirty (` + dirtyColumns + `)
		SELECT t.id, 'USER', m.user_id, 1, 1, $1, $1, 0, '' FROM (SELECT user_id, store_id FROM membership WHERE group_id = $2 ORDER BY user_id LIMIT $3) m JOIN scim_target t ON t.store_id = m.store_id WHERE t.everyone = 0` + dirtyAgain
)

const (
	markUsersAfter query = `INSERT INTO scim_dirty (` + dirtyColumns + `)
		SELECT $1, 'USER', u.id, 1, 1, $2, $2, 0, '' FROM (SELECT id FROM directory_user WHERE store_id = $3 AND id > $4 AND id <= $5) u WHERE 1 = 1` + dirtyAgain
	markGroupsAfter query = `INSERT INTO scim_dirty (` + dirtyColumns + `)
		SELECT $1, 'GROUP', g.id, 1, 2, $2, $2, 0, '' FROM (SELECT id FROM directory_group WHERE store_id = $3 AND id > $4 AND id <= $5) g WHERE 1 = 1` + dirtyAgain
	userIDsAfter  query = `SELECT id FROM directory_user WHERE store_id = $1 AND id > $2 ORDER BY id LIMIT $3`
	groupIDsAfter query = `SELECT id FROM directory_group WHERE store_id = $1 AND id > $2 ORDER BY id LIMIT $3`
	markOne       query = `INSERT INTO scim_dirty (` + dirtyColumns + `) VALUES ($1, $2, $3, 1, $4, $5, $5, 0, '')` + dirtyAgain

	// The groups that a user is in, or was put into there.
	markGroupsOf query = `INSERT INTO scim_dirty (` + dirtyColumns + `)
		SELECT $1, 'GROUP', g.id, 1, 2, $2, $2, 0, '' FROM (SELECT group_id AS id FROM membership WHERE user_id = $3 UNION SELECT group_id FROM scim_pushed_member WHERE target_id = $1 AND user_id = $3) g WHERE 1 = 1` + dirtyAgain
	hasUnmapped query = `SELECT COUNT(*) FROM (SELECT 1 FROM membership m WHERE m.group_id = $1 AND NOT EXISTS (SELECT 1 FROM scim_mapping p WHERE p.target_id = $2 AND p.kind = 'USER' AND p.local_id = m.user_id AND p.remote_id <> '') LIMIT 1) AS unmapped`
	// Members who are not there yet: what is known of why stays.
	markUnmapped query = `INSERT INTO scim_dirty (` + dirtyColumns + `)
		SELECT $1, 'USER', m.user_id, 1, 1, $2, $2, 0, '' FROM membership m WHERE m.group_id = $3 AND NOT EXISTS (SELECT 1 FROM scim_mapping p WHERE p.target_id = $1 AND p.kind = 'USER' AND p.local_id = m.user_id AND p.remote_id <> '') ON CONFLICT DO NOTHING`

	dueDirty   query = `SELECT ` + dirtyColumns + ` FROM scim_dirty WHERE target_id = $1 AND priority = $2 AND due_at <= $3 ORDER BY due_at, local_id LIMIT $4`
	dirtyByKey query = `SELECT ` + dirtyColumns + ` FROM scim_dirty WHERE target_id = $1 AND kind = $2 AND local_id = $3`
	dirtyAfter query = `SELECT ` + dirtyColumns + ` FROM scim_dirty WHERE target_id = $1 AND (kind = $2 AND local_id > $3 OR kind > $2) AND error <> '' ORDER BY kind, local_id LIMIT $4`
	cleanDirty query = `DELETE FROM scim_dirty WHERE target_id = $1 AND kind = $2 AND local_id = $3 AND version = $4`
	laterDirty query = `UPDATE scim_dirty SET due_at = $1, attempts = $2, error = $3 WHERE target_id = $4 AND kind = $5 AND local_id = $6 AND version = $7`
	errorDirty query = `UPDATE scim_dirty SET error = $1 WHERE target_id = $2 AND kind = $3 AND local_id = $4`
	countDirty query = `SELECT COUNT(*), COALESCE(MIN(since), 0), COALESCE(SUM(CASE WHEN error <> '' THEN 1 ELSE 0 END), 0) FROM scim_dirty WHERE target_id = $1`
)

func scanDirty(r row) (d SCIMDirty, err error) {
	var since, due int64
	err = r.Scan(&d.Target, &d.Kind, &d.ID, &d.Version, &d.Priority, &since, &due, &d.Attempts, &d.Error)
	d.Since, d.DueAt = fromMicros(since), fromMicros(due)
	return d, err
}

// marked rings for the workers if anything was marked.
func (tx *Tx) marked(n int64, err error) error {
	tx.enqueued = tx.enqueued || n > 0
	return err
}

// markUser marks a user who is there; one who is to be kept out goes first.
func (tx *Tx) markUser(id string, first bool) error {
	priority := PushUsers
	if first {
		priority = PushFirst
	}
	return tx.marked(tx.exec(markUser, priority, micros(tx.now), id))
}

func (tx *Tx) markGroup(id string) error { return tx.marked(tx.exec(markGroup, micros(tx.now), id)) }

// markMembersOf marks a group whose members have changed and, where only some groups' people are pushed, those members. There are at
// most [widest].
func (tx *Tx) markMembersOf(group string, users []string) error {
	n, err := tx.exec(markGroup, micros(tx.now), group)
	if err := tx.marked(n, err); err != nil || n == 0 {
		return err
	}
	q, args := markMembers.in(users, micros(tx.now))
	return tx.marked(tx.exec(q, args...))
}

// markMembers marks what new memberships are about, nearly always one group.
func (tx *Tx) markMembers(all []Membership) error {
	for len(all) > 0 {
		users := []string{all[0].UserID}
		for len(users) < len(all) && all[len(users)].GroupID == all[0].GroupID {
			users = append(users, all[len(users)].UserID)
		}
		if err := tx.markMembersOf(all[0].GroupID, users); err != nil {
			return err
		}
		all = all[len(users):]
	}
	return nil
}

// MarkDirty marks one record of a target.
func (tx *Tx) MarkDirty(target string, kind PushKind, id string) error {
	priority := PushUsers
	if kind == PushGroup {
		priority = PushGroups
	}
	return tx.marked(tx.exec(markOne, target, kind, id, priority, micros(tx.now)))
}

// MarkGroupsOf marks the groups that a user is in, or was put into at a target.
func (tx *Tx) MarkGroupsOf(target, user string) error {
	return tx.marked(tx.exec(markGroupsOf, target, micros(tx.now), user))
}

// HasUnmappedMembers says whether a group has members who are not at a target.
func (tx *Tx) HasUnmappedMembers(target, group string) (bool, error) {
	n, err := get(tx, hasUnmapped, scanCount, group, target)
	return n > 0, err
}

// MarkUnmappedMembers marks the members of a group who are not at a target.
func (tx *Tx) MarkUnmappedMembers(target, group string) error {
	return tx.marked(tx.exec(markUnmapped, target, micros(tx.now), group))
}

// MarkAfter marks up to limit records of a target's store, after an id, and gives the last one's id; "" when there are no more.
func (tx *Tx) MarkAfter(t SCIMTarget, kind PushKind, after string, limit int) (last string, err error) {
	ids, mark := userIDsAfter, markUsersAfter
	if kind == PushGroup {
		ids, mark = groupIDsAfter, markGroupsAfter
	}
	all, err := list(tx, ids, scanText, t.StoreID, after, limit)
	if err != nil || len(all) == 0 {
		return "", err
	}
	last = all[len(all)-1]
	return last, tx.marked(tx.exec(mark, t.ID, micros(tx.now), t.StoreID, after, last))
}

// DueDirty are up to limit records of a target and priority whose time has come.
func (tx *Tx) DueDirty(target string, priority, limit int) ([]SCIMDirty, error) {
	return list(tx, dueDirty, scanDirty, target, priority, micros(tx.now), limit)
}

// Dirty is a record that is to be pushed; ErrNotFound.
func (tx *Tx) Dirty(target string, kind PushKind, id string) (SCIMDirty, error) {
	return get(tx, dirtyByKey, scanDirty, target, kind, id)
}

// DirtyErrors lists the records whose last attempt has failed, by kind and id.
func (tx *Tx) DirtyErrors(target string, q page.Query) ([]SCIMDirty, page.Key, error) {
	rows, err := list(tx, dirtyAfter, scanDirty, target, at(q.After, 0), at(q.After, 1), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(d SCIMDirty) page.Key { return page.Key{string(d.Kind), d.ID} })
	return rows, next, nil
}

// CleanDirty forgets that a record is to be pushed, unless it has changed again meanwhile.
func (tx *Tx) CleanDirty(d SCIMDirty) error {
	n, err := tx.exec(cleanDirty, d.Target, d.Kind, d.ID, d.Version)
	if err != nil || n > 0 || d.Error == "" {
		return err
	}
	_, err = tx.exec(errorDirty, "", d.Target, d.Kind, d.ID)
	return err
}

// PutDirtyOff lets a record that could not be pushed wait, with the reason. One that has changed meanwhile waits no longer for that.
func (tx *Tx) PutDirtyOff(d SCIMDirty) error {
	_, err := tx.exec(laterDirty, micros(d.DueAt), d.Attempts, d.Error, d.Target, d.Kind, d.ID, d.Version)
	return err
}

// Backlog is what is to be pushed to a target.
type Backlog struct {
	Records int64
	Failed  int64     // of them, those whose last attempt has failed
	Oldest  time.Time // since when the one waits that waits longest; zero: nothing waits
}

// Backlog counts what is to be pushed to a target.
func (tx *Tx) Backlog(target string) (Backlog, error) {
	b, err := get(tx, countDirty, func(r row) (b Backlog, err error) {
		var oldest int64
		err = r.Scan(&b.Records, &oldest, &b.Failed)
		b.Oldest = fromMicros(oldest)
		return b, err
	}, target)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return b, err
}
