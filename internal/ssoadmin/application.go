package ssoadmin

import (
	"context"
	"fmt"

	"sallyport/internal/application"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// application is the application that a request names, if it is of an instance that exists.
func (s Service) application(c *endpoint.Call, applicationARN string) (store.Application, error) {
	id, err := arn.ParseApplication(applicationARN)
	if err != nil {
		return store.Application{}, err
	}
	return application.Get(c.Tx, id)
}

// CreateApplication adds an application. Only customer managed OAuth 2.0 applications are made this way.
func (s Service) CreateApplication(_ context.Context, c *endpoint.Call, in *api.CreateApplicationRequest) (*api.CreateApplicationResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	asked := *in
	asked.ClientToken = nil
	made, err := once(c, "CreateApplication", in.ClientToken, asked, func() (string, error) { return createApplication(c, i, in) })
	if err != nil {
		return nil, err
	}
	return &api.CreateApplicationResponse{ApplicationArn: &made, InstanceArn: &in.InstanceArn, IdentityStoreArn: new(i.StoreID.ARN(i.Owner))}, nil
}

func createApplication(c *endpoint.Call, i store.Instance, in *api.CreateApplicationRequest) (string, error) {
	a := store.Application{Provider: in.ApplicationProviderArn, Name: in.Name}
	a.Description = value(in.Description)
	if in.Status != nil {
		a.Status = string(*in.Status)
	}
	if p := in.PortalOptions; p != nil {
		if p.Visibility != nil {
			a.Visibility = string(*p.Visibility)
		}
		signInFrom(&a, p.SignInOptions)
	}
	if err := application.Admit(c.Tx, i.ID, c.Limits); err != nil {
		return "", err
	}
	a, err := application.Create(c.Tx, i, c.Caller.Account, a)
	if err != nil {
		return "", err
	}
	return a.ARN(), tag(c, a.ARN(), in.Tags)
}

func signInFrom(a *store.Application, o *api.SignInOptions) {
	if o != nil {
		a.Origin, a.URL = string(o.Origin), value(o.ApplicationUrl)
	}
}

// DescribeApplication describes an application.
func (s Service) DescribeApplication(_ context.Context, c *endpoint.Call, in *api.DescribeApplicationRequest) (*api.DescribeApplicationResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	i, err := s.instance(c, a.Instance.ARN())
	if err != nil {
		return nil, err
	}
	m := applicationOut(i, a)
	return &api.DescribeApplicationResponse{
		ApplicationAccount: m.ApplicationAccount, ApplicationArn: m.ApplicationArn, ApplicationProviderArn: m.ApplicationProviderArn,
		CreatedDate: m.CreatedDate, CreatedFrom: m.CreatedFrom, Description: m.Description, IdentityStoreArn: m.IdentityStoreArn,
		InstanceArn: m.InstanceArn, Name: m.Name, PortalOptions: m.PortalOptions, Status: m.Status,
	}, nil
}

func applicationOut(i store.Instance, a store.Application) api.Application {
	portal := &api.PortalOptions{Visibility: new(api.ApplicationVisibility(a.Visibility))}
	if a.Origin != "" {
		portal.SignInOptions = &api.SignInOptions{Origin: api.SignInOrigin(a.Origin), ApplicationUrl: optional(a.URL)}
	}
	return api.Application{
		ApplicationAccount: new(string(a.Account)), ApplicationArn: new(a.ARN()), ApplicationProviderArn: &a.Provider,
		CreatedDate: timestamp(a.CreatedAt), CreatedFrom: &i.Region, Description: optional(a.Description), IdentityStoreArn: new(i.StoreID.ARN(i.Owner)),
		InstanceArn: new(a.Instance.ARN()), Name: &a.Name, PortalOptions: portal, Status: new(api.ApplicationStatus(a.Status)),
	}
}

// UpdateApplication changes the members that are given. Its visibility in the portal can't change (wire protocols §5.3).
func (s Service) UpdateApplication(_ context.Context, c *endpoint.Call, in *api.UpdateApplicationRequest) (*api.UpdateApplicationResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if in.Name != nil {
		a.Name = *in.Name
	}
	if in.Description != nil {
		a.Description = *in.Description
	}
	if in.Status != nil {
		a.Status = string(*in.Status)
	}
	if in.PortalOptions != nil {
		signInFrom(&a, in.PortalOptions.SignInOptions)
	}
	if err := application.Update(c.Tx, a); err != nil {
		return nil, err
	}
	return &api.UpdateApplicationResponse{}, nil
}

// ListApplications lists the applications of an instance by id.
func (s Service) ListApplications(_ context.Context, c *endpoint.Call, in *api.ListApplicationsRequest) (*api.ListApplicationsResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, noResourceError(err)
	}
	var account, provider string
	if f := in.Filter; f != nil {
		account, provider = value(f.ApplicationAccount), value(f.ApplicationProvider)
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn, account, provider)
	if err != nil {
		return nil, err
	}
	q.Limit = min(q.Limit, c.Limits.Of(quota.ApplicationPageSize))
	rows, next, err := c.Tx.Applications(i.ID, arn.AccountID(account), provider, q)
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	return &api.ListApplicationsResponse{
		Applications: mapped(rows, func(a store.Application) api.Application { return applicationOut(i, a) }),
		NextToken:    c.NextToken(next, in.InstanceArn, account, provider),
	}, nil
}

// DeleteApplication removes an application.
func (s Service) DeleteApplication(_ context.Context, c *endpoint.Call, in *api.DeleteApplicationRequest) (*api.DeleteApplicationResponse, error) {
	a, err := s.application(c, in.ApplicationArn)
	if err != nil {
		return nil, err
	}
	if err := application.Delete(c.Tx, a); err != nil {
		return nil, err
	}
	return &api.DeleteApplicationResponse{}, nil
}
