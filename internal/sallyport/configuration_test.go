package sallyport_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/store"
)

// TestConfiguration: what a configuration is read by tells everything, page by page, of the instance that is served.
func TestConfiguration(t *testing.T) {
	w := newWorld(t)
	instance := w.instance.ID.ARN()
	sets := w.furnish(60)

	var got []api.PermissionSetDetails
	in := &api.ListPermissionSetDetailsRequest{InstanceArn: instance}
	for pages := 1; ; pages++ {
		out := must[api.ListPermissionSetDetailsResponse](w, in)
		got, in.NextToken = append(got, out.PermissionSets...), out.NextToken
		if out.NextToken == nil {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if len(got) != 60 || !slices.Equal(got[1].ManagedPolicyArns, []string{"arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"}) ||
		len(got[59].ManagedPolicyArns) != 0 || got[59].Tags[0].Value != "59" || got[59].InlinePolicy != nil {
		t.Errorf("%d permission sets, such as %+v", len(got), got[len(got)-1])
	}
	want := api.PermissionSetDetails{
		PermissionSetArn: sets[30].ARN(), Name: "Set30", Description: new("what it is for"), SessionDuration: "PT1H", RelayState: new("https://example.test/"),
		ManagedPolicyArns: []string{}, CustomerManagedPolicyReferences: []api.PolicyReference{{Name: "own", Path: "/team/"}},
		InlinePolicy: new(`{"Version":"2012-10-17","Statement":[]}`), BoundaryPolicyReference: &api.PolicyReference{Name: "edge", Path: "/"},
		Tags: []api.Tag{{Key: "n", Value: "30"}}, CreatedDate: w.clock.Now(), MaxMfaAgeMinutes: new(int32(5)), ProvisionedAccounts: 2, OutdatedAccounts: 1,
	}
	if diff := cmp.Diff(want, got[30]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	assigned := must[api.ListAssignmentsResponse](w, &api.ListAssignmentsRequest{InstanceArn: instance, MaxResults: new(int32(1000))})
	first := must[api.ListAssignmentsResponse](w, &api.ListAssignmentsRequest{InstanceArn: instance, MaxResults: new(int32(59))})
	rest := must[api.ListAssignmentsResponse](w, &api.ListAssignmentsRequest{InstanceArn: instance, MaxResults: new(int32(59)), NextToken: first.NextToken})
	if diff := cmp.Diff(assigned.Assignments, append(first.Assignments, rest.Assignments...)); diff != "" || len(assigned.Assignments) != 60 || assigned.NextToken != nil {
		t.Errorf("%d assignments, (-whole +by pages)\n%s", len(assigned.Assignments), diff)
	}
	if a := assigned.Assignments[0]; a != (api.Assignment{AccountId: string(member), PermissionSetArn: sets[0].ARN(), PrincipalType: "USER", PrincipalId: w.user.ID, State: "GRANTED"}) {
		t.Errorf("got %+v", a)
	}

	accounts := must[api.ListOrganizationAccountsResponse](w, &api.ListOrganizationAccountsRequest{MaxResults: new(int32(2))})
	more := must[api.ListOrganizationAccountsResponse](w, &api.ListOrganizationAccountsRequest{MaxResults: new(int32(2)), NextToken: accounts.NextToken})
	if len(accounts.Accounts) != 2 || len(more.Accounts) != 1 || more.NextToken != nil || accounts.Accounts[0].Status != "ACTIVE" {
		t.Errorf("accounts %+v, then %+v", accounts, more)
	}
	const other = "arn:aws:sso:::instance/ssoins-fedcba0987654321"
	fails(w, &api.ListAssignmentsRequest{InstanceArn: other}, notFound)
	fails(w, &api.ListPermissionSetDetailsRequest{InstanceArn: other}, notFound)
}

// furnish makes permission sets, each assigned; the thirtieth has everything that one can have.
func (w *world) furnish(n int) (sets []arn.PermissionSet) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		for i := range n {
			p := store.PermissionSet{
				PermissionSet: arn.PermissionSet{Instance: w.instance.ID, ID: fmt.Sprintf("ps-%016d", i)}, Name: fmt.Sprintf("Set%02d", i),
				SessionDuration: "PT1H", Revision: 1, CreatedAt: tx.Now(),
			}
			sets = append(sets, p.PermissionSet)
			if i == 30 {
				hash, err := tx.PutDocument(`{"Version":"2012-10-17","Statement":[]}`)
				if err != nil {
					return err
				}
				p.Description, p.RelayState, p.Inline = "what it is for", "https://example.test/", hash
				p.Customer = []store.CustomerPolicy{{Name: "own", Path: "/team/"}}
				p.Boundary = &store.Boundary{Customer: &store.CustomerPolicy{Name: "edge", Path: "/"}}
			}
			if err := tx.InsertPermissionSet(p); err != nil {
				return err
			}
			for _, policy := range []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AdministratorAccess"}[:i%3%2*2] {
				if err := tx.AttachPolicy(p.PermissionSet, policy); err != nil {
					return err
				}
			}
			if err := tx.PutTag(p.ARN(), store.Tag{Key: "n", Value: fmt.Sprint(i)}); err != nil {
				return err
			}
			if i == 30 {
				if err := tx.PutStepUp(store.StepUp{Set: p.PermissionSet, MaxAge: 5 * time.Minute}); err != nil {
					return err
				}
				for account, revision := range map[arn.AccountID]int64{member: 1, delegate: 0} {
					role := store.Role{Account: account, Name: "r", ID: "AROA" + string(account), Path: "/", Set: p.PermissionSet, Revision: revision, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
					if err := tx.InsertRole(role); err != nil {
						return err
					}
				}
			}
			if err := tx.InsertAssignment(store.Assignment{Account: member, Set: p.PermissionSet, PrincipalType: store.PrincipalUser, PrincipalID: w.user.ID, State: store.AssignmentGranted, CreatedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	return sets
}
