package access

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// SetAccountStatus takes an account out of everybody's reach, or gives it back. What was given out in one that is closed ends at once.
func SetAccountStatus(tx *store.Tx, account arn.AccountID, status string) error {
	err := tx.SetAccountStatus(account, status)
	if errors.Is(err, store.ErrNotFound) {
		return fault.Missing("ACCOUNT", string(account))
	}
	if err != nil {
		return fmt.Errorf("set status of account: %w", err)
	}
	return wrap(tx.Changed("account:"+string(account)), "record change of account")
}
