// Package provisiontest has the suite that every account backend must pass, and a backend in memory whose roles can be tampered with.
package provisiontest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/provision"
)

// Account is an account without roles, behind the backend under test.
type Account struct {
	provision.Provisioner
	ID arn.AccountID
}

// inspect tells how the role of that name stands in the account.
func (a Account) inspect(t *testing.T, name string) (role provision.Role, found bool) {
	t.Helper()
	for _, r := range list(t, a, 100) {
		if r.Name == name {
			return r, true
		}
	}
	return provision.Role{}, false
}

// list reads all roles of the account, so many at a time.
func list(t *testing.T, a Account, limit int) (all []provision.Role) {
	t.Helper()
	for after := ""; ; after = all[len(all)-1].Name {
		some, err := a.InspectRoles(t.Context(), a.ID, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) > limit {
			t.Fatalf("%d roles, %d were asked for", len(some), limit)
		}
		if all = append(all, some...); len(some) < limit {
			return all
		}
	}
}

// Run runs the suite. Each of its tests gets an account of its own.
func Run(t *testing.T, open func(t *testing.T) Account) {
	for name, test := range map[string]func(*testing.T, Account){
		"role stands as wanted":     standsAsWanted,
		"ensure again":              ensureAgain,
		"role follows":              follows,
		"remove":                    remove,
		"roles are apart":           rolesAreApart,
		"pages":                     pages,
		"what a role cannot change": cannotChange,
		"many workers, one role":    manyWorkers,
		"canceled":                  canceled,
		"revoke":                    revoke,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func wanted(n int) provision.Role {
	return provision.Role{
		Name: fmt.Sprintf("AWSReservedSSO_Set%d_0123456789abcdef", n), Path: "/aws-reserved/sso.amazonaws.com/",
		Set: arn.PermissionSet{Instance: "ssoins-1234567890abcdef", ID: fmt.Sprintf("ps-%016d", n)}, Revision: 1,
		Trust:  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"x"},"Action":"sts:AssumeRoleWithSAML"}]}`,
		Inline: document("s3:GetObject"), SessionDuration: 4 * time.Hour, RelayState: "https://example.test/",
		Managed: []provision.Policy{
			{ARN: "arn:aws:iam::aws:policy/ReadOnlyAccess", Document: document("s3:List*")},
			{ARN: "arn:aws:iam::aws:policy/SecurityAudit", Document: document("iam:List*")},
		},
		Boundary: &provision.Boundary{Managed: provision.Policy{ARN: "arn:aws:iam::aws:policy/PowerUserAccess", Document: document("*")}},
	}
}

func document(action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`, action)
}

func ensure(t *testing.T, a Account, want provision.Role) {
	t.Helper()
	if err := a.EnsureRole(t.Context(), a.ID, want); err != nil {
		t.Fatal(err)
	}
	got, found := a.inspect(t, want.Name)
	if !found {
		t.Fatalf("no role %s", want.Name)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("role is not as wanted:\n%s", diff)
	}
}

func standsAsWanted(t *testing.T, a Account) { ensure(t, a, wanted(1)) }

func ensureAgain(t *testing.T, a Account) {
	for range 3 {
		ensure(t, a, wanted(1))
	}
}

// follows takes a role through what an edit of its permission set can change.
func follows(t *testing.T, a Account) {
	role := wanted(1)
	for _, edit := range []func(*provision.Role){
		func(*provision.Role) {},
		func(r *provision.Role) { r.Managed = r.Managed[:1] },
		func(r *provision.Role) { r.Managed[0].Document = document("ec2:Describe*") }, // a newer edition of the policy
		func(r *provision.Role) { r.Managed = nil },
		func(r *provision.Role) { r.Inline = document("s3:*") },
		func(r *provision.Role) { r.Inline, r.Boundary = "", nil },
		func(r *provision.Role) { r.SessionDuration, r.RelayState = time.Hour, "" },
		func(r *provision.Role) { r.Trust = document("sts:TagSession") },
		func(*provision.Role) {}, // a new revision that changes nothing
	} {
		edit(&role)
		role.Revision++
		ensure(t, a, role)
	}
}

func remove(t *testing.T, a Account) {
	role := wanted(1)
	for range 2 {
		ensure(t, a, role)
		for range 2 { // removing what is not there is success
			if err := a.RemoveRole(t.Context(), a.ID, role.Name); err != nil {
				t.Fatal(err)
			}
			if _, found := a.inspect(t, role.Name); found {
				t.Error("the role is still there")
			}
		}
	}
}

func rolesAreApart(t *testing.T, a Account) {
	for n := range 3 {
		ensure(t, a, wanted(n))
	}
	if err := a.RemoveRole(t.Context(), a.ID, wanted(1).Name); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 2} {
		if _, found := a.inspect(t, wanted(n).Name); !found {
			t.Errorf("role %d went with another", n)
		}
	}
}

// pages: roles are listed by name, each once, however many are asked for at a time.
func pages(t *testing.T, a Account) {
	for n := range 5 {
		ensure(t, a, wanted(n))
	}
	for limit := 1; limit < 7; limit++ {
		all := list(t, a, limit)
		if len(all) != 5 {
			t.Errorf("%d roles in pages of %d", len(all), limit)
		}
		for n, r := range all {
			if r.Name != wanted(n).Name {
				t.Errorf("in pages of %d, role %d is %s", limit, n, r.Name)
			}
		}
	}
	if roles, err := a.InspectRoles(t.Context(), "000000000000", "", 10); err != nil || len(roles) > 0 {
		t.Errorf("another account has %d roles, %v", len(roles), err)
	}
}

// cannotChange: a role of the name that stands elsewhere is nobody's to take over.
func cannotChange(t *testing.T, a Account) {
	ensure(t, a, wanted(1))
	other := wanted(1)
	other.Path = "/elsewhere/"
	if err := a.EnsureRole(t.Context(), a.ID, other); fault.KindOf(err) != fault.Conflict {
		t.Errorf("another path: %v", err)
	}
	other = wanted(1)
	other.Set = wanted(2).Set
	if err := a.EnsureRole(t.Context(), a.ID, other); fault.KindOf(err) != fault.Conflict {
		t.Errorf("another permission set: %v", err)
	}
	ensure(t, a, wanted(1))
}

// manyWorkers is what a lease that ran out comes to: the same job done by two at once.
func manyWorkers(t *testing.T, a Account) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := a.EnsureRole(t.Context(), a.ID, wanted(1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ensure(t, a, wanted(1))
}

func canceled(t *testing.T, a Account) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.EnsureRole(ctx, a.ID, wanted(1)); err == nil {
		t.Error("success although the context had ended")
	}
	if _, found := a.inspect(t, wanted(1).Name); found {
		t.Error("a role was made all the same")
	}
	if _, err := a.Revoke(ctx, provision.Revocation{ID: "r", Account: a.ID}); err == nil {
		t.Error("revoked although the context had ended")
	}
}

// revoke: whatever is to be cut off, the roles stand as they stood, those who may have them get new credentials, and asking again
// changes nothing. That credentials end is for each backend's own test to show, since each verifies them elsewhere.
func revoke(t *testing.T, a Account) {
	ensure(t, a, wanted(1))
	ensure(t, a, wanted(2))
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for name, r := range map[string]provision.Revocation{
		"all roles":              {},
		"a role":                 {Roles: []string{wanted(1).Name}},
		"a role that is gone":    {Roles: []string{wanted(9).Name}},
		"no role":                {Roles: []string{}},
		"a user":                 {Roles: []string{wanted(1).Name}, UserID: "906731adeb-0001"},
		"a session of a user":    {UserID: "906731adeb-0001", SessionID: "0198c0de-0000-7000-8000-000000000000"},
		"both roles, all people": {Roles: []string{wanted(1).Name, wanted(2).Name}},
	} {
		r.ID, r.Account, r.NotBefore = name, a.ID, at
		first, err := a.Revoke(t.Context(), r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if first.Within < 0 || first.Within > 24*time.Hour {
			t.Errorf("%s: holds within %v, which is no bound to rely on", name, first.Within)
		}
		again, err := a.Revoke(t.Context(), r)
		if diff := cmp.Diff(first, again); err != nil || diff != "" {
			t.Errorf("%s, again: %v\n%s", name, err, diff)
		}
		for n := 1; n <= 2; n++ {
			got, found := a.inspect(t, wanted(n).Name)
			if diff := cmp.Diff(wanted(n), got, cmpopts.EquateEmpty()); !found || diff != "" {
				t.Errorf("%s: role %d does not stand as it stood:\n%s", name, n, diff)
			}
		}
	}
}
