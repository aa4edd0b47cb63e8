package local

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/policy"
	"sallyport/internal/store"
)

// present refuses customer managed policies that the account does not have under exactly that name and path (case S19).
func present(tx *store.Tx, account arn.AccountID, refs ...store.CustomerPolicy) error {
	for _, ref := range refs { // as many as a permission set may have
		p, err := tx.AccountPolicy(account, ref.Name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("load customer managed policy: %w", err)
		}
		if err != nil || p.Name != ref.Name || p.Path != ref.Path {
			return fault.Newf(fault.NotFound, "Received a 404 status error: Policy %s does not exist or is not attachable.", account.PolicyARN(ref.Path, ref.Name))
		}
	}
	return nil
}

// standing leaves those customer managed policies in a role that its account still has: one that was deleted gives nothing.
func standing(tx *store.Tx, r *store.Role) error {
	var left []string
	for _, policyARN := range r.Spec.Customer { // as many as a permission set may have
		p, err := tx.AccountPolicy(r.Account, policyARN[strings.LastIndexByte(policyARN, '/')+1:])
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("load customer managed policy: %w", err)
		}
		if err == nil && p.ARN() == policyARN {
			left = append(left, policyARN)
		}
	}
	r.Spec.Customer = left
	return nil
}

// PutPolicy gives an account a customer managed policy, in place of the one of its name. Roles that it is attached to follow
// at once, as in IAM.
func (p *Provisioner) PutPolicy(ctx context.Context, account arn.AccountID, path, name, document string) error {
	if _, err := policy.Parse([]byte(document)); err != nil {
		return err
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		hash, err := tx.PutDocument(document)
		if err != nil {
			return fmt.Errorf("keep policy: %w", err)
		}
		made := store.AccountPolicy{Account: account, Path: path, Name: name, Document: hash, UpdatedAt: tx.Now()}
		if err := tx.PutAccountPolicy(made); err != nil {
			return fmt.Errorf("store customer managed policy: %w", err)
		}
		return policyChanged(tx, made.ARN())
	})
}

// DeletePolicy takes a customer managed policy from an account. What a role had by it is gone; a boundary that is gone allows nothing.
func (p *Provisioner) DeletePolicy(ctx context.Context, account arn.AccountID, name string) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		was, err := tx.AccountPolicy(account, name)
		if errors.Is(err, store.ErrNotFound) {
			return fault.Missing("Policy", name)
		}
		if err != nil {
			return fmt.Errorf("load customer managed policy: %w", err)
		}
		if err := tx.DeleteAccountPolicy(account, name); err != nil {
			return fmt.Errorf("delete customer managed policy: %w", err)
		}
		return policyChanged(tx, was.ARN())
	})
}

func policyChanged(tx *store.Tx, policyARN string) error {
	if err := tx.Changed("policy:" + policyARN); err != nil {
		return fmt.Errorf("record change of policy: %w", err)
	}
	return nil
}
