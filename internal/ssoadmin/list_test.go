package ssoadmin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestAssignmentsOfPrincipal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		assignmentsOfPrincipal(t, newWorldOn(t, open))
	})
}

func assignmentsOfPrincipal(t *testing.T, w *world) {
	w.join(w.group, w.user)
	direct, grouped := w.set("Direct"), w.set("Grouped")
	w.granted(direct, admintest.Member, user, w.user)
	w.granted(direct, admintest.Member, group, w.group)
	w.granted(grouped, admintest.Sandbox, group, w.group)
	type row struct{ account, set, principal string }
	list := func(t api.PrincipalType, id string, account *string) (rows []row) {
		in := &api.ListAccountAssignmentsForPrincipalRequest{InstanceArn: w.instance, PrincipalType: t, PrincipalId: id, MaxResults: new(int32(1))}
		if account != nil {
			in.Filter = &api.ListAccountAssignmentsFilter{AccountId: account}
		}
		for {
			out := admintest.Must[api.ListAccountAssignmentsForPrincipalResponse](w.t, w.World, in)
			for _, a := range out.AccountAssignments {
				rows = append(rows, row{*a.AccountId, *a.PermissionSetArn, string(*a.PrincipalType) + *a.PrincipalId})
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return rows
			}
		}
	}
	byUser := []row{
		{"222233334444", direct, "USER" + w.user}, {"222233334444", direct, "GROUP" + w.group}, {"333344445555", grouped, "GROUP" + w.group},
	}
	if w.group < w.user {
		byUser[0], byUser[1] = byUser[1], byUser[0]
	}
	byGroup := slices.DeleteFunc(slices.Clone(byUser), func(r row) bool { return strings.HasPrefix(r.principal, "USER") })
	for _, c := range []struct {
		name      string
		got, want []row
	}{
		{"user", list(user, w.user, nil), byUser},
		{"user in one account", list(user, w.user, new("222233334444")), byUser[:2]},
		{"group", list(group, w.group, nil), byGroup},
		{"group in one account", list(group, w.group, new("333344445555")), byGroup[1:]},
		{"type that is not the principal's", list(group, w.user, nil), nil},
	} {
		if diff := cmp.Diff(c.want, c.got, cmp.AllowUnexported(row{})); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

func TestStatusLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.set("Audit")
	var want []string
	for range 3 {
		s := w.assign(set, admintest.Member, user, "12345678-1234-4234-8234-123456789012")
		want = append(want, *s.RequestId)
	}
	w.granted(set, admintest.Member, user, w.user)
	list := func(s *api.StatusValues) (ids []string) {
		in := &api.ListAccountAssignmentCreationStatusRequest{InstanceArn: w.instance, MaxResults: new(int32(2))}
		if s != nil {
			in.Filter = &api.OperationStatusFilter{Status: s}
		}
		for {
			out := admintest.Must[api.ListAccountAssignmentCreationStatusResponse](t, w.World, in)
			for _, m := range out.AccountAssignmentsCreationStatus {
				ids = append(ids, *m.RequestId)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				slices.Sort(ids) // requests of one instant are in no order
				return ids
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, list(new(api.StatusValuesFailed))); diff != "" {
		t.Error(diff)
	}
	if n := len(list(nil)); n != 4 {
		t.Errorf("%d requests in all", n)
	}
	if out := admintest.Must[api.ListAccountAssignmentDeletionStatusResponse](t, w.World, &api.ListAccountAssignmentDeletionStatusRequest{InstanceArn: w.instance}); len(out.AccountAssignmentsDeletionStatus) != 0 {
		t.Errorf("deletions: %v", out.AccountAssignmentsDeletionStatus)
	}
}
