package provision_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/provision"
	"sallyport/internal/quota"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const closedReason = "Account " + string(admintest.Member) + " is closed. Nothing is provisioned in it until it is reopened."

// turn closes or reopens an account.
func (w *world) turn(how func(*store.Tx, store.Instance, arn.AccountID, arn.AccountID) (store.Account, error), account arn.AccountID) {
	w.t.Helper()
	w.Update(w.t, func(tx *store.Tx) error {
		_, err := how(tx, w.Instance, w.Instance.Owner, account)
		return err
	})
}

// provisionBegun asks for the set to be provisioned in an account, or in all.
func (w *world) provisionBegun(set arn.PermissionSet, account arn.AccountID) (r store.Request) {
	w.t.Helper()
	w.Update(w.t, func(tx *store.Tx) (err error) {
		r, err = access.BeginProvision(tx, set, account)
		return err
	})
	return r
}

// outdated tells whether the account has an older edition of the set than there is.
func (w *world) outdated(account arn.AccountID, set arn.PermissionSet) (is bool) {
	w.t.Helper()
	w.View(w.t, func(tx *store.Tx) error {
		was, err := tx.Provisioned(account, set)
		if err != nil {
			return err
		}
		now, err := tx.PermissionSet(set)
		is = was.Revision != now.Revision
		return err
	})
	return is
}

func (w *world) changed(set arn.PermissionSet) {
	w.t.Helper()
	w.Update(w.t, func(tx *store.Tx) error {
		p, err := access.PermissionSet(tx, w.Instance, set)
		if err != nil {
			return err
		}
		return access.PutInlinePolicy(tx, p, inlineText, quota.Limits{})
	})
}

// TestClosedWhileAsked: what was accepted before an account was closed, and comes to its turn after that, fails with the reason, asks
// nothing of the account, and what was to be provisioned is when the account is reopened.
func TestClosedWhileAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.begin(access.BeginAssignment, admintest.Member)
	w.begin(access.BeginAssignment, admintest.Sandbox)
	w.Settle(t)
	w.changed(w.set.PermissionSet)
	one := w.provisionBegun(w.set.PermissionSet, admintest.Member)
	all := w.provisionBegun(w.set.PermissionSet, "")
	var heal store.Request
	w.Update(t, func(tx *store.Tx) (err error) {
		heal, err = access.BeginHealing(tx, w.set.PermissionSet, admintest.Member)
		return err
	})
	w.turn(access.CloseAccount, admintest.Member)
	w.backend.asked = nil
	w.Settle(t)
	for r, want := range map[*store.Request]store.RequestStatus{&one: store.RequestFailed, &heal: store.RequestFailed, &all: store.RequestSucceeded} {
		got := w.request(r.ID)
		if got.Status != want || want == store.RequestFailed && got.Reason != closedReason {
			t.Errorf("%s of %q: %s %q", r.Family, r.Account, got.Status, got.Reason)
		}
	}
	if want := []string{"ensure " + string(admintest.Sandbox)}; !slices.Equal(w.backend.asked, want) {
		t.Errorf("asked %v, want %v", w.backend.asked, want)
	}
	if !w.outdated(admintest.Member, w.set.PermissionSet) || w.outdated(admintest.Sandbox, w.set.PermissionSet) {
		t.Error("the closed account was provisioned, or the other was not")
	}
	w.turn(access.ReopenAccount, admintest.Member)
	w.turn(access.CloseAccount, admintest.Member)
	w.Settle(t)
	if !w.outdated(admintest.Member, w.set.PermissionSet) {
		t.Error("provisioned though it was closed again")
	}
	w.turn(access.ReopenAccount, admintest.Member)
	w.Settle(t)
	if w.outdated(admintest.Member, w.set.PermissionSet) {
		t.Error("not provisioned when it was reopened")
	}
	w.changed(w.set.PermissionSet) // nobody asks for that
	w.turn(access.CloseAccount, admintest.Member)
	w.turn(access.ReopenAccount, admintest.Member)
	w.Settle(t)
	if !w.outdated(admintest.Member, w.set.PermissionSet) {
		t.Error("an edit was provisioned that nobody had asked for")
	}
}

// TestReopenedWithMuch: more than one batch waits for an account, on each engine.
func TestReopenedWithMuch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		var sets []arn.PermissionSet
		w.Update(t, func(tx *store.Tx) error {
			for n := range 20 {
				p, err := access.CreatePermissionSet(tx, w.Instance, store.PermissionSet{Name: fmt.Sprint("Set", n)})
				if err != nil {
					return err
				}
				a := w.assignment(admintest.Member)
				a.Set = p.PermissionSet
				if _, err := access.BeginAssignment(tx, a); err != nil {
					return err
				}
				sets = append(sets, p.PermissionSet)
			}
			return nil
		})
		w.Settle(t)
		w.turn(access.CloseAccount, admintest.Member)
		for _, set := range sets {
			w.changed(set)
			w.provisionBegun(set, "")
		}
		w.Settle(t)
		w.turn(access.ReopenAccount, admintest.Member)
		w.Settle(t)
		for _, set := range sets {
			if w.outdated(admintest.Member, set) {
				t.Errorf("%s was not provisioned", set.ID)
			}
		}
		w.View(t, func(tx *store.Tx) error {
			if left, err := tx.AwaitedIn(admintest.Member, 100); err != nil || len(left) > 0 {
				t.Errorf("%d wait still, %v", len(left), err)
			}
			return nil
		})
	})
}

// TestClosedIsNotChecked: a check of all roles leaves a closed account out and keeps what was found there; a look at it alone says why not.
func TestClosedIsNotChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.begin(access.BeginAssignment, admintest.Member)
	w.Settle(t)
	i := &provision.Inspector{DB: w.DB, Backends: w.Worker.Backends, Log: slog.New(slog.DiscardHandler), Owner: "test", Settings: w.Worker.Settings}
	look := func(only arn.AccountID) provision.Look {
		l, err := i.Look(t.Context(), only, provision.Place{}, provision.MaxLook)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if l := look(""); l.Checked != 1 { // which is missing: the backend shows nothing
		t.Fatalf("%d checked while open", l.Checked)
	}
	w.turn(access.CloseAccount, admintest.Member)
	if l := look(""); l.Checked != 0 || len(l.Findings) > 0 || len(l.Unchecked) > 0 {
		t.Errorf("of all: %+v", l)
	}
	if l := look(admintest.Member); l.Checked != 0 || len(l.Unchecked) != 1 || !strings.Contains(l.Unchecked[0].Reason, "closed") {
		t.Errorf("of it alone: %+v", l)
	}
}
