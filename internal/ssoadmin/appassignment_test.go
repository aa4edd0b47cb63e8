package ssoadmin_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/ssoadmin/admintest"
)

func (w *world) share(app string, t api.PrincipalType, id string) *api.CreateApplicationAssignmentRequest {
	return &api.CreateApplicationAssignmentRequest{ApplicationArn: app, PrincipalType: t, PrincipalId: id}
}

// reachable lists the applications of a principal, one a page: ARN's end, and through whom.
func (w *world) reachable(t api.PrincipalType, id string, only *string) (all []string) {
	w.t.Helper()
	in := &api.ListApplicationAssignmentsForPrincipalRequest{InstanceArn: w.instance, PrincipalType: t, PrincipalId: id, MaxResults: new(int32(1))}
	if only != nil {
		in.Filter = &api.ListApplicationAssignmentsFilter{ApplicationArn: only}
	}
	for {
		out := admintest.Must[api.ListApplicationAssignmentsForPrincipalResponse](w.t, w.World, in)
		for _, a := range out.ApplicationAssignments {
			all = append(all, *a.ApplicationArn+" "+string(*a.PrincipalType)+" "+*a.PrincipalId)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all
		}
	}
}

func TestApplicationAssignments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app, other := w.application("App"), w.application("Other")
	w.join(w.group, w.user)
	admintest.Must[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeUser, w.user))
	admintest.Must[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeGroup, w.group))
	admintest.Fails[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeGroup, w.group), "ConflictException")
	admintest.Fails[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeUser, w.group), "ResourceNotFoundException") // a group is no user
	admintest.Fails[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeUser, "00000000-0000-0000-0000-000000000000"), "ResourceNotFoundException")

	direct, through := app+" USER "+w.user, app+" GROUP "+w.group
	for name, c := range map[string]struct{ got, want []string }{
		"user":      {w.reachable(api.PrincipalTypeUser, w.user, nil), []string{through, direct}},
		"group":     {w.reachable(api.PrincipalTypeGroup, w.group, nil), []string{through}},
		"only":      {w.reachable(api.PrincipalTypeUser, w.user, &app), []string{through, direct}},
		"only none": {w.reachable(api.PrincipalTypeUser, w.user, &other), nil},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	page := admintest.Must[api.ListApplicationAssignmentsResponse](t, w.World, &api.ListApplicationAssignmentsRequest{ApplicationArn: app, MaxResults: new(int32(1))})
	rest := admintest.Must[api.ListApplicationAssignmentsResponse](t, w.World, &api.ListApplicationAssignmentsRequest{ApplicationArn: app, NextToken: page.NextToken})
	got := append(page.ApplicationAssignments, rest.ApplicationAssignments...)
	want := []api.ApplicationAssignment{
		{ApplicationArn: app, PrincipalType: api.PrincipalTypeGroup, PrincipalId: w.group}, {ApplicationArn: app, PrincipalType: api.PrincipalTypeUser, PrincipalId: w.user},
	}
	if d := cmp.Diff(want, got); d != "" || rest.NextToken != nil {
		t.Error(d)
	}

	describe := &api.DescribeApplicationAssignmentRequest{ApplicationArn: app, PrincipalType: api.PrincipalTypeUser, PrincipalId: w.user}
	admintest.Must[api.DescribeApplicationAssignmentResponse](t, w.World, describe)
	remove := &api.DeleteApplicationAssignmentRequest{ApplicationArn: app, PrincipalType: api.PrincipalTypeUser, PrincipalId: w.user}
	for range 2 { // it is idempotent
		admintest.Must[api.DeleteApplicationAssignmentResponse](t, w.World, remove)
	}
	admintest.Fails[api.DescribeApplicationAssignmentResponse](t, w.World, describe, "ResourceNotFoundException")
	if d := cmp.Diff([]string{through}, w.reachable(api.PrincipalTypeUser, w.user, nil)); d != "" {
		t.Error(d)
	}
	admintest.Must[api.DeleteApplicationResponse](t, w.World, &api.DeleteApplicationRequest{ApplicationArn: app})
	if got := w.reachable(api.PrincipalTypeUser, w.user, nil); got != nil {
		t.Errorf("after the application went: %v", got)
	}
}

// TestApplicationsOfTheDeleted: what was assigned to a user or group that has been deleted is listed until a job has taken it away,
// as assignments of accounts are (case S24), and lets nobody in.
func TestApplicationsOfTheDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app, bob := w.application("App"), w.newUser("bob")
	w.join(w.group, bob)
	principals := map[api.PrincipalType]string{api.PrincipalTypeUser: w.user, api.PrincipalTypeGroup: w.group}
	for kind, id := range principals {
		admintest.Must[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, kind, id))
	}
	w.deleteUser(w.user)
	admintest.Must[directoryapi.DeleteGroupResponse](t, w.World, &directoryapi.DeleteGroupRequest{IdentityStoreId: string(w.Instance.StoreID), GroupId: w.group})
	if got := w.reachable(api.PrincipalTypeUser, bob, nil); got != nil {
		t.Errorf("through a deleted group bob has %v", got)
	}
	left := func() []api.ApplicationAssignment {
		return admintest.Must[api.ListApplicationAssignmentsResponse](t, w.World, &api.ListApplicationAssignmentsRequest{ApplicationArn: app}).ApplicationAssignments
	}
	if got := left(); len(got) != len(principals) {
		t.Errorf("listed are %+v", got)
	}
	for kind, id := range principals {
		admintest.Must[api.DeleteApplicationAssignmentResponse](t, w.World, &api.DeleteApplicationAssignmentRequest{ApplicationArn: app, PrincipalType: kind, PrincipalId: id})
		admintest.Fails[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, kind, id), "ResourceNotFoundException")
	}
	if got := left(); len(got) != 0 {
		t.Errorf("left are %+v", got)
	}
}

func TestGroupsPerApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.application("App")
	var last string
	for n := range 100 {
		last = w.newGroup(fmt.Sprintf("Group%d", n))
		admintest.Must[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeGroup, last))
	}
	admintest.Fails[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeGroup, w.group), "ServiceQuotaExceededException")
	admintest.Fails[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeGroup, last), "ConflictException")
	admintest.Must[api.CreateApplicationAssignmentResponse](t, w.World, w.share(app, api.PrincipalTypeUser, w.user)) // people are not counted
}

func TestAssignmentConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.application("App")
	required := func() bool {
		return admintest.Must[api.GetApplicationAssignmentConfigurationResponse](t, w.World, &api.GetApplicationAssignmentConfigurationRequest{ApplicationArn: app}).AssignmentRequired
	}
	if !required() {
		t.Error("an application is for everybody by default")
	}
	for _, v := range []bool{false, true} {
		admintest.Must[api.PutApplicationAssignmentConfigurationResponse](t, w.World, &api.PutApplicationAssignmentConfigurationRequest{ApplicationArn: app, AssignmentRequired: v})
		if required() != v {
			t.Errorf("required is %v, want %v", !v, v)
		}
	}
}
