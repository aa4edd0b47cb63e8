package store

import (
	"errors"
	"slices"
	"time"

	"sallyport/internal/arn"
)

// UserThen is a user as they were at a time.
type UserThen struct {
	ID     string
	Store  arn.StoreID
	Name   string
	Status UserStatus
	Since  Mark // when they got this name and state
	Until  Mark // when they lost one of them; zero: have them still
}

// GroupThen is a group as it was at a time.
type GroupThen struct {
	ID   string
	Name string
	Gone Mark // when it was deleted; zero: it is there
}

const (
	userPast   = `SELECT user_id, store_id, user_name, status, from_at, from_event, from_by, to_at, to_event, to_by FROM user_past WHERE `
	userNow    = `SELECT r.id, r.store_id, r.user_name, r.status, ` + sinceOf + `, r.event_id, ` + sinceByOf + `, 0, '', '' FROM directory_user r WHERE ` + sinceOf + ` <= $1 AND `
	userBefore = userPast + `to_at > $1 AND from_at <= $1 AND `

	usersNow    query = userNow + `r.id IN ($2)`
	usersBefore query = userBefore + `user_id IN ($2)`
	// The name's latest owner up to the time.
	ownerNow    query = userNow + `r.store_id = $2 AND r.user_name_ci = $3`
	ownerBefore query = userBefore + `store_id = $2 AND user_name_ci = $3`

	lastNow    query = userNow + `(r.id = $2 OR r.store_id = $3 AND r.user_name_ci = $4) LIMIT 1`
	lastBefore query = userPast + `store_id = $1 AND user_name_ci = $2 ORDER BY to_at DESC LIMIT 1`
	lastOfID   query = userPast + `user_id = $1 ORDER BY to_at DESC LIMIT 1`

	groupsNow  query = `SELECT r.id, r.display_name, 0, '', '' FROM directory_group r WHERE ` + sinceOf + ` <= $1 AND r.id IN ($2)`
	groupsWere query = `SELECT group_id, display_name, 0, '', '' FROM group_past WHERE to_at > $1 AND from_at <= $1 AND group_id IN ($2)`
	groupsEnd  query = `SELECT group_id, display_name, to_at, to_event, to_by FROM group_past WHERE to_at > $1 AND gone AND group_id IN ($2)`

	userNames      query = `SELECT id, user_name FROM directory_user WHERE id IN ($1)`
	userNamesWere  query = `SELECT user_id, user_name FROM user_past WHERE gone AND user_id IN ($1)`
	groupNames     query = `SELECT id, display_name FROM directory_group WHERE id IN ($1)`
	groupNamesWere query = `SELECT group_id, display_name FROM group_past WHERE gone AND group_id IN ($1)`
	accountNames   query = `SELECT id, name FROM account WHERE id IN ($1)`

	setNames     query = `SELECT id, name FROM permission_set WHERE id IN ($1)`
	setNamesWere query = `SELECT permission_set, name FROM permission_set_past WHERE gone AND permission_set IN ($1)`
)

func scanUserThen(r row) (u UserThen, err error) {
	var from, to int64
	err = r.Scan(&u.ID, &u.Store, &u.Name, &u.Status, &from, &u.Since.Event, &u.Since.By, &to, &u.Until.Event, &u.Until.By)
	u.Since.At, u.Until.At = fromMicros(from), fromMicros(to)
	return u, err
}

func scanGroupThen(r row) (g GroupThen, err error) {
	var gone int64
	err = r.Scan(&g.ID, &g.Name, &gone, &g.Gone.Event, &g.Gone.By)
	g.Gone.At = fromMicros(gone)
	return g, err
}

// chunked runs queries that end in IN with a list, a part of it at a time.
func chunked[T any](tx *Tx, ids []string, scan func(row) (T, error), each func(T), before []any, queries ...query) error {
	for part := range slices.Chunk(ids, widest) {
		for _, wanted := range queries {
			q, args := wanted.in(part, before...)
			rows, err := list(tx, q, scan, args...)
			if err != nil {
				return err
			}
			for _, r := range rows {
				each(r)
			}
		}
	}
	return nil
}

// UsersAt are those of the users who were there at a time, by id, as they were then.
func (tx *Tx) UsersAt(ids []string, t time.Time) (map[string]UserThen, error) {
	out := make(map[string]UserThen, len(ids))
	return out, chunked(tx, ids, scanUserThen, func(u UserThen) { out[u.ID] = u }, []any{micros(t)}, usersNow, usersBefore)
}

// UserAtByName is the user who had the name at a time, compared without case; ErrNotFound.
func (tx *Tx) UserAtByName(storeID arn.StoreID, name string, t time.Time) (UserThen, error) {
	u, err := get(tx, ownerNow, scanUserThen, micros(t), storeID, fold(name))
	if errors.Is(err, ErrNotFound) {
		u, err = get(tx, ownerBefore, scanUserThen, micros(t), storeID, fold(name))
	}
	return u, err
}

// LastOf is the last that is known of the user with an id or, without one, a name: as they are or, if they have gone, were; ErrNotFound.
func (tx *Tx) LastOf(storeID arn.StoreID, id, name string) (UserThen, error) {
	u, err := get(tx, lastNow, scanUserThen, micros(tx.now), id, storeID, fold(name))
	switch {
	case !errors.Is(err, ErrNotFound):
		return u, err
	case id != "":
		return get(tx, lastOfID, scanUserThen, id)
	}
	return get(tx, lastBefore, scanUserThen, storeID, fold(name))
}

// GroupsAt are those of the groups that were there at a time, by id, as they were then, and when they have gone since.
func (tx *Tx) GroupsAt(ids []string, t time.Time) (map[string]GroupThen, error) {
	out := make(map[string]GroupThen, len(ids))
	err := chunked(tx, ids, scanGroupThen, func(g GroupThen) {
		if was, ok := out[g.ID]; ok && !g.Gone.At.IsZero() {
			g.Name = was.Name // as it was then, not at its end
		}
		out[g.ID] = g
	}, []any{micros(t)}, groupsNow, groupsWere, groupsEnd)
	return out, err
}

// SetNames are the names of permission sets, by id, those of deleted ones too: a permission set keeps its name.
func (tx *Tx) SetNames(ids []string) (map[string]string, error) {
	return tx.lastNames(ids, setNames, setNamesWere)
}

// LastUserNames are the names of users, by id, of those who have gone the last.
func (tx *Tx) LastUserNames(ids []string) (map[string]string, error) {
	return tx.lastNames(ids, userNames, userNamesWere)
}

// LastGroupNames are the names of groups, by id, of those that have gone the last.
func (tx *Tx) LastGroupNames(ids []string) (map[string]string, error) {
	return tx.lastNames(ids, groupNames, groupNamesWere)
}

// AccountNames are the names of accounts, by id.
func (tx *Tx) AccountNames(ids []string) (map[string]string, error) {
	return tx.lastNames(ids, accountNames)
}

func (tx *Tx) lastNames(ids []string, queries ...query) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	type named struct{ id, name string }
	scan := func(r row) (n named, err error) { err = r.Scan(&n.id, &n.name); return n, err }
	return out, chunked(tx, ids, scan, func(n named) { out[n.id] = n.name }, nil, queries...)
}
