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

// TestCloseAndReopen: who may, and what that does when it is done again.
func TestCloseAndReopen(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clock.System{})
	const management, delegate, member, unknown arn.AccountID = "111111111111", "222222222222", "333333333333", "444444444444"
	i := store.Instance{ID: "ssoins-0000000000000001", StoreID: "d-0000000001", Owner: management, DelegatedAdmin: delegate}
	update := func(fn func(tx *store.Tx) error) error { return db.Update(t.Context(), fn) }
	err := update(func(tx *store.Tx) error {
		for _, id := range []arn.AccountID{management, delegate, member} {
			if err := tx.InsertAccount(store.Account{ID: id, Name: string(id), Backend: "local", Status: store.AccountActive}); err != nil {
				return err
			}
		}
		return tx.InsertInstance(i)
	})
	if err != nil {
		t.Fatal(err)
	}
	const refused = "" // status
	for n, c := range []struct {
		how             func(*store.Tx, store.Instance, arn.AccountID, arn.AccountID) (store.Account, error)
		caller, account arn.AccountID
		status          string
		kind            fault.Kind
	}{
		{access.CloseAccount, management, management, refused, fault.Conflict},
		{access.CloseAccount, delegate, management, refused, fault.Conflict},
		{access.CloseAccount, delegate, delegate, refused, fault.Denied},
		{access.CloseAccount, management, unknown, refused, fault.NotFound},
		{access.ReopenAccount, management, unknown, refused, fault.NotFound},
		{access.ReopenAccount, management, member, store.AccountActive, fault.Internal},
		{access.CloseAccount, delegate, member, store.AccountSuspended, fault.Internal},
		{access.CloseAccount, management, member, store.AccountSuspended, fault.Internal},
		{access.ReopenAccount, delegate, member, refused, fault.Denied},
		{access.ReopenAccount, management, member, store.AccountActive, fault.Internal},
		{access.CloseAccount, management, delegate, store.AccountSuspended, fault.Internal},
		{access.ReopenAccount, management, delegate, store.AccountActive, fault.Internal},
	} {
		var got store.Account
		err := update(func(tx *store.Tx) (err error) {
			got, err = c.how(tx, i, c.caller, c.account)
			return err
		})
		if c.status == refused && fault.KindOf(err) != c.kind || c.status != refused && (err != nil || got.Status != c.status || got.ID != c.account) {
			t.Errorf("%d: %s about %s: %+v, %v", n, c.caller, c.account, got, err)
		}
	}
	cuts := int64(0)
	err = db.View(t.Context(), func(tx *store.Tx) (err error) {
		cuts, err = tx.LatestCut([4]string{"account:" + string(member), "account:" + string(delegate), "", ""})
		return err
	})
	if err != nil || cuts != 2 { // closing what is closed cuts nothing off anew
		t.Errorf("%d cuts, %v", cuts, err)
	}
}
