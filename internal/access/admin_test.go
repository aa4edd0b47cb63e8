package access_test

import (
	"testing"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestMayAdminister(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clock.System{})
	alone := store.Instance{ID: "ssoins-0000000000000001", StoreID: "d-0000000001", Owner: "111111111111"}
	shared := store.Instance{ID: "ssoins-0000000000000002", StoreID: "d-0000000002", Owner: "111111111111", DelegatedAdmin: "222222222222"}
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertInstance(alone); err != nil {
			return err
		}
		return tx.InsertInstance(shared)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		instance arn.Instance
		account  arn.AccountID
		may      bool
	}{
		{alone.ID, "111111111111", true},
		{alone.ID, "222222222222", false},
		{alone.ID, "", false}, // nobody is not the delegated administrator that there is none of
		{shared.ID, "111111111111", true},
		{shared.ID, "222222222222", true},
		{shared.ID, "333333333333", false},
		{shared.ID, "", false},
		{"ssoins-ffffffffffffffff", "111111111111", false},
		{"ssoins-ffffffffffffffff", "", false},
	} {
		err := db.View(t.Context(), func(tx *store.Tx) error { return access.MayAdminister(tx, c.instance, c.account) })
		if (err == nil) != c.may || err != nil && fault.KindOf(err) != fault.Denied {
			t.Errorf("%s by %q: %v", c.instance, c.account, err)
		}
	}
}
