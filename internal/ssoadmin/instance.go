package ssoadmin

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/instance"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// ListInstances lists the instances that the caller's account may administer. This server answers for all of their regions, so
// RegionScope makes no difference.
func (Service) ListInstances(_ context.Context, c *endpoint.Call, in *api.ListInstancesRequest) (*api.ListInstancesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	q.Limit = min(q.Limit, c.Limits.Of(quota.InstancePageSize))
	all, err := c.Tx.InstancesOf(c.Caller.Account)
	if err != nil {
		return nil, fmt.Errorf("list instances: %w", err)
	}
	rows, next := page.Of(all, q, access.InstanceKey)
	return &api.ListInstancesResponse{Instances: mapped(rows, func(i store.Instance) api.InstanceMetadata { return instanceOut(c, i) }), NextToken: c.NextToken(next)}, nil
}

// CreateInstance makes the caller's account an instance of its own.
func (Service) CreateInstance(_ context.Context, c *endpoint.Call, in *api.CreateInstanceRequest) (*api.CreateInstanceResponse, error) {
	asked := *in
	asked.ClientToken = nil
	made, err := once(c, "CreateInstance", in.ClientToken, asked, func() (string, error) {
		i, err := instance.Create(c.Tx, c.Caller.Account, value(in.Name), c.Region)
		if err != nil {
			return "", err
		}
		return i.ID.ARN(), tag(c, i.ID.ARN(), in.Tags)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateInstanceResponse{InstanceArn: &made}, nil
}

// DeleteInstance deletes an account instance with all that is in it.
func (s Service) DeleteInstance(_ context.Context, c *endpoint.Call, in *api.DeleteInstanceRequest) (*api.DeleteInstanceResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, noResourceError(err)
	}
	if err := instance.Delete(c.Tx, i, c.Caller.Account); err != nil {
		return nil, err
	}
	return &api.DeleteInstanceResponse{}, nil
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
	m := instanceOut(c, i)
	return &api.DescribeInstanceResponse{
		InstanceArn: m.InstanceArn, IdentityStoreId: m.IdentityStoreId, IdentityStoreArn: m.IdentityStoreArn, OwnerAccountId: m.OwnerAccountId,
		Name: m.Name, CreatedDate: m.CreatedDate, Status: m.Status, PrimaryRegion: m.PrimaryRegion, Regions: m.Regions,
		PermissionSetsEnabled: new(!i.OfAccount),
		EncryptionConfigurationDetails: &api.EncryptionConfigurationDetails{
			KeyType: new(api.KmsKeyTypeAwsOwnedKmsKey), EncryptionStatus: new(api.KmsKeyStatusEnabled),
		},
	}, nil
}

func instanceOut(c *endpoint.Call, i store.Instance) api.InstanceMetadata {
	return api.InstanceMetadata{
		InstanceArn: new(i.ID.ARN()), IdentityStoreId: new(string(i.StoreID)), IdentityStoreArn: new(i.StoreID.ARN(i.Owner)),
		OwnerAccountId: new(string(i.Owner)), Name: optional(i.Name), CreatedDate: timestamp(i.CreatedAt),
		Status: new(api.InstanceStatus(i.Status)), PrimaryRegion: new(i.Region), Regions: mapped(access.Regions(i, c.Tx.Now()), regionOut),
	}
}

// UpdateInstance renames an instance. Its data are sealed under keys of Sallyport's own, which is the one choice of encryption.
func (s Service) UpdateInstance(_ context.Context, c *endpoint.Call, in *api.UpdateInstanceRequest) (*api.UpdateInstanceResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	switch e := in.EncryptionConfiguration; {
	case e != nil && in.PermissionSetsEnabled != nil:
		return nil, fault.Invalidf("EncryptionConfiguration and PermissionSetsEnabled cannot be changed in one request.")
	case e != nil && (e.KeyType != api.KmsKeyTypeAwsOwnedKmsKey || e.KmsKeyArn != nil):
		return nil, fault.Invalidf("The only key type here is AWS_OWNED_KMS_KEY, without a KmsKeyArn: Sallyport encrypts under keys of its own.")
	case in.PermissionSetsEnabled != nil && !*in.PermissionSetsEnabled:
		return nil, fault.Invalidf("Permission sets cannot be turned off again.")
	}
	if in.PermissionSetsEnabled != nil {
		if err := access.HasPermissionSets(i); err != nil {
			return nil, err
		}
	}
	if in.Name == nil {
		return &api.UpdateInstanceResponse{}, nil
	}
	i.Name = *in.Name
	if err := c.Tx.UpdateInstance(i); err != nil {
		return nil, fmt.Errorf("update instance: %w", err)
	}
	return &api.UpdateInstanceResponse{}, nil
}
