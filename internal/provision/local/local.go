// Package local provisions accounts that Sallyport hosts itself: their roles are rows of the store, and the policy engine
// enforces them.
package local

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/provision"
	"sallyport/internal/store"
)

// Provisioner keeps roles in the store.
type Provisioner struct{ DB *store.DB }

// EnsureRole writes the role, with every policy pinned as it reads now. A change of a role that exists is one of its
// sessions too, so it is recorded for them (hard part 3).
func (p *Provisioner) EnsureRole(ctx context.Context, account arn.AccountID, want provision.Role) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		spec, err := pin(tx, account, want)
		if err != nil {
			return err
		}
		role, err := tx.Role(account, want.Name)
		if errors.Is(err, store.ErrNotFound) {
			return insert(tx, account, want, spec)
		}
		if err != nil {
			return fmt.Errorf("load role: %w", err)
		}
		if role.Set != want.Set {
			return fault.Conflictf("Role %s of account %s was not made from permission set %s.", want.Name, account, want.Set.ARN())
		}
		if role.Revision == want.Revision && reflect.DeepEqual(role.Spec, spec) {
			return nil
		}
		role.Revision, role.Spec, role.UpdatedAt = want.Revision, spec, tx.Now()
		if err := tx.UpdateRole(role); err != nil {
			return fmt.Errorf("update role: %w", err)
		}
		return changed(tx, role)
	})
}

// RemoveRole deletes the role and, with it, what its sessions may do.
func (p *Provisioner) RemoveRole(ctx context.Context, account arn.AccountID, name string) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		role, err := tx.Role(account, name)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load role: %w", err)
		}
		if err := tx.DeleteRole(account, name); err != nil {
			return fmt.Errorf("delete role: %w", err)
		}
		return changed(tx, role)
	})
}

func insert(tx *store.Tx, account arn.AccountID, want provision.Role, spec store.RoleSpec) error {
	other, err := tx.ProvisionedRole(account, want.Set)
	if err == nil {
		return fault.Conflictf("Permission set %s has a role in account %s already: %s.", want.Set.ARN(), account, other.Name)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("look for role of permission set: %w", err)
	}
	err = tx.InsertRole(store.Role{
		Account: account, Name: want.Name, ID: arn.NewUniqueID("AROA"), Path: want.Path, Set: want.Set, Revision: want.Revision,
		Spec: spec, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("insert role: %w", err)
	}
	return nil
}

func changed(tx *store.Tx, r store.Role) error {
	if err := tx.Changed("role:" + r.ARN()); err != nil {
		return fmt.Errorf("record change of role: %w", err)
	}
	return nil
}

// pin keeps the role's texts and says what the role is by their hashes.
func pin(tx *store.Tx, account arn.AccountID, want provision.Role) (s store.RoleSpec, err error) {
	s.SessionDuration, s.RelayState = want.SessionDuration, want.RelayState
	if s.Trust, err = put(tx, want.Trust); err != nil {
		return s, err
	}
	if s.Inline, err = put(tx, want.Inline); err != nil {
		return s, err
	}
	for _, m := range want.Managed { // as many as a permission set may have
		hash, err := put(tx, m.Document)
		if err != nil {
			return s, err
		}
		s.Managed = append(s.Managed, store.PinnedPolicy{ARN: m.ARN, Document: hash})
	}
	if s.Customer, err = present(tx, account, want.Customer...); err != nil || want.Boundary == nil {
		return s, err
	}
	s.Boundary, err = pinBoundary(tx, account, *want.Boundary)
	return s, err
}

func pinBoundary(tx *store.Tx, account arn.AccountID, b provision.Boundary) (*store.PinnedPolicy, error) {
	if b.Managed.ARN == "" {
		arns, err := present(tx, account, b.Customer)
		if err != nil {
			return nil, err
		}
		return &store.PinnedPolicy{ARN: arns[0]}, nil
	}
	hash, err := put(tx, b.Managed.Document)
	return &store.PinnedPolicy{ARN: b.Managed.ARN, Document: hash}, err
}

func put(tx *store.Tx, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	hash, err := tx.PutDocument(text)
	if err != nil {
		return "", fmt.Errorf("keep policy: %w", err)
	}
	return hash, nil
}
