package ssoadmin

import (
	"context"
	"fmt"

	"sallyport/internal/access"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
)

// AttachManagedPolicyToPermissionSet adds an AWS managed policy to a permission set. The model's pattern lets no other
// policy through (case S18).
func (s Service) AttachManagedPolicyToPermissionSet(_ context.Context, c *endpoint.Call, in *api.AttachManagedPolicyToPermissionSetRequest) (*api.AttachManagedPolicyToPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.AttachManagedPolicy(c.Tx, p, in.ManagedPolicyArn, c.Limits); err != nil {
		return nil, err
	}
	return &api.AttachManagedPolicyToPermissionSetResponse{}, nil
}

// DetachManagedPolicyFromPermissionSet takes a managed policy off a permission set.
func (s Service) DetachManagedPolicyFromPermissionSet(_ context.Context, c *endpoint.Call, in *api.DetachManagedPolicyFromPermissionSetRequest) (*api.DetachManagedPolicyFromPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.DetachManagedPolicy(c.Tx, p, in.ManagedPolicyArn); err != nil {
		return nil, err
	}
	return &api.DetachManagedPolicyFromPermissionSetResponse{}, nil
}

// ListManagedPoliciesInPermissionSet lists a permission set's AWS managed policies.
func (s Service) ListManagedPoliciesInPermissionSet(_ context.Context, c *endpoint.Call, in *api.ListManagedPoliciesInPermissionSetRequest) (*api.ListManagedPoliciesInPermissionSetResponse, error) {
	_, p, err := s.set(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.AttachedPolicies(p.PermissionSet, q)
	if err != nil {
		return nil, fmt.Errorf("list attached policies: %w", err)
	}
	return &api.ListManagedPoliciesInPermissionSetResponse{
		AttachedManagedPolicies: mapped(rows, func(a string) api.AttachedManagedPolicy {
			return api.AttachedManagedPolicy{Arn: &a, Name: new(access.PolicyName(a))}
		}),
		NextToken: c.NextToken(next, in.PermissionSetArn),
	}, nil
}

// PutInlinePolicyToPermissionSet gives a permission set its inline policy, in place of the one it had.
func (s Service) PutInlinePolicyToPermissionSet(_ context.Context, c *endpoint.Call, in *api.PutInlinePolicyToPermissionSetRequest) (*api.PutInlinePolicyToPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.PutInlinePolicy(c.Tx, p, in.InlinePolicy, c.Limits); err != nil {
		return nil, err
	}
	return &api.PutInlinePolicyToPermissionSetResponse{}, nil
}

// GetInlinePolicyForPermissionSet is the inline policy as it was written; "" if there is none (wire protocols §5).
func (s Service) GetInlinePolicyForPermissionSet(_ context.Context, c *endpoint.Call, in *api.GetInlinePolicyForPermissionSetRequest) (*api.GetInlinePolicyForPermissionSetResponse, error) {
	_, p, err := s.set(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	text, err := access.InlinePolicy(c.Tx, p)
	if err != nil {
		return nil, err
	}
	return &api.GetInlinePolicyForPermissionSetResponse{InlinePolicy: &text}, nil
}

// DeleteInlinePolicyFromPermissionSet takes the inline policy off a permission set.
func (s Service) DeleteInlinePolicyFromPermissionSet(_ context.Context, c *endpoint.Call, in *api.DeleteInlinePolicyFromPermissionSetRequest) (*api.DeleteInlinePolicyFromPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.DeleteInlinePolicy(c.Tx, p); err != nil {
		return nil, err
	}
	return &api.DeleteInlinePolicyFromPermissionSetResponse{}, nil
}
