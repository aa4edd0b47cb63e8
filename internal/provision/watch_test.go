package provision_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/provision"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// told are the names of the events about drift, with the kind of what was found.
func (d *drifting) told() (names []string) {
	for _, e := range d.Events(d.t) {
		if name := e["eventName"].(string); strings.HasPrefix(name, "Drift") {
			details := e["serviceEventDetails"].(map[string]any)
			names = append(names, fmt.Sprintf("%s %s %v", name, details["kind"], details["accountId"]))
		}
	}
	return names
}

// TestChecksOnASchedule: what is new is told once, what is gone is told, and what was not looked at stands.
func TestChecksOnASchedule(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	check := func(want bool) {
		t.Helper()
		d.Clock.Advance(time.Hour)
		if done, err := d.inspector.CheckIfDue(t.Context()); err != nil || done != want {
			t.Fatalf("checked %v, %v", done, err)
		}
	}
	var want []string
	told := func(more ...string) {
		t.Helper()
		want = append(want, more...)
		if diff := cmp.Diff(want, d.told()); diff != "" {
			t.Errorf("events:\n%s", diff)
		}
	}
	d.memory.Take(admintest.Member, d.role)
	check(false) // off
	d.Settings.DriftEvery = time.Hour
	check(true)
	told("DriftDetected MISSING 222233334444")
	check(true)
	told()
	d.Settings.DriftEvery = 2 * time.Hour
	check(false)
	check(true)
	d.memory.Deafen(errors.New("down"))
	d.Clock.Advance(time.Hour)
	check(true)
	told()
	d.memory.Deafen(nil)
	d.heal()
	told("DriftResolved MISSING 222233334444")
	d.Settings.DriftEvery = time.Hour
	check(true)
	told()
	d.memory.Tamper(admintest.Member, d.role, func(r *provision.Role) { r.Inline = "" })
	check(true)
	told("DriftDetected CHANGED 222233334444")
	d.memory.Tamper(admintest.Member, d.role, func(r *provision.Role) { r.Boundary = nil })
	check(true)
	told("DriftDetected CHANGED 222233334444") // worse than it was
	d.begin(access.BeginDeletion, admintest.Member)
	d.Settle(t)
	told("DriftResolved CHANGED 222233334444")
	d.View(t, func(tx *store.Tx) error {
		c, err := provision.LastCheck(tx)
		if c.Roles != 1 || c.Ended.IsZero() {
			t.Errorf("%+v", c)
		}
		n, e := tx.CountDriftFindings(store.DriftChanged)
		if n != 0 {
			t.Errorf("%d findings are kept", n)
		}
		return errors.Join(err, e)
	})
}

// TestOneNodeChecks: while one is at it another finds nothing to do.
func TestOneNodeChecks(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.Settings.DriftEvery = time.Hour
	l, err := d.DB.AcquireLease(t.Context(), "drift", "other", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := d.inspector.CheckIfDue(t.Context()); done || err != nil {
		t.Errorf("checked %v beside another, %v", done, err)
	}
	if err := d.DB.ReleaseLease(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if done, err := d.inspector.CheckIfDue(t.Context()); !done || err != nil {
		t.Errorf("checked %v, %v", done, err)
	}
}

// TestTamperedDatabase: a text of ours that was changed under its hash is found, and nobody is told that it was healed.
func TestTamperedDatabase(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.Update(t, func(tx *store.Tx) error {
		p, err := tx.Provisioned(admintest.Member, d.set.PermissionSet)
		if err != nil {
			return err
		}
		p.Spec.Inline = strings.Repeat("0", 64)
		return tx.PutProvisioned(p)
	})
	d.expectFound("222233334444 CHANGED: The inline policy was changed.")
	if r := d.heal(); r.Status != store.RequestFailed || !strings.Contains(r.Reason, "Restore the database from a backup.") {
		t.Errorf("%s %s", r.Status, r.Reason)
	}
}

// TestDriftOfLocalRoles: the same with accounts that Sallyport hosts itself, on both engines.
func TestDriftOfLocalRoles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		d := &drifting{world: newWorldOn(t, open)}
		d.Worker.Backends = map[string]provision.Provisioner{"local": d.Worker.Backends["local"].(*both).local}
		d.inspector = &provision.Inspector{DB: d.DB, Backends: d.Worker.Backends, Log: slog.New(slog.DiscardHandler), Owner: "test", Settings: d.Worker.Settings}
		d.Settings.DriftEvery = time.Hour
		for _, a := range []arn.AccountID{admintest.Member, admintest.Sandbox} {
			d.provisionIn(a)
		}
		d.expectFound()
		d.Update(t, func(tx *store.Tx) error {
			r, err := tx.Role(admintest.Member, d.roleIn(admintest.Member))
			if err != nil {
				return err
			}
			r.Spec.Trust, r.Spec.Customer = strings.Repeat("0", 64), []string{"arn:aws:iam::222233334444:policy/gone"}
			foreign := store.Role{Account: admintest.Delegate, Name: "Other", ID: "AROAX", Path: "/aws-reserved/sso.amazonaws.com/", CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
			plain := foreign
			plain.Name, plain.ID, plain.Path = "Plain", "AROAY", "/"
			return errors.Join(tx.UpdateRole(r), tx.DeleteRole(admintest.Sandbox, d.roleIn(admintest.Sandbox)), tx.InsertRole(foreign), tx.InsertRole(plain))
		})
		want := []string{
			"111122223333 UNEXPECTED: No permission set was provisioned as this role, though its path says so.",
			"222233334444 CHANGED: The trust policy was changed: it says who may take the role.",
			"333344445555 MISSING: The role is not in the account.",
		}
		d.expectFound(want...)
		if done, err := d.inspector.CheckIfDue(t.Context()); !done || err != nil {
			t.Fatal(done, err)
		}
		d.View(t, func(tx *store.Tx) error {
			kept, err := tx.DriftFindings(admintest.Delegate, admintest.Sandbox)
			if len(kept) != 3 || kept[1].Role == "" || kept[1].Set != d.set.PermissionSet || len(kept[1].Details) != 1 {
				t.Errorf("%+v", kept)
			}
			return err
		})
		if r := d.heal(); r.Status != store.RequestSucceeded {
			t.Error(r.Reason)
		}
		d.expectFound(slices.Delete(want, 1, 2)...)
	})
}
