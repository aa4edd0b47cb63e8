package identitystore

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/directory"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// CreateUser adds a user, enabled and without a password.
func (Service) CreateUser(_ context.Context, c *endpoint.Call, in *api.CreateUserRequest) (*api.CreateUserResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := directory.AdmitUser(c.Tx, id, c.Limits); err != nil {
		return nil, err
	}
	u := userFrom(in)
	u.StoreID = id
	if err := directory.OneOfEach(store.User{}, u); err != nil {
		return nil, err
	}
	if u, err = directory.CreateUser(c.Tx, u, c.Caller.ARN); err != nil {
		return nil, err
	}
	return &api.CreateUserResponse{IdentityStoreId: string(id), UserId: u.ID, UserArn: u.ARN(), Revision: store.RevisionText(u.Revision)}, nil
}

// DescribeUser describes a user, with the extensions that are asked for.
func (Service) DescribeUser(_ context.Context, c *endpoint.Call, in *api.DescribeUserRequest) (*api.DescribeUserResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	u, err := directory.User(c.Tx, id, in.UserId)
	if err != nil {
		return nil, err
	}
	out := api.DescribeUserResponse(userOut(u, in.Extensions))
	return &out, nil
}

// ListUsers lists the users of an identity store; by a filter, at most the one with the user name.
func (Service) ListUsers(_ context.Context, c *endpoint.Call, in *api.ListUsersRequest) (*api.ListUsersResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	name, err := filter(in.Filters, "UserName")
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, string(id), name)
	if err != nil {
		return nil, err
	}
	rows, next, err := users(c.Tx, id, name, q)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return &api.ListUsersResponse{
		Users:     mapped(rows, func(u store.User) api.User { return userOut(u, in.Extensions) }),
		NextToken: c.NextToken(next, string(id), name),
	}, nil
}

// users are never nil: the list of users is a required member.
func users(tx *store.Tx, id arn.StoreID, name string, q page.Query) ([]store.User, page.Key, error) {
	if name == "" {
		rows, next, err := tx.Users(id, q)
		return append([]store.User{}, rows...), next, err
	}
	u, err := tx.UserByName(id, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return []store.User{}, nil, nil
	case err != nil:
		return nil, nil, err
	}
	return []store.User{u}, nil, nil
}

// GetUserId is the id of the user with a user name, a primary mail address or an external id (case S22).
func (Service) GetUserId(_ context.Context, c *endpoint.Call, in *api.GetUserIdRequest) (*api.GetUserIdResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	userID, err := userID(c.Tx, id, in.AlternateIdentifier)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.Missing("USER", "")
	}
	if err != nil {
		return nil, fmt.Errorf("look user up: %w", err)
	}
	return &api.GetUserIdResponse{IdentityStoreId: string(id), UserId: userID, UserArn: arn.DirectoryUserARN(userID)}, nil
}

func userID(tx *store.Tx, id arn.StoreID, alt api.AlternateIdentifier) (string, error) {
	if alt.ExternalId != nil {
		return tx.SubjectOf(id, store.PrincipalUser, externalIDFrom(*alt.ExternalId))
	}
	if alt.UniqueAttribute == nil {
		return "", errNoIdentifier()
	}
	path, value, err := unique(alt.UniqueAttribute, "userName", "emails.value")
	if err != nil {
		return "", err
	}
	var u store.User
	if path == "userName" {
		u, err = tx.UserByName(id, value)
	} else {
		u, err = tx.UserByEmail(id, value)
	}
	return u.ID, err
}

func errNoIdentifier() error {
	return fault.Invalidf("AlternateIdentifier must have an ExternalId or a UniqueAttribute.")
}

// UpdateUser sets, replaces and removes single attributes.
func (Service) UpdateUser(_ context.Context, c *endpoint.Call, in *api.UpdateUserRequest) (*api.UpdateUserResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	was, err := directory.User(c.Tx, id, in.UserId)
	if err != nil {
		return nil, err
	}
	u, err := editUser(was, in.Operations)
	if err != nil {
		return nil, err
	}
	if err := directory.OneOfEach(was, u); err != nil {
		return nil, err
	}
	directory.KeepDisplays(was, &u)
	if u, err = directory.UpdateUser(c.Tx, u, value(in.Revision), c.Caller.ARN); err != nil {
		return nil, err
	}
	return &api.UpdateUserResponse{IdentityStoreId: string(id), UserId: u.ID, UserArn: u.ARN(), Revision: store.RevisionText(u.Revision)}, nil
}

// DeleteUser removes a user, whose memberships go too and whose credentials die.
func (Service) DeleteUser(_ context.Context, c *endpoint.Call, in *api.DeleteUserRequest) (*api.DeleteUserResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := directory.DeleteUser(c.Tx, id, in.UserId, value(in.Revision)); err != nil {
		return nil, err
	}
	return &api.DeleteUserResponse{}, nil
}
