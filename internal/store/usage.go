package store

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// UsageKey is what a usage is counted by.
type UsageKey struct {
	UserID        string // of what a user was given
	PrincipalID   string // of what was given by a path
	PrincipalType PrincipalType
	Account       arn.AccountID
	SetID         string
}

// Usage is how much was given out.
type Usage struct {
	UsageKey
	Day     int64 // since 1970, UTC
	Issued  int64
	Seconds int64
	Last    time.Time
}

// DayOf is the number of a time's day.
func DayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

const (
	addUsage query = `INSERT INTO usage_day (user_id, account_id, permission_set, day, issued, seconds, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (user_id, account_id, permission_set, day) DO UPDATE SET issued = usage_day.issued + excluded.issued, seconds = usage_day.seconds + excluded.seconds,
		last_at = CASE WHEN excluded.last_at > usage_day.last_at THEN excluded.last_at ELSE usage_day.last_at END`
	addPathUsage query = `INSERT INTO usage_path_day (principal_id, account_id, permission_set, day, principal_type, issued, seconds, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (principal_id, account_id, permission_set, day) DO UPDATE SET issued = usage_path_day.issued + excluded.issued, seconds = usage_path_day.seconds + excluded.seconds,
		last_at = CASE WHEN excluded.last_at > usage_path_day.last_at THEN excluded.last_at ELSE usage_path_day.last_at END`

	setsByName query = `SELECT name, id FROM permission_set WHERE instance_id = $1 AND name IN ($2)`
	setsOfThen query = `SELECT name, permission_set FROM permission_set_past WHERE gone AND instance_id = $1 AND name IN ($2) ORDER BY to_at`

	usageByUser    query = `SELECT user_id, SUM(issued), SUM(seconds), MAX(last_at) FROM usage_day WHERE day >= $1 AND day <= $2 AND user_id > $3 GROUP BY user_id ORDER BY user_id LIMIT $4`
	usageByAccount query = `SELECT account_id, SUM(issued), SUM(seconds), 0 FROM usage_day WHERE day >= $1 AND day <= $2 AND account_id > $3 GROUP BY account_id ORDER BY account_id LIMIT $4`
	usageBySet     query = `SELECT permission_set, SUM(issued), SUM(seconds), 0 FROM usage_day WHERE day >= $1 AND day <= $2 AND permission_set > $3 GROUP BY permission_set ORDER BY permission_set LIMIT $4`
	usageByGroup   query = `SELECT principal_id, SUM(issued), SUM(seconds), MAX(last_at) FROM usage_path_day
		WHERE day >= $1 AND day <= $2 AND principal_type = 'GROUP' AND principal_id > $3 GROUP BY principal_id ORDER BY principal_id LIMIT $4`

	// Unused assignments are looked for among all, in their order, with one step into the index of uses for each.
	unusedGrants query = `SELECT a.account_id, a.instance_id, a.permission_set, a.principal_type, a.principal_id, ` + grantedAt + `, a.event_id, a.created_by,
		COALESCE((SELECT MAX(u.last_at) FROM usage_path_day u WHERE u.principal_id = a.principal_id AND u.account_id = a.account_id AND u.permission_set = a.permission_set), 0)
		FROM assignment a WHERE (a.account_id, a.permission_set, a.principal_type, a.principal_id) > ($1, $2, $3, $4) AND a.instance_id = $5 AND a.state = 'GRANTED' AND ` + grantedAt + ` < $6
		AND NOT EXISTS (SELECT 1 FROM usage_path_day u WHERE u.principal_id = a.principal_id AND u.account_id = a.account_id AND u.permission_set = a.permission_set AND u.day >= $7 AND u.last_at >= $6)
		ORDER BY a.account_id, a.permission_set, a.principal_type, a.principal_id LIMIT $8`

	lastUses query = `WITH asked (u, a, s) AS ( VALUES ($1, $2, $3))
		SELECT q.u, q.a, q.s, MAX(d.last_at) FROM asked q JOIN usage_day d ON d.user_id = q.u AND d.account_id = q.a AND d.permission_set = q.s GROUP BY q.u, q.a, q.s`
)

// AddUsage adds to what was given out to users. Each day and key is there once.
func (tx *Tx) AddUsage(all []Usage) error {
	return chunkedRows(tx, all, addUsage, func(u Usage) []any {
		return []any{u.UserID, u.Account, u.SetID, u.Day, u.Issued, u.Seconds, micros(u.Last)}
	})
}

// AddPathUsage adds to what was given out by paths. Each day and key is there once.
func (tx *Tx) AddPathUsage(all []Usage) error {
	return chunkedRows(tx, all, addPathUsage, func(u Usage) []any {
		return []any{u.PrincipalID, u.Account, u.SetID, u.Day, u.PrincipalType, u.Issued, u.Seconds, micros(u.Last)}
	})
}

func chunkedRows[T any](tx *Tx, all []T, q query, args func(T) []any) error {
	for len(all) > 0 {
		size := largest(len(all))
		var values []any
		for _, one := range all[:size] {
			values = append(values, args(one)...)
		}
		if _, err := tx.exec(q.rows(size), values...); err != nil {
			return err
		}
		all = all[size:]
	}
	return nil
}

// SetsByName are the ids of an instance's permission sets, by name; of a name that no set has any more, that of the last one.
func (tx *Tx) SetsByName(i arn.Instance, names []string) (map[string]string, error) {
	out := make(map[string]string, len(names))
	type named struct{ name, id string }
	scan := func(r row) (n named, err error) { err = r.Scan(&n.name, &n.id); return n, err }
	return out, chunked(tx, names, scan, func(n named) { out[n.name] = n.id }, []any{i}, setsOfThen, setsByName)
}

// UsageBy is what usage is summed up by.
type UsageBy string

// What usage is summed up by.
const (
	UsageByUser    UsageBy = "USER"
	UsageByGroup   UsageBy = "GROUP"
	UsageBySet     UsageBy = "PERMISSION_SET"
	UsageByAccount UsageBy = "ACCOUNT"
)

// UsageSum is what was given out in a time, by one id.
type UsageSum struct {
	ID              string
	Issued, Seconds int64
	Last            time.Time // of users and groups: when last within the time
}

// UsageSums lists what was given out from one day to another, both inclusive, by id.
func (tx *Tx) UsageSums(by UsageBy, from, to int64, q page.Query) ([]UsageSum, page.Key, error) {
	stmt := map[UsageBy]query{UsageByUser: usageByUser, UsageByGroup: usageByGroup, UsageBySet: usageBySet, UsageByAccount: usageByAccount}[by]
	rows, err := list(tx, stmt, func(r row) (s UsageSum, err error) {
		var last int64
		err = r.Scan(&s.ID, &s.Issued, &s.Seconds, &last)
		s.Last = fromMicros(last)
		return s, err
	}, from, to, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(s UsageSum) page.Key { return page.Key{s.ID} })
	return rows, next, nil
}

// UnusedGrant is an assignment that nobody has used for a while.
type UnusedGrant struct {
	Assignment
	Granted Mark
	Last    time.Time // when it was used last; zero: never, as far as is remembered
}

// UnusedGrants lists the assignments that were granted before a time and that nobody has used since.
func (tx *Tx) UnusedGrants(i arn.Instance, since time.Time, q page.Query) ([]UnusedGrant, page.Key, error) {
	rows, err := list(tx, unusedGrants, func(r row) (u UnusedGrant, err error) {
		var granted, last int64
		err = r.Scan(&u.Account, &u.Set.Instance, &u.Set.ID, &u.PrincipalType, &u.PrincipalID, &granted, &u.Granted.Event, &u.Granted.By, &last)
		u.Granted.At, u.Last, u.State = fromMicros(granted), fromMicros(last), AssignmentGranted
		return u, err
	}, at(q.After, 0), at(q.After, 1), at(q.After, 2), at(q.After, 3), i, micros(since), DayOf(since), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(u UnusedGrant) page.Key {
		return page.Key{string(u.Account), u.Set.ID, string(u.PrincipalType), u.PrincipalID}
	})
	return rows, next, nil
}

// LastUses are when users were last given credentials of permission sets in accounts: a key has UserID, Account and SetID. What was
// never used is not there.
func (tx *Tx) LastUses(keys []UsageKey) (map[UsageKey]time.Time, error) {
	out := make(map[UsageKey]time.Time, len(keys))
	for len(keys) > 0 {
		size := largest(len(keys))
		args := make([]any, 0, 3*size)
		for _, k := range keys[:size] {
			args = append(args, k.UserID, k.Account, k.SetID)
		}
		err := tx.each(lastUses.rows(size), func(r row) (bool, error) {
			var k UsageKey
			var last int64
			err := r.Scan(&k.UserID, &k.Account, &k.SetID, &last)
			out[k] = fromMicros(last)
			return true, err
		}, args...)
		if err != nil {
			return nil, err
		}
		keys = keys[size:]
	}
	return out, nil
}
