package ssoadmin

import (
	"context"
	"fmt"

	"sallyport/internal/application"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

func (s Service) issuer(c *endpoint.Call, issuerARN string) (store.TokenIssuer, error) {
	id, err := arn.ParseTokenIssuer(issuerARN)
	if err != nil {
		return store.TokenIssuer{}, err
	}
	return application.Issuer(c.Tx, id)
}

// CreateTrustedTokenIssuer adds a trusted token issuer to an instance.
func (s Service) CreateTrustedTokenIssuer(_ context.Context, c *endpoint.Call, in *api.CreateTrustedTokenIssuerRequest) (*api.CreateTrustedTokenIssuerResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, noResourceError(err)
	}
	asked := *in
	asked.ClientToken = nil
	made, err := once(c, "CreateTrustedTokenIssuer", in.ClientToken, asked, func() (string, error) {
		oidc := in.TrustedTokenIssuerConfiguration.OidcJwtConfiguration
		t := store.TokenIssuer{Name: in.Name, URL: oidc.IssuerUrl, TokenIssuerAttrs: store.TokenIssuerAttrs{
			Claim: oidc.ClaimAttributePath, Attribute: oidc.IdentityStoreAttributePath, Keys: string(oidc.JwksRetrievalOption),
		}}
		t, err := application.CreateIssuer(c.Tx, i, c.Caller.Account, t, c.Limits)
		if err != nil {
			return "", err
		}
		return t.ARN(), tag(c, t.ARN(), in.Tags)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateTrustedTokenIssuerResponse{TrustedTokenIssuerArn: &made}, nil
}

// DescribeTrustedTokenIssuer describes a trusted token issuer.
func (s Service) DescribeTrustedTokenIssuer(_ context.Context, c *endpoint.Call, in *api.DescribeTrustedTokenIssuerRequest) (*api.DescribeTrustedTokenIssuerResponse, error) {
	t, err := s.issuer(c, in.TrustedTokenIssuerArn)
	if err != nil {
		return nil, err
	}
	return &api.DescribeTrustedTokenIssuerResponse{
		Name: &t.Name, TrustedTokenIssuerArn: &in.TrustedTokenIssuerArn, TrustedTokenIssuerType: new(api.TrustedTokenIssuerTypeOidcJwt),
		TrustedTokenIssuerConfiguration: &api.TrustedTokenIssuerConfiguration{OidcJwtConfiguration: &api.OidcJwtConfiguration{
			IssuerUrl: t.URL, ClaimAttributePath: t.Claim, IdentityStoreAttributePath: t.Attribute, JwksRetrievalOption: api.JwksRetrievalOption(t.Keys),
		}},
	}, nil
}

// UpdateTrustedTokenIssuer changes the members that are given. Its URL stays.
func (s Service) UpdateTrustedTokenIssuer(_ context.Context, c *endpoint.Call, in *api.UpdateTrustedTokenIssuerRequest) (*api.UpdateTrustedTokenIssuerResponse, error) {
	t, err := s.issuer(c, in.TrustedTokenIssuerArn)
	if err != nil {
		return nil, err
	}
	if in.Name != nil {
		t.Name = *in.Name
	}
	if u := in.TrustedTokenIssuerConfiguration; u != nil {
		if v := u.OidcJwtConfiguration.ClaimAttributePath; v != nil {
			t.Claim = *v
		}
		if v := u.OidcJwtConfiguration.IdentityStoreAttributePath; v != nil {
			t.Attribute = *v
		}
		if v := u.OidcJwtConfiguration.JwksRetrievalOption; v != nil {
			t.Keys = string(*v)
		}
	}
	if err := application.UpdateIssuer(c.Tx, t); err != nil {
		return nil, err
	}
	return &api.UpdateTrustedTokenIssuerResponse{}, nil
}

// ListTrustedTokenIssuers lists the trusted token issuers of an instance by id.
func (s Service) ListTrustedTokenIssuers(_ context.Context, c *endpoint.Call, in *api.ListTrustedTokenIssuersRequest) (*api.ListTrustedTokenIssuersResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, noResourceError(err)
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.TokenIssuers(i.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list trusted token issuers: %w", err)
	}
	return &api.ListTrustedTokenIssuersResponse{
		TrustedTokenIssuers: mapped(rows, func(t store.TokenIssuer) api.TrustedTokenIssuerMetadata {
			return api.TrustedTokenIssuerMetadata{Name: &t.Name, TrustedTokenIssuerArn: new(t.ARN()), TrustedTokenIssuerType: new(api.TrustedTokenIssuerTypeOidcJwt)}
		}),
		NextToken: c.NextToken(next, in.InstanceArn),
	}, nil
}

// DeleteTrustedTokenIssuer removes a trusted token issuer.
func (s Service) DeleteTrustedTokenIssuer(_ context.Context, c *endpoint.Call, in *api.DeleteTrustedTokenIssuerRequest) (*api.DeleteTrustedTokenIssuerResponse, error) {
	t, err := s.issuer(c, in.TrustedTokenIssuerArn)
	if err != nil {
		return nil, err
	}
	if err := application.DeleteIssuer(c.Tx, t); err != nil {
		return nil, err
	}
	return &api.DeleteTrustedTokenIssuerResponse{}, nil
}
