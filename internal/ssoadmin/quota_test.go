package ssoadmin_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/quota"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const quotaExceeded = "ServiceQuotaExceededException"

// call calls an operation, and gives its error alone.
func call[Out, In any](w *world, in *In) error {
	_, err := admintest.Call[Out](w.t, w.World, in)
	return err
}

// code is the exception that an error of a call is; "" of none.
func code(err error) string {
	var e *awsapi.ResponseError
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// maker makes the nth of something, of which a limit bounds the number.
type maker struct {
	limit   quota.Name
	refused string
	make    func(w *world) func(n int) error
}

// makers are the limits that hold for what is made one by one. Each begins with nothing.
var makers = []maker{
	{quota.PermissionSets, quotaExceeded, func(w *world) func(int) error {
		return func(n int) error {
			return call[api.CreatePermissionSetResponse](w, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: fmt.Sprint("S", n)})
		}
	}},
	{quota.Applications, quotaExceeded, func(w *world) func(int) error {
		return func(n int) error { return call[api.CreateApplicationResponse](w, w.newApplication(fmt.Sprint("A", n))) }
	}},
	{quota.GroupsPerApplication, quotaExceeded, func(w *world) func(int) error {
		app, groups := w.application("App"), w.groups()
		return func(n int) error {
			return call[api.CreateApplicationAssignmentResponse](w, w.share(app, group, groups[n]))
		}
	}},
	{quota.GroupsPerAssignment, quotaExceeded, func(w *world) func(int) error {
		set, groups := w.set("Set"), w.groups()
		return func(n int) error {
			return call[api.CreateAccountAssignmentResponse](w, w.creation(set, admintest.Member, group, groups[n]))
		}
	}},
	{quota.Outstanding, "ThrottlingException", func(w *world) func(int) error {
		set := w.set("Set")
		return func(n int) error {
			return call[api.CreateAccountAssignmentResponse](w, w.creation(set, admintest.Member, user, arn.NewUUID()))
		}
	}},
	{quota.Scopes, "ConflictException", func(w *world) func(int) error {
		app := w.application("App")
		return func(n int) error {
			return call[api.PutApplicationAccessScopeResponse](w, &api.PutApplicationAccessScopeRequest{ApplicationArn: app, Scope: fmt.Sprintf("s%d:read", n)})
		}
	}},
	{quota.Tags, quotaExceeded, func(w *world) func(int) error {
		set := w.set("Set")
		return func(n int) error {
			return call[api.TagResourceResponse](w, &api.TagResourceRequest{
				InstanceArn: &w.instance, ResourceArn: set, Tags: []api.Tag{{Key: fmt.Sprint("k", n)}},
			})
		}
	}},
	{quota.PoliciesPerSet, quotaExceeded, func(w *world) func(int) error {
		set := w.set("Set")
		return func(n int) error {
			return call[api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse](w, w.refer(set, fmt.Sprint("P", n), ""))
		}
	}},
	{quota.Users, quotaExceeded, func(w *world) func(int) error {
		w.deleteUser(w.user)
		return func(n int) error {
			name := fmt.Sprint("user", n)
			return call[directoryapi.CreateUserResponse](w, &directoryapi.CreateUserRequest{
				IdentityStoreId: string(w.Instance.StoreID), UserName: &name, DisplayName: &name, Name: &directoryapi.Name{GivenName: &name, FamilyName: &name},
			})
		}
	}},
	{quota.Groups, quotaExceeded, func(w *world) func(int) error {
		admintest.Must[directoryapi.DeleteGroupResponse](w.t, w.World, &directoryapi.DeleteGroupRequest{IdentityStoreId: string(w.Instance.StoreID), GroupId: w.group})
		return func(n int) error {
			return call[directoryapi.CreateGroupResponse](w, &directoryapi.CreateGroupRequest{IdentityStoreId: string(w.Instance.StoreID), DisplayName: new(fmt.Sprint("G", n))})
		}
	}},
}

func (w *world) groups() (ids []string) {
	for n := range 8 {
		ids = append(ids, w.newGroup(fmt.Sprint("G", n)))
	}
	return ids
}

// TestLimits: as many as the limit says are made and no more, in either mode, whatever its number is.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, m := range makers {
		for _, mode := range []quota.Mode{quota.Strict, quota.Relaxed} {
			t.Run(string(m.limit)+" "+string(mode), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.Settings.LimitsMode = string(mode)
				another := m.make(w)
				w.Quotas.Replace = map[quota.Name]int{m.limit: 3}
				for n := range 3 {
					if err := another(n); err != nil {
						t.Fatalf("%d of 3: %v", n+1, err)
					}
				}
				want := m.refused
				if m.limit == quota.GroupsPerAssignment && mode == quota.Relaxed {
					want = "" // the job finds out: TestAccountsHaveRoom
				}
				err := another(3)
				if code(err) != want {
					t.Fatalf("4 of 3: %v, want %s", err, want)
				}
				if want == quotaExceeded && !strings.Contains(err.Error(), "at most 3 ") {
					t.Errorf("it does not say how many there may be: %v", err)
				}
			})
		}
	}
}

// TestLimitsTogether: of callers who would each make the last one, exactly one does.
func TestLimitsTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		for _, m := range makers {
			t.Run(string(m.limit), func(t *testing.T) {
				t.Parallel()
				w := newWorldOn(t, open)
				another := m.make(w)
				w.Quotas.Replace = map[quota.Name]int{m.limit: 3}
				for n := range 2 {
					if err := another(n); err != nil {
						t.Fatal(err)
					}
				}
				var errs [4]error
				var all sync.WaitGroup
				for i := range errs {
					all.Go(func() { errs[i] = another(2 + i) })
				}
				all.Wait()
				var won int
				for _, err := range errs {
					if err == nil {
						won++
					} else if code(err) != m.refused {
						t.Errorf("refused with %v", err)
					}
				}
				if won != 1 {
					t.Errorf("%d have made the last one: %v", won, errs)
				}
			})
		}
	})
}

// TestOutstandingEnds: what has ended counts no more, and all families count together (case S21).
func TestOutstandingEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Set")
	w.granted(set, admintest.Member, user, w.user)
	w.Quotas.Replace = map[quota.Name]int{quota.Outstanding: 2}
	create := func() error {
		return call[api.CreateAccountAssignmentResponse](w, w.creation(set, admintest.Sandbox, group, w.group))
	}
	remove := func() error {
		return call[api.DeleteAccountAssignmentResponse](w, w.deletion(set, admintest.Member, user, w.user))
	}
	provision := func() error {
		return call[api.ProvisionPermissionSetResponse](w, &api.ProvisionPermissionSetRequest{
			InstanceArn: w.instance, PermissionSetArn: set, TargetType: api.ProvisionTargetTypeAllProvisionedAccounts,
		})
	}
	for _, do := range []func() error{provision, create} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	for name, do := range map[string]func() error{"create": create, "delete": remove, "provision": provision} {
		if err := do(); code(err) != "ThrottlingException" || !strings.Contains(err.Error(), "There are too many requests processing. Please try again later.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := w.listed(set, admintest.Member); len(got) != 1 {
		t.Errorf("a refused deletion has taken something away: %v", got)
	}
	w.Settle(t)
	if err := remove(); err != nil {
		t.Errorf("after all has ended: %v", err)
	}
}

// TestAccountsHaveRoom: strict, the caller is told at once that an account has no room; relaxed, and where many ask at a time, the
// request fails. Either way there are never more than there may be, and what stands is as it was.
func TestAccountsHaveRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sets := []string{w.set("S0"), w.set("S1"), w.set("S2")}
	w.Quotas.Replace = map[quota.Name]int{quota.SetsPerAccount: 1, quota.GroupsPerAssignment: 1}
	var ids []string
	for _, set := range sets[:2] { // neither has a role yet
		out := admintest.Must[api.CreateAccountAssignmentResponse](t, w.World, w.creation(set, admintest.Member, group, w.group))
		ids = append(ids, *out.AccountAssignmentCreationStatus.RequestId)
	}
	w.Settle(t)
	if s := w.creationStatus(ids[0]); *s.Status != api.StatusValuesSucceeded {
		t.Errorf("the first: %+v", s)
	}
	s := w.creationStatus(ids[1])
	if *s.Status != api.StatusValuesFailed || *s.FailureReason != "A limit is reached: there can be at most 1 permission sets provisioned in an account." {
		t.Errorf("the second: %+v", s)
	}
	if w.role(sets[1], admintest.Member) != nil || len(w.listed(sets[1], admintest.Member)) > 0 {
		t.Error("the second has left something behind")
	}
	other := w.newGroup("Others")
	for _, in := range []*api.CreateAccountAssignmentRequest{w.creation(sets[2], admintest.Member, user, w.user), w.creation(sets[0], admintest.Member, group, other)} {
		if err := call[api.CreateAccountAssignmentResponse](w, in); code(err) != quotaExceeded {
			t.Errorf("strict: %v", err)
		}
	}
	w.granted(sets[0], admintest.Member, group, w.group) // there already
	w.granted(sets[0], admintest.Member, user, w.user)   // users are not bounded
	w.granted(sets[2], admintest.Sandbox, user, w.user)  // another account

	w.Settings.LimitsMode = string(quota.Relaxed)
	for reason, s := range map[string]*api.AccountAssignmentOperationStatus{
		"1 permission sets provisioned in an account":           w.assign(sets[2], admintest.Member, user, w.user),
		"1 groups assigned to one permission set in an account": w.assign(sets[0], admintest.Member, group, other),
	} {
		if *s.Status != api.StatusValuesFailed || !strings.Contains(*s.FailureReason, "at most "+reason) {
			t.Errorf("relaxed: %+v", s)
		}
	}
	if got := w.listed(sets[0], admintest.Member); len(got) != 2 || w.role(sets[0], admintest.Member) == nil {
		t.Errorf("what stood has changed: %v", got)
	}
}
