package access

import (
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

// Nearest tells, in sentences, what comes closest to a path that there is not, or was not at the time: that the user is disabled, had one
// before, has another permission set there, or is not in a group that has it.
func Nearest(tx *store.Tx, i store.Instance, q Question) ([]string, error) {
	var out []string
	if q.User.Status != store.UserEnabled {
		out = append(out, fmt.Sprintf("The user %s disabled since %s.", q.tense("is", "was"), q.User.Since.At.Format(time.RFC3339)))
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

// tense is the first word of now, and the second of a time.
func (q Question) tense(now, then string) string {
	if q.At.IsZero() {
		return now
	}
	return then
}

// nearPlace says whether the account and its role are there at all.
func nearPlace(tx *store.Tx, _ store.Instance, q Question) ([]string, error) {
	all, err := tx.AccountsAt([]string{string(q.Account)}, q.at(tx))
	if err != nil {
		return nil, fmt.Errorf("load account: %w", err)
	}
	switch a, ok := all[q.Account]; {
	case !ok:
		return []string{fmt.Sprintf("There %s no account %s in the organization.", q.tense("is", "was"), q.Account)}, nil
	case shut(a):
		return []string{fmt.Sprintf("The account %s closed, to everybody, since %s%s.", q.tense("is", "was"), a.Since.At.Format(time.RFC3339), doer(", by", a.Since))}, nil
	case q.Set.ID == "":
		return nil, nil
	}
	_, known, err := roleOf(tx, q, q.Set)
	if err != nil || known {
		return nil, err
	}
	return []string{fmt.Sprintf("The permission set %s no role in the account.", q.tense("has", "had"))}, nil
}

// doer is by which event something came about, and whose it was; "" where nobody knows.
func doer(lead string, m store.Mark) string {
	if m.Event == "" {
		return ""
	}
	return fmt.Sprintf("%s event %s of %s", lead, m.Event, m.By)
}

// nearPast tells of the last path that has ended.
func nearPast(tx *store.Tx, i store.Instance, q Question) ([]string, error) {
	ends, err := tx.LastEnds(q.User.ID, q.Account, q.at(tx), nearMoments)
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
			return []string{fmt.Sprintf("The user had %s %s until %s%s.", p.Set, by(p), p.Until.At.Format(time.RFC3339), doer(", which ended by", p.Until))}, nil
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
	rows, _, err := PathsOfUser(tx, i, q.User.ID, q.Account, q.at(tx), page.Query{Limit: maxPaths})
	if err != nil {
		return nil, err
	}
	for _, same := range bySet(rows) {
		if len(out) < nearSome && same[0].Path.Set != q.Set {
			out = append(out, fmt.Sprintf("The user %s %s there %s.", q.tense("has", "had"), same[0].Set, by(same[0])))
		}
	}
	return out, nil
}

// nearGroups tells of groups that have the permission set in the account, and that the user is not in.
func nearGroups(tx *store.Tx, i store.Instance, q Question) (out []string, err error) {
	if q.Set.ID == "" {
		return nil, nil
	}
	rows, err := tx.GrantsAt(i.ID, q.Account, q.Set, q.at(tx), nearSome)
	if err != nil {
		return nil, fmt.Errorf("list assignments: %w", err)
	}
	var groups distinct
	for _, a := range rows {
		if a.PrincipalType == store.PrincipalGroup {
			groups.add(a.PrincipalID)
		}
	}
	teams, err := tx.GroupsAt(groups.ids, q.at(tx))
	if err != nil {
		return nil, fmt.Errorf("load groups: %w", err)
	}
	for _, id := range groups.ids {
		if g, ok := teams[id]; ok {
			out = append(out, fmt.Sprintf("Group %s %s it there; the user %s not in that group.", g.Name, q.tense("has", "had"), q.tense("is", "was")))
		}
	}
	return out, nil
}
