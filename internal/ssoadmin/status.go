package ssoadmin

import (
	"context"
	"fmt"

	"sallyport/internal/access"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

// DescribeAccountAssignmentCreationStatus tells how far the creation of an assignment has come.
func (s Service) DescribeAccountAssignmentCreationStatus(_ context.Context, c *endpoint.Call, in *api.DescribeAccountAssignmentCreationStatusRequest) (*api.DescribeAccountAssignmentCreationStatusResponse, error) {
	r, err := s.request(c, in.InstanceArn, store.RequestCreate, in.AccountAssignmentCreationRequestId)
	if err != nil {
		return nil, err
	}
	return &api.DescribeAccountAssignmentCreationStatusResponse{AccountAssignmentCreationStatus: assignmentStatusOut(r)}, nil
}

// DescribeAccountAssignmentDeletionStatus tells how far the deletion of an assignment has come.
func (s Service) DescribeAccountAssignmentDeletionStatus(_ context.Context, c *endpoint.Call, in *api.DescribeAccountAssignmentDeletionStatusRequest) (*api.DescribeAccountAssignmentDeletionStatusResponse, error) {
	r, err := s.request(c, in.InstanceArn, store.RequestDelete, in.AccountAssignmentDeletionRequestId)
	if err != nil {
		return nil, err
	}
	return &api.DescribeAccountAssignmentDeletionStatusResponse{AccountAssignmentDeletionStatus: assignmentStatusOut(r)}, nil
}

// DescribePermissionSetProvisioningStatus tells how far the provisioning of a permission set has come.
func (s Service) DescribePermissionSetProvisioningStatus(_ context.Context, c *endpoint.Call, in *api.DescribePermissionSetProvisioningStatusRequest) (*api.DescribePermissionSetProvisioningStatusResponse, error) {
	r, err := s.request(c, in.InstanceArn, store.RequestProvision, in.ProvisionPermissionSetRequestId)
	if err != nil {
		return nil, err
	}
	return &api.DescribePermissionSetProvisioningStatusResponse{PermissionSetProvisioningStatus: provisioningStatusOut(r)}, nil
}

// ListAccountAssignmentCreationStatus lists the creations of assignments, oldest first.
func (s Service) ListAccountAssignmentCreationStatus(_ context.Context, c *endpoint.Call, in *api.ListAccountAssignmentCreationStatusRequest) (*api.ListAccountAssignmentCreationStatusResponse, error) {
	rows, next, err := s.requests(c, in.InstanceArn, store.RequestCreate, in.Filter, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListAccountAssignmentCreationStatusResponse{AccountAssignmentsCreationStatus: mapped(rows, assignmentMetadataOut), NextToken: next}, nil
}

// ListAccountAssignmentDeletionStatus lists the deletions of assignments, oldest first.
func (s Service) ListAccountAssignmentDeletionStatus(_ context.Context, c *endpoint.Call, in *api.ListAccountAssignmentDeletionStatusRequest) (*api.ListAccountAssignmentDeletionStatusResponse, error) {
	rows, next, err := s.requests(c, in.InstanceArn, store.RequestDelete, in.Filter, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListAccountAssignmentDeletionStatusResponse{AccountAssignmentsDeletionStatus: mapped(rows, assignmentMetadataOut), NextToken: next}, nil
}

// ListPermissionSetProvisioningStatus lists the provisionings of permission sets, oldest first.
func (s Service) ListPermissionSetProvisioningStatus(_ context.Context, c *endpoint.Call, in *api.ListPermissionSetProvisioningStatusRequest) (*api.ListPermissionSetProvisioningStatusResponse, error) {
	rows, next, err := s.requests(c, in.InstanceArn, store.RequestProvision, in.Filter, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListPermissionSetProvisioningStatusResponse{PermissionSetsProvisioningStatus: mapped(rows, provisioningMetadataOut), NextToken: next}, nil
}

func (s Service) request(c *endpoint.Call, instanceARN string, f store.RequestFamily, id string) (store.Request, error) {
	i, err := s.organization(c, instanceARN)
	if err != nil {
		return store.Request{}, err
	}
	return access.Request(c.Tx, i, f, id)
}

func (s Service) requests(c *endpoint.Call, instanceARN string, f store.RequestFamily, filter *api.OperationStatusFilter, max *int32, token *string) ([]store.Request, *string, error) {
	i, err := s.organization(c, instanceARN)
	if err != nil {
		return nil, nil, err
	}
	var status store.RequestStatus
	if filter != nil && filter.Status != nil {
		status = store.RequestStatus(*filter.Status)
	}
	q, err := c.Page(max, token, instanceARN, string(status))
	if err != nil {
		return nil, nil, err
	}
	rows, next, err := c.Tx.Requests(i.ID, f, status, q)
	if err != nil {
		return nil, nil, fmt.Errorf("list requests: %w", err)
	}
	return rows, c.NextToken(next, instanceARN, string(status)), nil
}

func assignmentMetadataOut(r store.Request) api.AccountAssignmentOperationStatusMetadata {
	return api.AccountAssignmentOperationStatusMetadata{Status: new(api.StatusValues(r.Status)), RequestId: new(r.ID), CreatedDate: timestamp(r.CreatedAt)}
}

func provisioningMetadataOut(r store.Request) api.PermissionSetProvisioningStatusMetadata {
	return api.PermissionSetProvisioningStatusMetadata{Status: new(api.StatusValues(r.Status)), RequestId: new(r.ID), CreatedDate: timestamp(r.CreatedAt)}
}

func provisioningStatusOut(r store.Request) *api.PermissionSetProvisioningStatus {
	return &api.PermissionSetProvisioningStatus{
		Status: new(api.StatusValues(r.Status)), RequestId: new(r.ID), FailureReason: failureOut(r), CreatedDate: timestamp(r.CreatedAt),
		AccountId: optional(string(r.Account)), PermissionSetArn: new(r.Set.ARN()),
	}
}
