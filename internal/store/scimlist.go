package store

import (
	"fmt"
	"slices"
	"strconv"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

const (
	userColumnsOfU  = `u.id, u.store_id, u.user_name, u.display_name, u.status, u.revision, u.attrs, u.created_at, u.created_by, u.updated_at, u.updated_by, u.source`
	groupColumnsOfG = `g.id, g.store_id, g.display_name, g.description, g.revision, g.attrs, g.created_at, g.created_by, g.updated_at, g.updated_by, g.source, g.member_changes`
)

const (
	usersOfSource  query = `SELECT ` + userColumns + ` FROM directory_user WHERE store_id = $1 AND source IN ('', $2) AND (created_at, id) > ($3, $4) ORDER BY created_at, id LIMIT $5 OFFSET $6`
	groupsOfSource query = `SELECT ` + groupColumns + ` FROM directory_group WHERE store_id = $1 AND source IN ('', $2) AND (created_at, id) > ($3, $4) ORDER BY created_at, id LIMIT $5 OFFSET $6`

	countUsersOfSource  query = `SELECT COUNT(*) FROM directory_user WHERE store_id = $1 AND source IN ('', $2)`
	countGroupsOfSource query = `SELECT COUNT(*) FROM directory_group WHERE store_id = $1 AND source IN ('', $2)`

	usersOfGroup   query = `SELECT ` + userColumnsOfU + membershipLive + ` WHERE m.group_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3`
	groupsOfMember query = `SELECT ` + groupColumnsOfG + membershipLive + ` WHERE m.user_id = $1 AND m.group_id > $2 ORDER BY m.group_id LIMIT $3`
	groupsOfUsers  query = `SELECT m.user_id, g.id, g.display_name, g.source` + membershipLive + ` WHERE m.user_id IN ($1) ORDER BY m.user_id, m.group_id`
	usersByID      query = `SELECT ` + userColumns + ` FROM directory_user WHERE id IN ($1)`
	groupsByID     query = `SELECT ` + groupColumns + ` FROM directory_group WHERE id IN ($1)`
	namesOfMembers query = `SELECT u.id, u.display_name, u.source` + membershipLive + ` WHERE m.group_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3`
)

// Sourced is a page of what a tenant sees: what comes from it, and what was made here, in the order of creation, so that pages
// do not shift when others create.
type Sourced struct {
	StoreID arn.StoreID
	Tenant  string
	Offset  int // how many are passed over; they are walked past, not read
	page.Query
}

func (s Sourced) args() ([]any, error) {
	created := int64(-1)
	if text := at(s.After, 0); text != "" {
		var err error
		if created, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("page's key: %w", err)
		}
	}
	return []any{s.StoreID, s.Tenant, created, at(s.After, 1), s.Limit + 1, s.Offset}, nil
}

func sourced[T any](tx *Tx, q query, scan func(row) (T, error), s Sourced, key func(T) page.Key) ([]T, page.Key, error) {
	args, err := s.args()
	if err != nil {
		return nil, nil, err
	}
	rows, err := list(tx, q, scan, args...)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, s.Limit, key)
	return rows, next, nil
}

func (t Trail) key(id string) page.Key {
	return page.Key{strconv.FormatInt(micros(t.CreatedAt), 10), id}
}

// UsersOfSource lists users that a tenant sees.
func (tx *Tx) UsersOfSource(s Sourced) ([]User, page.Key, error) {
	return sourced(tx, usersOfSource, scanUser, s, func(u User) page.Key { return u.key(u.ID) })
}

// GroupsOfSource lists groups that a tenant sees.
func (tx *Tx) GroupsOfSource(s Sourced) ([]Group, page.Key, error) {
	return sourced(tx, groupsOfSource, scanGroup, s, func(g Group) page.Key { return g.key(g.ID) })
}

// CountUsersOfSource counts the users that a tenant sees.
func (tx *Tx) CountUsersOfSource(storeID arn.StoreID, tenant string) (int, error) {
	return get(tx, countUsersOfSource, scanCount, storeID, tenant)
}

// CountGroupsOfSource counts the groups that a tenant sees.
func (tx *Tx) CountGroupsOfSource(storeID arn.StoreID, tenant string) (int, error) {
	return get(tx, countGroupsOfSource, scanCount, storeID, tenant)
}

// UsersOfGroup lists the users in a group by id.
func (tx *Tx) UsersOfGroup(groupID string, q page.Query) ([]User, page.Key, error) {
	rows, err := list(tx, usersOfGroup, scanUser, groupID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(u User) page.Key { return page.Key{u.ID} })
	return rows, next, nil
}

// GroupsOfUser lists the groups that a user is in, by id.
func (tx *Tx) GroupsOfUser(userID string, q page.Query) ([]Group, page.Key, error) {
	rows, err := list(tx, groupsOfMember, scanGroup, userID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(g Group) page.Key { return page.Key{g.ID} })
	return rows, next, nil
}

// Named is a user by id and display name, with the tenant that the user comes from.
type Named struct{ ID, DisplayName, Source string }

// MembersNamed lists the users in a group by id, with their names and sources alone.
func (tx *Tx) MembersNamed(groupID string, q page.Query) ([]Named, page.Key, error) {
	rows, err := list(tx, namesOfMembers, func(r row) (n Named, err error) { err = r.Scan(&n.ID, &n.DisplayName, &n.Source); return n, err }, groupID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(n Named) page.Key { return page.Key{n.ID} })
	return rows, next, nil
}

// GroupOf is a group that a user is in.
type GroupOf struct{ UserID, GroupID, DisplayName, Source string }

func scanGroupOf(r row) (g GroupOf, err error) {
	err = r.Scan(&g.UserID, &g.GroupID, &g.DisplayName, &g.Source)
	return g, err
}

// GroupsOfUsers lists the groups of users, by id for each user.
func (tx *Tx) GroupsOfUsers(userIDs []string) ([]GroupOf, error) {
	return listIn(tx, groupsOfUsers, scanGroupOf, userIDs)
}

// UsersByID are those of the users that there are, in no order.
func (tx *Tx) UsersByID(ids []string) ([]User, error) { return listIn(tx, usersByID, scanUser, ids) }

// GroupsByID are those of the groups that there are, in no order.
func (tx *Tx) GroupsByID(ids []string) ([]Group, error) {
	return listIn(tx, groupsByID, scanGroup, ids)
}

// listIn runs a query whose last placeholder stands for many.
func listIn[T any](tx *Tx, q query, scan func(row) (T, error), in []string) ([]T, error) {
	var out []T
	for part := range slices.Chunk(in, widest) {
		made, args := q.in(part)
		rows, err := list(tx, made, scan, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}
