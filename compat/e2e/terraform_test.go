package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	hosted "sallyport/internal/provision/local"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest/pgtest"
)

// tfRounds is how often everything is made and destroyed: SALLYPORT_TERRAFORM_ROUNDS, or what is said here.
func tfRounds(tb testing.TB, ordinarily int) int {
	tb.Helper()
	set := os.Getenv("SALLYPORT_TERRAFORM_ROUNDS")
	if set == "" {
		return ordinarily
	}
	n, err := strconv.Atoi(set)
	if err != nil {
		tb.Fatalf("SALLYPORT_TERRAFORM_ROUNDS: %v", err)
	}
	return n
}

// TestTerraform: what Terraform's provider does with a configuration of every kind ends without an error: it is applied,
// edited, applied again and destroyed, over and over, and after each apply a plan has nothing to do (cases S16, S20, S24).
func TestTerraform(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		s := startDev(t, "--accounts", "4")
		s.terraform(filepath.Join(s.dir, "sallyport.db"), tfRounds(t, 2))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		database := pgtest.NewDatabase(t)
		startDev(t, "--accounts", "4", "--database", database).terraform(database, tfRounds(t, 1))
	})
}

func (s *server) terraform(database string, rounds int) {
	s.tb.Helper()
	s.giveCustomerPolicies(database, tfListing, tfReading, tfBounding)
	p := newTFProvider(s)
	before := s.census(p)
	for round := range rounds {
		began := time.Now()
		s.terraformRound(p)
		if after := s.census(p); after != before {
			s.tb.Fatalf("left after round %d: %s, where there was %s", round+1, after, before)
		}
		s.tb.Logf("round %d: %v, %d conflicts", round+1, time.Since(began).Round(time.Millisecond), p.conflicts.Swap(0))
	}
}

// TestTerraformFifty is case S21 (terraform #24858, #25552): 500 assignments with -parallelism=50 end without an error, and
// so does their end.
func TestTerraformFifty(t *testing.T) {
	t.Parallel()
	s := startDev(t, "--accounts", "7")
	p := newTFProvider(s)
	p.parallelism = 50
	e := &tfEstate{}
	for i := range 10 {
		name := fmt.Sprintf("Fifty%d", i)
		set := &tfSet{tfNode: node(name, tfSetConfig{Name: name, SessionDuration: "PT1H"}, nil)}
		inline := &tfInline{node(name+".inline", tfStatement("s3:GetObject", name), nil, set), set}
		e.sets, e.all = append(e.sets, set), append(e.all, set, inline)
	}
	for i := range 5 {
		name := fmt.Sprintf("fifty %d", i)
		e.groups = append(e.groups, &tfGroup{tfNode: node(name, tfGroupConfig{DisplayName: name, Store: p.store}, nil)})
		e.add(e.groups[i])
	}
	for i := range 500 {
		set, to, account := e.sets[i%10], e.groups[i/10%5], s.Accounts[i/50].ID
		e.add(&tfAssignment{node(fmt.Sprintf("%s.%s in %s", set.at, to.at, account), account, nil, set, to), set, to})
	}
	began := time.Now()
	check(t, p.apply(t.Context(), e.all))
	applied := time.Since(began)
	check(t, p.settled(t.Context(), e.all))
	s.followed(p)
	began = time.Now()
	check(t, p.destroy(t.Context(), e.all))
	t.Logf("applied in %v, destroyed in %v, %d conflicts", applied.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), p.conflicts.Load())
}

func (s *server) terraformRound(p *tfProvider) {
	s.tb.Helper()
	ctx := s.tb.Context()
	step := func(what string, err error) {
		s.tb.Helper()
		if err != nil {
			s.tb.Fatalf("%s: %v", what, err)
		}
	}
	e := newTFEstate(s)
	step("apply", p.apply(ctx, e.all))
	step("plan after apply", p.settled(ctx, e.all))
	s.followed(p)
	for _, r := range e.all {
		r.edit()
	}
	step("apply of edits", p.apply(ctx, e.all))
	step("plan after edits", p.settled(ctx, e.all))
	s.followed(p)

	// Somebody leaves, and a group goes, without Terraform. What was assigned to them is Terraform's still (case S24).
	_, err := p.people.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: &p.store, UserId: &e.users[0].id})
	step("delete user", err)
	_, err = p.people.DeleteGroup(ctx, &identitystore.DeleteGroupInput{IdentityStoreId: &p.store, GroupId: &e.groups[1].id})
	step("delete group", err)
	step("destroy", p.destroy(ctx, e.all))
}

// giveCustomerPolicies gives every account policies of its own. No client can, so it is done to the database of a server
// that is stopped.
func (s *server) giveCustomerPolicies(database string, refs ...tfPolicyRef) {
	s.tb.Helper()
	ctx := s.tb.Context()
	s.stop()
	db, err := store.Open(ctx, database, clock.System{})
	if err != nil {
		s.tb.Fatal(err)
	}
	accounts := hosted.Provisioner{DB: db}
	for _, account := range s.Accounts {
		for _, ref := range refs {
			const document = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sso:List*", "Resource": "*"}]}`
			if err := accounts.PutPolicy(ctx, arn.AccountID(account.ID), ref.Path, ref.Name, document); err != nil {
				s.tb.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		s.tb.Fatal(err)
	}
	s.start()
}

// followed fails the test if a role is not as its permission set says: the provider has provisioned each that it changed
// (case S20).
func (s *server) followed(p *tfProvider) {
	s.tb.Helper()
	for _, account := range s.Accounts {
		late := s.setsIn(p, account.ID, admintypes.ProvisioningStatusLatestPermissionSetNotProvisioned)
		if len(late) > 0 {
			s.tb.Fatalf("account %s does not follow the permission sets %q", account.ID, late)
		}
	}
}

// setsIn lists the permission sets that have a role in an account.
func (s *server) setsIn(p *tfProvider, account string, status admintypes.ProvisioningStatus) (sets []string) {
	s.tb.Helper()
	pages := ssoadmin.NewListPermissionSetsProvisionedToAccountPaginator(p.admin, &ssoadmin.ListPermissionSetsProvisionedToAccountInput{
		InstanceArn: &s.InstanceARN, AccountId: &account, ProvisioningStatus: status,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.tb.Context())
		if err != nil {
			s.tb.Fatal(err)
		}
		sets = append(sets, page.PermissionSets...)
	}
	return sets
}

// census counts what there is of everything that a round makes.
func (s *server) census(p *tfProvider) string {
	s.tb.Helper()
	ctx := s.tb.Context()
	roles := 0
	for _, account := range s.Accounts {
		roles += len(s.setsIn(p, account.ID, ""))
	}
	sets, err := p.admin.ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: &p.instance, MaxResults: aws.Int32(100)})
	check(s.tb, err)
	users, err := p.people.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: &p.store, MaxResults: aws.Int32(100)})
	check(s.tb, err)
	groups, err := p.people.ListGroups(ctx, &identitystore.ListGroupsInput{IdentityStoreId: &p.store, MaxResults: aws.Int32(100)})
	check(s.tb, err)
	apps, err := p.admin.ListApplications(ctx, &ssoadmin.ListApplicationsInput{InstanceArn: &p.instance})
	check(s.tb, err)
	issuers, err := p.admin.ListTrustedTokenIssuers(ctx, &ssoadmin.ListTrustedTokenIssuersInput{InstanceArn: &p.instance})
	check(s.tb, err)
	return fmt.Sprintf("%d roles, %d permission sets, %d users, %d groups, %d applications, %d issuers", roles,
		len(sets.PermissionSets), len(users.Users), len(groups.Groups), len(apps.Applications), len(issuers.TrustedTokenIssuers))
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
