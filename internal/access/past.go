package access

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/policy"
	"sallyport/internal/store"
)

// NotKept are the sentences that go with every answer about a time before now.
func NotKept() []string {
	return []string{
		"It is told of a request without a session policy, and with the condition keys that are given: those of then, and session tags, are not kept.",
		"Roles are told as they had been provisioned: what somebody changed in the account itself is not kept.",
	}
}

// Forgotten is the time before which what had ended is forgotten, if the question is about a time before that; else zero. keep is how long
// it is kept.
func Forgotten(tx *store.Tx, at time.Time, keep time.Duration) (time.Time, error) {
	before, err := tx.HistoryForgotten()
	if err != nil {
		return before, fmt.Errorf("look for what is forgotten: %w", err)
	}
	if kept := tx.Now().Add(-keep); kept.After(before) {
		before = kept
	}
	if !at.Before(before) {
		return time.Time{}, nil
	}
	return before, nil
}

// shut says whether nobody got into an account: it was closed, or not there.
func shut(a store.AccountThen) bool {
	return a.ID == "" || a.Status != "" && a.Status != store.AccountActive
}

// roleOf is what a permission set is in the account, or had been made there by the time that is asked about; false: nothing, or nobody
// knows any more.
func roleOf(tx *store.Tx, q Question, set arn.PermissionSet) (role store.Role, known bool, err error) {
	if q.At.IsZero() {
		role, err = tx.ProvisionedRole(q.Account, set)
	} else {
		role, err = roleThen(tx, q, set)
	}
	if errors.Is(err, store.ErrNotFound) {
		return store.Role{}, false, nil
	}
	return role, err == nil, wrap(err, "load provisioned role")
}

func roleThen(tx *store.Tx, q Question, set arn.PermissionSet) (store.Role, error) {
	p, err := tx.ProvisionedAt(q.Account, set, q.At)
	if err != nil {
		return store.Role{}, err
	}
	then := store.Role{Account: p.Account, Name: p.Name, Path: p.Path, Set: p.Set, Revision: p.Revision, Spec: p.Spec}
	now, err := tx.Role(q.Account, p.Name)
	if err == nil && now.Set == set && !now.CreatedAt.After(q.At) {
		then.ID = now.ID
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return then, err
}

// lost are a role's customer managed policies whose text of then is not kept, by ARN.
type lost struct {
	policies []string
	boundary string // "": known, or none
}

// asKept is the role without those of its policies that nobody knows the text of any more.
func asKept(tx *store.Tx, q Question, r store.Role) (store.Role, lost, error) {
	var l lost
	if q.At.IsZero() {
		return r, l, nil
	}
	var left []string
	for _, policyARN := range r.Spec.Customer { // as many as a permission set may have
		same, err := sameSince(tx, q, policyARN)
		if err != nil {
			return r, l, err
		}
		if same {
			left = append(left, policyARN)
		} else {
			l.policies = append(l.policies, policyARN)
		}
	}
	r.Spec.Customer = left
	if b := r.Spec.Boundary; b != nil && b.Document == "" {
		same, err := sameSince(tx, q, b.ARN)
		if err != nil {
			return r, l, err
		}
		if !same {
			l.boundary, r.Spec.Boundary = b.ARN, nil
		}
	}
	return r, l, nil
}

// sameSince says whether a customer managed policy reads now as it did then.
func sameSince(tx *store.Tx, q Question, policyARN string) (bool, error) {
	p, err := tx.AccountPolicy(q.Account, policyARN[strings.LastIndexByte(policyARN, '/')+1:])
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return p.ARN() == policyARN && !p.UpdatedAt.After(q.At), wrap(err, "load customer managed policy")
}

// against tells which of the lost policies may have decided otherwise. None overrules a statement that denies, and none of the
// identity's a boundary.
func (l lost) against(d policy.Decision) (out []string) {
	if d.Explicit || !d.Allowed && d.Layer == policy.LayerBoundary {
		return nil
	}
	for _, policyARN := range l.policies {
		out = append(out, fmt.Sprintf("How %s read then is not kept.", policyARN))
	}
	if l.boundary != "" && (d.Allowed || len(out) > 0) {
		out = append(out, fmt.Sprintf("How the permissions boundary %s read then is not kept.", l.boundary))
	}
	return out
}
