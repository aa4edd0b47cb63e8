package access

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// Path is one way by which a user has, or had, a permission set in an account, with the names of that time.
type Path struct {
	store.Path
	Set    string // the permission set's name
	Group  string // the group's name; "": an assignment of the user's own
	User   string
	Status store.UserStatus  // of the user; "": is not there, so that the path leads nowhere
	Place  store.AccountThen // the account; one that was closed lets nobody in
	Until  store.Mark        // how the path ended; zero: it stands
	// Used is when the user was last given credentials of the permission set in the account, by whatever path; zero: never, as far as is remembered.
	Used time.Time
}

// PathsOfUser lists how a user reaches accounts at a time. An account narrows the list to it; "" does not.
func PathsOfUser(tx *store.Tx, i store.Instance, userID string, account arn.AccountID, at time.Time, q page.Query) ([]Path, page.Key, error) {
	rows, next, err := tx.PathsOfUser(i.ID, userID, account, at, q)
	if err != nil {
		return nil, nil, fmt.Errorf("list paths of user: %w", err)
	}
	named, err := withNames(tx, rows, at)
	return named, next, err
}

// PathsOfAccount lists who reaches an account at a time, and how. A permission set narrows the list to it; the zero one does not.
func PathsOfAccount(tx *store.Tx, i store.Instance, account arn.AccountID, set arn.PermissionSet, at time.Time, q page.Query) ([]Path, page.Key, error) {
	rows, next, err := tx.PathsOfAccount(i.ID, account, set, at, q)
	if err != nil {
		return nil, nil, fmt.Errorf("list paths into account: %w", err)
	}
	named, err := withNames(tx, rows, at)
	return named, next, err
}

// withNames adds the names of a page of paths, a few dozen at a time.
func withNames(tx *store.Tx, rows []store.Path, at time.Time) ([]Path, error) {
	n, err := namesOf(tx, rows, at)
	if err != nil {
		return nil, err
	}
	out := make([]Path, len(rows))
	for i, p := range rows {
		u, g := n.users[p.UserID], n.groups[p.PrincipalID]
		out[i] = Path{
			Path: p, Set: n.sets[p.Set.ID], Group: g.Name, User: u.Name, Status: u.Status, Place: n.places[p.Account], Until: p.Until(), Used: n.used[useOf(p)],
		}
		if gone := g.Gone; !gone.At.IsZero() && (out[i].Until.At.IsZero() || gone.At.Before(out[i].Until.At)) {
			out[i].Until = gone
		}
	}
	return out, nil
}

// names are what a page of paths is told with.
type names struct {
	users  map[string]store.UserThen
	groups map[string]store.GroupThen
	places map[arn.AccountID]store.AccountThen
	sets   map[string]string
	used   map[store.UsageKey]time.Time
}

func namesOf(tx *store.Tx, rows []store.Path, at time.Time) (n names, err error) {
	var users, groups, sets, accounts distinct
	for _, p := range rows {
		accounts.add(string(p.Account))
		users.add(p.UserID)
		sets.add(p.Set.ID)
		if p.PrincipalType == store.PrincipalGroup {
			groups.add(p.PrincipalID)
		}
	}
	if n.users, err = tx.UsersAt(users.ids, at); err != nil {
		return n, fmt.Errorf("load users of then: %w", err)
	}
	if n.groups, err = tx.GroupsAt(groups.ids, at); err != nil {
		return n, fmt.Errorf("load groups of then: %w", err)
	}
	if n.places, err = tx.AccountsAt(accounts.ids, at); err != nil {
		return n, fmt.Errorf("load accounts of then: %w", err)
	}
	if n.sets, err = tx.SetNames(sets.ids); err != nil {
		return n, fmt.Errorf("load names of permission sets: %w", err)
	}
	n.used, err = lastUses(tx, rows)
	return n, err
}

func useOf(p store.Path) store.UsageKey {
	return store.UsageKey{UserID: p.UserID, Account: p.Account, SetID: p.Set.ID}
}

func lastUses(tx *store.Tx, rows []store.Path) (map[store.UsageKey]time.Time, error) {
	keys := make([]store.UsageKey, len(rows))
	for n, p := range rows {
		keys[n] = useOf(p)
	}
	used, err := tx.LastUses(keys)
	return used, wrap(err, "look for last uses")
}

// distinct collects ids, each once.
type distinct struct {
	ids  []string
	seen map[string]bool
}

func (d *distinct) add(id string) {
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	if !d.seen[id] {
		d.seen[id] = true
		d.ids = append(d.ids, id)
	}
}

// UserThen is the user of an identity store who had the id or, without one, the name at a time.
func UserThen(tx *store.Tx, storeID arn.StoreID, id, name string, at time.Time) (store.UserThen, error) {
	var u store.UserThen
	var err error
	if id != "" {
		var found map[string]store.UserThen
		found, err = tx.UsersAt([]string{id}, at)
		if u = found[id]; err == nil && u.Store != storeID {
			err = store.ErrNotFound
		}
	} else {
		u, err = tx.UserAtByName(storeID, name, at)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return u, wrap(err, "look for user of then")
	}
	last, err := tx.LastOf(storeID, id, name)
	f := fault.Missing("USER", id+name) // whose message goes on record, and so has no name in it
	switch {
	case err == nil && last.Until.At.IsZero():
		f.Message = fmt.Sprintf("The user was not there yet: they came, or got this name or state, on %s.", last.Since.At.Format(time.RFC3339))
	case err == nil:
		f.Message = fmt.Sprintf("The user was not there at that time, but was until %s.", last.Until.At.Format(time.RFC3339))
	case errors.Is(err, store.ErrNotFound):
		f.Message = "There is no such user, and none is remembered."
	default:
		return u, fmt.Errorf("look for user's last time: %w", err)
	}
	before, err := tx.HistoryForgotten()
	if err != nil {
		return u, fmt.Errorf("look for what is forgotten: %w", err)
	}
	if before.After(at) {
		f.Message += fmt.Sprintf(" What ended before %s is not kept.", before.Format(time.RFC3339))
	}
	return u, f
}
