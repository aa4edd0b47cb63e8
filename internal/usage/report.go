package usage

import (
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// Line is one line of a report.
type Line struct {
	store.UsageSum
	Name string // of the user, the group, the permission set or the account; "": nobody knows any more
}

// Report lists what was given out from the day of one time to that of another, both inclusive, by id.
func Report(tx *store.Tx, by store.UsageBy, from, to time.Time, q page.Query) ([]Line, page.Key, error) {
	rows, next, err := tx.UsageSums(by, store.DayOf(from), store.DayOf(to), q)
	if err != nil {
		return nil, nil, fmt.Errorf("sum up usage: %w", err)
	}
	ids := make([]string, len(rows))
	for n, r := range rows {
		ids[n] = r.ID
	}
	names, err := namesOf(tx, by, ids)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Line, len(rows))
	for n, r := range rows {
		out[n] = Line{r, names[r.ID]}
	}
	return out, next, nil
}

// namesOf are the last names of what there is and was.
func namesOf(tx *store.Tx, by store.UsageBy, ids []string) (map[string]string, error) {
	switch by {
	case store.UsageBySet:
		return tx.SetNames(ids)
	case store.UsageByUser:
		return tx.LastUserNames(ids)
	case store.UsageByGroup:
		return tx.LastGroupNames(ids)
	case store.UsageByAccount:
	}
	return tx.AccountNames(ids)
}

// Unused is an assignment that nobody has used for a while, with names.
type Unused struct {
	store.UnusedGrant
	Set, Principal string
}

// ListUnused lists the assignments that were granted before a time and that nobody has used since: what was given to a group is used when one
// of its members got credentials by it.
func ListUnused(tx *store.Tx, i arn.Instance, since time.Time, q page.Query) ([]Unused, page.Key, error) {
	rows, next, err := tx.UnusedGrants(i, since, q)
	if err != nil {
		return nil, nil, fmt.Errorf("list unused assignments: %w", err)
	}
	var users, groups, sets []string
	for _, r := range rows {
		sets = append(sets, r.Set.ID)
		if r.PrincipalType == store.PrincipalGroup {
			groups = append(groups, r.PrincipalID)
		} else {
			users = append(users, r.PrincipalID)
		}
	}
	people, err := tx.LastUserNames(users)
	if err != nil {
		return nil, nil, fmt.Errorf("load names of users: %w", err)
	}
	teams, err := tx.LastGroupNames(groups)
	if err != nil {
		return nil, nil, fmt.Errorf("load names of groups: %w", err)
	}
	names, err := tx.SetNames(sets)
	if err != nil {
		return nil, nil, fmt.Errorf("load names of permission sets: %w", err)
	}
	out := make([]Unused, len(rows))
	for n, r := range rows {
		out[n] = Unused{r, names[r.Set.ID], people[r.PrincipalID] + teams[r.PrincipalID]}
	}
	return out, next, nil
}

// CountedUntil is up to when what was given out is counted: now, or as far as the worker has come.
func CountedUntil(tx *store.Tx) (time.Time, error) {
	seq, err := tx.AuditCursor(cursor)
	if err != nil {
		return time.Time{}, fmt.Errorf("read cursor: %w", err)
	}
	next, err := tx.AuditLog(seq, 1)
	if err != nil {
		return time.Time{}, fmt.Errorf("read audit log: %w", err)
	}
	if len(next) == 0 {
		return tx.Now(), nil
	}
	return next[0].At, nil
}
