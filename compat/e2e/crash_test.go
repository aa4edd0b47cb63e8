package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/aws/smithy-go"

	"sallyport/internal/store/storetest/pgtest"
)

// concurrentCalls is how many CreateAccountAssignment calls are under way when the server is killed.
const concurrentCalls = 200

// crashes is how often the server is killed per database: SALLYPORT_CRASHES, or 20.
func crashes(tb testing.TB) int {
	tb.Helper()
	set := os.Getenv("SALLYPORT_CRASHES")
	if set == "" {
		return 20
	}
	n, err := strconv.Atoi(set)
	if err != nil {
		tb.Fatalf("SALLYPORT_CRASHES: %v", err)
	}
	return n
}

// TestCrash kills the server at a random moment among concurrent calls whose clients retry. What was acknowledged is
// known and ends well, nothing is done twice, and the audit log has every request once.
func TestCrash(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) []string{
		"SQLite":     func(testing.TB) []string { return nil },
		"PostgreSQL": func(tb testing.TB) []string { return []string{"--database", pgtest.NewDatabase(tb)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range crashes(t) {
				t.Run(strconv.Itoa(i+1), func(t *testing.T) {
					t.Parallel()
					crashOnce(t, database(t))
				})
			}
		})
	}
}

func crashOnce(t *testing.T, args []string) {
	s := startDev(t, args...)
	s.cli("settings", "set", "limits.mode", "relaxed") // so that all calls are under way
	admin := ssoadmin.NewFromConfig(s.operatorConfig(), func(o *ssoadmin.Options) { o.Retryer = aws.NopRetryer{} })
	patient := func(o *ssoadmin.Options) { o.RetryMaxAttempts = 10 } // a node that hears nothing of its database says to come back
	wanted := s.assignments(ssoadmin.NewFromConfig(s.operatorConfig(), patient))
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()

	acknowledged := make([]string, len(wanted))
	answers := make(chan struct{}, len(wanted))
	var clients sync.WaitGroup
	for i, in := range wanted {
		clients.Go(func() {
			id, err := assignStubbornly(ctx, admin, in)
			if err != nil {
				t.Errorf("assign %d: %v", i, err)
			}
			acknowledged[i] = id
			answers <- struct{}{}
		})
	}
	// After the last answer, too, there is much to interrupt: most roles are still to be made.
	moment, delay := rand.N(len(wanted)+1), rand.N(20*time.Millisecond)
	defer func() {
		if t.Failed() {
			t.Logf("killed %v after answer %d", delay, moment)
		}
	}()
	for range moment {
		<-answers
	}
	time.Sleep(delay)
	s.kill()
	s.start()
	clients.Wait()
	if t.Failed() {
		return
	}

	admin = ssoadmin.NewFromConfig(s.operatorConfig(), patient) // from here on retries are the SDK's business
	for _, id := range acknowledged {
		s.succeeds(ctx, admin, id)
	}
	requests := s.requests(ctx, admin)
	for id := range requests { // some were accepted just before the crash, and nobody was told
		s.succeeds(ctx, admin, id)
	}
	s.checkAssignments(ctx, admin, wanted)
	s.awaitAudit(ctx, requests)
	s.stop()
	s.checkAudit(requests, acknowledged)
}

// assignments makes permission sets, and wants each for everybody in every account, up to concurrentCalls.
func (s *server) assignments(admin *ssoadmin.Client) []*ssoadmin.CreateAccountAssignmentInput {
	s.tb.Helper()
	var wanted []*ssoadmin.CreateAccountAssignmentInput
	instance := s.InstanceARN // a copy: what the server says of itself is read anew when it is started again
	for i := 0; ; i++ {
		set := s.permissionSet(admin, fmt.Sprintf("Set%d", i))
		for _, account := range s.Accounts {
			for _, user := range s.Users {
				wanted = append(wanted, &ssoadmin.CreateAccountAssignmentInput{
					InstanceArn: &instance, PermissionSetArn: &set,
					TargetId: aws.String(account.ID), TargetType: admintypes.TargetTypeAwsAccount,
					PrincipalId: aws.String(user.UserID), PrincipalType: admintypes.PrincipalTypeUser,
				})
				if len(wanted) == concurrentCalls {
					return wanted
				}
			}
		}
	}
}

// assignStubbornly asks until the server has acknowledged: it may be down, busy with the same role, or out of breath.
func assignStubbornly(ctx context.Context, admin *ssoadmin.Client, in *ssoadmin.CreateAccountAssignmentInput) (requestID string, err error) {
	for {
		out, err := admin.CreateAccountAssignment(ctx, in)
		if err == nil {
			return *out.AccountAssignmentCreationStatus.RequestId, nil
		}
		var said smithy.APIError
		var conflict *admintypes.ConflictException
		var throttled *admintypes.ThrottlingException
		if errors.As(err, &said) && !errors.As(err, &conflict) && !errors.As(err, &throttled) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(20*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

// succeeds waits until an acknowledged request has ended, which must be well.
func (s *server) succeeds(ctx context.Context, admin *ssoadmin.Client, requestID string) {
	s.tb.Helper()
	for {
		out, err := admin.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{
			InstanceArn: &s.InstanceARN, AccountAssignmentCreationRequestId: &requestID,
		})
		if err != nil {
			s.tb.Fatalf("acknowledged request %s: %v", requestID, err)
		}
		switch status := out.AccountAssignmentCreationStatus; status.Status {
		case admintypes.StatusValuesSucceeded:
			return
		case admintypes.StatusValuesFailed:
			s.tb.Fatalf("acknowledged request %s failed: %s", requestID, aws.ToString(status.FailureReason))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// requests lists the ids of all requests that the server has accepted.
func (s *server) requests(ctx context.Context, admin *ssoadmin.Client) map[string]bool {
	s.tb.Helper()
	ids := map[string]bool{}
	pages := ssoadmin.NewListAccountAssignmentCreationStatusPaginator(admin,
		&ssoadmin.ListAccountAssignmentCreationStatusInput{InstanceArn: &s.InstanceARN, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.tb.Fatal(err)
		}
		for _, request := range page.AccountAssignmentsCreationStatus {
			ids[*request.RequestId] = true
		}
	}
	return ids
}

// checkAssignments compares what the server lists with what was wanted: each assignment once, and each permission set once
// in each account.
func (s *server) checkAssignments(ctx context.Context, admin *ssoadmin.Client, wanted []*ssoadmin.CreateAccountAssignmentInput) {
	s.tb.Helper()
	want := map[string]int{}
	for _, in := range wanted {
		want[*in.TargetId+" "+*in.PermissionSetArn+" "+*in.PrincipalId] = 1
		want[*in.TargetId+" "+*in.PermissionSetArn] = 1
	}
	for _, account := range s.Accounts {
		for _, set := range s.provisioned(ctx, admin, account.ID) {
			want[account.ID+" "+set]--
			pages := ssoadmin.NewListAccountAssignmentsPaginator(admin, &ssoadmin.ListAccountAssignmentsInput{
				InstanceArn: &s.InstanceARN, AccountId: aws.String(account.ID), PermissionSetArn: aws.String(set),
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					s.tb.Fatal(err)
				}
				for _, got := range page.AccountAssignments {
					want[*got.AccountId+" "+*got.PermissionSetArn+" "+*got.PrincipalId]--
				}
			}
		}
	}
	for what, off := range want {
		if off != 0 {
			s.tb.Errorf("%s is listed %d times", what, 1-off)
		}
	}
}

// provisioned lists the permission sets that have a role in an account.
func (s *server) provisioned(ctx context.Context, admin *ssoadmin.Client, accountID string) (sets []string) {
	s.tb.Helper()
	pages := ssoadmin.NewListPermissionSetsProvisionedToAccountPaginator(admin,
		&ssoadmin.ListPermissionSetsProvisionedToAccountInput{InstanceArn: &s.InstanceARN, AccountId: &accountID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.tb.Fatal(err)
		}
		sets = append(sets, page.PermissionSets...)
	}
	return sets
}
