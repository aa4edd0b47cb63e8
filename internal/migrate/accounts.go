package migrate

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"sallyport/internal/ascode"
)

// maxUnits bounds how many organizational units are visited: AWS allows 2,000.
const maxUnits = 5000

// unit is an organizational unit, or the root, that is to be visited.
type unit struct{ id, path string }

// accounts are those of the organization, by their place in it.
func (s *Source) accounts(ctx context.Context) ([]ascode.Account, error) {
	client := organizations.NewFromConfig(s.config)
	if err := s.pace.Wait(ctx); err != nil {
		return nil, err
	}
	roots, err := client.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return nil, fmt.Errorf("list roots: %w", err)
	}
	var todo []unit
	for _, r := range roots.Roots {
		todo = append(todo, unit{aws.ToString(r.Id), "/"})
	}
	var out []ascode.Account
	for n := 0; len(todo) > 0; n++ {
		if n > maxUnits {
			return nil, fmt.Errorf("more than %d organizational units", maxUnits)
		}
		u := todo[0]
		accounts, units, err := s.visit(ctx, client, u)
		if err != nil {
			return nil, err
		}
		out, todo = append(out, accounts...), append(todo[1:], units...)
	}
	return out, nil
}

// visit lists what is in a unit.
func (s *Source) visit(ctx context.Context, client *organizations.Client, u unit) (accounts []ascode.Account, units []unit, err error) {
	inside := organizations.NewListAccountsForParentPaginator(client, &organizations.ListAccountsForParentInput{ParentId: &u.id})
	for inside.HasMorePages() {
		if err := s.pace.Wait(ctx); err != nil {
			return nil, nil, err
		}
		page, err := inside.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("list accounts of %s: %w", u.path, err)
		}
		for _, a := range page.Accounts {
			accounts = append(accounts, ascode.Account{ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), Path: u.path})
		}
	}
	below := organizations.NewListOrganizationalUnitsForParentPaginator(client, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &u.id})
	for below.HasMorePages() {
		if err := s.pace.Wait(ctx); err != nil {
			return nil, nil, err
		}
		page, err := below.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("list organizational units of %s: %w", u.path, err)
		}
		for _, o := range page.OrganizationalUnits {
			path := u.path + "/" + aws.ToString(o.Name)
			if u.path == "/" {
				path = "/" + aws.ToString(o.Name)
			}
			units = append(units, unit{aws.ToString(o.Id), path})
		}
	}
	return accounts, units, nil
}
