package identitystore

import (
	"context"
	"fmt"

	"sallyport/internal/access"
	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// ListIdentityStores lists the stores of the instances that the caller's account may administer.
func (Service) ListIdentityStores(_ context.Context, c *endpoint.Call, in *api.ListIdentityStoresRequest) (*api.ListIdentityStoresResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.InstancesOf(c.Caller.Account)
	if err != nil {
		return nil, fmt.Errorf("list instances: %w", err)
	}
	rows, next := page.Of(all, q, access.InstanceKey)
	return &api.ListIdentityStoresResponse{
		IdentityStores: mapped(rows, func(i store.Instance) api.IdentityStore {
			return api.IdentityStore{IdentityStoreArn: i.StoreID.ARN(i.Owner), IdentityStoreId: string(i.StoreID)}
		}),
		NextToken: c.NextToken(next),
	}, nil
}

// DescribeIdentityStore tells from where a store may be called. It may be asked from everywhere: whoever has locked themselves out
// finds the way back here.
func (Service) DescribeIdentityStore(_ context.Context, c *endpoint.Call, in *api.DescribeIdentityStoreRequest) (*api.DescribeIdentityStoreResponse, error) {
	i, err := instance(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	out := &api.DescribeIdentityStoreResponse{IdentityStoreArn: i.StoreID.ARN(i.Owner), IdentityStoreId: string(i.StoreID)}
	if n := i.Network; n != nil {
		out.NetworkConfiguration = &api.NetworkConfigurationDetails{ApiAllowSourceIps: n.API, ScimAllowSourceIps: n.SCIM}
	}
	return out, nil
}

// UpdateIdentityStore says from where a store may be called, in place of what was said before; nothing: from everywhere.
func (Service) UpdateIdentityStore(_ context.Context, c *endpoint.Call, in *api.UpdateIdentityStoreRequest) (*api.UpdateIdentityStoreResponse, error) {
	i, err := instance(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	var n *store.Network
	if want := in.NetworkConfiguration; want != nil {
		if want.VpceAccessRequired || len(want.ApiRestrictSourceVpcs) > 0 {
			return nil, fault.Invalidf("There are no VPCs here: VpceAccessRequired must be false and ApiRestrictSourceVpcs empty.")
		}
		n = &store.Network{API: want.ApiAllowSourceIps, SCIM: want.ScimAllowSourceIps}
	}
	if err := access.SetNetwork(c.Tx, i, n); err != nil {
		return nil, err
	}
	return &api.UpdateIdentityStoreResponse{IdentityStoreArn: i.StoreID.ARN(i.Owner), IdentityStoreId: string(i.StoreID)}, nil
}
