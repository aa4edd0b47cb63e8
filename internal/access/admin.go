package access

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// MayAdminister refuses callers whose account neither owns the instance nor is its delegated administrator: the account
// counts before all policies (hard part 6). An unknown instance is nobody's, so it is refused alike and nothing can be probed.
func MayAdminister(tx *store.Tx, instance arn.Instance, caller arn.AccountID) error {
	i, err := tx.Instance(instance)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load instance: %w", err)
	}
	if err != nil || !administers(i, caller) {
		return errDenied()
	}
	return nil
}

func administers(i store.Instance, caller arn.AccountID) bool {
	return caller != "" && (caller == i.Owner || caller == i.DelegatedAdmin)
}

func errDenied() error {
	return fault.Deniedf("You do not have sufficient access to perform this action.")
}

// AccountRule holds the accounts of callers against what their requests are about, before all policies (hard part 6): the
// organization's instance is administered from the management account and the delegated administrator's, an account instance
// from its own account and from no other, not even the management account.
type AccountRule struct {
	Organization store.Instance // as it was at the start: its owner never changes, its delegated administrator may
}

// Of is the owner of the instance that a request names: i is what was found, with the error of looking for it. Who
// administers the organization is let through to what is not there, so that an operation can tell them so.
func (a AccountRule) Of(tx *store.Tx, caller arn.AccountID, i store.Instance, err error) (arn.AccountID, error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a.organization(tx, caller)
	case err != nil:
		return "", fmt.Errorf("load instance: %w", err)
	case !administers(i, caller):
		return "", errDenied()
	}
	return i.Owner, nil
}

// OfNone is for requests that name no instance, such as lists of instances: whoever administers one may make them.
func (a AccountRule) OfNone(tx *store.Tx, caller arn.AccountID) (arn.AccountID, error) {
	i, err := tx.InstanceOfAccount(caller)
	if errors.Is(err, store.ErrNotFound) {
		return a.organization(tx, caller)
	}
	return i.Owner, wrap(err, "load instance of account")
}

func (a AccountRule) organization(tx *store.Tx, caller arn.AccountID) (arn.AccountID, error) {
	if caller == a.Organization.Owner {
		return caller, nil
	}
	return a.Organization.Owner, MayAdminister(tx, a.Organization.ID, caller)
}

// InstanceKey is the place of an instance in a list: that of the organization comes first.
func InstanceKey(i store.Instance) page.Key {
	if i.OfAccount {
		return page.Key{"1" + string(i.ID)}
	}
	return page.Key{"0" + string(i.ID)}
}

// NotDeleting refuses work in an instance that is being deleted: what would be made there might stay behind.
func NotDeleting(i store.Instance) error {
	if i.Status == store.InstanceDeleting {
		return fault.Deniedf("The instance %s is being deleted.", i.ID)
	}
	return nil
}

// HasPermissionSets refuses account instances what only the organization's has: permission sets, assignments of accounts and
// what belongs to them (behaviour reference §9).
func HasPermissionSets(i store.Instance) error {
	if i.OfAccount {
		return fault.Invalidf("The instance %s is an account instance, which has no permission sets and gives no access to accounts. The instance of the organization has.", i.ID)
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
