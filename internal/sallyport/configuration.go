package sallyport

import (
	"context"
	"fmt"
	"time"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// ListOrganizationAccounts lists the accounts of the organization.
func (s *Service) ListOrganizationAccounts(_ context.Context, c *endpoint.Call, in *api.ListOrganizationAccountsRequest) (*api.ListOrganizationAccountsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	var after arn.AccountID
	if len(q.After) > 0 {
		after = arn.AccountID(q.After[0])
	}
	rows, err := c.Tx.Accounts(after, q.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	rows, next := page.Trim(rows, q.Limit, func(a store.Account) page.Key { return page.Key{string(a.ID)} })
	return &api.ListOrganizationAccountsResponse{NextToken: c.NextToken(next), Accounts: mapped(rows, accountOut)}, nil
}

// ListAssignments lists every account assignment of the instance, in pages of up to a thousand.
func (s *Service) ListAssignments(_ context.Context, c *endpoint.Call, in *api.ListAssignmentsRequest) (*api.ListAssignmentsResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.AllAssignments(i.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list assignments: %w", err)
	}
	return &api.ListAssignmentsResponse{NextToken: c.NextToken(next, in.InstanceArn), Assignments: mapped(rows, func(a store.Assignment) api.Assignment {
		return api.Assignment{
			AccountId: string(a.Account), PermissionSetArn: a.Set.ARN(), PrincipalType: api.PrincipalType(a.PrincipalType),
			PrincipalId: a.PrincipalID, State: api.AssignmentState(a.State),
		}
	})}, nil
}

// ListPermissionSetDetails lists permission sets with all that they are made of, so that a configuration is read in few requests.
func (s *Service) ListPermissionSetDetails(_ context.Context, c *endpoint.Call, in *api.ListPermissionSetDetailsRequest) (*api.ListPermissionSetDetailsResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	q.Limit = min(q.Limit, store.MaxDetails)
	rows, next, err := c.Tx.PermissionSets(i.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list permission sets: %w", err)
	}
	details, err := c.Tx.Details(rows)
	if err != nil {
		return nil, fmt.Errorf("load what permission sets are made of: %w", err)
	}
	return &api.ListPermissionSetDetailsResponse{PermissionSets: mapped(details, detailsOut), NextToken: c.NextToken(next, in.InstanceArn)}, nil
}

func detailsOut(p store.PermissionSetDetails) api.PermissionSetDetails {
	out := api.PermissionSetDetails{
		PermissionSetArn: p.ARN(), Name: p.Name, Description: optional(p.Description), SessionDuration: p.SessionDuration, RelayState: optional(p.RelayState),
		ManagedPolicyArns: mapped(p.Managed, func(arn string) string { return arn }), CustomerManagedPolicyReferences: mapped(p.Customer, referenceOut),
		InlinePolicy: optional(p.InlineText), CreatedDate: p.CreatedAt,
		ProvisionedAccounts: count(int64(p.Accounts)), OutdatedAccounts: count(int64(p.Outdated)),
		Tags: mapped(p.Tags, func(t store.Tag) api.Tag { return api.Tag{Key: t.Key, Value: t.Value} }),
	}
	if p.MaxMFAAge > 0 {
		out.MaxMfaAgeMinutes = new(count(int64(p.MaxMFAAge / time.Minute)))
	}
	if b := p.Boundary; b != nil {
		out.BoundaryPolicyArn = optional(b.Managed)
		if b.Customer != nil {
			ref := referenceOut(*b.Customer)
			out.BoundaryPolicyReference = &ref
		}
	}
	return out
}

func referenceOut(p store.CustomerPolicy) api.PolicyReference {
	return api.PolicyReference{Name: p.Name, Path: p.Path}
}
