package ssoadmin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/provision/local"
	"sallyport/internal/quota"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

func (w *world) refer(set, name, path string) *api.AttachCustomerManagedPolicyReferenceToPermissionSetRequest {
	in := &api.AttachCustomerManagedPolicyReferenceToPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: api.CustomerManagedPolicyReference{Name: name},
	}
	if path != "" {
		in.CustomerManagedPolicyReference.Path = &path
	}
	return in
}

func (w *world) attachCustomer(set, name, path string) {
	w.t.Helper()
	admintest.Must[api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse](w.t, w.World, w.refer(set, name, path))
}

// references lists a permission set's references, a page of the size at a time.
func (w *world) references(set string, size int32) (all []string) {
	w.t.Helper()
	in := &api.ListCustomerManagedPolicyReferencesInPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, MaxResults: &size}
	for {
		out := admintest.Must[api.ListCustomerManagedPolicyReferencesInPermissionSetResponse](w.t, w.World, in)
		if len(out.CustomerManagedPolicyReferences) > int(size) {
			w.t.Errorf("a page of %d has %d", size, len(out.CustomerManagedPolicyReferences))
		}
		for _, r := range out.CustomerManagedPolicyReferences {
			all = append(all, *r.Path+r.Name)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all
		}
	}
}

func TestCustomerPolicyReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Referring")
	w.attachCustomer(set, "B", "")
	w.attachCustomer(set, "A", "/team/")
	w.attachCustomer(set, "A", "/") // another policy
	w.attachCustomer(set, "a", "/")
	for _, size := range []int32{1, 2, 100} {
		if d := cmp.Diff([]string{"/A", "/team/A", "/B", "/a"}, w.references(set, size)); d != "" {
			t.Errorf("in pages of %d:\n%s", size, d)
		}
	}
	e := admintest.Fails[api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse](t, w.World, w.refer(set, "B", "/"), "ConflictException")
	if !strings.Contains(e.Message, "/B") {
		t.Errorf("the conflict says %q", e.Message)
	}
	detach := &api.DetachCustomerManagedPolicyReferenceFromPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: api.CustomerManagedPolicyReference{Name: "A", Path: new("/team/")},
	}
	admintest.Must[api.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse](t, w.World, detach)
	admintest.Fails[api.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse](t, w.World, detach, "ResourceNotFoundException")
	if d := cmp.Diff([]string{"/A", "/B", "/a"}, w.references(set, 100)); d != "" {
		t.Error(d)
	}
}

// TestPoliciesShareOneQuota: managed and customer managed policies count together.
func TestPoliciesShareOneQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Full", readOnly)
	for n := range (quota.Limits{}).Of(quota.PoliciesPerSet) - 1 {
		w.attachCustomer(set, fmt.Sprintf("P%d", n), "")
	}
	admintest.Fails[api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse](t, w.World, w.refer(set, "More", ""), "ServiceQuotaExceededException")
	admintest.Fails[api.AttachManagedPolicyToPermissionSetResponse](t, w.World, &api.AttachManagedPolicyToPermissionSetRequest{
		InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: securityAudit,
	}, "ServiceQuotaExceededException")
	admintest.Fails[api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse](t, w.World, w.refer(set, "P0", ""), "ConflictException")
}

// TestS19CustomerPolicyIsAbsent: the reference is taken as it is; the account without such a policy tells why it fails, the other
// works, and all is well once the policy is there.
func TestS19CustomerPolicyIsAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	accounts := local.Provisioner{DB: w.DB}
	put := func(account, path string) {
		t.Helper()
		if err := accounts.PutPolicy(t.Context(), map[string]arn.AccountID{"member": admintest.Member, "sandbox": admintest.Sandbox}[account], path, "Team", inlinePolicy); err != nil {
			t.Fatal(err)
		}
	}
	put("member", "/team/")
	put("sandbox", "/") // the same name, another path
	set := w.set("Team")
	w.attachCustomer(set, "Team", "/team/")
	w.granted(set, admintest.Member, api.PrincipalTypeUser, w.user)
	s := w.assign(set, admintest.Sandbox, api.PrincipalTypeUser, w.user)
	if *s.Status != api.StatusValuesFailed || !strings.Contains(*s.FailureReason, "arn:aws:iam::333344445555:policy/team/Team") {
		t.Errorf("assignment is %s: %s", *s.Status, *s.FailureReason)
	}
	if r := w.role(set, admintest.Sandbox); r != nil || len(w.listed(set, admintest.Sandbox)) != 0 {
		t.Errorf("the failure left %+v", r)
	}
	if r := w.role(set, admintest.Member); len(r.Spec.Customer) != 1 || r.Spec.Customer[0] != "arn:aws:iam::222233334444:policy/team/Team" {
		t.Errorf("the role is %+v", r.Spec)
	}
	put("sandbox", "/team/")
	w.granted(set, admintest.Sandbox, api.PrincipalTypeUser, w.user)

	if err := accounts.DeletePolicy(t.Context(), admintest.Sandbox, "team"); err != nil {
		t.Fatal(err)
	}
	w.attach(set, readOnly)
	if p := w.provision(set, ""); *p.Status != api.StatusValuesFailed {
		t.Errorf("provisioning is %s", *p.Status)
	}
	if r := w.role(set, admintest.Member); len(r.Spec.Managed) != 1 {
		t.Error("the other account was not provisioned")
	}
	put("sandbox", "/team/")
	if p := w.provision(set, admintest.Sandbox); *p.Status != api.StatusValuesSucceeded {
		t.Errorf("provisioning is %s: %s", *p.Status, *p.FailureReason)
	}
}

func TestPermissionsBoundary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Bound", readOnly)
	get := &api.GetPermissionsBoundaryForPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set}
	del := &api.DeletePermissionsBoundaryFromPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set}
	put := func(b api.PermissionsBoundary) *api.PutPermissionsBoundaryToPermissionSetRequest {
		return &api.PutPermissionsBoundaryToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, PermissionsBoundary: b}
	}
	ref := &api.CustomerManagedPolicyReference{Name: "Limit"}
	admintest.Fails[api.GetPermissionsBoundaryForPermissionSetResponse](t, w.World, get, "ResourceNotFoundException")
	admintest.Fails[api.DeletePermissionsBoundaryFromPermissionSetResponse](t, w.World, del, "ResourceNotFoundException")
	for _, b := range []api.PermissionsBoundary{{}, {ManagedPolicyArn: new(securityAudit), CustomerManagedPolicyReference: ref}} {
		admintest.Fails[api.PutPermissionsBoundaryToPermissionSetResponse](t, w.World, put(b), "ValidationException")
	}
	admintest.Fails[api.PutPermissionsBoundaryToPermissionSetResponse](t, w.World, put(api.PermissionsBoundary{ManagedPolicyArn: new("arn:aws:iam::aws:policy/NoSuchPolicy")}), "ResourceNotFoundException")
	for _, b := range []api.PermissionsBoundary{{ManagedPolicyArn: new(securityAudit)}, {CustomerManagedPolicyReference: &api.CustomerManagedPolicyReference{Name: "Limit", Path: new("/")}}} {
		admintest.Must[api.PutPermissionsBoundaryToPermissionSetResponse](t, w.World, put(b))
		got := admintest.Must[api.GetPermissionsBoundaryForPermissionSetResponse](t, w.World, get).PermissionsBoundary
		if d := cmp.Diff(&b, got); d != "" {
			t.Error(d)
		}
	}
	s := w.assign(set, admintest.Member, api.PrincipalTypeUser, w.user)
	if *s.Status != api.StatusValuesFailed || !strings.Contains(*s.FailureReason, "policy/Limit") {
		t.Errorf("assignment without the boundary in the account is %s: %s", *s.Status, *s.FailureReason)
	}
	if err := (&local.Provisioner{DB: w.DB}).PutPolicy(t.Context(), admintest.Member, "/", "Limit", inlinePolicy); err != nil {
		t.Fatal(err)
	}
	w.granted(set, admintest.Member, api.PrincipalTypeUser, w.user)
	if b := w.role(set, admintest.Member).Spec.Boundary; b == nil || *b != (store.PinnedPolicy{ARN: "arn:aws:iam::222233334444:policy/Limit"}) {
		t.Errorf("the role's boundary is %+v", b)
	}
	admintest.Must[api.DeletePermissionsBoundaryFromPermissionSetResponse](t, w.World, del)
	w.provision(set, "")
	if b := w.role(set, admintest.Member).Spec.Boundary; b != nil {
		t.Errorf("the role's boundary is %+v still", b)
	}
}
