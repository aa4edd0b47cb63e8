package main

import (
	"context"
	"fmt"
	"path/filepath"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/store"
)

// A user is in one of twenty groups; every group has as many assignments as any other, each in another account.
const (
	heldFew      = 5_000
	heldMany     = 500_000
	holderGroups = 1000
	holderOf     = 50
	holderSets   = 10
)

// holding measures the first page of what a user has, by 50 groups, at 500,000 assignments, of which the user has a twentieth.
// Beside it runs the same at 5,000.
func holding(ctx context.Context, b bench) ([]row, error) {
	few, err := b.holdingWorld(ctx, "few", heldFew)
	if err != nil {
		return nil, err
	}
	many, err := b.holdingWorld(ctx, "many", heldMany)
	if err != nil {
		return nil, err
	}
	rates, err := b.measure(ctx, few, many)
	if err != nil {
		return nil, err
	}
	slower := ratio(rates[0], rates[1])
	return []row{{
		"ListAccountAssignmentsForPrincipal, first page of 100, a user in 50 groups, 500,000 assignments, per second", summarize(rates[1]).String(),
		"at 5,000: " + summarize(rates[0]).String(), slower.String() + " slower", "at most 1.5", slower.median <= 1.5,
	}}, nil
}

// holdingWorld makes and starts a world with n assignments.
func (b bench) holdingWorld(ctx context.Context, name string, n int) (target, error) {
	dir := filepath.Join(b.dir, name)
	w, instance, err := b.emptyWorld(ctx, dir, relax)
	if err != nil {
		return target{}, err
	}
	err = b.offline(ctx, dir, func(db *store.DB) error { return fillHoldings(ctx, db, w, instance, n) })
	if err != nil {
		return target{}, err
	}
	server, w, err := b.dev(ctx, dir)
	if err != nil {
		return target{}, err
	}
	c := w.client(server.addr)
	ask := &ssoadmin.ListAccountAssignmentsForPrincipalRequest{
		InstanceArn: w.InstanceARN, PrincipalId: w.Users[0].ID, PrincipalType: ssoadmin.PrincipalTypeUser, MaxResults: new(int32(pageSize)),
	}
	page, _, err := call[*ssoadmin.ListAccountAssignmentsForPrincipalResponse](ctx, c, &ssoadmin.Info, "ListAccountAssignmentsForPrincipal", ask)
	if err != nil {
		return target{}, err
	}
	if len(page.AccountAssignments) != pageSize || page.NextToken == nil {
		return target{}, fmt.Errorf("a page has %d assignments, expected %d and more to come", len(page.AccountAssignments), pageSize)
	}
	return target{name: name, addr: server.addr, conns: listConns, requests: func() ([][]byte, error) {
		r, err := c.render(ctx, &ssoadmin.Info, "ListAccountAssignmentsForPrincipal", ask)
		return [][]byte{r}, err
	}}, nil
}

func fillHoldings(ctx context.Context, db *store.DB, w world, instance arn.Instance, n int) error {
	sets := make([]arn.PermissionSet, holderSets)
	if err := inBatches(ctx, db, len(sets), func(tx *store.Tx, i int) error {
		sets[i] = arn.NewPermissionSet(instance)
		return addSet(tx, sets[i], fmt.Sprintf("Held%d", i), "")
	}); err != nil {
		return err
	}
	accounts := heldMany / holderGroups
	if err := inBatches(ctx, db, accounts, addAccount); err != nil {
		return err
	}
	groups := make([]string, holderGroups)
	if err := inBatches(ctx, db, len(groups), func(tx *store.Tx, i int) (err error) {
		if groups[i], err = addGroup(tx, w, i); err != nil || i%(holderGroups/holderOf) != 0 {
			return err
		}
		return addMember(tx, w, groups[i], w.Users[0].ID)
	}); err != nil {
		return err
	}
	return inBatches(ctx, db, n, func(tx *store.Tx, i int) error {
		group, nth := i%holderGroups, i/holderGroups
		err := tx.InsertAssignment(store.Assignment{
			Account: accountID((7*group + nth) % accounts), Set: sets[nth%holderSets], PrincipalType: store.PrincipalGroup, PrincipalID: groups[group],
			State: store.AssignmentGranted, CreatedAt: tx.Now(),
		})
		if err != nil {
			return fmt.Errorf("add assignment: %w", err)
		}
		return nil
	})
}
