package main

import (
	"context"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// emptyWorld makes the world of `sallyport dev` in dir, leaves its server stopped and, in one transaction, fills the world.
func (b bench) emptyWorld(ctx context.Context, dir string, fill func(*store.Tx) error) (world, arn.Instance, error) {
	server, w, err := b.dev(ctx, dir)
	if err != nil {
		return w, "", err
	}
	if err := server.stop(); err != nil {
		return w, "", err
	}
	instance, err := arn.ParseInstance(w.InstanceARN)
	if err != nil {
		return w, "", err
	}
	return w, instance, b.offline(ctx, dir, func(db *store.DB) error { return db.Update(ctx, fill) })
}

// relax takes AWS's limits away, where they would be what is measured.
func relax(tx *store.Tx) error {
	if _, err := setting.Put(tx, "limits.mode", string(quota.Relaxed), "bench"); err != nil {
		return fmt.Errorf("relax limits: %w", err)
	}
	return nil
}

// inBatches does n things in transactions that are far from the time that one may take. What it does may be done twice.
func inBatches(ctx context.Context, db *store.DB, n int, do func(tx *store.Tx, i int) error) error {
	const batch = 2000
	for from := 0; from < n; from += batch {
		err := db.Update(ctx, func(tx *store.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				if err := do(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func accountID(i int) arn.AccountID { return arn.AccountID(fmt.Sprintf("2222%08d", i)) }

func addAccount(tx *store.Tx, i int) error {
	err := tx.InsertAccount(store.Account{ID: accountID(i), Name: fmt.Sprintf("account-%d", i), Backend: "local", Status: "ACTIVE", CreatedAt: tx.Now()})
	if err != nil {
		return fmt.Errorf("add account: %w", err)
	}
	return nil
}

// addSet adds a permission set with a managed policy and, by the hash of its text, an inline policy; "": none.
func addSet(tx *store.Tx, set arn.PermissionSet, name, inline string) error {
	err := tx.InsertPermissionSet(store.PermissionSet{
		PermissionSet: set, Name: name, SessionDuration: "PT1H", Revision: 1, PermissionSetAttrs: store.PermissionSetAttrs{Inline: inline}, CreatedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("add permission set: %w", err)
	}
	if err := tx.AttachPolicy(set, "arn:aws:iam::aws:policy/SecurityAudit"); err != nil {
		return fmt.Errorf("attach policy: %w", err)
	}
	return nil
}

func addGroup(tx *store.Tx, w world, i int) (id string, err error) {
	g := store.Group{
		ID: arn.NewUUID(), StoreID: arn.StoreID(w.StoreID), DisplayName: fmt.Sprintf("group-%d", i), Revision: 1,
		Trail: store.Trail{CreatedAt: tx.Now(), UpdatedAt: tx.Now()},
	}
	if err := tx.InsertGroup(g); err != nil {
		return "", fmt.Errorf("add group: %w", err)
	}
	return g.ID, nil
}

func addMember(tx *store.Tx, w world, group, user string) error {
	err := tx.InsertMemberships([]store.Membership{{ID: arn.NewUUID(), StoreID: arn.StoreID(w.StoreID), GroupID: group, UserID: user, CreatedAt: tx.Now()}})
	if err != nil {
		return fmt.Errorf("add member: %w", err)
	}
	return nil
}

func addUser(tx *store.Tx, w world, i int) (id string, err error) {
	u := store.User{
		ID: arn.NewUUID(), StoreID: arn.StoreID(w.StoreID), UserName: fmt.Sprintf("user-%d", i), DisplayName: fmt.Sprintf("User %d", i), Status: store.UserEnabled,
		Revision: 1, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "User", FamilyName: fmt.Sprint(i)}}, Trail: store.Trail{CreatedAt: tx.Now(), UpdatedAt: tx.Now()},
	}
	if err := tx.InsertUser(u); err != nil {
		return "", fmt.Errorf("add user: %w", err)
	}
	return u.ID, nil
}
