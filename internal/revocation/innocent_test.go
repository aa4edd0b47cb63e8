package revocation

import (
	"fmt"
	"testing"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestInnocentsPass: ten thousand people hold credentials by a group and an assignment to another, and every fifth of a crowd beside them
// is disabled, signed out or removed. What they share with others loses one of its two paths. All innocents pass, on a node that saw it
// happen and on one that has started since, and everybody else is refused.
func TestInnocentsPass(t *testing.T) {
	t.Parallel()
	const innocents, others = 10_000, 300
	h := newHouse(t, storetest.Open)
	callers := make([]credential.Caller, innocents+others)
	members := make([]string, len(callers))
	for from := 0; from < len(callers); from += 200 {
		h.update(t, func(tx *store.Tx) error {
			for i := from; i < min(from+200, len(callers)); i++ {
				var err error
				if callers[i], members[i], err = h.settle(tx, fmt.Sprint("person", i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	h.clock.Advance(time.Second)
	for i, c := range callers[innocents:] {
		h.update(t, func(tx *store.Tx) error {
			switch i % 3 {
			case 0:
				u, err := tx.User(c.UserID)
				if err != nil {
					return err
				}
				u.Status = store.UserDisabled
				_, err = directory.UpdateUser(tx, u, "", by)
				return err
			case 1:
				return h.sessions.End(tx, c.ParentID, by)
			}
			return directory.RemoveMember(tx, h.instance.StoreID, members[innocents+i], by)
		})
	}
	h.update(t, func(tx *store.Tx) error { _, err := access.BeginDeletion(tx, h.direct); return err })
	later := New(h.db, Evaluate)
	if err := later.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]*Gate{"there": h.gate, "started since": later} {
		for i, c := range callers {
			err := g.Check(t.Context(), c)
			if i < innocents && err != nil {
				t.Fatalf("%s: innocent %d: %v", name, i, err)
			}
			if i >= innocents && reason(err) != fault.AuthRevoked {
				t.Fatalf("%s: person %d: %v", name, i, err)
			}
		}
	}
}

// settle adds a person to the house's group and signs them in.
func (h *house) settle(tx *store.Tx, name string) (c credential.Caller, membership string, err error) {
	u, err := directory.CreateUser(tx, store.User{StoreID: h.instance.StoreID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: name, FamilyName: name}}}, by)
	if err != nil {
		return c, "", err
	}
	m, err := directory.AddMember(tx, h.instance.StoreID, h.group.ID, u.ID, by)
	if err != nil {
		return c, "", err
	}
	c = h.caller()
	c.UserID, c.ParentID, c.SessionID, c.Issued = u.ID, arn.NewUUID(), arn.NewUUID(), tx.Now()
	for _, s := range [][2]string{{c.ParentID, ""}, {c.SessionID, c.ParentID}} {
		err := tx.InsertSession(store.Session{ID: s[0], ParentID: s[1], UserID: u.ID, CreatedAt: tx.Now(), SeenAt: tx.Now(), ExpiresAt: tx.Now().Add(8 * time.Hour)})
		if err != nil {
			return c, "", err
		}
	}
	return c, m.ID, nil
}
