// Package portal implements the access portal API (service SSO): the accounts and roles that a person can reach, the
// credentials of a role, and signing out. Callers are people, proved by a bearer token; what they may reach is package
// access's to say. GetRoleCredentials is Direct, since package vend opens its own transactions.
package portal

import (
	"context"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sso"
	"sallyport/internal/endpoint"
	"sallyport/internal/session"
	"sallyport/internal/vend"
)

// Service implements the API.
type Service struct {
	api.Unimplemented[*endpoint.Call]
	Sessions *session.Service
	Vendor   *vend.Vendor
}

// ListAccounts lists the accounts in which the caller has a role.
func (s *Service) ListAccounts(_ context.Context, c *endpoint.Call, in *api.ListAccountsRequest) (*api.ListAccountsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	accounts, next, err := access.Accounts(c.Tx, c.Caller.UserID, c.Caller.SignIn(), q)
	if err != nil {
		return nil, err
	}
	out := &api.ListAccountsResponse{AccountList: make([]api.AccountInfo, len(accounts)), NextToken: c.NextToken(next)}
	for i, a := range accounts {
		out.AccountList[i] = api.AccountInfo{AccountId: ptr(string(a.ID)), AccountName: ptr(a.Name), EmailAddress: ptr(a.Email)}
	}
	return out, nil
}

// ListAccountRoles lists the caller's roles in an account. An account that the caller cannot reach, or that is not there,
// is one answer, as for GetRoleCredentials: nobody finds out which accounts exist (case S33).
func (s *Service) ListAccountRoles(_ context.Context, c *endpoint.Call, in *api.ListAccountRolesRequest) (*api.ListAccountRolesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken, in.AccountId)
	if err != nil {
		return nil, err
	}
	sets, next, err := access.Roles(c.Tx, c.Caller.UserID, c.Caller.SignIn(), arn.AccountID(in.AccountId), q)
	if err != nil {
		return nil, err
	}
	if len(sets) == 0 && q.After == nil {
		return nil, vend.NoAccess()
	}
	out := &api.ListAccountRolesResponse{RoleList: make([]api.RoleInfo, len(sets)), NextToken: c.NextToken(next, in.AccountId)}
	for i, set := range sets {
		out.RoleList[i] = api.RoleInfo{RoleName: ptr(set.Name), AccountId: &in.AccountId}
	}
	return out, nil
}

// Logout ends the session behind the token and, by a setting, the role credentials given out under it.
func (s *Service) Logout(_ context.Context, c *endpoint.Call, _ *api.LogoutRequest) (*api.LogoutResponse, error) {
	return &api.LogoutResponse{}, s.Sessions.SignOut(c.Tx, c.Caller.SessionID, c.Caller.UserID)
}

func ptr[T any](v T) *T { return &v }
