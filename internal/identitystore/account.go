package identitystore

import (
	"reflect"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// Administers is the service's rule of accounts: an identity store is administered from the accounts that administer its
// instance. See [access.AccountRule].
func Administers(a access.AccountRule) func(*store.Tx, arn.AccountID, string, any) (arn.AccountID, error) {
	return func(tx *store.Tx, caller arn.AccountID, _ string, in any) (arn.AccountID, error) {
		id := reflect.ValueOf(in).Elem().FieldByName("IdentityStoreId")
		if !id.IsValid() {
			return a.OfNone(tx, caller)
		}
		if id.String() == string(a.Organization.StoreID) && caller == a.Organization.Owner { // nearly every call: it needs no look
			return caller, nil
		}
		i, err := find(tx, id.String())
		owner, err := a.Of(tx, caller, i, err)
		if err != nil {
			return "", err
		}
		return owner, access.NotDeleting(i)
	}
}
