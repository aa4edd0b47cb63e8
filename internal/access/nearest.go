package access

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/page"
	"sallyport/internal/store"
)

// Bounds of what is told of those who have no path.
const (
	nearMoments = 5
	nearSome    = 5
)

// Nearest tells, in sentences, what comes closest to a path that there is not: that the user is disabled, had one, has another
// permission set there, or is not in a group that has it.
func Nearest(tx *store.Tx, i store.Instance, q Question) ([]string, error) {
	var out []string
	if q.User.Status != store.UserEnabled {
		out = append(out, fmt.Sprintf("The user is disabled since %s.", q.User.Since.At.Format(time.RFC3339)))
	}
	for _, near := range []func(*store.Tx, store.Instance, Question) ([]string, error){nearPlace, nearPast, nearSets, nearGroups} {
		said, err := near(tx, i, q)
		if err != nil {
			return nil, err
		}
		out = append(out, said...)
	}
	return out, nil
}

// nearPlace says whether the account and its role are there at all.
func nearPlace(tx *store.Tx, _ store.Instance, q Question) ([]string, error) {
	a, err := tx.Account(q.Account)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return []string{"There is no account " + string(q.Account) + " in the organization."}, nil
	case err != nil:
		return nil, fmt.Errorf("load account: %w", err)
	case a.Status != store.AccountActive:
		return []string{"The account is closed, to everybody."}, nil
	case q.Set.ID == "":
		return nil, nil
	}
	_, err = tx.ProvisionedRole(q.Account, q.Set)
	if errors.Is(err, store.ErrNotFound) {
		return []string{"The permission set has no role in the account."}, nil
	}
	return nil, wrap(err, "load provisioned role")
}

// nearPast tells of the last path that has ended.
func nearPast(tx *store.Tx, i store.Instance, q Question) ([]string, error) {
	ends, err := tx.LastEnds(q.User.ID, q.Account, nearMoments)
	if err != nil {
		return nil, fmt.Errorf("look for paths that have ended: %w", err)
	}
	for _, end := range ends { // a few
		rows, _, err := PathsOfUser(tx, i, q.User.ID, q.Account, end.Add(-time.Microsecond), page.Query{Limit: maxPaths})
		if err != nil {
			return nil, err
		}
		for _, p := range rows {
			if p.Until.At.IsZero() || q.Set.ID != "" && p.Path.Set != q.Set {
				continue
			}
			said := fmt.Sprintf("The user had %s %s until %s", p.Set, by(p), p.Until.At.Format(time.RFC3339))
			if p.Until.Event != "" {
				said += fmt.Sprintf(", which ended by event %s of %s", p.Until.Event, p.Until.By)
			}
			return []string{said + "."}, nil
		}
	}
	return nil, nil
}

func by(p Path) string {
	if p.PrincipalType == store.PrincipalGroup {
		return "by group " + p.Group
	}
	return "directly"
}

// nearSets tells of other permission sets that the user has in the account.
func nearSets(tx *store.Tx, i store.Instance, q Question) (out []string, err error) {
	if q.Set.ID == "" {
		return nil, nil
	}
	rows, _, err := PathsOfUser(tx, i, q.User.ID, q.Account, tx.Now(), page.Query{Limit: maxPaths})
	if err != nil {
		return nil, err
	}
	for _, same := range bySet(rows) {
		if len(out) < nearSome && same[0].Path.Set != q.Set {
			out = append(out, fmt.Sprintf("The user has %s there %s.", same[0].Set, by(same[0])))
		}
	}
	return out, nil
}

// nearGroups tells of groups that have the permission set in the account, and that the user is not in.
func nearGroups(tx *store.Tx, _ store.Instance, q Question) (out []string, err error) {
	if q.Set.ID == "" {
		return nil, nil
	}
	rows, _, err := tx.Assignments(q.Account, q.Set, page.Query{Limit: nearSome})
	if err != nil {
		return nil, fmt.Errorf("list assignments: %w", err)
	}
	var groups distinct
	for _, a := range rows {
		if a.PrincipalType == store.PrincipalGroup && a.State == store.AssignmentGranted {
			groups.add(a.PrincipalID)
		}
	}
	names, err := tx.GroupsAt(groups.ids, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("load groups: %w", err)
	}
	for _, id := range groups.ids {
		if g, ok := names[id]; ok {
			out = append(out, fmt.Sprintf("Group %s has it there; the user is not in that group.", g.Name))
		}
	}
	return out, nil
}
