package ssoadmin

import (
	"context"
	"fmt"

	"sallyport/internal/application"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

func assignmentTo(a store.Application, t api.PrincipalType, id string) store.ApplicationAssignment {
	return store.ApplicationAssignment{Application: a.Application, PrincipalType: store.PrincipalType(t), PrincipalID: id}
}

// CreateApplicationAssignment assigns a user or a group to an application.
func (s Service) CreateApplicationAssignment(_ context.Context, c *endpoint.Call, in *api.CreateApplicationAssignmentRequest) (*api.CreateApplicationAssignmentResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	i, err := s.instance(c, a.Instance.ARN())
	if err != nil {
		return nil, err
	}
	if err := application.Assign(c.Tx, i, assignmentTo(a, in.PrincipalType, in.PrincipalId), c.Limits); err != nil {
		return nil, err
	}
	return &api.CreateApplicationAssignmentResponse{}, nil
}

// DeleteApplicationAssignment takes the application from a user or a group; that it had none is no error.
func (s Service) DeleteApplicationAssignment(_ context.Context, c *endpoint.Call, in *api.DeleteApplicationAssignmentRequest) (*api.DeleteApplicationAssignmentResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if err := application.Unassign(c.Tx, assignmentTo(a, in.PrincipalType, in.PrincipalId)); err != nil {
		return nil, err
	}
	return &api.DeleteApplicationAssignmentResponse{}, nil
}

// DescribeApplicationAssignment confirms a direct assignment.
func (s Service) DescribeApplicationAssignment(_ context.Context, c *endpoint.Call, in *api.DescribeApplicationAssignmentRequest) (*api.DescribeApplicationAssignmentResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	assigned, err := c.Tx.ApplicationAssigned(assignmentTo(a, in.PrincipalType, in.PrincipalId))
	if err != nil {
		return nil, fmt.Errorf("look for assignment to application: %w", err)
	}
	if !assigned {
		return nil, fault.Missing("ApplicationAssignment", in.PrincipalId)
	}
	return &api.DescribeApplicationAssignmentResponse{ApplicationArn: &in.ApplicationArn, PrincipalId: &in.PrincipalId, PrincipalType: &in.PrincipalType}, nil
}

// ListApplicationAssignments lists who is assigned to an application directly.
func (s Service) ListApplicationAssignments(_ context.Context, c *endpoint.Call, in *api.ListApplicationAssignmentsRequest) (*api.ListApplicationAssignmentsResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.ApplicationAssignments(a.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list assignments to application: %w", err)
	}
	return &api.ListApplicationAssignmentsResponse{
		ApplicationAssignments: mapped(rows, func(r store.ApplicationAssignment) api.ApplicationAssignment {
			return api.ApplicationAssignment{ApplicationArn: in.ApplicationArn, PrincipalId: r.PrincipalID, PrincipalType: api.PrincipalType(r.PrincipalType)}
		}),
		NextToken: c.NextToken(next, in.ApplicationArn),
	}, nil
}

// ListApplicationAssignmentsForPrincipal lists what applications a principal is assigned to; of a user, also through groups.
func (s Service) ListApplicationAssignmentsForPrincipal(_ context.Context, c *endpoint.Call, in *api.ListApplicationAssignmentsForPrincipalRequest) (*api.ListApplicationAssignmentsForPrincipalResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	var only arn.Application
	if in.Filter != nil && in.Filter.ApplicationArn != nil {
		if only, err = arn.ParseApplication(*in.Filter.ApplicationArn); err != nil {
			return nil, err
		}
	}
	scope := []string{in.InstanceArn, in.PrincipalId, string(in.PrincipalType), only.ID}
	q, err := c.Page(in.MaxResults, in.NextToken, scope...)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.ApplicationsOf(i.ID, store.PrincipalType(in.PrincipalType), in.PrincipalId, only.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list applications of principal: %w", err)
	}
	return &api.ListApplicationAssignmentsForPrincipalResponse{
		ApplicationAssignments: mapped(rows, func(r store.ApplicationAssignment) api.ApplicationAssignmentForPrincipal {
			return api.ApplicationAssignmentForPrincipal{
				ApplicationArn: new(r.Application.ARN()), PrincipalId: &r.PrincipalID, PrincipalType: new(api.PrincipalType(r.PrincipalType)),
			}
		}),
		NextToken: c.NextToken(next, scope...),
	}, nil
}

// PutApplicationAssignmentConfiguration says whether an application is for those only who are assigned to it.
func (s Service) PutApplicationAssignmentConfiguration(_ context.Context, c *endpoint.Call, in *api.PutApplicationAssignmentConfigurationRequest) (*api.PutApplicationAssignmentConfigurationResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	a.AssignmentOptional = !in.AssignmentRequired
	if err := application.Update(c.Tx, a); err != nil {
		return nil, err
	}
	return &api.PutApplicationAssignmentConfigurationResponse{}, nil
}

// GetApplicationAssignmentConfiguration tells it; by default it is.
func (s Service) GetApplicationAssignmentConfiguration(_ context.Context, c *endpoint.Call, in *api.GetApplicationAssignmentConfigurationRequest) (*api.GetApplicationAssignmentConfigurationResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	return &api.GetApplicationAssignmentConfigurationResponse{AssignmentRequired: !a.AssignmentOptional}, nil
}
