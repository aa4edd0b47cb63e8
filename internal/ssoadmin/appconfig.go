package ssoadmin

import (
	"context"

	"sallyport/internal/application"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// PutApplicationAccessScope gives an application an access scope, in place of the one of its name.
func (s Service) PutApplicationAccessScope(_ context.Context, c *endpoint.Call, in *api.PutApplicationAccessScopeRequest) (*api.PutApplicationAccessScopeResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if err := application.PutScope(c.Tx, a, store.ApplicationScope{Name: in.Scope, Targets: in.AuthorizedTargets}, c.Limits); err != nil {
		return nil, err
	}
	return &api.PutApplicationAccessScopeResponse{}, nil
}

// GetApplicationAccessScope is one of an application's access scopes.
func (s Service) GetApplicationAccessScope(_ context.Context, c *endpoint.Call, in *api.GetApplicationAccessScopeRequest) (*api.GetApplicationAccessScopeResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	scope, err := application.Scope(a, in.Scope)
	if err != nil {
		return nil, err
	}
	return &api.GetApplicationAccessScopeResponse{Scope: scope.Name, AuthorizedTargets: scope.Targets}, nil
}

// ListApplicationAccessScopes lists an application's access scopes by name.
func (s Service) ListApplicationAccessScopes(_ context.Context, c *endpoint.Call, in *api.ListApplicationAccessScopesRequest) (*api.ListApplicationAccessScopesResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	max := in.MaxResults
	if max == nil {
		max = new(int32(10)) // the most that the model lets a caller ask for
	}
	q, err := c.Page(max, in.NextToken, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	rows, next := page.Of(a.Scopes, q, func(s store.ApplicationScope) page.Key { return page.Key{s.Name} })
	return &api.ListApplicationAccessScopesResponse{
		Scopes: mapped(rows, func(s store.ApplicationScope) api.ScopeDetails {
			return api.ScopeDetails{Scope: s.Name, AuthorizedTargets: s.Targets}
		}),
		NextToken: c.NextToken(next, in.ApplicationArn),
	}, nil
}

// DeleteApplicationAccessScope takes an access scope from an application; that it had none is no error.
func (s Service) DeleteApplicationAccessScope(_ context.Context, c *endpoint.Call, in *api.DeleteApplicationAccessScopeRequest) (*api.DeleteApplicationAccessScopeResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if err := application.DeleteScope(c.Tx, a, in.Scope); err != nil {
		return nil, err
	}
	return &api.DeleteApplicationAccessScopeResponse{}, nil
}

// PutApplicationAuthenticationMethod says how an application proves itself: by a policy of who may act as it.
func (s Service) PutApplicationAuthenticationMethod(_ context.Context, c *endpoint.Call, in *api.PutApplicationAuthenticationMethodRequest) (*api.PutApplicationAuthenticationMethodResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if err := application.PutActorPolicy(c.Tx, a, in.AuthenticationMethod.Iam.ActorPolicy); err != nil {
		return nil, err
	}
	return &api.PutApplicationAuthenticationMethodResponse{}, nil
}

func methodOut(a store.Application) *api.AuthenticationMethod {
	return &api.AuthenticationMethod{Iam: &api.IamAuthenticationMethod{ActorPolicy: a.ActorPolicy}}
}

// GetApplicationAuthenticationMethod is how an application proves itself.
func (s Service) GetApplicationAuthenticationMethod(_ context.Context, c *endpoint.Call, in *api.GetApplicationAuthenticationMethodRequest) (*api.GetApplicationAuthenticationMethodResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if a.ActorPolicy == nil {
		return nil, fault.Missing("AuthenticationMethod", string(in.AuthenticationMethodType))
	}
	return &api.GetApplicationAuthenticationMethodResponse{AuthenticationMethod: methodOut(a)}, nil
}

// ListApplicationAuthenticationMethods lists them all: there is one type.
func (s Service) ListApplicationAuthenticationMethods(_ context.Context, c *endpoint.Call, in *api.ListApplicationAuthenticationMethodsRequest) (*api.ListApplicationAuthenticationMethodsResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	out := &api.ListApplicationAuthenticationMethodsResponse{AuthenticationMethods: []api.AuthenticationMethodItem{}}
	if a.ActorPolicy != nil {
		out.AuthenticationMethods = append(out.AuthenticationMethods, api.AuthenticationMethodItem{
			AuthenticationMethod: methodOut(a), AuthenticationMethodType: new(api.AuthenticationMethodTypeIam),
		})
	}
	return out, nil
}

// DeleteApplicationAuthenticationMethod takes it from an application; that it had none is no error.
func (s Service) DeleteApplicationAuthenticationMethod(_ context.Context, c *endpoint.Call, in *api.DeleteApplicationAuthenticationMethodRequest) (*api.DeleteApplicationAuthenticationMethodResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if err := application.DeleteActorPolicy(c.Tx, a); err != nil {
		return nil, err
	}
	return &api.DeleteApplicationAuthenticationMethodResponse{}, nil
}

// PutApplicationSessionConfiguration says whether users may have sessions in the background.
func (s Service) PutApplicationSessionConfiguration(_ context.Context, c *endpoint.Call, in *api.PutApplicationSessionConfigurationRequest) (*api.PutApplicationSessionConfigurationResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if in.UserBackgroundSessionApplicationStatus != nil {
		a.BackgroundSessions = string(*in.UserBackgroundSessionApplicationStatus)
	}
	if err := application.Update(c.Tx, a); err != nil {
		return nil, err
	}
	return &api.PutApplicationSessionConfigurationResponse{}, nil
}

// GetApplicationSessionConfiguration tells it; unless it was said, they may not.
func (s Service) GetApplicationSessionConfiguration(_ context.Context, c *endpoint.Call, in *api.GetApplicationSessionConfigurationRequest) (*api.GetApplicationSessionConfigurationResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	status := api.UserBackgroundSessionApplicationStatusDisabled
	if a.BackgroundSessions != "" {
		status = api.UserBackgroundSessionApplicationStatus(a.BackgroundSessions)
	}
	return &api.GetApplicationSessionConfigurationResponse{UserBackgroundSessionApplicationStatus: &status}, nil
}
