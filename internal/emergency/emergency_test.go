package emergency_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/emergency"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// TestPlans: what is prepared could be opened by two people, or is refused with words that help.
func TestPlans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna, ben := w.people["anna"].ID, w.people["ben"].ID
	w.prepare(w.plan())
	for name, c := range map[string]struct {
		change func(*emergency.Plan)
		want   string
	}{
		"no name":             {func(p *emergency.Plan) { p.Name = " " }, "name"},
		"a taken name":        {func(p *emergency.Plan) { p.Name = "DOWN" }, "already"},
		"too long":            {func(p *emergency.Plan) { p.Duration = 4*time.Hour + time.Minute }, "4 hours"},
		"too short":           {func(p *emergency.Plan) { p.Duration = time.Minute }, "5 minutes"},
		"nobody opens":        {func(p *emergency.Plan) { p.Openers = nil }, "who may open"},
		"nobody approves":     {func(p *emergency.Plan) { p.Approvers = nil }, "different people"},
		"alone":               {func(p *emergency.Plan) { p.Approvers = []string{anna} }, "different people"},
		"one of two is alone": {func(p *emergency.Plan) { p.Openers = []string{anna, ben} }, "different people"},
		"no account":          {func(p *emergency.Plan) { p.Accounts = nil }, "accounts"},
		"an unknown account":  {func(p *emergency.Plan) { p.Accounts = []arn.AccountID{"123123123123"} }, "no such account"},
		"an unknown person":   {func(p *emergency.Plan) { p.Openers = []string{arn.NewUUID()} }, "There is no user"},
		"an unknown set":      {func(p *emergency.Plan) { p.Set = arn.NewPermissionSet(instance) }, "PermissionSet"},
		"no address":          {func(p *emergency.Plan) { p.Alarm = []string{"security"} }, "address"},
		"too many codes":      {func(p *emergency.Plan) { p.Codes = 21 }, "codes"},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.plan()
			p.Name = "Another"
			c.change(&p)
			err := w.DB.Update(t.Context(), func(tx *store.Tx) error {
				_, _, err := w.Prepare(tx, p, operator, quota.Limits{})
				return err
			})
			if f := fault.As(err); f == nil || f.Kind == fault.Internal || !strings.Contains(f.Message, c.want) {
				t.Errorf("answer %v, want one that says %q", err, c.want)
			}
		})
	}
	p := w.plan() // by codes, one is enough
	p.Name, p.Approvers, p.Codes = "Alone", nil, 3
	if _, codes := w.prepare(p); len(codes) != 3 || codes[0] == codes[1] {
		t.Errorf("codes %v", codes)
	}
	// What others may do by a role that stands is not changed by preparing.
	edit := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
	w.update(func(tx *store.Tx) error {
		return access.PutInlinePolicy(tx, must(tx.PermissionSet(w.set)), edit, quota.Limits{})
	})
	p.Name = "Another"
	err := w.DB.Update(t.Context(), func(tx *store.Tx) error {
		_, _, err := w.Prepare(tx, p, operator, quota.Limits{})
		return err
	})
	if f := fault.As(err); f == nil || !strings.Contains(f.Message, "provision it") {
		t.Errorf("an outdated role: %v", err)
	}
}

// TestRoleIsKept: the role that an access needs is made with it, stays when the last assignment goes, and goes when nothing needs it.
func TestRoleIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if w.hasRole() {
		t.Fatal("the role is there before")
	}
	e, _ := w.prepare(w.plan())
	if !w.hasRole() {
		t.Fatal("the role is not made")
	}
	a := store.Assignment{Account: member, Set: w.set, PrincipalType: store.PrincipalUser, PrincipalID: w.people["cleo"].ID}
	assign := func() {
		t.Helper()
		w.update(func(tx *store.Tx) error { _, err := access.BeginAssignment(tx, a); return err })
		w.provision()
	}
	unassign := func() {
		t.Helper()
		w.update(func(tx *store.Tx) error { _, err := access.BeginDeletion(tx, a); return err })
		w.provision()
	}
	assign()
	unassign()
	if !w.hasRole() {
		t.Error("the role goes with the last assignment, though an access needs it")
	}
	w.update(func(tx *store.Tx) error {
		if err := access.DeletePermissionSet(tx, must(tx.PermissionSet(w.set))); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the permission set is deleted: %v", err)
		}
		return nil
	})
	assign()
	w.update(func(tx *store.Tx) error { return w.Delete(tx, e.ID, operator) })
	w.provision()
	if !w.hasRole() {
		t.Error("the role goes with the access, though somebody is assigned to it")
	}
	unassign()
	if w.hasRole() {
		t.Error("the role is left")
	}
	e, _ = w.prepare(w.plan())
	w.update(func(tx *store.Tx) error { return tx.SetAccountStatus(member, store.AccountSuspended) }) // which keeps nothing in it
	w.update(func(tx *store.Tx) error { return w.Delete(tx, e.ID, operator) })
	w.provision()
	if w.hasRole() {
		t.Error("the role is left that was made for the access")
	}
}

// TestDelete: an access that is deleted ends what is open of it, and what was asked for; the record stays.
func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.plan()
	p.Openers = append(p.Openers, w.people["cleo"].ID)
	e, _ := w.prepare(p)
	var open, asked store.Opening
	w.update(func(tx *store.Tx) (err error) {
		if open, _, err = w.Ask(tx, w.comer(tx, "anna"), e.ID, "It is down, all of it.", ""); err != nil {
			return err
		}
		if open, err = w.Answer(tx, w.comer(tx, "ben"), open.ID, true); err != nil {
			return err
		}
		asked, _, err = w.Ask(tx, w.comer(tx, "cleo"), e.ID, "It is down, all of it.", "")
		return err
	})
	stands := func() (ok bool) {
		t.Helper()
		w.update(func(tx *store.Tx) (err error) {
			ok, err = tx.EmergencyStands(w.people["anna"].ID, member, w.set, open.ID)
			return err
		})
		return ok
	}
	if !stands() {
		t.Fatal("it is not open")
	}
	w.update(func(tx *store.Tx) error { return w.Delete(tx, e.ID, operator) })
	if stands() {
		t.Error("it is open after the end")
	}
	w.update(func(tx *store.Tx) error {
		for _, id := range []string{open.ID, asked.ID} {
			if o := must(tx.Opening(id)); o.State != store.OpeningEnded || o.EndedBy != operator {
				t.Errorf("%s is %s by %q", id, o.State, o.EndedBy)
			}
		}
		if _, err := emergency.CloseReview(tx, open.ID, emergency.Reviewer{Name: operator}, "It was a drill of ours."); err != nil {
			t.Errorf("its review cannot be closed: %v", err)
		}
		return nil
	})
}
