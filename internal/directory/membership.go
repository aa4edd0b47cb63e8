package directory

import (
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// AddMember puts a user into a group; both must be of the identity store.
func AddMember(tx *store.Tx, storeID arn.StoreID, groupID, userID, by string) (store.Membership, error) {
	if _, err := Group(tx, storeID, groupID); err != nil {
		return store.Membership{}, err
	}
	if _, err := User(tx, storeID, userID); err != nil {
		return store.Membership{}, err
	}
	m := store.Membership{ID: arn.NewUUID(), StoreID: storeID, GroupID: groupID, UserID: userID, CreatedAt: tx.Now(), CreatedBy: by}
	if err := tx.InsertMembership(m); err != nil {
		return store.Membership{}, taken(err, "insert membership", "Member and Group relationship already exists.")
	}
	return m, wrap(tx.Changed("user:"+userID), "record change of user")
}

// Membership is a membership of the identity store.
func Membership(tx *store.Tx, storeID arn.StoreID, id string) (store.Membership, error) {
	m, err := tx.Membership(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.StoreID != storeID {
		return store.Membership{}, fault.Missing("GROUP_MEMBERSHIP", id)
	}
	return m, wrap(err, "load membership")
}

// RemoveMember ends a membership.
func RemoveMember(tx *store.Tx, storeID arn.StoreID, id string) error {
	m, err := Membership(tx, storeID, id)
	if err != nil {
		return err
	}
	if err := tx.DeleteMembership(id); err != nil {
		return fmt.Errorf("delete membership: %w", err)
	}
	return wrap(tx.Changed("user:"+m.UserID), "record change of user")
}
