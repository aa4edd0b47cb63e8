package store

import (
	"slices"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Membership puts a user into a group.
type Membership struct {
	ID        string
	StoreID   arn.StoreID
	GroupID   string
	UserID    string
	CreatedAt time.Time
	CreatedBy string
}

// ARN is the membership's ARN.
func (m Membership) ARN() string { return arn.MembershipARN(m.ID) }

const membershipColumns = `m.id, m.store_id, m.group_id, m.user_id, m.created_at, m.created_by`

const (
	insertMembership query = `INSERT INTO membership (id, store_id, group_id, user_id, created_at, created_by, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
	deleteMembers    query = `DELETE FROM membership WHERE group_id = $1 AND user_id IN ($2)`
	sweepMemberships query = `DELETE FROM membership WHERE id IN (SELECT id FROM membership WHERE group_id = $1 ORDER BY user_id LIMIT $2)`
	sweepMember      query = `DELETE FROM membership WHERE id IN (SELECT id FROM membership WHERE user_id = $1 ORDER BY group_id LIMIT $2)`

	// The joins pass over memberships that a deleted group or user has left to the sweep.
	membershipLive          = ` FROM membership m JOIN directory_group g ON g.id = m.group_id JOIN directory_user u ON u.id = m.user_id`
	membershipByID    query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.id = $1`
	membershipByPair  query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.group_id = $1 AND m.user_id = $2`
	membershipsAfter  query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.group_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3`
	membershipsOfUser query = `SELECT ` + membershipColumns + membershipLive + ` WHERE m.user_id = $1 AND m.group_id > $2 ORDER BY m.group_id LIMIT $3`

	candidates    query = `SELECT u.id, u.store_id, u.source, COALESCE(m.id, '') FROM directory_user u LEFT JOIN membership m ON m.group_id = $1 AND m.user_id = u.id WHERE u.id IN ($2)`
	touchGroup    query = `UPDATE directory_group SET member_changes = member_changes + 1, updated_at = $1, updated_by = $2 WHERE id = $3`
	touchGroupsOf query = `UPDATE directory_group SET member_changes = member_changes + 1, updated_at = $1 WHERE id IN (SELECT group_id FROM membership WHERE user_id = $2)`

	groupsOfUser query = `SELECT m.group_id` + membershipLive + ` WHERE m.user_id = $1 AND m.group_id >= $2 AND m.group_id <= $3 ORDER BY m.group_id`
)

func scanMembership(r row) (m Membership, err error) {
	var created int64
	err = r.Scan(&m.ID, &m.StoreID, &m.GroupID, &m.UserID, &created, &m.CreatedBy)
	m.CreatedAt = fromMicros(created)
	return m, err
}

// InsertMemberships adds memberships; ErrExists when one of the users is in the group.
func (tx *Tx) InsertMemberships(all []Membership) error {
	for len(all) > 0 {
		size := largest(len(all))
		args := make([]any, 0, 7*size)
		for _, m := range all[:size] {
			args = append(args, m.ID, m.StoreID, m.GroupID, m.UserID, micros(m.CreatedAt), m.CreatedBy, tx.cause.Event)
		}
		n, err := tx.exec(insertMembership.rows(size), args...)
		if err == nil && n < int64(size) {
			err = ErrExists
		}
		if err != nil {
			return err
		}
		if err := tx.markMembers(all[:size]); err != nil {
			return err
		}
		all = all[size:]
	}
	return nil
}

// DeleteMembers removes the memberships of users in a group.
func (tx *Tx) DeleteMembers(groupID string, userIDs []string) error {
	for part := range slices.Chunk(userIDs, widest) {
		if err := tx.membersWere(groupID, part); err != nil {
			return err
		}
		q, args := deleteMembers.in(part, groupID)
		if _, err := tx.exec(q, args...); err != nil {
			return err
		}
		if err := tx.markMembersOf(groupID, part); err != nil {
			return err
		}
	}
	return nil
}

// MembersChanged notes on a group that its members have changed.
func (tx *Tx) MembersChanged(groupID, by string) error {
	return one(tx.exec(touchGroup, micros(tx.now), by, groupID))
}

// MemberGone notes on the groups of a user that their members have changed.
func (tx *Tx) MemberGone(userID string) error {
	_, err := tx.exec(touchGroupsOf, micros(tx.now), userID)
	return err
}

// Candidate is a user who is, or may become, a member of a group.
type Candidate struct {
	UserID     string
	StoreID    arn.StoreID
	Source     string
	Membership string // its id; "": is not a member
}

func scanCandidate(r row) (c Candidate, err error) {
	err = r.Scan(&c.UserID, &c.StoreID, &c.Source, &c.Membership)
	return c, err
}

// Candidates are those of the users that there are, in no order, and whether they are members of the group.
func (tx *Tx) Candidates(groupID string, userIDs []string) ([]Candidate, error) {
	var out []Candidate
	for part := range slices.Chunk(userIDs, widest) {
		q, args := candidates.in(part, groupID)
		rows, err := list(tx, q, scanCandidate, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// SweepMembers removes up to limit memberships of a group and returns how many there were.
func (tx *Tx) SweepMembers(groupID string, limit int) (int64, error) {
	if err := tx.marked(tx.exec(markSwept, micros(tx.now), groupID, limit)); err != nil {
		return 0, err
	}
	if err := tx.was(sweptMembers, groupID, limit); err != nil {
		return 0, err
	}
	return tx.exec(sweepMemberships, groupID, limit)
}

// SweepMemberships removes up to limit memberships of a user and returns how many there were.
func (tx *Tx) SweepMemberships(userID string, limit int) (int64, error) {
	if err := tx.was(sweptMember, userID, limit); err != nil {
		return 0, err
	}
	return tx.exec(sweepMember, userID, limit)
}

// Membership is the membership with the id; ErrNotFound.
func (tx *Tx) Membership(id string) (Membership, error) {
	return get(tx, membershipByID, scanMembership, id)
}

// MembershipOf is the membership of a user in a group; ErrNotFound.
func (tx *Tx) MembershipOf(groupID, userID string) (Membership, error) {
	return get(tx, membershipByPair, scanMembership, groupID, userID)
}

// Members lists the memberships of a group by user id.
func (tx *Tx) Members(groupID string, q page.Query) ([]Membership, page.Key, error) {
	rows, err := list(tx, membershipsAfter, scanMembership, groupID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(m Membership) page.Key { return page.Key{m.UserID} })
	return rows, next, nil
}

// Memberships lists the memberships of a user by group id.
func (tx *Tx) Memberships(userID string, q page.Query) ([]Membership, page.Key, error) {
	rows, err := list(tx, membershipsOfUser, scanMembership, userID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(m Membership) page.Key { return page.Key{m.GroupID} })
	return rows, next, nil
}

// GroupsOf lists the ids of the groups that a user is in, from one id to another: both inclusive, in order.
func (tx *Tx) GroupsOf(userID, from, to string) ([]string, error) {
	return list(tx, groupsOfUser, scanText, userID, from, to)
}
