package provision_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/provision"
	"sallyport/internal/provision/provisiontest"
	"sallyport/internal/quota"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

// drifting is a world whose accounts are in memory, where others get at the roles.
type drifting struct {
	*world
	memory    *provisiontest.Memory
	inspector *provision.Inspector
	role      string // what the permission set has become in the account admintest.Member
}

const (
	inlineText = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}`
	readOnly   = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	admin      = "arn:aws:iam::aws:policy/AdministratorAccess"
)

func newDrifting(t *testing.T) *drifting {
	t.Helper()
	d := &drifting{world: newWorld(t), memory: &provisiontest.Memory{}}
	d.Worker.Backends = map[string]provision.Provisioner{"local": d.memory}
	d.inspector = &provision.Inspector{DB: d.DB, Backends: d.Worker.Backends, Log: slog.New(slog.DiscardHandler), Owner: "test", Settings: d.Worker.Settings}
	d.edit(func(tx *store.Tx, set store.PermissionSet) error {
		return access.PutInlinePolicy(tx, set, inlineText, quota.Limits{})
	})
	d.edit(func(tx *store.Tx, set store.PermissionSet) error {
		return access.AttachManagedPolicy(tx, set, readOnly, quota.Limits{})
	})
	d.edit(func(tx *store.Tx, set store.PermissionSet) error {
		return access.PutBoundary(tx, set, store.Boundary{Managed: admin})
	})
	d.provisionIn(admintest.Member)
	d.role = d.roleIn(admintest.Member)
	return d
}

func (d *drifting) edit(f func(*store.Tx, store.PermissionSet) error) {
	d.t.Helper()
	d.Update(d.t, func(tx *store.Tx) error {
		set, err := access.PermissionSet(tx, d.Instance, d.set.PermissionSet)
		if err != nil {
			return err
		}
		return f(tx, set)
	})
}

func (d *drifting) provisionIn(account arn.AccountID) {
	d.t.Helper()
	r := d.begin(access.BeginAssignment, account)
	d.Settle(d.t)
	d.expect(r, store.RequestSucceeded, "", store.AssignmentGranted)
}

func (d *drifting) roleIn(account arn.AccountID) (name string) {
	d.t.Helper()
	d.View(d.t, func(tx *store.Tx) error {
		p, err := tx.Provisioned(account, d.set.PermissionSet)
		name = p.Name
		return err
	})
	return name
}

// found are the findings as "ACCOUNT KIND: details", from looks of so many roles.
func (d *drifting) found(limit int) (out []string, checked int) {
	d.t.Helper()
	var from provision.Place
	for range 100 {
		l, err := d.inspector.Look(d.t.Context(), "", from, limit)
		if err != nil {
			d.t.Fatal(err)
		}
		if l.Checked > limit {
			d.t.Errorf("%d roles in one look, %d were asked for", l.Checked, limit)
		}
		checked += l.Checked
		for _, f := range l.Findings {
			out = append(out, fmt.Sprintf("%s %s: %s", f.Account, f.Kind, strings.Join(f.Details, " ")))
		}
		for _, u := range l.Unchecked {
			out = append(out, fmt.Sprintf("%s unchecked: %s", u.Account, u.Reason))
		}
		if l.Next == nil {
			return out, checked
		}
		from = *l.Next
	}
	d.t.Fatal("it never ends")
	return nil, 0
}

func (d *drifting) expectFound(want ...string) {
	d.t.Helper()
	got, _ := d.found(100)
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Errorf("findings:\n%s", diff)
	}
}

func (d *drifting) heal() store.Request {
	d.t.Helper()
	var r store.Request
	d.Update(d.t, func(tx *store.Tx) (err error) {
		r, err = access.BeginHealing(tx, d.set.PermissionSet, admintest.Member)
		return err
	})
	d.Settle(d.t)
	return d.request(r.ID)
}

// tampering is what others do to a role, and what is said of it.
var tampering = map[string]struct {
	how  func(*provision.Role)
	want string
}{
	"inline policy edited":   {func(r *provision.Role) { r.Inline = strings.Replace(inlineText, "GetObject", "*", 1) }, "The inline policy was changed."},
	"inline policy removed":  {func(r *provision.Role) { r.Inline = "" }, "The inline policy was removed."},
	"inline policy no JSON":  {func(r *provision.Role) { r.Inline = "not there" }, "The inline policy was changed."},
	"managed detached":       {func(r *provision.Role) { r.Managed = nil }, "The policy " + readOnly + " was detached."},
	"managed attached":       {func(r *provision.Role) { r.Managed = append(r.Managed, provision.Policy{ARN: admin}) }, "The policy " + admin + " was attached."},
	"managed edition":        {func(r *provision.Role) { r.Managed[0].Document = inlineText }, "The policy " + readOnly + " reads otherwise than when it was provisioned."},
	"customer attached":      {func(r *provision.Role) { r.Customer = []store.CustomerPolicy{{Name: "mine", Path: "/x/"}} }, "The policy arn:aws:iam::222233334444:policy/x/mine was attached."},
	"boundary removed":       {func(r *provision.Role) { r.Boundary = nil }, "The permissions boundary was removed."},
	"boundary another":       {func(r *provision.Role) { r.Boundary = &provision.Boundary{Managed: provision.Policy{ARN: readOnly}} }, "The permissions boundary is " + readOnly + " instead of " + admin + "."},
	"trust policy":           {func(r *provision.Role) { r.Trust = inlineText }, "The trust policy was changed: it says who may take the role."},
	"session duration":       {func(r *provision.Role) { r.SessionDuration = 12 * time.Hour }, "Sessions may last 720 minutes instead of 60."},
	"relay state":            {func(r *provision.Role) { r.RelayState = "https://elsewhere.example/" }, "The relay state was changed."},
	"path":                   {func(r *provision.Role) { r.Path = "/" }, "Its path is / instead of /aws-reserved/sso.amazonaws.com/."},
	"revision":               {func(r *provision.Role) { r.Revision += 7 }, "It says that it was made from revision 11 of its permission set, and was made from 4."},
	"another permission set": {func(r *provision.Role) { r.Set.ID = "ps-1111111111111111" }, "It says that it was made from another permission set, arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1111111111111111."},
	"no permission set":      {func(r *provision.Role) { r.Set = arn.PermissionSet{} }, "It says that no permission set made it."},
	"the policies' spacing":  {func(r *provision.Role) { r.Inline = strings.ReplaceAll(inlineText, " ", "") }, ""},
	"texts that are not kept": {func(r *provision.Role) {
		r.Set, r.Revision, r.Managed[0].Document, r.Boundary.Managed.Document = arn.PermissionSet{}, 0, "", ""
	}, ""},
}

// TestTampering: whatever others do to a role is found and said, and healed.
func TestTampering(t *testing.T) {
	t.Parallel()
	for name, test := range tampering {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t)
			d.expectFound()
			d.memory.Tamper(admintest.Member, d.role, func(r *provision.Role) {
				if r.Boundary != nil {
					b := *r.Boundary
					r.Boundary = &b
				}
				test.how(r)
			})
			if test.want == "" {
				d.expectFound()
				return
			}
			d.expectFound("222233334444 CHANGED: " + test.want)
			if r := d.heal(); r.Status != store.RequestSucceeded {
				t.Errorf("healing: %s %s", r.Status, r.Reason)
			}
			d.expectFound()
		})
	}
}

// TestMissing: a role that is gone comes back under its name, by healing or by provisioning; or is forgotten with its assignment.
func TestMissing(t *testing.T) {
	t.Parallel()
	for name, mend := range map[string]func(d *drifting){
		"healed":      func(d *drifting) { d.heal() },
		"provisioned": func(d *drifting) { d.start(access.BeginProvision) },
		"assigned": func(d *drifting) {
			d.Update(d.t, func(tx *store.Tx) error {
				g, err := directory.CreateGroup(tx, store.Group{StoreID: d.Instance.StoreID, DisplayName: "Others"}, "test")
				if err != nil {
					return err
				}
				a := d.assignment(admintest.Member)
				a.PrincipalType, a.PrincipalID = store.PrincipalGroup, g.ID
				_, err = access.BeginAssignment(tx, a)
				return err
			})
			d.Settle(d.t)
		},
		"unassigned": func(d *drifting) { d.begin(access.BeginDeletion, admintest.Member); d.Settle(d.t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t)
			d.memory.Take(admintest.Member, d.role)
			d.expectFound("222233334444 MISSING: The role is not in the account.")
			mend(d)
			d.expectFound()
			roles, err := d.memory.InspectRoles(t.Context(), admintest.Member, "", 10)
			if err != nil || name != "unassigned" && (len(roles) != 1 || roles[0].Name != d.role) || name == "unassigned" && len(roles) > 0 {
				t.Errorf("roles %v, %v", roles, err)
			}
		})
	}
}

func (d *drifting) start(f func(*store.Tx, arn.PermissionSet, arn.AccountID) (store.Request, error)) {
	d.t.Helper()
	d.Update(d.t, func(tx *store.Tx) error {
		_, err := f(tx, d.set.PermissionSet, admintest.Member)
		return err
	})
	d.Settle(d.t)
}

// TestUnexpected: a role that nothing explains is told, and left alone.
func TestUnexpected(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.memory.Tamper(admintest.Sandbox, "AWSReservedSSO_Mine_0123456789abcdef", func(r *provision.Role) {
		r.Name, r.Path = "AWSReservedSSO_Mine_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/"
	})
	d.expectFound("333344445555 UNEXPECTED: No permission set was provisioned as this role, though its path says so.")
}

// TestOutdated: an edit that was not provisioned is no drift, and healing doesn't bring it in.
func TestOutdated(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.edit(func(tx *store.Tx, set store.PermissionSet) error {
		return access.DetachManagedPolicy(tx, set, readOnly)
	})
	const outdated = "222233334444 OUTDATED: The permission set was edited after it was provisioned here."
	d.expectFound(outdated)
	d.memory.Tamper(admintest.Member, d.role, func(r *provision.Role) { r.Inline = "" })
	d.expectFound("222233334444 CHANGED: The inline policy was removed.", outdated)
	d.Settings.DriftEvery = time.Hour
	if done, err := d.inspector.CheckIfDue(t.Context()); !done || err != nil {
		t.Fatal(done, err)
	}
	if r := d.heal(); r.Status != store.RequestSucceeded {
		t.Error(r.Reason)
	}
	d.expectFound(outdated)
	d.expectKept(store.DriftOutdated)
	d.start(access.BeginProvision)
	d.expectFound()
	d.expectKept()
}

// expectKept: these findings of the last check stand.
func (d *drifting) expectKept(want ...store.DriftKind) {
	d.t.Helper()
	d.View(d.t, func(tx *store.Tx) error {
		kept, err := tx.DriftFindings(admintest.Member, admintest.Member)
		var got []store.DriftKind
		for _, f := range kept {
			got = append(got, f.Kind)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			d.t.Errorf("findings that are kept:\n%s", diff)
		}
		return err
	})
}

// TestNothingToHeal: where the permission set was not provisioned there is nothing to go back to.
func TestNothingToHeal(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.begin(access.BeginDeletion, admintest.Member)
	d.Settle(t)
	if r := d.heal(); r.Status != store.RequestFailed || r.Reason != "Received a 404 status error: Permission set provision not found in AWS account 222233334444." {
		t.Errorf("%s %s", r.Status, r.Reason)
	}
}
