package store

import "time"

// Who had what is told by two tables for each kind of record: what stands has since when and by which event in its own row, and what has
// ended was copied, with its end, to a table beside it (…_past). It is done here, in the methods that change the record, in the same
// transaction: nobody can forget it, what stands costs a column and no second row, what was there before there was a history needs no
// filling in, and to ask about now reads no history at all.
//
// A span is from its beginning up to, and without, its end; one of no length is not kept, except the last of a user, a group or a
// permission set, which tells that they have gone. What a deleted group or user leaves to a sweep ends when it is swept: whoever asks
// looks for the group and the user too, which end at the deletion.

// Cause is what changes of the directory and of access come from: the event that tells of them, and who made them: an ARN, or the name of
// a service or a source.
type Cause struct{ Event, By string }

// Because says what the changes of this transaction come from. Who says nothing leaves a history without events.
func (tx *Tx) Because(c Cause) { tx.cause = c }

// Mark is one end of a span: when, by which event, and who made it. Event and By are "" where nothing is known.
type Mark struct {
	At    time.Time
	Event string
	By    string
}

const (
	pastMembers = `INSERT INTO membership_past (user_id, group_id, from_at, from_event, from_by, to_at, to_event, to_by)
		SELECT user_id, group_id, created_at, event_id, created_by, $1, $2, $3 FROM membership WHERE created_at < $1 AND `
	membersWere  query = pastMembers + `group_id = $4 AND user_id IN ($5) ON CONFLICT DO NOTHING`
	sweptMembers query = pastMembers + `id IN (SELECT id FROM membership WHERE group_id = $4 ORDER BY user_id LIMIT $5) ON CONFLICT DO NOTHING`
	sweptMember  query = pastMembers + `id IN (SELECT id FROM membership WHERE user_id = $4 ORDER BY group_id LIMIT $5) ON CONFLICT DO NOTHING`

	grantedAt           = `CASE WHEN a.granted_at = 0 THEN a.created_at ELSE a.granted_at END`
	assignmentWas query = `INSERT INTO assignment_past (account_id, permission_set, principal_type, principal_id, instance_id, from_at, from_event, from_by, to_at, to_event, to_by)
		SELECT a.account_id, a.permission_set, a.principal_type, a.principal_id, a.instance_id, ` + grantedAt + `, a.event_id, a.created_by, $1, $2, $3 FROM assignment a
		WHERE ` + grantedAt + ` < $1 AND a.account_id = $4 AND a.permission_set = $5 AND a.principal_type = $6 AND a.principal_id = $7 AND a.state = 'GRANTED' ON CONFLICT DO NOTHING`

	// Of a record that has columns since and since_by: since when and by whom it is as it is.
	sinceOf   = `CASE WHEN r.since = 0 THEN r.created_at ELSE r.since END`
	sinceByOf = `CASE WHEN r.since = 0 THEN r.created_by ELSE r.since_by END`

	pastUsers = `INSERT INTO user_past (gone, user_id, store_id, user_name, user_name_ci, status, from_at, from_event, from_by, to_at, to_event, to_by) SELECT `
	ofUsers   = `, r.id, r.store_id, r.user_name, r.user_name_ci, r.status, ` + sinceOf + `, r.event_id, ` + sinceByOf + `, $1, $2, $3
		FROM directory_user r WHERE r.id = $4`
	userWas   query = pastUsers + `FALSE` + ofUsers + ` AND ` + sinceOf + ` < $1 AND (r.user_name <> $5 OR r.status <> $6) ON CONFLICT DO NOTHING`
	userGone  query = pastUsers + `TRUE` + ofUsers + ` ON CONFLICT DO NOTHING`
	userSince query = `UPDATE directory_user SET since = $1, event_id = $2, since_by = $3 WHERE id = $4`

	pastGroups = `INSERT INTO group_past (gone, group_id, display_name, from_at, from_event, from_by, to_at, to_event, to_by) SELECT `
	ofGroups   = `, r.id, r.display_name, ` + sinceOf + `, r.event_id, ` + sinceByOf + `, $1, $2, $3
		FROM directory_group r WHERE r.id = $4`
	groupWas   query = pastGroups + `FALSE` + ofGroups + ` AND ` + sinceOf + ` < $1 AND r.display_name <> $5 ON CONFLICT DO NOTHING`
	groupGone  query = pastGroups + `TRUE` + ofGroups + ` ON CONFLICT DO NOTHING`
	groupSince query = `UPDATE directory_group SET since = $1, event_id = $2, since_by = $3 WHERE id = $4`

	pastSets = `INSERT INTO permission_set_past (gone, permission_set, instance_id, name, revision, description, session_duration, relay_state, attrs, from_at, from_event, from_by, to_at, to_event, to_by) SELECT `
	ofSets   = `, r.id, r.instance_id, r.name, r.revision, r.description, r.session_duration, r.relay_state, r.attrs, ` + sinceOf + `, r.event_id, r.since_by, $1, $2, $3
		FROM permission_set r WHERE r.id = $4`
	setWas  query = pastSets + `FALSE` + ofSets + ` AND ` + sinceOf + ` < $1 ON CONFLICT DO NOTHING`
	setGone query = pastSets + `TRUE` + ofSets + ` ON CONFLICT DO NOTHING`

	pastAccounts = `INSERT INTO account_past (account_id, status, from_at, from_event, from_by, to_at, to_event, to_by)
		SELECT r.id, r.status, ` + sinceOf + `, r.event_id, r.since_by, $1, $2, $3 FROM account r WHERE r.id = $4`
	accountWas query = pastAccounts + ` AND ` + sinceOf + ` < $1 AND r.status <> $5 ON CONFLICT DO NOTHING`

	pastSetPolicies = `INSERT INTO permission_set_policy_past (permission_set, arn, from_at, from_event, from_by, to_at, to_event, to_by)
		SELECT permission_set, arn, since, event_id, since_by, $1, $2, $3 FROM permission_set_policy WHERE since < $1 AND permission_set = $4`
	setPolicyGone   query = pastSetPolicies + ` AND arn = $5 ON CONFLICT DO NOTHING`
	setPoliciesGone query = pastSetPolicies + ` ON CONFLICT DO NOTHING`

	pastRoles = `INSERT INTO provisioned_past (account_id, permission_set, instance_id, name, path, revision, spec, from_at, from_event, to_at, to_event)
		SELECT v.account_id, v.permission_set, v.instance_id, v.name, v.path, v.revision, v.spec, CASE WHEN v.since = 0 THEN v.at ELSE v.since END, v.event_id, $1, $2
		FROM provisioned v WHERE CASE WHEN v.since = 0 THEN v.at ELSE v.since END < $1 AND v.account_id = $3 AND v.permission_set = $4`
	roleWas  query = pastRoles + ` AND (v.spec <> $5 OR v.name <> $6) ON CONFLICT DO NOTHING`
	roleGone query = pastRoles + ` ON CONFLICT DO NOTHING`
)

// was copies what is about to end to the past. The query's first three arguments are the end: now, and the cause.
func (tx *Tx) was(q query, args ...any) error {
	_, err := tx.exec(q, tx.ends(args...)...)
	return err
}

func (tx *Tx) ends(args ...any) []any {
	return append([]any{micros(tx.now), tx.cause.Event, tx.cause.By}, args...)
}

func (tx *Tx) membersWere(groupID string, userIDs []string) error {
	q, args := membersWere.in(userIDs, tx.ends(groupID)...)
	_, err := tx.exec(q, args...)
	return err
}

func (tx *Tx) assignmentWas(a Assignment) error {
	return tx.was(assignmentWas, a.Account, a.Set.ID, a.PrincipalType, a.PrincipalID)
}

// userWas keeps the name and the state of a user that are about to become u's, if they are others.
func (tx *Tx) userWas(u User) error {
	n, err := tx.exec(userWas, tx.ends(u.ID, u.UserName, u.Status)...)
	if err == nil && n > 0 {
		_, err = tx.exec(userSince, tx.ends(u.ID)...)
	}
	return err
}

// groupWas keeps the name of a group that is about to become g's, if it is another.
func (tx *Tx) groupWas(g Group) error {
	n, err := tx.exec(groupWas, tx.ends(g.ID, g.DisplayName)...)
	if err == nil && n > 0 {
		_, err = tx.exec(groupSince, tx.ends(g.ID)...)
	}
	return err
}
