package server

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/emergency"
	"sallyport/internal/page"
	"sallyport/internal/passkey"
	"sallyport/internal/quota"
	"sallyport/internal/revocation"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestEmergencyEnds: what was given out in an opening is refused at its end, everywhere: on the first node at once, on the others within
// the bound. What the same person and others hold by assignment goes on.
func TestEmergencyEnds(t *testing.T) {
	t.Parallel()
	for name, house := range map[string]func(*testing.T) *revokeHouse{
		"SQLite":                    func(t *testing.T) *revokeHouse { return newRevokeHouse(t, storetest.Open) },
		"three nodes of PostgreSQL": newRevokeHouses,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := house(t)
			h.furnish(t, 1)
			alice, bob := h.sign(t, "alice", "Both"), h.sign(t, "bob", "Audit")
			o := h.openEmergency(t, alice, bob)
			before := h.events(t, o)
			if err := h.credentials(t.Context(), "alice", string(sampleMember), "Sealed1", "emergency keys"); err != nil {
				t.Fatal(err)
			}
			sealed := &held{name: "emergency"}
			defer h.move(0)
			for i := range h.places {
				if on := h.move(i); h.use(t, sealed, keys) != keys {
					t.Fatalf("the keys do not work on %s", on)
				}
			}
			for _, p := range h.places {
				writeDown(p.audit)
			}
			if n := h.events(t, o) - before; n != 1+len(h.places) {
				t.Errorf("%d events are noted for the review, of one giving out and a use on each of %d nodes", n, len(h.places))
			}
			h.move(0)
			h.names["opening"] = o.ID
			since := clock.System{}.Now()
			if err := h.admin("sallyport", "CloseEmergencyOpening", `{"OpeningId": "$opening"}`); err != nil {
				t.Fatal(err)
			}
			for i := range h.places {
				on := h.move(i)
				for h.use(t, sealed, keys) != 0 {
					took := (clock.System{}).Now().Sub(since)
					if i == 0 || took > revocation.Bound {
						t.Fatalf("the keys work on %s, %v after the end", on, took)
					}
					time.Sleep(5 * time.Millisecond)
				}
			}
			h.move(0)
			h.everywhere(t, "after the end, ", everyKind, alice, bob)
			if err := h.credentials(t.Context(), "alice", string(sampleMember), "Sealed1", "emergency keys"); err == nil {
				t.Error("credentials are given out after the end")
			}
		})
	}
}

// openEmergency prepares an access with a permission set that nobody has, and opens it in alice's session, with bob's approval. Its role is
// made by that alone.
func (h *revokeHouse) openEmergency(t *testing.T, alice, bob *held) (o store.Opening) {
	t.Helper()
	h.create(t, "Sealed", "sso-admin", "CreatePermissionSet", `{"Name": %q}`, "PermissionSetArn")
	set, err := arn.ParsePermissionSet(h.names["Sealed"])
	if err != nil {
		t.Fatal(err)
	}
	p := emergency.Plan{
		Name: "Sealed " + h.round, Set: set, Accounts: []arn.AccountID{sampleMember}, Openers: []string{h.names["alice"]}, Approvers: []string{h.names["bob"]},
	}
	var e store.EmergencyAccess
	update := func(f func(*store.Tx) error) {
		t.Helper()
		if err := h.db.Update(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *store.Tx) (err error) {
		for _, name := range []string{"alice", "bob"} {
			err = errors.Join(err, h.givePasskey(tx, h.names[name]))
		}
		if err == nil {
			e, _, err = h.emergency.Prepare(tx, p, "test", quota.Limits{})
		}
		return err
	})
	if err := h.worker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if failures, err := h.emergency.Test(t.Context(), e.ID); err != nil || len(failures) > 0 {
		t.Fatalf("it could not be opened: %v, %v", failures, err)
	}
	update(func(tx *store.Tx) (err error) {
		if o, _, err = h.emergency.Ask(tx, h.comer(t, tx, alice), e.ID, "The database of production is down.", ""); err != nil {
			return err
		}
		o, err = h.emergency.Answer(tx, h.comer(t, tx, bob), o.ID, true)
		return err
	})
	return o
}

// givePasskey gives somebody a password that nobody knows, and a passkey that nobody has.
func (h *revokeHouse) givePasskey(tx *store.Tx, userID string) error {
	if err := tx.PutPassword(store.Password{UserID: userID, PHC: "none", ChangedAt: tx.Now()}); err != nil {
		return err
	}
	plain, err := json.Marshal(passkey.Key{ID: []byte(userID)})
	if err != nil {
		return err
	}
	f := store.Factor{ID: arn.NewTimeUUID(tx.Now()), UserID: userID, Kind: store.Passkey, Name: "Key", KeyID: "key of " + userID, CreatedAt: tx.Now()}
	f.Sealed = h.ring.SealRecord("factor", "sealed", f.ID, plain)
	return tx.InsertFactor(f)
}

// comer is somebody who has signed in for an emergency in their session.
func (h *revokeHouse) comer(t *testing.T, tx *store.Tx, a *held) emergency.Person {
	t.Helper()
	u, err := tx.User(h.names[a.name])
	if err != nil {
		t.Fatal(err)
	}
	all, err := tx.Factors(u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return emergency.Person{User: u, Session: a.portal, Passkey: all[len(all)-1].ID, From: session.Origin{IP: "192.0.2.1"}}
}

// events counts what is noted for an opening's review.
func (h *revokeHouse) events(t *testing.T, o store.Opening) (n int) {
	t.Helper()
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		all, _, err := tx.EmergencyEvents(o.ID, page.Query{Limit: 100})
		n = len(all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
