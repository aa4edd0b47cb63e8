package ssoadmin

import (
	"context"

	"sallyport/internal/access"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

// CreateInstanceAccessControlAttributeConfiguration turns attributes for access control on. They apply at once.
func (s Service) CreateInstanceAccessControlAttributeConfiguration(_ context.Context, c *endpoint.Call, in *api.CreateInstanceAccessControlAttributeConfigurationRequest) (*api.CreateInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if err := access.CreateAttributes(c.Tx, i, attributesFrom(in.InstanceAccessControlAttributeConfiguration)); err != nil {
		return nil, err
	}
	return &api.CreateInstanceAccessControlAttributeConfigurationResponse{}, nil
}

// UpdateInstanceAccessControlAttributeConfiguration replaces the attributes.
func (s Service) UpdateInstanceAccessControlAttributeConfiguration(_ context.Context, c *endpoint.Call, in *api.UpdateInstanceAccessControlAttributeConfigurationRequest) (*api.UpdateInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if err := access.UpdateAttributes(c.Tx, i, attributesFrom(in.InstanceAccessControlAttributeConfiguration)); err != nil {
		return nil, err
	}
	return &api.UpdateInstanceAccessControlAttributeConfigurationResponse{}, nil
}

// DescribeInstanceAccessControlAttributeConfiguration shows the attributes in the order in which they were given.
func (s Service) DescribeInstanceAccessControlAttributeConfiguration(_ context.Context, c *endpoint.Call, in *api.DescribeInstanceAccessControlAttributeConfigurationRequest) (*api.DescribeInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	list, err := access.Attributes(c.Tx, i)
	if err != nil {
		return nil, err
	}
	return &api.DescribeInstanceAccessControlAttributeConfigurationResponse{
		Status: new(api.InstanceAccessControlAttributeConfigurationStatusEnabled),
		InstanceAccessControlAttributeConfiguration: &api.InstanceAccessControlAttributeConfiguration{
			AccessControlAttributes: mapped(list, func(a store.AccessControlAttribute) api.AccessControlAttribute {
				return api.AccessControlAttribute{Key: a.Key, Value: api.AccessControlAttributeValue{Source: []string{a.Source}}}
			}),
		},
	}, nil
}

// DeleteInstanceAccessControlAttributeConfiguration turns attributes for access control off.
func (s Service) DeleteInstanceAccessControlAttributeConfiguration(_ context.Context, c *endpoint.Call, in *api.DeleteInstanceAccessControlAttributeConfigurationRequest) (*api.DeleteInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.organization(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if err := access.DeleteAttributes(c.Tx, i); err != nil {
		return nil, err
	}
	return &api.DeleteInstanceAccessControlAttributeConfigurationResponse{}, nil
}

// attributesFrom reads the attributes; the model asks for exactly one source of each.
func attributesFrom(in api.InstanceAccessControlAttributeConfiguration) []store.AccessControlAttribute {
	return mapped(in.AccessControlAttributes, func(a api.AccessControlAttribute) store.AccessControlAttribute {
		return store.AccessControlAttribute{Key: a.Key, Source: a.Value.Source[0]}
	})
}
