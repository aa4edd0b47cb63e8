package sallyport

import (
	"context"
	"errors"
	"fmt"
	"slices"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

const (
	// operator is the user of the management account that the first start makes.
	operator = "operator"
	// maxKeys is how many access keys a user may have, as in IAM.
	maxKeys = 2
)

// statuses are those of the records by those of the model.
var statuses = map[api.OperatorKeyStatus]string{api.OperatorKeyStatusActive: store.KeyActive, api.OperatorKeyStatusInactive: store.KeyInactive}

// ListOperatorKeys lists the operator's access keys, by id.
func (s *Service) ListOperatorKeys(_ context.Context, c *endpoint.Call, in *api.ListOperatorKeysRequest) (*api.ListOperatorKeysResponse, error) {
	_, keys, err := s.operator(c)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next := paged(keys, q, func(k store.AccessKey) string { return k.ID })
	return &api.ListOperatorKeysResponse{OperatorKeys: mapped(rows, keyOut), NextToken: c.NextToken(next)}, nil
}

func keyOut(k store.AccessKey) api.OperatorKey {
	out := api.OperatorKey{AccessKeyId: k.ID, CreatedAt: k.CreatedAt, LastUsedAt: when(k.UsedAt), Status: api.OperatorKeyStatusInactive}
	if k.Status == store.KeyActive {
		out.Status = api.OperatorKeyStatusActive
	}
	return out
}

// CreateOperatorKey makes an access key for the operator.
func (s *Service) CreateOperatorKey(_ context.Context, c *endpoint.Call, _ *api.CreateOperatorKeyRequest) (*api.CreateOperatorKeyResponse, error) {
	user, keys, err := s.operator(c)
	if err != nil {
		return nil, err
	}
	if len(keys) >= maxKeys {
		return nil, fault.Quotaf("The operator has %d access keys, as many as there may be. Remove one first: `sallyport operator keys` lists them.", len(keys))
	}
	id, secret, err := credential.CreateAccessKey(c.Tx, s.OperatorKeys, user)
	if err != nil {
		return nil, err
	}
	return &api.CreateOperatorKeyResponse{AccessKeyId: id, SecretAccessKey: string(secret)}, nil
}

// UpdateOperatorKey switches one of the operator's access keys off or on.
func (s *Service) UpdateOperatorKey(_ context.Context, c *endpoint.Call, in *api.UpdateOperatorKeyRequest) (*api.UpdateOperatorKeyResponse, error) {
	k, err := s.key(c, in.AccessKeyId, in.Status == api.OperatorKeyStatusInactive)
	if err != nil {
		return nil, err
	}
	return &api.UpdateOperatorKeyResponse{}, credential.SetAccessKeyStatus(c.Tx, k.ID, statuses[in.Status])
}

// DeleteOperatorKey removes one of the operator's access keys.
func (s *Service) DeleteOperatorKey(_ context.Context, c *endpoint.Call, in *api.DeleteOperatorKeyRequest) (*api.DeleteOperatorKeyResponse, error) {
	k, err := s.key(c, in.AccessKeyId, true)
	if err != nil {
		return nil, err
	}
	return &api.DeleteOperatorKeyResponse{}, credential.DeleteAccessKey(c.Tx, k.ID)
}

// operator is the operator with their keys. They are an administrator of the management account: whoever could make a key of
// theirs from another account, as a delegated administrator, would be one too.
func (s *Service) operator(c *endpoint.Call) (store.IAMUser, []store.AccessKey, error) {
	if c.Caller.Account != s.Owner {
		return store.IAMUser{}, nil, fault.Deniedf("The operator's keys are managed in the management account %s alone.", s.Owner)
	}
	user, err := c.Tx.IAMUser(s.Owner, operator)
	if errors.Is(err, store.ErrNotFound) {
		return user, nil, fault.Conflictf("There is no operator any more. Stop the server and run `sallyport recover`.")
	}
	if err != nil {
		return user, nil, fmt.Errorf("load operator: %w", err)
	}
	keys, err := c.Tx.AccessKeys(user.ID)
	return user, keys, wrap(err, "list operator's keys")
}

// key is one of the operator's keys. stop says that it is to work no more, which is refused while it is all that there is to
// administer with: nobody else has been signed in within the memory of sessions.
func (s *Service) key(c *endpoint.Call, id string, stop bool) (store.AccessKey, error) {
	_, keys, err := s.operator(c)
	if err != nil {
		return store.AccessKey{}, err
	}
	i := slices.IndexFunc(keys, func(k store.AccessKey) bool { return k.ID == id })
	if i < 0 {
		return store.AccessKey{}, fault.Missing(typeKey, id)
	}
	others := slices.ContainsFunc(keys, func(k store.AccessKey) bool { return k.ID != id && k.Status == store.KeyActive })
	if !stop || others || keys[i].Status != store.KeyActive {
		return keys[i], nil
	}
	sessions, _, err := c.Tx.Sessions(page.Query{Limit: 1})
	if err != nil {
		return keys[i], fmt.Errorf("look for sessions: %w", err)
	}
	if len(sessions) == 0 {
		return keys[i], fault.Conflictf("Nobody has signed in at the portal, so this key is the only way to administer. " +
			"Let an administrator sign in first, or make another key: `sallyport operator rotate`.")
	}
	return keys[i], nil
}
