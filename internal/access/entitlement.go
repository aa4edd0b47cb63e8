package access

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// Granted tells whether any path, direct or by a group, gives the user the permission set in the account. Only granted
// assignments of a user who exists and is enabled count.
func Granted(tx *store.Tx, userID string, account arn.AccountID, set arn.PermissionSet) (bool, error) {
	ok, err := tx.Granted(userID, account, set)
	return ok, wrap(err, "look for grant")
}

// Accounts lists the accounts in which the user is granted at least one permission set, once each, by id. signIn is the portal session
// at hand, in which an emergency access may be open.
func Accounts(tx *store.Tx, userID, signIn string, q page.Query) ([]store.Account, page.Key, error) {
	rows, next, err := tx.ReachableAccounts(userID, signIn, q)
	return rows, next, wrap(err, "list reachable accounts")
}

// Roles lists the permission sets that the user is granted in the account, once each, by name. signIn is as for [Accounts].
func Roles(tx *store.Tx, userID, signIn string, account arn.AccountID, q page.Query) ([]store.PermissionSet, page.Key, error) {
	rows, next, err := tx.ReachableSets(userID, signIn, account, q)
	return rows, next, wrap(err, "list reachable permission sets")
}

// SetByName is the instance's permission set with the name.
func SetByName(tx *store.Tx, instance arn.Instance, name string) (store.PermissionSet, error) {
	p, err := tx.PermissionSetByName(instance, name)
	if errors.Is(err, store.ErrNotFound) {
		return store.PermissionSet{}, fault.Missing("PermissionSet", name)
	}
	return p, wrap(err, "load permission set by name")
}

// PrincipalExists tells whether the user or group is in the identity store.
func PrincipalExists(tx *store.Tx, storeID arn.StoreID, t store.PrincipalType, id string) (bool, error) {
	var in arn.StoreID
	var err error
	if t == store.PrincipalGroup {
		var g store.Group
		g, err = tx.Group(id)
		in = g.StoreID
	} else {
		var u store.User
		u, err = tx.User(id)
		in = u.StoreID
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look principal up: %w", err)
	}
	return in == storeID, nil
}
