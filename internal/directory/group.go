package directory

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// CreateGroup adds a group. The id is made, unless the caller gives one; by is the ARN of whoever does it.
func CreateGroup(tx *store.Tx, g store.Group, by string) (store.Group, error) {
	if g.ID == "" {
		g.ID = arn.NewUUID()
	}
	g.Revision, g.Trail = 1, store.Trail{CreatedAt: tx.Now(), CreatedBy: by, UpdatedAt: tx.Now(), UpdatedBy: by}
	if err := checkGroup(g); err != nil {
		return store.Group{}, err
	}
	if err := tx.InsertGroup(g); err != nil {
		return store.Group{}, taken(err, "insert group", "Duplicate GroupDisplayName")
	}
	return g, setExternalIDs(tx, g.StoreID, store.PrincipalGroup, g.ID, g.ExternalIDs, false)
}

// Group is a group of the identity store.
func Group(tx *store.Tx, storeID arn.StoreID, id string) (store.Group, error) {
	g, err := tx.Group(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && g.StoreID != storeID {
		return store.Group{}, fault.Missing("GROUP", id)
	}
	return g, wrap(err, "load group")
}

// UpdateGroup replaces the group's attributes by those of g. revision, unless empty, is the one that the change was made from.
func UpdateGroup(tx *store.Tx, g store.Group, revision, by string) (store.Group, error) {
	was, err := Group(tx, g.StoreID, g.ID)
	if err != nil {
		return store.Group{}, err
	}
	if err := checkRevision(was.Revision, revision); err != nil {
		return store.Group{}, err
	}
	g.Revision, g.Trail = was.Revision+1, store.Trail{CreatedAt: was.CreatedAt, CreatedBy: was.CreatedBy, UpdatedAt: tx.Now(), UpdatedBy: by}
	if err := checkGroup(g); err != nil {
		return store.Group{}, err
	}
	if err := tx.UpdateGroup(g); err != nil {
		return store.Group{}, taken(err, "update group", "Duplicate GroupDisplayName")
	}
	return g, setExternalIDs(tx, g.StoreID, store.PrincipalGroup, g.ID, g.ExternalIDs, true)
}

// maxGrants bounds how many changes the deletion of one group writes; past it, every credential is looked at again.
const maxGrants = 500

// DeleteGroup removes a group with its memberships. What was assigned to it goes as with DeleteUser.
// revision is as for UpdateGroup.
func DeleteGroup(tx *store.Tx, storeID arn.StoreID, id, revision string) error {
	g, err := Group(tx, storeID, id)
	if err != nil {
		return err
	}
	if err := checkRevision(g.Revision, revision); err != nil {
		return err
	}
	if err := tx.DeleteGroup(id); err != nil {
		return fmt.Errorf("delete group: %w", err)
	}
	if err := tx.DeleteExternalIDs(id); err != nil {
		return fmt.Errorf("delete external ids: %w", err)
	}
	if err := groupGone(tx, id); err != nil {
		return err
	}
	if err := gone(tx, Gone{store.PrincipalGroup, id}); err != nil {
		return err
	}
	return sweep(tx, sweepJob{Group: id})
}

// groupGone records the grants that the group held, rather than its members, who may be many more (hard part 3).
func groupGone(tx *store.Tx, id string) error {
	grants, err := tx.Grants(id, maxGrants+1)
	if err != nil {
		return fmt.Errorf("list grants of group: %w", err)
	}
	if len(grants) > maxGrants {
		return wrap(tx.Changed("all"), "record change of grants")
	}
	for _, a := range grants {
		if err := tx.Changed(a.GrantKey()); err != nil {
			return fmt.Errorf("record change of grant: %w", err)
		}
	}
	return nil
}
