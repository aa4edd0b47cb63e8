package portal

import (
	"context"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sso"
	"sallyport/internal/endpoint"
)

// GetRoleCredentials gives out credentials of the role that a permission set has become in an account.
func (s *Service) GetRoleCredentials(ctx context.Context, c *endpoint.Call, in *api.GetRoleCredentialsRequest) (*api.GetRoleCredentialsResponse, error) {
	keys, err := s.Vendor.RoleCredentials(ctx, c.Caller, arn.AccountID(in.AccountId), in.RoleName, c.Event)
	if err != nil {
		return nil, err
	}
	return &api.GetRoleCredentialsResponse{RoleCredentials: &api.RoleCredentials{
		AccessKeyId: &keys.AccessKeyID, SecretAccessKey: ptr(string(keys.SecretAccessKey)),
		SessionToken: ptr(string(keys.SessionToken)), Expiration: ptr(keys.Expiration.UnixMilli()), // milliseconds (case S33)
	}}, nil
}
