package store

import (
	"fmt"
	"strconv"
	"time"

	"sallyport/internal/arn"
)

// Issue says that credentials of a role were given out.
type Issue struct {
	UserID  string
	Account arn.AccountID
	SetID   string
	At      time.Time
	For     time.Duration
}

const (
	// What a user was given may have come by what stood between the first time (q.t) and the last (q.e); whether it stood at each is told by its own times.
	grantedThen = grantedAt + ` <= CAST(q.e AS BIGINT) AND a.state = 'GRANTED'`
	grantedPast = `a.from_at <= CAST(q.e AS BIGINT) AND a.to_at > CAST(q.t AS BIGINT)`
	inSince     = `m.created_at <= CAST(q.e AS BIGINT)`
	inPast      = `m.from_at <= CAST(q.e AS BIGINT) AND m.to_at > CAST(q.t AS BIGINT)`
	byGroup     = ` a ON a.principal_id = m.group_id AND a.account_id = q.a AND a.permission_set = q.s AND a.principal_type = 'GROUP' AND `
	byUser      = ` a ON a.principal_id = q.u AND a.account_id = q.a AND a.permission_set = q.s AND a.principal_type = 'USER' AND `
	issuedFrom  = `SELECT q.n, a.principal_type, a.principal_id, `
	stillGiven  = issuedFrom + grantedAt + `, 9223372036854775807, `
	onceGiven   = issuedFrom + `a.from_at, a.to_at, `
	stillIn     = `m.created_at, 9223372036854775807 FROM asked q JOIN membership m ON m.user_id = q.u AND ` + inSince
	onceIn      = `m.from_at, m.to_at FROM asked q JOIN membership_past m ON m.user_id = q.u AND ` + inPast
	inNone      = `0, 9223372036854775807 FROM asked q`

	issuedBy query = `WITH asked (n, u, a, s, t, e) AS ( VALUES ($1, $2, $3, $4, $5, $6)) ` +
		stillGiven + stillIn + ` JOIN assignment` + byGroup + grantedThen + ` UNION ALL ` +
		onceGiven + stillIn + ` JOIN assignment_past` + byGroup + grantedPast + ` UNION ALL ` +
		stillGiven + onceIn + ` JOIN assignment` + byGroup + grantedThen + ` UNION ALL ` +
		onceGiven + onceIn + ` JOIN assignment_past` + byGroup + grantedPast + ` UNION ALL ` +
		stillGiven + inNone + ` JOIN assignment` + byUser + grantedThen + ` UNION ALL ` +
		onceGiven + inNone + ` JOIN assignment_past` + byUser + grantedPast
)

// alike are issues of one role to one user: what gave it to them is looked for once, for all of the time between the first and the last.
type alike struct {
	first, last int64 // microseconds
	issues      []int
}

// IssuedBy are the principals whose assignments gave users what was issued to them, as it was at that moment: one list for each issue.
func (tx *Tx) IssuedBy(issues []Issue) ([][]UsageKey, error) {
	type asked struct {
		user    string
		account arn.AccountID
		set     string
	}
	groups := map[asked]int{}
	var all []alike
	for n, e := range issues {
		k, at := asked{e.UserID, e.Account, e.SetID}, micros(e.At)
		g, ok := groups[k]
		if !ok {
			g = len(all)
			groups[k] = g
			all = append(all, alike{first: at, last: at})
		}
		a := &all[g]
		a.first, a.last, a.issues = min(a.first, at), max(a.last, at), append(a.issues, n)
	}
	out := make([][]UsageKey, len(issues))
	for from := 0; from < len(all); {
		size := largest(len(all) - from)
		args := make([]any, 0, 6*size)
		for n, a := range all[from : from+size] {
			e := issues[a.issues[0]]
			args = append(args, strconv.Itoa(from+n), e.UserID, e.Account, e.SetID, strconv.FormatInt(a.first, 10), strconv.FormatInt(a.last, 10))
		}
		if err := tx.each(issuedBy.rows(size), func(r row) (bool, error) { return true, gave(r, all, issues, out) }, args...); err != nil {
			return nil, fmt.Errorf("look for assignments of then: %w", err)
		}
		from += size
	}
	return out, nil
}

// gave adds a path to those issues at whose times it stood.
func gave(r row, all []alike, issues []Issue, out [][]UsageKey) error {
	var of string
	var k UsageKey
	var from, to, in, left int64
	if err := r.Scan(&of, &k.PrincipalType, &k.PrincipalID, &from, &to, &in, &left); err != nil {
		return err
	}
	g, err := strconv.Atoi(of)
	if err != nil {
		return err
	}
	from, to = max(from, in), min(to, left)
	for _, n := range all[g].issues {
		if at := micros(issues[n].At); at >= from && at < to {
			k.Account, k.SetID = issues[n].Account, issues[n].SetID
			out[n] = append(out[n], k)
		}
	}
	return nil
}
