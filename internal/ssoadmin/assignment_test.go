package ssoadmin_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	user  = api.PrincipalTypeUser
	group = api.PrincipalTypeGroup
)

// reaches tells what the portal would: the accounts and, in Member, the permission sets of a user; and asks the same of the
// check that revocation makes.
func (w *world) reaches(userID, set string) (accounts, sets []string) {
	w.t.Helper()
	id, err := arn.ParsePermissionSet(set)
	if err != nil {
		w.t.Fatal(err)
	}
	w.View(w.t, func(tx *store.Tx) error {
		as, _, err := access.Accounts(tx, userID, "", page.Query{Limit: 100})
		if err != nil {
			return err
		}
		for _, a := range as {
			accounts = append(accounts, string(a.ID))
		}
		ps, _, err := access.Roles(tx, userID, "", admintest.Member, page.Query{Limit: 100})
		if err != nil {
			return err
		}
		for _, p := range ps {
			sets = append(sets, p.Name)
		}
		ok, err := access.Granted(tx, userID, admintest.Member, id)
		if err == nil && ok != (len(sets) > 0) {
			w.t.Errorf("granted is %v, while the roles are %v", ok, sets)
		}
		return err
	})
	return accounts, sets
}

func TestAssignmentGrantsOnlyWhenItSucceeded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		grantsOnlyWhenItSucceeded(t, newWorldOn(t, open))
	})
}

func grantsOnlyWhenItSucceeded(t *testing.T, w *world) {
	w.join(w.group, w.user)
	set := w.set("Audit", securityAudit)
	s := admintest.Must[api.CreateAccountAssignmentResponse](t, w.World, w.creation(set, admintest.Member, group, w.group)).AccountAssignmentCreationStatus
	if accounts, _ := w.reaches(w.user, set); accounts != nil || w.listed(set, admintest.Member) != nil {
		t.Errorf("reached before the role stands: %v", accounts)
	}
	w.Settle(t)
	done := w.creationStatus(*s.RequestId)
	want := &api.AccountAssignmentOperationStatus{
		Status: new(api.StatusValuesSucceeded), RequestId: s.RequestId, CreatedDate: s.CreatedDate, TargetId: new(string(admintest.Member)),
		TargetType: new(api.TargetTypeAwsAccount), PermissionSetArn: &set, PrincipalType: new(group), PrincipalId: &w.group,
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Error(diff)
	}
	accounts, sets := w.reaches(w.user, set)
	if diff := cmp.Diff([]string{string(admintest.Member)}, accounts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Audit"}, sets); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{w.group}, w.listed(set, admintest.Member)); diff != "" {
		t.Error(diff)
	}
	w.granted(set, admintest.Member, group, w.group) // again: no conflict, and no second role
}

func TestLosingOnePathKeepsTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(w.group, w.user)
	set := w.set("Audit")
	w.granted(set, admintest.Member, user, w.user)
	w.granted(set, admintest.Member, group, w.group)
	name := w.role(set, admintest.Member).Name
	w.unassign(set, admintest.Member, user, w.user)
	if _, sets := w.reaches(w.user, set); len(sets) != 1 {
		t.Errorf("the group's path is lost too: %v", sets)
	}
	if w.role(set, admintest.Member).Name != name {
		t.Error("the role's name changed although an assignment remained")
	}
	admintest.Must[directoryapi.DeleteGroupMembershipResponse](t, w.World, &directoryapi.DeleteGroupMembershipRequest{IdentityStoreId: string(w.Instance.StoreID), MembershipId: m})
	if accounts, _ := w.reaches(w.user, set); accounts != nil {
		t.Errorf("reached without a path: %v", accounts)
	}
}

func TestDeletionTakesTheGrantAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	w.granted(set, admintest.Member, user, w.user)
	admintest.Must[api.DeleteAccountAssignmentResponse](t, w.World, w.deletion(set, admintest.Member, user, w.user))
	if accounts, _ := w.reaches(w.user, set); accounts != nil {
		t.Errorf("still reached: %v", accounts)
	}
	if len(w.listed(set, admintest.Member)) != 1 {
		t.Error("not listed until the role has been seen to")
	}
	admintest.Fails[api.CreateAccountAssignmentResponse](t, w.World, w.creation(set, admintest.Member, user, w.user), "ConflictException")
	admintest.Fails[api.DeleteAccountAssignmentResponse](t, w.World, w.deletion(set, admintest.Member, user, w.user), "ConflictException")
	w.Settle(t)
	if len(w.listed(set, admintest.Member)) != 0 || w.role(set, admintest.Member) != nil {
		t.Error("something is left")
	}
}

func TestDeletionDuringCreationIsConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	admintest.Must[api.CreateAccountAssignmentResponse](t, w.World, w.creation(set, admintest.Member, user, w.user))
	admintest.Fails[api.DeleteAccountAssignmentResponse](t, w.World, w.deletion(set, admintest.Member, user, w.user), "ConflictException")
}

func TestFailureReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	const nobody = "12345678-1234-4234-8234-123456789012"
	check := func(s *api.AccountAssignmentOperationStatus, want string) {
		t.Helper()
		if *s.Status != api.StatusValuesFailed || s.FailureReason == nil || *s.FailureReason != want {
			t.Errorf("got %s, %v; want %q", *s.Status, s.FailureReason, want)
		}
	}
	check(w.assign(set, admintest.Member, user, nobody), "Received a 404 status error: the USER assignee "+nobody+" was not found in directory d-1234567890")
	check(w.assign(set, admintest.Member, group, w.user), "Received a 404 status error: the GROUP assignee "+w.user+" was not found in directory d-1234567890")
	if w.role(set, admintest.Member) != nil || len(w.listed(set, admintest.Member)) > 0 {
		t.Error("a failed creation left something")
	}
	check(w.unassign(set, admintest.Member, user, w.user), "Received a 404 status error: Permission set provision not found in AWS account 222233334444.")
	w.granted(set, admintest.Member, group, w.group)
	check(w.unassign(set, admintest.Member, user, w.user), "Received a 404 status error: Assignment not found.")
	if p := w.provision(set, admintest.Sandbox); *p.Status != api.StatusValuesFailed || *p.FailureReason != "Received a 404 status error: Permission set provision not found in AWS account 333344445555." {
		t.Errorf("got %+v", p)
	}
	check(w.unassign(set, "999999999999", user, w.user), "Received a 404 status error: Permission set provision not found in AWS account 999999999999.")
	if p := w.provision(set, "999999999999"); *p.Status != api.StatusValuesFailed {
		t.Errorf("got %+v", p)
	}
	admintest.Fails[api.CreateAccountAssignmentResponse](t, w.World, w.creation(set, "999999999999", user, w.user), "ResourceNotFoundException")
	admintest.Fails[api.DescribeAccountAssignmentDeletionStatusResponse](t, w.World, &api.DescribeAccountAssignmentDeletionStatusRequest{
		InstanceArn: w.instance, AccountAssignmentDeletionRequestId: nobody,
	}, "ResourceNotFoundException")
}

func TestS23PrincipalIDsOfBothShapes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	const legacy = "906731adeb-12345678-1234-5678-90ab-cdef12345678"
	w.Update(t, func(tx *store.Tx) error { return insertGroup(tx, w.Instance.StoreID, legacy) })
	w.join(legacy, w.user)
	w.granted(set, admintest.Member, group, legacy)
	if _, sets := w.reaches(w.user, set); len(sets) != 1 {
		t.Errorf("reached: %v", sets)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(w.user) || !uuid.MatchString(w.group) {
		t.Errorf("ids of ours: %s, %s", w.user, w.group)
	}
	bad := w.creation(set, admintest.Member, group, "906731adeb-1234-5678-90ab-cdef12345678")
	admintest.Fails[api.CreateAccountAssignmentResponse](t, w.World, bad, "ValidationException")
}

func TestS24DestroyAfterThePersonWasDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	w.granted(set, admintest.Member, user, w.user)
	w.deleteUser(w.user)
	if diff := cmp.Diff([]string{w.user}, w.listed(set, admintest.Member)); diff != "" {
		t.Error(diff)
	}
	if accounts, _ := w.reaches(w.user, set); accounts != nil {
		t.Errorf("a deleted user reaches %v", accounts)
	}
	if s := w.unassign(set, admintest.Member, user, w.user); *s.Status != api.StatusValuesSucceeded {
		t.Errorf("got %s: %s", *s.Status, *s.FailureReason)
	}
	if w.listed(set, admintest.Member) != nil || w.role(set, admintest.Member) != nil {
		t.Error("something is left")
	}
}

func TestDeletedGroupGrantsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join(w.group, w.user)
	set := w.set("Audit")
	w.granted(set, admintest.Member, group, w.group)
	admintest.Must[directoryapi.DeleteGroupResponse](t, w.World, &directoryapi.DeleteGroupRequest{IdentityStoreId: string(w.Instance.StoreID), GroupId: w.group})
	if accounts, _ := w.reaches(w.user, set); accounts != nil {
		t.Errorf("reached by a deleted group: %v", accounts)
	}
	if len(w.listed(set, admintest.Member)) != 1 {
		t.Error("the group's assignment is not listed")
	}
}

// TestAssignmentsGoWithTheirPrincipal: by themselves, a few at a time; one that is being made when its user is deleted, too; and what
// others have stays.
func TestAssignmentsGoWithTheirPrincipal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.newUser("other")
	var sets []string
	for n := range 25 {
		sets = append(sets, w.set(fmt.Sprintf("Set%d", n)))
		w.granted(sets[n], admintest.Member, group, w.group)
	}
	w.granted(sets[0], admintest.Member, user, other)
	making := w.set("Making")
	admintest.Must[api.CreateAccountAssignmentResponse](t, w.World, w.creation(making, admintest.Member, group, w.group))
	app := w.application("App")
	admintest.Must[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, group, w.group))
	admintest.Must[directoryapi.DeleteGroupResponse](t, w.World, &directoryapi.DeleteGroupRequest{IdentityStoreId: string(w.Instance.StoreID), GroupId: w.group})
	for range 4 {
		w.Settle(t)
		w.Clock.Advance(5 * time.Second)
	}
	for n, set := range append(sets[1:], making) {
		if listed := w.listed(set, admintest.Member); listed != nil || w.role(set, admintest.Member) != nil {
			t.Errorf("of permission set %d there are %v and %v", n+1, listed, w.role(set, admintest.Member))
		}
	}
	if diff := cmp.Diff([]string{other}, w.listed(sets[0], admintest.Member)); diff != "" || w.role(sets[0], admintest.Member) == nil {
		t.Errorf("what somebody else has: %s", diff)
	}
	if left := admintest.Must[api.ListApplicationAssignmentsResponse](t, w.World, &api.ListApplicationAssignmentsRequest{ApplicationArn: app}).ApplicationAssignments; len(left) != 0 {
		t.Errorf("applications: %v", left)
	}
}

func TestS25RoleNameAndPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := strings.Repeat("n", 32)
	set := w.set(name)
	w.granted(set, admintest.Member, user, w.user)
	first := w.role(set, admintest.Member)
	if !regexp.MustCompile(`^AWSReservedSSO_n{32}_[0-9a-f]{16}$`).MatchString(first.Name) || len(first.Name) > 64 {
		t.Errorf("name %s", first.Name)
	}
	if want := "arn:aws:iam::222233334444:role/aws-reserved/sso.amazonaws.com/" + first.Name; first.ARN() != want {
		t.Errorf("ARN %s, want %s", first.ARN(), want)
	}
	w.View(t, func(tx *store.Tx) error {
		trust, err := tx.Document(first.Spec.Trust)
		if !regexp.MustCompile(`"Federated":"arn:aws:iam::222233334444:saml-provider/AWSSSO_[0-9a-f]{16}_DO_NOT_DELETE"`).MatchString(trust) {
			t.Errorf("trust policy %s", trust)
		}
		return err
	})
	w.unassign(set, admintest.Member, user, w.user)
	w.granted(set, admintest.Member, user, w.user)
	if again := w.role(set, admintest.Member); again.Name == first.Name || again.ID == first.ID {
		t.Error("the suffix did not change after the last assignment had gone")
	}
}

func TestOutcomesAreAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	w.granted(set, admintest.Member, user, w.user)
	w.unassign(set, admintest.Member, user, w.user)
	w.unassign(set, admintest.Member, user, w.user)
	var got []string
	for _, e := range w.Events(t) {
		if e["eventType"] != "AwsServiceEvent" {
			continue
		}
		d := e["serviceEventDetails"].(map[string]any)
		got = append(got, fmt.Sprint(e["eventSource"], " ", e["eventName"], " ", d["status"], " ", d["targetId"]))
	}
	want := []string{
		"sso.amazonaws.com CreateAccountAssignment SUCCEEDED 222233334444",
		"sso.amazonaws.com DeleteAccountAssignment SUCCEEDED 222233334444",
		"sso.amazonaws.com DeleteAccountAssignment FAILED 222233334444",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
