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

// TestAccountRule: each instance is administered from its own accounts, and by being near to none of them.
func TestAccountRule(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clock.System{})
	const management, delegate, member, stranger arn.AccountID = "111111111111", "222222222222", "333333333333", "444444444444"
	organization := store.Instance{ID: "ssoins-0000000000000001", StoreID: "d-0000000001", Owner: management, DelegatedAdmin: delegate}
	own := store.Instance{ID: "ssoins-0000000000000002", StoreID: "d-0000000002", Owner: member, OfAccount: true}
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertInstance(organization); err != nil {
			return err
		}
		return tx.InsertInstance(own)
	})
	if err != nil {
		t.Fatal(err)
	}
	rule := access.AccountRule{Organization: organization}
	const none, unknown arn.Instance = "", "ssoins-ffffffffffffffff"
	for _, c := range []struct {
		caller   arn.AccountID
		instance arn.Instance
		owner    arn.AccountID // "": denied
	}{
		{management, organization.ID, management},
		{management, own.ID, ""},
		{management, unknown, management}, // the operation says that there is none
		{management, none, management},
		{delegate, organization.ID, management},
		{delegate, own.ID, ""},
		{delegate, unknown, management},
		{delegate, none, management},
		{member, organization.ID, ""},
		{member, own.ID, member},
		{member, unknown, ""},
		{member, none, member},
		{stranger, organization.ID, ""},
		{stranger, own.ID, ""},
		{stranger, unknown, ""},
		{stranger, none, ""},
		{"", organization.ID, ""},
		{"", own.ID, ""}, // whose delegated administrator nobody is
		{"", unknown, ""},
		{"", none, ""},
	} {
		var owner arn.AccountID
		err := db.View(t.Context(), func(tx *store.Tx) (err error) {
			if c.instance == none {
				owner, err = rule.OfNone(tx, c.caller)
				return err
			}
			i, err := tx.Instance(c.instance)
			owner, err = rule.Of(tx, c.caller, i, err)
			return err
		})
		switch {
		case c.owner == "" && fault.KindOf(err) != fault.Denied:
			t.Errorf("%q about %q: %v, want a denial", c.caller, c.instance, err)
		case c.owner != "" && (err != nil || owner != c.owner):
			t.Errorf("%q about %q: %q, %v, want %q", c.caller, c.instance, owner, err, c.owner)
		}
	}
}
