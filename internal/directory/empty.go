package directory

import (
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// Empty removes up to most of what is in an identity store — memberships, groups, users — and tells how many that were: fewer
// than most means that nothing is left. It is for a store that goes, and that nobody can write to any more.
func Empty(tx *store.Tx, storeID arn.StoreID, most int) (removed int, err error) {
	groups, _, err := tx.Groups(storeID, page.Query{Limit: most})
	if err != nil {
		return 0, fmt.Errorf("list groups: %w", err)
	}
	for _, g := range groups {
		n, err := tx.SweepMembers(g.ID, most-removed)
		if err != nil {
			return removed, fmt.Errorf("delete memberships: %w", err)
		}
		if removed += int(n); removed >= most { // the group stays until its members are gone
			return removed, nil
		}
		if err := DeleteGroup(tx, storeID, g.ID, ""); err != nil {
			return removed, err
		}
		removed++
	}
	if removed >= most {
		return removed, nil
	}
	users, _, err := tx.Users(storeID, page.Query{Limit: most - removed})
	if err != nil {
		return removed, fmt.Errorf("list users: %w", err)
	}
	for _, u := range users {
		if err := DeleteUser(tx, storeID, u.ID, ""); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
