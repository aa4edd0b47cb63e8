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

// CreateGroup adds an empty group.
func (Service) CreateGroup(_ context.Context, c *endpoint.Call, in *api.CreateGroupRequest) (*api.CreateGroupResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := directory.AdmitGroup(c.Tx, id, c.Limits); err != nil {
		return nil, err
	}
	g, err := directory.CreateGroup(c.Tx, store.Group{StoreID: id, DisplayName: value(in.DisplayName), Description: value(in.Description)}, c.Caller.ARN)
	if err != nil {
		return nil, err
	}
	return &api.CreateGroupResponse{IdentityStoreId: string(id), GroupId: g.ID, GroupArn: g.ARN(), Revision: store.RevisionText(g.Revision)}, nil
}

// DescribeGroup describes a group.
func (Service) DescribeGroup(_ context.Context, c *endpoint.Call, in *api.DescribeGroupRequest) (*api.DescribeGroupResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	g, err := directory.Group(c.Tx, id, in.GroupId)
	if err != nil {
		return nil, err
	}
	out := api.DescribeGroupResponse(groupOut(g))
	return &out, nil
}

// ListGroups lists the groups of an identity store; by a filter, at most the one with the name.
func (Service) ListGroups(_ context.Context, c *endpoint.Call, in *api.ListGroupsRequest) (*api.ListGroupsResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	name, err := filter(in.Filters, "DisplayName")
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, string(id), name)
	if err != nil {
		return nil, err
	}
	rows, next, err := groups(c.Tx, id, name, q)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return &api.ListGroupsResponse{Groups: mapped(rows, groupOut), NextToken: c.NextToken(next, string(id), name)}, nil
}

// groups are never nil: the list of groups is a required member.
func groups(tx *store.Tx, id arn.StoreID, name string, q page.Query) ([]store.Group, page.Key, error) {
	if name == "" {
		rows, next, err := tx.Groups(id, q)
		return append([]store.Group{}, rows...), next, err
	}
	g, err := tx.GroupByName(id, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return []store.Group{}, nil, nil
	case err != nil:
		return nil, nil, err
	}
	return []store.Group{g}, nil, nil
}

// GetGroupId is the id of the group with a display name or an external id (case S22).
func (Service) GetGroupId(_ context.Context, c *endpoint.Call, in *api.GetGroupIdRequest) (*api.GetGroupIdResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	groupID, err := groupID(c.Tx, id, in.AlternateIdentifier)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.Missing("GROUP", "")
	}
	if err != nil {
		return nil, fmt.Errorf("look group up: %w", err)
	}
	return &api.GetGroupIdResponse{IdentityStoreId: string(id), GroupId: groupID, GroupArn: arn.DirectoryGroupARN(groupID)}, nil
}

func groupID(tx *store.Tx, id arn.StoreID, alt api.AlternateIdentifier) (string, error) {
	if alt.ExternalId != nil {
		return tx.SubjectOf(id, store.PrincipalGroup, externalIDFrom(*alt.ExternalId))
	}
	if alt.UniqueAttribute == nil {
		return "", errNoIdentifier()
	}
	_, name, err := unique(alt.UniqueAttribute, "displayName")
	if err != nil {
		return "", err
	}
	g, err := tx.GroupByName(id, name)
	return g.ID, err
}

// UpdateGroup sets, replaces and removes single attributes.
func (Service) UpdateGroup(_ context.Context, c *endpoint.Call, in *api.UpdateGroupRequest) (*api.UpdateGroupResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	g, err := directory.Group(c.Tx, id, in.GroupId)
	if err != nil {
		return nil, err
	}
	if g, err = editGroup(g, in.Operations); err != nil {
		return nil, err
	}
	if g, err = directory.UpdateGroup(c.Tx, g, value(in.Revision), c.Caller.ARN); err != nil {
		return nil, err
	}
	return &api.UpdateGroupResponse{IdentityStoreId: string(id), GroupId: g.ID, GroupArn: g.ARN(), Revision: store.RevisionText(g.Revision)}, nil
}

// DeleteGroup removes a group with its memberships; what is assigned to it grants nothing from now on.
func (Service) DeleteGroup(_ context.Context, c *endpoint.Call, in *api.DeleteGroupRequest) (*api.DeleteGroupResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := directory.DeleteGroup(c.Tx, id, in.GroupId, value(in.Revision)); err != nil {
		return nil, err
	}
	return &api.DeleteGroupResponse{}, nil
}

func groupOut(g store.Group) api.Group {
	return api.Group{
		IdentityStoreId: string(g.StoreID), GroupId: g.ID, GroupArn: g.ARN(), Revision: store.RevisionText(g.Revision),
		DisplayName: new(g.DisplayName), Description: optional(g.Description), ExternalIds: mapped(g.ExternalIDs, externalIDOut),
		CreatedAt: timestamp(g.CreatedAt), CreatedBy: optional(g.CreatedBy), UpdatedAt: timestamp(g.UpdatedAt), UpdatedBy: optional(g.UpdatedBy),
	}
}
