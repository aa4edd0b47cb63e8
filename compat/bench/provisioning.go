package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/store"
)

const (
	someAccounts = 500
	allAccounts  = 1000
	pollEvery    = 10 * time.Millisecond
)

// provisioning measures how long it takes until an edit of a permission set has reached 1,000 accounts that the server hosts, and,
// beside it, 500.
func provisioning(ctx context.Context, b bench) ([]row, error) {
	if _, _, err := b.emptyWorld(ctx, b.dir, relax); err != nil {
		return nil, err
	}
	err := b.offline(ctx, b.dir, func(db *store.DB) error { return inBatches(ctx, db, allAccounts, addAccount) })
	if err != nil {
		return nil, err
	}
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	p := provisioned{client: w.client(server.addr), instance: w.InstanceARN}
	sets, err := p.createSets(ctx, w.InstanceARN, "Everywhere", 2)
	if err == nil {
		err = errors.Join(p.assign(ctx, sets[0], w.Groups[0].ID, someAccounts), p.assign(ctx, sets[1], w.Groups[0].ID, allAccounts))
	}
	if err == nil {
		err = settled(ctx, p.client, w.InstanceARN)
	}
	if err != nil {
		return nil, err
	}
	var some, all []float64
	for round := range b.rounds + 1 {
		short, err := p.provision(ctx, sets[0], 2*round, someAccounts)
		if err != nil {
			return nil, err
		}
		long, err := p.provision(ctx, sets[1], 2*round+1, allAccounts)
		if err != nil {
			return nil, err
		}
		if round > 0 {
			some, all = append(some, short), append(all, long)
		}
	}
	took, longer := summarize(all), ratio(all, some)
	return []row{
		{"an edited permission set provisioned to 1,000 accounts, s", took.String(), "to 500: " + summarize(some).String(), longer.String() + " as long", "less than 5 s", took.median < 5},
		{"the same, how much longer than to half as many", longer.String(), "–", "–", "at most 2.5", longer.median <= 2.5},
	}, server.stop()
}

// provisioned is a world whose permission sets are in many accounts.
type provisioned struct {
	client
	instance string
}

// assign gives a group a permission set in the first n accounts.
func (p provisioned) assign(ctx context.Context, set, group string, n int) error {
	for i := range n {
		_, _, err := call[*ssoadmin.CreateAccountAssignmentResponse](ctx, p.client, &ssoadmin.Info, "CreateAccountAssignment",
			assignment(p.instance, set, string(accountID(i)), group))
		if err != nil {
			return err
		}
	}
	return nil
}

// provision edits a permission set and returns how many seconds it takes from then until the edit is in n accounts.
func (p provisioned) provision(ctx context.Context, set string, edition, n int) (float64, error) {
	_, _, err := call[*ssoadmin.PutInlinePolicyToPermissionSetResponse](ctx, p.client, &ssoadmin.Info, "PutInlinePolicyToPermissionSet", inlinePolicy(p.instance, set, edition))
	if err != nil {
		return 0, err
	}
	start := time.Now()
	begun, _, err := call[*ssoadmin.ProvisionPermissionSetResponse](ctx, p.client, &ssoadmin.Info, "ProvisionPermissionSet", &ssoadmin.ProvisionPermissionSetRequest{
		InstanceArn: p.instance, PermissionSetArn: set, TargetType: ssoadmin.ProvisionTargetTypeAllProvisionedAccounts,
	})
	if err != nil {
		return 0, err
	}
	status := begun.PermissionSetProvisioningStatus
	for *status.Status == ssoadmin.StatusValuesInProgress && ctx.Err() == nil {
		time.Sleep(pollEvery)
		now, _, err := call[*ssoadmin.DescribePermissionSetProvisioningStatusResponse](ctx, p.client, &ssoadmin.Info, "DescribePermissionSetProvisioningStatus",
			&ssoadmin.DescribePermissionSetProvisioningStatusRequest{InstanceArn: p.instance, ProvisionPermissionSetRequestId: *status.RequestId})
		if err != nil {
			return 0, err
		}
		status = now.PermissionSetProvisioningStatus
	}
	took := time.Since(start).Seconds()
	if *status.Status != ssoadmin.StatusValuesSucceeded {
		return 0, errors.Join(fmt.Errorf("the provisioning ended %s", *status.Status), ctx.Err())
	}
	return took, p.upToDate(ctx, set, n)
}

// upToDate sees to it that n accounts have the permission set as it is now, and none as it was.
func (p provisioned) upToDate(ctx context.Context, set string, n int) error {
	ask := &ssoadmin.ListAccountsForProvisionedPermissionSetRequest{
		InstanceArn: p.instance, PermissionSetArn: set, ProvisioningStatus: new(ssoadmin.ProvisioningStatusLatestPermissionSetProvisioned),
	}
	for have := 0; ; {
		page, _, err := call[*ssoadmin.ListAccountsForProvisionedPermissionSetResponse](ctx, p.client, &ssoadmin.Info, "ListAccountsForProvisionedPermissionSet", ask)
		if err != nil {
			return err
		}
		have += len(page.AccountIds)
		if ask.NextToken = page.NextToken; ask.NextToken != nil {
			continue
		}
		if have != n {
			return fmt.Errorf("%d accounts have the permission set as it is, expected %d", have, n)
		}
		return nil
	}
}
