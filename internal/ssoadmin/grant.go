package ssoadmin

import (
	"context"
	"maps"
	"slices"

	"sallyport/internal/application"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// grantFrom reads a grant, of which the model asks for exactly one member.
func grantFrom(g api.Grant) (store.GrantConfig, api.GrantType) {
	switch {
	case g.AuthorizationCode != nil:
		return store.GrantConfig{RedirectURIs: g.AuthorizationCode.RedirectUris}, application.AuthorizationCode
	case g.JwtBearer != nil:
		return store.GrantConfig{Issuers: mapped(g.JwtBearer.AuthorizedTokenIssuers, func(i api.AuthorizedTokenIssuer) store.GrantedIssuer {
			return store.GrantedIssuer{Issuer: value(i.TrustedTokenIssuerArn), Audiences: i.AuthorizedAudiences}
		})}, application.JWTBearer
	case g.RefreshToken != nil:
		return store.GrantConfig{}, application.RefreshToken
	}
	return store.GrantConfig{}, application.TokenExchange
}

func grantOut(kind api.GrantType, g store.GrantConfig) api.Grant {
	switch kind {
	case application.AuthorizationCode:
		return api.Grant{AuthorizationCode: &api.AuthorizationCodeGrant{RedirectUris: g.RedirectURIs}}
	case application.JWTBearer:
		return api.Grant{JwtBearer: &api.JwtBearerGrant{AuthorizedTokenIssuers: mapped(g.Issuers, func(i store.GrantedIssuer) api.AuthorizedTokenIssuer {
			return api.AuthorizedTokenIssuer{TrustedTokenIssuerArn: optional(i.Issuer), AuthorizedAudiences: i.Audiences}
		})}}
	case application.RefreshToken:
		return api.Grant{RefreshToken: &api.RefreshTokenGrant{}}
	}
	return api.Grant{TokenExchange: &api.TokenExchangeGrant{}}
}

// PutApplicationGrant lets an application get tokens by a grant type.
func (s Service) PutApplicationGrant(_ context.Context, c *endpoint.Call, in *api.PutApplicationGrantRequest) (*api.PutApplicationGrantResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	g, kind := grantFrom(in.Grant)
	if kind != in.GrantType {
		return nil, fault.Invalidf("The grant is of the type %s, and GrantType says %s.", kind, in.GrantType)
	}
	if err := application.PutGrant(c.Tx, a, string(kind), g); err != nil {
		return nil, err
	}
	return &api.PutApplicationGrantResponse{}, nil
}

// GetApplicationGrant is how an application gets tokens by a grant type.
func (s Service) GetApplicationGrant(_ context.Context, c *endpoint.Call, in *api.GetApplicationGrantRequest) (*api.GetApplicationGrantResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	g, err := application.Grant(a, string(in.GrantType))
	if err != nil {
		return nil, err
	}
	return &api.GetApplicationGrantResponse{Grant: grantOut(in.GrantType, g)}, nil
}

// ListApplicationGrants lists them all by type: there are four.
func (s Service) ListApplicationGrants(_ context.Context, c *endpoint.Call, in *api.ListApplicationGrantsRequest) (*api.ListApplicationGrantsResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	return &api.ListApplicationGrantsResponse{Grants: mapped(slices.Sorted(maps.Keys(a.Grants)), func(kind string) api.GrantItem {
		return api.GrantItem{GrantType: api.GrantType(kind), Grant: grantOut(api.GrantType(kind), a.Grants[kind])}
	})}, nil
}

// DeleteApplicationGrant takes a grant type from an application; that it had it not is no error.
func (s Service) DeleteApplicationGrant(_ context.Context, c *endpoint.Call, in *api.DeleteApplicationGrantRequest) (*api.DeleteApplicationGrantResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if err := application.DeleteGrant(c.Tx, a, string(in.GrantType)); err != nil {
		return nil, err
	}
	return &api.DeleteApplicationGrantResponse{}, nil
}
