package directory

import (
	"sallyport/internal/arn"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// AdmitUser refuses one user more than an identity store may have.
func AdmitUser(tx *store.Tx, storeID arn.StoreID, limits quota.Limits) error {
	return limits.Admit(quota.Users, string(storeID), tx.Now(), func(bound int) (int, error) { return tx.CountUsers(storeID, bound) })
}

// AdmitGroup refuses one group more than an identity store may have.
func AdmitGroup(tx *store.Tx, storeID arn.StoreID, limits quota.Limits) error {
	return limits.Admit(quota.Groups, string(storeID), tx.Now(), func(bound int) (int, error) { return tx.CountGroups(storeID, bound) })
}
