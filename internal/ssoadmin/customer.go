package ssoadmin

import (
	"context"

	"sallyport/internal/access"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// AttachCustomerManagedPolicyReferenceToPermissionSet refers a permission set to a policy that each account has its own of.
func (s Service) AttachCustomerManagedPolicyReferenceToPermissionSet(_ context.Context, c *endpoint.Call, in *api.AttachCustomerManagedPolicyReferenceToPermissionSetRequest) (*api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.AttachCustomerPolicy(c.Tx, p, customerFrom(in.CustomerManagedPolicyReference), c.Limits); err != nil {
		return nil, err
	}
	return &api.AttachCustomerManagedPolicyReferenceToPermissionSetResponse{}, nil
}

// DetachCustomerManagedPolicyReferenceFromPermissionSet takes such a reference back.
func (s Service) DetachCustomerManagedPolicyReferenceFromPermissionSet(_ context.Context, c *endpoint.Call, in *api.DetachCustomerManagedPolicyReferenceFromPermissionSetRequest) (*api.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.DetachCustomerPolicy(c.Tx, p, customerFrom(in.CustomerManagedPolicyReference)); err != nil {
		return nil, err
	}
	return &api.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse{}, nil
}

// ListCustomerManagedPolicyReferencesInPermissionSet lists a permission set's references by name. There are few, so a page is
// cut from all of them.
func (s Service) ListCustomerManagedPolicyReferencesInPermissionSet(_ context.Context, c *endpoint.Call, in *api.ListCustomerManagedPolicyReferencesInPermissionSetRequest) (*api.ListCustomerManagedPolicyReferencesInPermissionSetResponse, error) {
	_, p, err := s.set(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	rows, next := page.Of(p.Customer, q, func(r store.CustomerPolicy) page.Key { return page.Key{r.Name, r.Path} })
	return &api.ListCustomerManagedPolicyReferencesInPermissionSetResponse{
		CustomerManagedPolicyReferences: mapped(rows, customerOut), NextToken: c.NextToken(next, in.PermissionSetArn),
	}, nil
}

func customerFrom(r api.CustomerManagedPolicyReference) store.CustomerPolicy {
	if r.Path == nil {
		return store.CustomerPolicy{Name: r.Name, Path: "/"}
	}
	return store.CustomerPolicy{Name: r.Name, Path: *r.Path}
}

func customerOut(r store.CustomerPolicy) api.CustomerManagedPolicyReference {
	return api.CustomerManagedPolicyReference{Name: r.Name, Path: &r.Path}
}

// PutPermissionsBoundaryToPermissionSet gives a permission set its boundary, in place of the one it had.
func (s Service) PutPermissionsBoundaryToPermissionSet(_ context.Context, c *endpoint.Call, in *api.PutPermissionsBoundaryToPermissionSetRequest) (*api.PutPermissionsBoundaryToPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	b := store.Boundary{Managed: value(in.PermissionsBoundary.ManagedPolicyArn)}
	if r := in.PermissionsBoundary.CustomerManagedPolicyReference; r != nil {
		b.Customer = new(customerFrom(*r))
	}
	if err := access.PutBoundary(c.Tx, p, b); err != nil {
		return nil, err
	}
	return &api.PutPermissionsBoundaryToPermissionSetResponse{}, nil
}

// GetPermissionsBoundaryForPermissionSet is the boundary; that there is none is an error (behaviour reference §3.4).
func (s Service) GetPermissionsBoundaryForPermissionSet(_ context.Context, c *endpoint.Call, in *api.GetPermissionsBoundaryForPermissionSetRequest) (*api.GetPermissionsBoundaryForPermissionSetResponse, error) {
	_, p, err := s.set(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if p.Boundary == nil {
		return nil, fault.Missing("PermissionsBoundary", p.ARN())
	}
	out := &api.PermissionsBoundary{ManagedPolicyArn: optional(p.Boundary.Managed)}
	if r := p.Boundary.Customer; r != nil {
		out.CustomerManagedPolicyReference = new(customerOut(*r))
	}
	return &api.GetPermissionsBoundaryForPermissionSetResponse{PermissionsBoundary: out}, nil
}

// DeletePermissionsBoundaryFromPermissionSet takes the boundary off a permission set.
func (s Service) DeletePermissionsBoundaryFromPermissionSet(_ context.Context, c *endpoint.Call, in *api.DeletePermissionsBoundaryFromPermissionSetRequest) (*api.DeletePermissionsBoundaryFromPermissionSetResponse, error) {
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, "")
	if err != nil {
		return nil, err
	}
	if err := access.DeleteBoundary(c.Tx, p); err != nil {
		return nil, err
	}
	return &api.DeletePermissionsBoundaryFromPermissionSetResponse{}, nil
}
