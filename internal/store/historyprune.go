package store

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// metaForgotten names the time before which something that had ended was forgotten last.
const metaForgotten = "history_forgotten"

// What has ended before a time ($1) is forgotten, up to a number of rows ($2) of each kind.
const (
	pruneMembers  query = `DELETE FROM membership_past WHERE (user_id, to_at, group_id, from_at) IN (SELECT user_id, to_at, group_id, from_at FROM membership_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`
	pruneGrants   query = `DELETE FROM assignment_past WHERE (principal_id, to_at, account_id, permission_set, principal_type, from_at) IN (SELECT principal_id, to_at, account_id, permission_set, principal_type, from_at FROM assignment_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`
	pruneUsers    query = `DELETE FROM user_past WHERE (user_id, to_at, from_at) IN (SELECT user_id, to_at, from_at FROM user_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`
	pruneGroups   query = `DELETE FROM group_past WHERE (group_id, to_at, from_at) IN (SELECT group_id, to_at, from_at FROM group_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`
	pruneSets     query = `DELETE FROM permission_set_past WHERE (permission_set, to_at, from_at) IN (SELECT permission_set, to_at, from_at FROM permission_set_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`
	prunePolicies query = `DELETE FROM permission_set_policy_past WHERE (permission_set, to_at, arn, from_at) IN (SELECT permission_set, to_at, arn, from_at FROM permission_set_policy_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`
	pruneAccounts query = `DELETE FROM account_past WHERE (account_id, to_at, from_at) IN (SELECT account_id, to_at, from_at FROM account_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`
	pruneRoles    query = `DELETE FROM provisioned_past WHERE (account_id, permission_set, to_at, from_at) IN (SELECT account_id, permission_set, to_at, from_at FROM provisioned_past WHERE to_at < $1 ORDER BY to_at LIMIT $2)`

	pruneUsage     query = `DELETE FROM usage_day WHERE (user_id, account_id, permission_set, day) IN (SELECT user_id, account_id, permission_set, day FROM usage_day WHERE day < $1 ORDER BY day LIMIT $2)`
	prunePathUsage query = `DELETE FROM usage_path_day WHERE (principal_id, account_id, permission_set, day) IN (SELECT principal_id, account_id, permission_set, day FROM usage_path_day WHERE day < $1 ORDER BY day LIMIT $2)`
)

// PruneHistory forgets what ended before a time, and what was used on days before it: up to limit rows of each kind. It tells whether there
// may be more.
func (tx *Tx) PruneHistory(before time.Time, limit int) (more bool, err error) {
	forgot := false
	for _, q := range []query{pruneMembers, pruneGrants, pruneUsers, pruneGroups, pruneSets, prunePolicies, pruneRoles, pruneAccounts} {
		n, err := tx.exec(q, micros(before), limit)
		if err != nil {
			return false, err
		}
		more, forgot = more || n == int64(limit), forgot || n > 0
	}
	if forgot {
		if err := tx.forgotten(before); err != nil {
			return false, err
		}
	}
	for _, q := range []query{pruneUsage, prunePathUsage} {
		n, err := tx.exec(q, DayOf(before), limit)
		if err != nil {
			return false, err
		}
		more = more || n == int64(limit)
	}
	return more, nil
}

// forgotten remembers that the history of before a time has gaps from now on.
func (tx *Tx) forgotten(before time.Time) error {
	was, err := tx.HistoryForgotten()
	if err != nil || !was.Before(before) {
		return err
	}
	return tx.SetMeta(metaForgotten, strconv.FormatInt(micros(before), 10))
}

// HistoryForgotten is the time before which things ended that are forgotten; zero: none is. What stood then and since is known.
func (tx *Tx) HistoryForgotten() (time.Time, error) {
	text, err := tx.Meta(metaForgotten)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read how much history is forgotten: %w", err)
	}
	return fromMicros(n), nil
}
