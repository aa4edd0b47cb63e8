package access

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// CloseAccount takes an account out of everybody's reach. What was given out in it ends at once and for good: reopening the account
// does not bring it back. Closing one that is closed changes nothing. A delegated administrator may close doors, but not its own:
// whoever did it could not undo it.
func CloseAccount(tx *store.Tx, i store.Instance, caller, account arn.AccountID) (store.Account, error) {
	a, err := ofOrganization(tx, account)
	switch {
	case err != nil:
		return a, err
	case account == i.Owner:
		return a, fault.Conflictf("The management account %s cannot be closed: the organization is administered from it.", account)
	case account == caller:
		return a, fault.Deniedf("A delegated administrator cannot close its own account %s. Close it from the management account %s.", account, i.Owner)
	case a.Status != store.AccountActive:
		return a, nil
	}
	a.Status = store.AccountSuspended
	if err := tx.SetAccountStatus(account, a.Status); err != nil {
		return a, fmt.Errorf("close account: %w", err)
	}
	return a, wrap(tx.Cut("account:"+string(account)), "cut off account")
}

// ReopenAccount gives an account back as it was when it was closed, and begins what was to be done in it since. To open doors is the
// management account's. Reopening one that is open changes nothing.
func ReopenAccount(tx *store.Tx, i store.Instance, caller, account arn.AccountID) (store.Account, error) {
	if caller != i.Owner {
		return store.Account{}, fault.Deniedf("Accounts are reopened from the management account %s alone.", i.Owner)
	}
	a, err := ofOrganization(tx, account)
	if err != nil || a.Status == store.AccountActive {
		return a, err
	}
	a.Status = store.AccountActive
	if err := tx.SetAccountStatus(account, a.Status); err != nil {
		return a, fmt.Errorf("reopen account: %w", err)
	}
	if err := tx.Changed("account:" + string(account)); err != nil {
		return a, fmt.Errorf("record change of account: %w", err)
	}
	return a, Enqueue(tx, store.Request{}, Job{Account: account})
}

func ofOrganization(tx *store.Tx, account arn.AccountID) (store.Account, error) {
	a, err := tx.Account(account)
	if errors.Is(err, store.ErrNotFound) {
		return a, fault.Missing("ACCOUNT", string(account))
	}
	return a, wrap(err, "load account")
}

// Closed is what is said of an account that is closed, as a reason or a refusal.
func Closed(account arn.AccountID) string {
	return fmt.Sprintf("Account %s is closed. Nothing is provisioned in it until it is reopened.", account)
}

// notClosed refuses what is wanted of an account that is closed. That there is none is found out elsewhere.
func notClosed(tx *store.Tx, account arn.AccountID) error {
	a, err := tx.Account(account)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("load account: %w", err)
	case a.Status != store.AccountActive:
		return fault.Conflictf("%s", Closed(account))
	}
	return nil
}
