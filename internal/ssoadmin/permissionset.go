package ssoadmin

import (
	"context"
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

// CreatePermissionSet adds a permission set to an instance.
func (s Service) CreatePermissionSet(_ context.Context, c *endpoint.Call, in *api.CreatePermissionSetRequest) (*api.CreatePermissionSetResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if err := access.AdmitPermissionSet(c.Tx, i.ID, c.Limits); err != nil {
		return nil, err
	}
	p, err := access.CreatePermissionSet(c.Tx, i, store.PermissionSet{
		Name: in.Name, Description: value(in.Description), SessionDuration: value(in.SessionDuration), RelayState: value(in.RelayState),
	})
	if err != nil {
		return nil, err
	}
	if err := tag(c, p.ARN(), in.Tags); err != nil {
		return nil, err
	}
	return &api.CreatePermissionSetResponse{PermissionSet: setOut(p)}, nil
}

// DescribePermissionSet describes a permission set as it is defined, which may be ahead of the roles made from it.
func (s Service) DescribePermissionSet(_ context.Context, c *endpoint.Call, in *api.DescribePermissionSetRequest) (*api.DescribePermissionSetResponse, error) {
	_, p, err := s.set(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	return &api.DescribePermissionSetResponse{PermissionSet: setOut(p)}, nil
}

// UpdatePermissionSet changes the members that are given, and takes the relay state away if none is. Roles follow when the
// permission set is provisioned (case S20).
func (s Service) UpdatePermissionSet(_ context.Context, c *endpoint.Call, in *api.UpdatePermissionSetRequest) (*api.UpdatePermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.UpdatePermissionSet(c.Tx, p, in.Description, in.SessionDuration, value(in.RelayState)); err != nil {
		return nil, err
	}
	return &api.UpdatePermissionSetResponse{}, nil
}

// ListPermissionSets lists the permission sets of an instance.
func (s Service) ListPermissionSets(_ context.Context, c *endpoint.Call, in *api.ListPermissionSetsRequest) (*api.ListPermissionSetsResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.SetIDs(i.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list permission sets: %w", err)
	}
	return &api.ListPermissionSetsResponse{
		PermissionSets: mapped(rows, arn.PermissionSet.ARN),
		NextToken:      c.NextToken(next, in.InstanceArn),
	}, nil
}

// DeletePermissionSet removes a permission set that is neither assigned nor provisioned anywhere.
func (s Service) DeletePermissionSet(_ context.Context, c *endpoint.Call, in *api.DeletePermissionSetRequest) (*api.DeletePermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.DeletePermissionSet(c.Tx, p); err != nil {
		return nil, err
	}
	return &api.DeletePermissionSetResponse{}, nil
}

func setOut(p store.PermissionSet) *api.PermissionSet {
	return &api.PermissionSet{
		PermissionSetArn: new(p.ARN()), Name: new(p.Name), Description: optional(p.Description),
		SessionDuration: new(p.SessionDuration), RelayState: optional(p.RelayState), CreatedDate: timestamp(p.CreatedAt),
	}
}
