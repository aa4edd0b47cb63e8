package store

import (
	"encoding/json"
	"strconv"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// SetRevision is a permission set as it was for a while.
type SetRevision struct {
	PermissionSet
	Managed      []string // ARNs of its managed policies then
	Since, Until Mark     // Until.At is zero while it is so
}

const (
	setRevisions query = `SELECT * FROM (
		SELECT r.id, r.instance_id, r.name, r.description, r.session_duration, r.relay_state, r.revision, r.attrs, r.created_at, ` + sinceOf + ` AS from_at, r.event_id, r.since_by, 0, '', ''
			FROM permission_set r WHERE r.id = $1
		UNION ALL SELECT permission_set, instance_id, name, description, session_duration, relay_state, revision, attrs, 0, from_at, from_event, from_by, to_at, to_event, to_by
			FROM permission_set_past WHERE permission_set = $1
		) s WHERE s.instance_id = $2 AND s.from_at > $3 ORDER BY s.from_at LIMIT $4`
	setPolicySpans query = `SELECT arn, since, 0 FROM permission_set_policy WHERE permission_set = $1
		UNION ALL SELECT arn, from_at, to_at FROM permission_set_policy_past WHERE permission_set = $1 ORDER BY arn`
)

func scanSetRevision(r row) (s SetRevision, err error) {
	var attrs string
	var created, from, to int64
	err = r.Scan(&s.ID, &s.Instance, &s.Name, &s.Description, &s.SessionDuration, &s.RelayState, &s.Revision, &attrs, &created,
		&from, &s.Since.Event, &s.Since.By, &to, &s.Until.Event, &s.Until.By)
	if err != nil {
		return s, err
	}
	s.CreatedAt, s.Since.At, s.Until.At = fromMicros(created), fromMicros(from), fromMicros(to)
	return s, json.Unmarshal([]byte(attrs), &s.PermissionSetAttrs)
}

// SetRevisions lists what a permission set was and is, the oldest first, with its managed policies.
func (tx *Tx) SetRevisions(p arn.PermissionSet, q page.Query) ([]SetRevision, page.Key, error) {
	after, err := strconv.ParseInt("0"+at(q.After, 0), 10, 64)
	if err != nil {
		return nil, nil, err
	}
	rows, err := list(tx, setRevisions, scanSetRevision, p.ID, p.Instance, after, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(s SetRevision) page.Key {
		return page.Key{strconv.FormatInt(micros(s.Since.At), 10)}
	})
	if len(rows) == 0 {
		return nil, nil, nil
	}
	type span struct {
		arn      string
		from, to time.Time
	}
	spans, err := list(tx, setPolicySpans, func(r row) (s span, err error) {
		var from, to int64
		err = r.Scan(&s.arn, &from, &to)
		s.from, s.to = fromMicros(from), fromMicros(to)
		return s, err
	}, p.ID)
	for n := range rows {
		for _, s := range spans {
			if then := rows[n].Since.At; !s.from.After(then) && (s.to.IsZero() || s.to.After(then)) {
				rows[n].Managed = append(rows[n].Managed, s.arn)
			}
		}
	}
	return rows, next, err
}
