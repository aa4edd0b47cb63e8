// Package sts is the part of AWS Security Token Service that clients need beside Identity Center: who am I, and whose key is this.
// The credentials themselves are package credential's.
package sts

import (
	"context"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sts"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
)

// Service implements the generated contract.
type Service struct {
	api.Unimplemented[*endpoint.Call]
}

// Free are the operations that need no permission: GetCallerIdentity answers whoever signs, even under an explicit deny.
var Free = []string{"GetCallerIdentity"}

// GetCallerIdentity says who signed the request.
func (Service) GetCallerIdentity(_ context.Context, c *endpoint.Call, _ *api.GetCallerIdentityRequest) (*api.GetCallerIdentityResponse, error) {
	account := string(c.Caller.Account)
	return &api.GetCallerIdentityResponse{Account: &account, Arn: &c.Caller.ARN, UserId: &c.Caller.PrincipalID}, nil
}

// GetAccessKeyInfo says which account an access key id belongs to: the id carries it, so nothing is looked up and nothing is
// told of whether the key exists.
func (Service) GetAccessKeyInfo(_ context.Context, _ *endpoint.Call, in *api.GetAccessKeyInfoRequest) (*api.GetAccessKeyInfoResponse, error) {
	account, ok := arn.AccountOfAccessKey(in.AccessKeyId)
	if !ok {
		return nil, fault.Invalidf("%s is not an access key id of this identity center.", in.AccessKeyId)
	}
	s := string(account)
	return &api.GetAccessKeyInfoResponse{Account: &s}, nil
}
