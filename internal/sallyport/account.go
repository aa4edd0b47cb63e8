package sallyport

import (
	"context"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

// CloseAccount takes an account out of everybody's reach.
func (s *Service) CloseAccount(_ context.Context, c *endpoint.Call, in *api.CloseAccountRequest) (*api.CloseAccountResponse, error) {
	a, err := s.account(c, in.AccountId, access.CloseAccount)
	if err != nil {
		return nil, err
	}
	return &api.CloseAccountResponse{Account: accountOut(a)}, nil
}

// ReopenAccount gives an account that was closed back.
func (s *Service) ReopenAccount(_ context.Context, c *endpoint.Call, in *api.ReopenAccountRequest) (*api.ReopenAccountResponse, error) {
	a, err := s.account(c, in.AccountId, access.ReopenAccount)
	if err != nil {
		return nil, err
	}
	return &api.ReopenAccountResponse{Account: accountOut(a)}, nil
}

// account does something to an account that a request names.
func (s *Service) account(c *endpoint.Call, id string, do func(*store.Tx, store.Instance, arn.AccountID, arn.AccountID) (store.Account, error)) (store.Account, error) {
	i, err := access.Instance(c.Tx, s.Instance)
	if err != nil {
		return store.Account{}, err
	}
	return do(c.Tx, i, c.Caller.Account, arn.AccountID(id))
}

func accountOut(a store.Account) api.Account {
	return api.Account{AccountId: string(a.ID), Name: a.Name, Email: optional(a.Email), Status: api.AccountStatus(a.Status)}
}
