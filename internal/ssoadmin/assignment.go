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

// CreateAccountAssignment starts to give a principal a permission set in an account. The grant itself is made by package
// provision; callers poll the status.
func (s Service) CreateAccountAssignment(_ context.Context, c *endpoint.Call, in *api.CreateAccountAssignmentRequest) (*api.CreateAccountAssignmentResponse, error) {
	account := arn.AccountID(in.TargetId)
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, account)
	if err != nil {
		return nil, err
	}
	a := store.Assignment{Account: account, Set: p.PermissionSet, PrincipalType: store.PrincipalType(in.PrincipalType), PrincipalID: in.PrincipalId}
	if err := access.AdmitAssignment(c.Tx, a, c.Limits); err != nil {
		return nil, err
	}
	if err := access.AdmitRequest(c.Tx, p.Instance, c.Limits); err != nil {
		return nil, err
	}
	r, err := access.BeginAssignment(c.Tx, a)
	if err != nil {
		return nil, err
	}
	return &api.CreateAccountAssignmentResponse{AccountAssignmentCreationStatus: assignmentStatusOut(r)}, nil
}

// DeleteAccountAssignment takes a permission set in an account away from a principal, who need not exist any more (case
// S24). It grants nothing from now on; callers poll the status to learn when its role has been seen to.
func (s Service) DeleteAccountAssignment(_ context.Context, c *endpoint.Call, in *api.DeleteAccountAssignmentRequest) (*api.DeleteAccountAssignmentResponse, error) {
	account := arn.AccountID(in.TargetId)
	p, err := s.editable(c, in.InstanceArn, in.PermissionSetArn, account)
	if err != nil {
		return nil, err
	}
	if err := access.AdmitRequest(c.Tx, p.Instance, c.Limits); err != nil {
		return nil, err
	}
	r, err := access.BeginDeletion(c.Tx, store.Assignment{
		Account: account, Set: p.PermissionSet, PrincipalType: store.PrincipalType(in.PrincipalType), PrincipalID: in.PrincipalId,
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteAccountAssignmentResponse{AccountAssignmentDeletionStatus: assignmentStatusOut(r)}, nil
}

// ListAccountAssignments lists the principals to whom a permission set is assigned in an account directly.
func (s Service) ListAccountAssignments(_ context.Context, c *endpoint.Call, in *api.ListAccountAssignmentsRequest) (*api.ListAccountAssignmentsResponse, error) {
	_, p, err := s.set(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.PermissionSetArn, in.AccountId)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Assignments(arn.AccountID(in.AccountId), p.PermissionSet, q)
	if err != nil {
		return nil, fmt.Errorf("list assignments: %w", err)
	}
	return &api.ListAccountAssignmentsResponse{
		AccountAssignments: mapped(rows, func(a store.Assignment) api.AccountAssignment {
			return api.AccountAssignment{
				AccountId: new(string(a.Account)), PermissionSetArn: new(a.Set.ARN()),
				PrincipalType: new(api.PrincipalType(a.PrincipalType)), PrincipalId: new(a.PrincipalID),
			}
		}),
		NextToken: c.NextToken(next, in.PermissionSetArn, in.AccountId),
	}, nil
}

// ListAccountAssignmentsForPrincipal lists what is assigned to a group, or to a user and the user's groups.
func (s Service) ListAccountAssignmentsForPrincipal(_ context.Context, c *endpoint.Call, in *api.ListAccountAssignmentsForPrincipalRequest) (*api.ListAccountAssignmentsForPrincipalResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	var account string
	if in.Filter != nil {
		account = value(in.Filter.AccountId)
	}
	scope := []string{in.InstanceArn, string(in.PrincipalType), in.PrincipalId, account}
	q, err := c.Page(in.MaxResults, in.NextToken, scope...)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.AssignmentsOf(i.ID, store.PrincipalType(in.PrincipalType), in.PrincipalId, arn.AccountID(account), q)
	if err != nil {
		return nil, fmt.Errorf("list assignments of principal: %w", err)
	}
	return &api.ListAccountAssignmentsForPrincipalResponse{
		AccountAssignments: mapped(rows, func(a store.Assignment) api.AccountAssignmentForPrincipal {
			return api.AccountAssignmentForPrincipal{
				AccountId: new(string(a.Account)), PermissionSetArn: new(a.Set.ARN()),
				PrincipalType: new(api.PrincipalType(a.PrincipalType)), PrincipalId: new(a.PrincipalID),
			}
		}),
		NextToken: c.NextToken(next, scope...),
	}, nil
}

func assignmentStatusOut(r store.Request) *api.AccountAssignmentOperationStatus {
	return &api.AccountAssignmentOperationStatus{
		Status: new(api.StatusValues(r.Status)), RequestId: new(r.ID), FailureReason: failureOut(r), CreatedDate: timestamp(r.CreatedAt),
		TargetId: new(string(r.Account)), TargetType: new(api.TargetTypeAwsAccount), PermissionSetArn: new(r.Set.ARN()),
		PrincipalType: new(api.PrincipalType(r.PrincipalType)), PrincipalId: new(r.PrincipalID),
	}
}

// failureOut shows why a request failed once it has ended: one part of many may fail long before the rest is done.
func failureOut(r store.Request) *string {
	if r.Status != store.RequestFailed {
		return nil
	}
	return optional(r.Reason)
}
