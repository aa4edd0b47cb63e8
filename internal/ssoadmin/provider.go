package ssoadmin

import (
	"context"

	"sallyport/internal/application"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/page"
)

// ListApplicationProviders lists the kinds of applications.
func (Service) ListApplicationProviders(_ context.Context, c *endpoint.Call, in *api.ListApplicationProvidersRequest) (*api.ListApplicationProvidersResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next := page.Of(application.Providers, q, func(p application.ProviderInfo) page.Key { return page.Key{p.ARN} })
	return &api.ListApplicationProvidersResponse{
		ApplicationProviders: mapped(rows, func(p application.ProviderInfo) api.ApplicationProvider {
			return api.ApplicationProvider{
				ApplicationProviderArn: p.ARN, FederationProtocol: new(api.FederationProtocol(p.Protocol)),
				DisplayData: &api.DisplayData{DisplayName: &p.Name, Description: &p.Description},
			}
		}),
		NextToken: c.NextToken(next),
	}, nil
}

// DescribeApplicationProvider describes a kind of applications.
func (Service) DescribeApplicationProvider(_ context.Context, _ *endpoint.Call, in *api.DescribeApplicationProviderRequest) (*api.DescribeApplicationProviderResponse, error) {
	p, err := application.Provider(in.ApplicationProviderArn)
	if err != nil {
		return nil, err
	}
	return &api.DescribeApplicationProviderResponse{
		ApplicationProviderArn: p.ARN, FederationProtocol: new(api.FederationProtocol(p.Protocol)),
		DisplayData: &api.DisplayData{DisplayName: &p.Name, Description: &p.Description},
	}, nil
}
