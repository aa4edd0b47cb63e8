package ssoadmin

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// ListInstances lists the instances that the caller's account may administer. All have one region here, so RegionScope
// makes no difference.
func (Service) ListInstances(_ context.Context, c *endpoint.Call, in *api.ListInstancesRequest) (*api.ListInstancesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.InstancesOf(c.Caller.Account, q)
	if err != nil {
		return nil, fmt.Errorf("list instances: %w", err)
	}
	return &api.ListInstancesResponse{Instances: mapped(rows, instanceOut), NextToken: c.NextToken(next)}, nil
}

// DescribeInstance describes an instance. One that does not exist is denied, not reported missing (wire protocols §5).
func (Service) DescribeInstance(_ context.Context, c *endpoint.Call, in *api.DescribeInstanceRequest) (*api.DescribeInstanceResponse, error) {
	id, err := arn.ParseInstance(in.InstanceArn)
	if err != nil {
		return nil, err
	}
	i, err := c.Tx.Instance(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.Deniedf("You do not have sufficient access to perform this action.")
	}
	if err != nil {
		return nil, fmt.Errorf("load instance: %w", err)
	}
	m := instanceOut(i)
	return &api.DescribeInstanceResponse{
		InstanceArn: m.InstanceArn, IdentityStoreId: m.IdentityStoreId, IdentityStoreArn: m.IdentityStoreArn, OwnerAccountId: m.OwnerAccountId,
		Name: m.Name, CreatedDate: m.CreatedDate, Status: m.Status, PrimaryRegion: m.PrimaryRegion, Regions: m.Regions,
		PermissionSetsEnabled: new(true),
		EncryptionConfigurationDetails: &api.EncryptionConfigurationDetails{
			KeyType: new(api.KmsKeyTypeAwsOwnedKmsKey), EncryptionStatus: new(api.KmsKeyStatusEnabled),
		},
	}, nil
}

func instanceOut(i store.Instance) api.InstanceMetadata {
	region := api.RegionMetadata{RegionName: new(i.Region), Status: new(api.RegionStatusActive), AddedDate: timestamp(i.CreatedAt), IsPrimaryRegion: new(true)}
	return api.InstanceMetadata{
		InstanceArn: new(i.ID.ARN()), IdentityStoreId: new(string(i.StoreID)), IdentityStoreArn: new(i.StoreID.ARN(i.Owner)),
		OwnerAccountId: new(string(i.Owner)), Name: optional(i.Name), CreatedDate: timestamp(i.CreatedAt),
		Status: new(api.InstanceStatus(i.Status)), PrimaryRegion: new(i.Region), Regions: []api.RegionMetadata{region},
	}
}
