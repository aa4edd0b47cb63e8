package main

import (
	"context"
	"fmt"
	"path/filepath"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/store"
)

const (
	fewAssignments  = 200
	manyAssignments = 200_000
	pageSize        = 100
	listConns       = 8
)

// listing measures a page of 100 of ListAccountAssignments at 200,000 assignments of one permission set in one account: the
// first page, and one in the middle. Beside it runs the same at 200 assignments.
func listing(ctx context.Context, b bench) ([]row, error) {
	few, err := b.listingWorld(ctx, "few", fewAssignments, 0)
	if err != nil {
		return nil, err
	}
	many, err := b.listingWorld(ctx, "many", manyAssignments, manyAssignments/2)
	if err != nil {
		return nil, err
	}
	first, middle := many, many
	first.name, first.requests = "first page of many", func() ([][]byte, error) { return many.pages(ctx, "") }
	middle.name, middle.requests = "middle page of many", func() ([][]byte, error) { return many.pages(ctx, many.middle) }
	few.name, few.requests = "first page of few", func() ([][]byte, error) { return few.pages(ctx, "") }
	rates, err := b.measure(ctx, few.target, first.target, middle.target)
	if err != nil {
		return nil, err
	}
	beside := "at 200: " + summarize(rates[0]).String()
	line := func(what string, rate []float64) row {
		slower := ratio(rates[0], rate)
		return row{what, summarize(rate).String(), beside, slower.String() + " slower", "at most 1.5", slower.median <= 1.5}
	}
	return []row{
		line("ListAccountAssignments at 200,000, first page of 100, per second", rates[1]),
		line("the same, a page in the middle", rates[2]),
	}, nil
}

// list is a list of assignments to be measured.
type list struct {
	target
	client client
	ask    ssoadmin.ListAccountAssignmentsRequest
	middle string // token of the page after half of the list
}

// listingWorld makes and starts a world with n assignments, and pages to the one after `upTo` of them.
func (b bench) listingWorld(ctx context.Context, name string, n, upTo int) (*list, error) {
	dir := filepath.Join(b.dir, name)
	server, w, err := b.dev(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := server.stop(); err != nil {
		return nil, err
	}
	set, err := b.manyAssigned(ctx, dir, w, n)
	if err != nil {
		return nil, err
	}
	if server, w, err = b.dev(ctx, dir); err != nil {
		return nil, err
	}
	l := &list{
		target: target{addr: server.addr, conns: listConns}, client: w.client(server.addr),
		ask: ssoadmin.ListAccountAssignmentsRequest{AccountId: auditedAccount, InstanceArn: w.InstanceARN, PermissionSetArn: set.ARN(), MaxResults: new(int32(pageSize))},
	}
	for seen := 0; seen < upTo; seen += pageSize {
		page, _, err := call[*ssoadmin.ListAccountAssignmentsResponse](ctx, l.client, &ssoadmin.Info, "ListAccountAssignments", l.page(l.middle))
		if err != nil {
			return nil, err
		}
		if len(page.AccountAssignments) != pageSize || page.NextToken == nil {
			return nil, fmt.Errorf("a page has %d assignments, expected %d and more to come", len(page.AccountAssignments), pageSize)
		}
		l.middle = *page.NextToken
	}
	return l, nil
}

// page asks for a page; the first one has no token.
func (l *list) page(token string) *ssoadmin.ListAccountAssignmentsRequest {
	ask := l.ask
	if token != "" {
		ask.NextToken = &token
	}
	return &ask
}

func (l *list) pages(ctx context.Context, token string) ([][]byte, error) {
	r, err := l.client.render(ctx, &ssoadmin.Info, "ListAccountAssignments", l.page(token))
	return [][]byte{r}, err
}

// manyAssigned adds a permission set and n assignments of it in one account.
func (b bench) manyAssigned(ctx context.Context, dir string, w world, n int) (arn.PermissionSet, error) {
	instance, err := arn.ParseInstance(w.InstanceARN)
	if err != nil {
		return arn.PermissionSet{}, err
	}
	set := arn.NewPermissionSet(instance)
	return set, b.offline(ctx, dir, func(db *store.DB) error {
		err := db.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertPermissionSet(store.PermissionSet{PermissionSet: set, Name: "Many", SessionDuration: "PT1H", Revision: 1, CreatedAt: tx.Now()})
		})
		const batch = 2000 // far from the time that a transaction may take
		for left := n; left > 0 && err == nil; left -= batch {
			err = db.Update(ctx, func(tx *store.Tx) error { return assignMany(tx, set, min(batch, left)) })
		}
		return err
	})
}

func assignMany(tx *store.Tx, set arn.PermissionSet, n int) error {
	for range n {
		err := tx.InsertAssignment(store.Assignment{
			Account: auditedAccount, Set: set, PrincipalType: store.PrincipalUser, PrincipalID: arn.NewUUID(),
			State: store.AssignmentGranted, CreatedAt: tx.Now(),
		})
		if err != nil {
			return fmt.Errorf("add assignment: %w", err)
		}
	}
	return nil
}
