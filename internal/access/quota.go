package access

import (
	"errors"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// AdmitPermissionSet refuses one permission set more than an instance may have.
func AdmitPermissionSet(tx *store.Tx, i arn.Instance, limits quota.Limits) error {
	return limits.Admit(quota.PermissionSets, string(i), tx.Now(), func(bound int) (int, error) { return tx.CountPermissionSets(i, bound) })
}

// AdmitRequest refuses one more request to assign, unassign or provision while as many as there may be have not ended. It is
// AWS's answer to too many of them, which SDKs try again after a while (case S21).
func AdmitRequest(tx *store.Tx, i arn.Instance, limits quota.Limits) error {
	limit := limits.Of(quota.Outstanding)
	if limit == quota.None { // nothing is read: callers would wait for each other over it
		return nil
	}
	n, err := tx.RequestsInProgress(i, limit)
	if err != nil || n < limit {
		return wrap(err, "count requests in progress")
	}
	return &fault.Error{
		Kind: fault.Throttled, RetryAfter: time.Second,
		Message: "There are too many requests processing. Please try again later.",
	}
}

// AdmitAssignment refuses an assignment for which an account has no room, where the caller is to be told so at once. In relaxed
// mode only the job finds out, by [FitsAccount]: of thousands of calls a second none waits for another.
func AdmitAssignment(tx *store.Tx, a store.Assignment, limits quota.Limits) error {
	if limits.Mode() == quota.Relaxed {
		return nil
	}
	if _, err := tx.Assignment(a); !errors.Is(err, store.ErrNotFound) {
		return wrap(err, "load assignment")
	}
	if a.PrincipalType == store.PrincipalGroup {
		n, err := tx.GroupsAssigned(a.Account, a.Set, false, limits.Of(quota.GroupsPerAssignment))
		if err != nil {
			return wrap(err, "count groups of assignment")
		}
		if limits.Exceeds(quota.GroupsPerAssignment, n+1) {
			return limits.Reached(quota.GroupsPerAssignment)
		}
	}
	standing, err := tx.SetInAccount(a.Account, a.Set)
	if err != nil || standing {
		return wrap(err, "look for permission set in account")
	}
	return roomForRole(tx, a.Account, limits)
}

// FitsAccount tells, when an assignment is about to be made, whether its account has room for it. The jobs of an account run one
// after the other, so that this is exact. provisioned says that the permission set stands in the account already.
func FitsAccount(tx *store.Tx, a store.Assignment, provisioned bool, limits quota.Limits) error {
	if a.PrincipalType == store.PrincipalGroup {
		n, err := tx.GroupsAssigned(a.Account, a.Set, true, limits.Of(quota.GroupsPerAssignment))
		if err != nil {
			return wrap(err, "count groups of assignment")
		}
		if limits.Exceeds(quota.GroupsPerAssignment, n+1) {
			return limits.Reached(quota.GroupsPerAssignment)
		}
	}
	if provisioned {
		return nil
	}
	return roomForRole(tx, a.Account, limits)
}

func roomForRole(tx *store.Tx, account arn.AccountID, limits quota.Limits) error {
	n, err := tx.CountSetsInAccount(account, limits.Of(quota.SetsPerAccount))
	if err != nil {
		return wrap(err, "count permission sets in account")
	}
	if limits.Exceeds(quota.SetsPerAccount, n+1) {
		return limits.Reached(quota.SetsPerAccount)
	}
	return nil
}
