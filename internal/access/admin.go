package access

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// MayAdminister refuses callers whose account neither owns the instance nor is its delegated administrator: the account
// counts before all policies (hard part 6). An unknown instance is nobody's, so it is refused alike and nothing can be probed.
func MayAdminister(tx *store.Tx, instance arn.Instance, caller arn.AccountID) error {
	i, err := tx.Instance(instance)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load instance: %w", err)
	}
	if err != nil || caller == "" || caller != i.Owner && caller != i.DelegatedAdmin {
		return fault.Deniedf("You do not have sufficient access to perform this action.")
	}
	return nil
}

// Instance is the instance with the id.
func Instance(tx *store.Tx, id arn.Instance) (store.Instance, error) {
	i, err := tx.Instance(id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Instance{}, fault.Missing("Instance", string(id))
	}
	return i, wrap(err, "load instance")
}

// MayTouch refuses a delegated administrator everything about permission sets that stand in the management account, or are
// about to; and everything about the management account itself. account is "" where none is named.
func MayTouch(tx *store.Tx, i store.Instance, caller arn.AccountID, set arn.PermissionSet, account arn.AccountID) error {
	switch caller {
	case i.Owner:
		return nil
	case i.DelegatedAdmin:
	default:
		return MayAdminister(tx, i.ID, caller)
	}
	if account == i.Owner {
		return fault.Deniedf("A delegated administrator cannot manage access to the management account %s.", account)
	}
	standing, err := tx.SetInAccount(i.Owner, set)
	if err != nil {
		return fmt.Errorf("look for permission set in management account: %w", err)
	}
	if standing {
		return fault.Deniedf("A delegated administrator cannot manage %s: it is provisioned in the management account %s.", set.ARN(), i.Owner)
	}
	return nil
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
