package ssoadmin

import (
	"context"
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// ProvisionPermissionSet starts to bring the roles made from a permission set up to its definition, in one account or in all.
func (s Service) ProvisionPermissionSet(_ context.Context, c *endpoint.Call, in *api.ProvisionPermissionSetRequest) (*api.ProvisionPermissionSetResponse, error) {
	var account arn.AccountID
	if in.TargetType == api.ProvisionTargetTypeAwsAccount {
		if in.TargetId == nil {
			return nil, fault.Invalidf("TargetId is required for the target type AWS_ACCOUNT.")
		}
		account = arn.AccountID(*in.TargetId)
	}
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, account)
	if err != nil {
		return nil, err
	}
	if err := access.AdmitRequest(c.Tx, p.Instance, c.Limits); err != nil {
		return nil, err
	}
	r, err := access.BeginProvision(c.Tx, p.PermissionSet, account)
	if err != nil {
		return nil, err
	}
	return &api.ProvisionPermissionSetResponse{PermissionSetProvisioningStatus: provisioningStatusOut(r)}, nil
}

// ListAccountsForProvisionedPermissionSet lists the accounts in which a permission set has a role, by whether the role is
// up to date if that is asked.
func (s Service) ListAccountsForProvisionedPermissionSet(_ context.Context, c *endpoint.Call, in *api.ListAccountsForProvisionedPermissionSetRequest) (*api.ListAccountsForProvisionedPermissionSetResponse, error) {
	_, p, err := s.set(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	drift := driftFrom(in.ProvisioningStatus)
	q, err := c.Page(in.MaxResults, in.NextToken, in.PermissionSetArn, string(drift))
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.AccountsWithSet(p.PermissionSet, drift, q)
	if err != nil {
		return nil, fmt.Errorf("list accounts with permission set: %w", err)
	}
	return &api.ListAccountsForProvisionedPermissionSetResponse{
		AccountIds: mapped(rows, func(a arn.AccountID) string { return string(a) }),
		NextToken:  c.NextToken(next, in.PermissionSetArn, string(drift)),
	}, nil
}

// ListPermissionSetsProvisionedToAccount lists the permission sets that have a role in an account, by whether the role is
// up to date if that is asked.
func (s Service) ListPermissionSetsProvisionedToAccount(_ context.Context, c *endpoint.Call, in *api.ListPermissionSetsProvisionedToAccountRequest) (*api.ListPermissionSetsProvisionedToAccountResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	drift := driftFrom(in.ProvisioningStatus)
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn, in.AccountId, string(drift))
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.SetsInAccount(i.ID, arn.AccountID(in.AccountId), drift, q)
	if err != nil {
		return nil, fmt.Errorf("list permission sets in account: %w", err)
	}
	return &api.ListPermissionSetsProvisionedToAccountResponse{
		PermissionSets: mapped(rows, arn.PermissionSet.ARN),
		NextToken:      c.NextToken(next, in.InstanceArn, in.AccountId, string(drift)),
	}, nil
}

func driftFrom(s *api.ProvisioningStatus) store.ProvisioningStatus {
	if s == nil {
		return ""
	}
	return store.ProvisioningStatus(*s)
}
