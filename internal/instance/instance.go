// Package instance has the rules of account instances: a member account may have one Identity Center instance of its own, with an
// identity store and applications of its own, beside that of the organization (behaviour reference §9).
package instance

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Create makes an account its instance, with an empty identity store.
func Create(tx *store.Tx, account arn.AccountID, name, region string) (store.Instance, error) {
	organization, err := tx.OrganizationInstance()
	if err != nil {
		return store.Instance{}, fmt.Errorf("load instance of organization: %w", err)
	}
	if account == organization.Owner {
		return store.Instance{}, fault.Invalidf("The management account %s cannot have an account instance: it owns the instance of the organization, %s. Call CreateInstance from a member account.", account, organization.ID)
	}
	_, err = tx.Account(account)
	if errors.Is(err, store.ErrNotFound) {
		return store.Instance{}, fault.Deniedf("The account %s is not of this organization.", account)
	}
	if err != nil {
		return store.Instance{}, fmt.Errorf("load account: %w", err)
	}
	i := store.Instance{
		ID: arn.NewInstance(), StoreID: arn.NewStoreID(), Owner: account, OfAccount: true, Name: name, Region: region,
		Status: store.InstanceActive, CreatedAt: tx.Now(),
	}
	err = tx.InsertInstance(i)
	if errors.Is(err, store.ErrExists) {
		return store.Instance{}, taken(tx, account)
	}
	if err != nil {
		return store.Instance{}, fmt.Errorf("insert instance: %w", err)
	}
	return i, nil
}

// taken says which instance an account has already: it can have one, over all regions.
func taken(tx *store.Tx, account arn.AccountID) error {
	was, err := tx.InstanceOfAccount(account)
	if err != nil {
		return fmt.Errorf("load instance of account: %w", err)
	}
	if was.Status == store.InstanceDeleting {
		return fault.Conflictf("The account %s has an instance that is being deleted, %s. Ask again when it is gone.", account, was.ID)
	}
	return fault.Conflictf("The account %s has an instance already, %s: an account can have one.", account, was.ID)
}

// Delete begins to delete an account instance with all that is in it. Little is gone at once; of much, the rest is left to the
// sweeper, and the instance is there until the end, DELETE_IN_PROGRESS.
func Delete(tx *store.Tx, i store.Instance, caller arn.AccountID) error {
	switch {
	case caller != i.Owner: // a delegated administrator
		return fault.Deniedf("Only the account that owns an instance can delete it.")
	case !i.OfAccount:
		return fault.Invalidf("The instance %s is that of the organization: without it nobody could sign in, and it cannot be deleted.", i.ID)
	case i.Status == store.InstanceDeleting:
		return fault.Conflictf("The instance %s is being deleted already.", i.ID)
	}
	i.Status = store.InstanceDeleting
	if err := tx.UpdateInstance(i); err != nil {
		return fmt.Errorf("update instance: %w", err)
	}
	return sweep(tx, i)
}
