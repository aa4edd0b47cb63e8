// Package local provisions accounts that Sallyport hosts itself: their roles are rows of the store, and the policy engine
// enforces them.
package local

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/provision"
	"sallyport/internal/store"
)

// Provisioner keeps roles in the store.
type Provisioner struct {
	DB *store.DB
	// News is how old other servers' news of changes may be before they refuse everything (revocation.Gate).
	News time.Duration
}

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
		if role.Path != want.Path { // as in IAM, it can't be changed
			return fault.Conflictf("Role %s of account %s has another path: %s.", want.Name, account, role.Path)
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

// InspectRoles reads the roles' rows, with the texts that they pin.
func (p *Provisioner) InspectRoles(ctx context.Context, account arn.AccountID, after string, limit int) (out []provision.Role, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.ReservedRoles(account, after, limit)
		if err != nil {
			return fmt.Errorf("list roles: %w", err)
		}
		texts := map[string]string{} // the roles of a permission set share them
		for _, row := range rows {
			if err := standing(tx, &row); err != nil {
				return err
			}
			role, err := provision.Unpin(row, func(hash string) (string, error) { return text(tx, hash, texts) })
			if err != nil {
				return err
			}
			out = append(out, role)
		}
		return nil
	})
	return out, err
}

// Revoke has nothing left to do: Sallyport itself verifies what these roles give out, and the transaction that records a revocation
// is the one that cuts it off. This server refuses it at once, others as soon as they have the news.
func (p *Provisioner) Revoke(ctx context.Context, _ provision.Revocation) (provision.Outcome, error) {
	if p.DB.PushesChanges() {
		return provision.Outcome{}, ctx.Err()
	}
	return provision.Outcome{Within: p.News}, ctx.Err()
}

// unreadable stands for a text that is not there.
const unreadable = "not there"

func text(tx *store.Tx, hash string, known map[string]string) (string, error) {
	if t, ok := known[hash]; ok {
		return t, nil
	}
	t, err := tx.Document(hash)
	if errors.Is(err, store.ErrNotFound) {
		t, err = unreadable, nil
	}
	if err != nil {
		return "", fmt.Errorf("load policy: %w", err)
	}
	known[hash] = t
	return t, nil
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

// pin keeps the role's texts and says what the role is by their hashes, if the account has the policies of its own that are asked for.
func pin(tx *store.Tx, account arn.AccountID, want provision.Role) (store.RoleSpec, error) {
	refs := want.Customer
	if b := want.Boundary; b != nil && b.Managed.ARN == "" {
		refs = append(slices.Clone(refs), b.Customer)
	}
	if err := present(tx, account, refs...); err != nil {
		return store.RoleSpec{}, err
	}
	return provision.Pin(tx, account, want)
}
