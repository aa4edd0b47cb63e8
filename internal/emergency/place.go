package emergency

import (
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// provision has the role made in accounts where it does not stand as the permission set is now.
func (s *Service) provision(tx *store.Tx, e store.EmergencyAccess, accounts []arn.AccountID, limits quota.Limits) error {
	i, err := tx.Instance(s.Instance)
	if err != nil {
		return fmt.Errorf("load instance: %w", err)
	}
	set, err := access.PermissionSet(tx, i, e.Set)
	if err != nil {
		return err
	}
	for _, account := range accounts { // at most maxAccounts
		why, err := unfit(tx, set, account)
		if err != nil {
			return err
		}
		switch why {
		case "":
			continue
		case unprovisioned:
		default: // an outdated role too: others rely on it as it stands, and preparing must not change what they may do
			return fault.Invalidf("%s", accountProblem(account, why))
		}
		if err := access.AdmitRequest(tx, i.ID, limits); err != nil {
			return err
		}
		if _, err := access.BeginProvision(tx, e.Set, account); err != nil {
			return err
		}
	}
	return nil
}

// Why a role could not be had in an account.
const (
	unprovisioned = "the permission set has no role there"
	outdated      = "the role there is of an older edition of the permission set: provision it"
)

func accountProblem(account arn.AccountID, why string) string {
	return fmt.Sprintf("Account %s: %s.", account, why)
}

// unfit is why the permission set's role could not be had in an account now; empty: it could.
func unfit(tx *store.Tx, set store.PermissionSet, account arn.AccountID) (string, error) {
	a, err := tx.Account(account)
	if errors.Is(err, store.ErrNotFound) {
		return "there is no such account", nil
	}
	if err != nil {
		return "", fmt.Errorf("load account: %w", err)
	}
	if a.Status != store.AccountActive {
		return "it is " + strings.ToLower(strings.ReplaceAll(a.Status, "_", " ")), nil
	}
	role, err := tx.ProvisionedRole(account, set.PermissionSet)
	if errors.Is(err, store.ErrNotFound) {
		return unprovisioned, nil
	}
	if err != nil {
		return "", fmt.Errorf("load role: %w", err)
	}
	if role.Revision != set.Revision {
		return outdated, nil
	}
	return "", nil
}

// Place is an account of an access, and why it could not be reached now; empty: it could.
type Place struct {
	ID      arn.AccountID
	Problem string
}

// Accounts are the accounts of an access.
func Accounts(tx *store.Tx, e store.EmergencyAccess) (places []Place, err error) {
	accounts, err := tx.EmergencyAccounts(e.ID)
	if err != nil {
		return nil, fmt.Errorf("list accounts of emergency access: %w", err)
	}
	set, err := tx.PermissionSet(e.Set)
	gone := errors.Is(err, store.ErrNotFound)
	if err != nil && !gone {
		return nil, fmt.Errorf("load permission set: %w", err)
	}
	for _, a := range accounts { // at most maxAccounts
		p := Place{a, "the permission set is gone"}
		if !gone {
			if p.Problem, err = unfit(tx, set, a); err != nil {
				return nil, err
			}
		}
		places = append(places, p)
	}
	return places, nil
}

// release has the role removed from accounts where nothing needs it any more.
func release(tx *store.Tx, set arn.PermissionSet, accounts []arn.AccountID) error {
	for _, account := range accounts { // at most maxAccounts
		needed, _, err := tx.OtherAssignments(store.Assignment{Account: account, Set: set})
		if err != nil {
			return fmt.Errorf("look for who needs the role: %w", err)
		}
		if needed {
			continue
		}
		if _, err := access.BeginRemoval(tx, set, account); err != nil {
			return err
		}
	}
	return nil
}
