package identitystore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/directory"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// CreateGroupMembership puts a user into a group.
func (Service) CreateGroupMembership(_ context.Context, c *endpoint.Call, in *api.CreateGroupMembershipRequest) (*api.CreateGroupMembershipResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	userID, err := member(in.MemberId)
	if err != nil {
		return nil, err
	}
	m, err := directory.AddMember(c.Tx, id, in.GroupId, userID, c.Caller.ARN)
	if err != nil {
		return nil, err
	}
	return &api.CreateGroupMembershipResponse{IdentityStoreId: string(id), MembershipId: m.ID, MembershipArn: m.ARN()}, nil
}

// DescribeGroupMembership describes a membership.
func (Service) DescribeGroupMembership(_ context.Context, c *endpoint.Call, in *api.DescribeGroupMembershipRequest) (*api.DescribeGroupMembershipResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	m, err := directory.Membership(c.Tx, id, in.MembershipId)
	if err != nil {
		return nil, err
	}
	return &api.DescribeGroupMembershipResponse{
		IdentityStoreId: string(id), MembershipId: m.ID, MembershipArn: m.ARN(), GroupId: m.GroupID, MemberId: api.MemberId{UserId: &m.UserID},
		CreatedAt: timestamp(m.CreatedAt), CreatedBy: optional(m.CreatedBy), UpdatedAt: timestamp(m.CreatedAt), UpdatedBy: optional(m.CreatedBy),
	}, nil
}

// GetGroupMembershipId is the id of a user's membership in a group.
func (Service) GetGroupMembershipId(_ context.Context, c *endpoint.Call, in *api.GetGroupMembershipIdRequest) (*api.GetGroupMembershipIdResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	userID, err := member(in.MemberId)
	if err != nil {
		return nil, err
	}
	m, err := c.Tx.MembershipOf(in.GroupId, userID)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.StoreID != id {
		return nil, fault.Missing("GROUP_MEMBERSHIP", "")
	}
	if err != nil {
		return nil, fmt.Errorf("load membership: %w", err)
	}
	return &api.GetGroupMembershipIdResponse{IdentityStoreId: string(id), MembershipId: m.ID, MembershipArn: m.ARN()}, nil
}

// DeleteGroupMembership takes a user out of a group.
func (Service) DeleteGroupMembership(_ context.Context, c *endpoint.Call, in *api.DeleteGroupMembershipRequest) (*api.DeleteGroupMembershipResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := directory.RemoveMember(c.Tx, id, in.MembershipId, c.Caller.ARN); err != nil {
		return nil, err
	}
	return &api.DeleteGroupMembershipResponse{}, nil
}

// ListGroupMemberships lists the members of a group.
func (Service) ListGroupMemberships(_ context.Context, c *endpoint.Call, in *api.ListGroupMembershipsRequest) (*api.ListGroupMembershipsResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if _, err := directory.Group(c.Tx, id, in.GroupId); err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, string(id), in.GroupId)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Members(in.GroupId, q)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return &api.ListGroupMembershipsResponse{
		GroupMemberships: append([]api.GroupMembership{}, mapped(rows, membershipOut)...),
		NextToken:        c.NextToken(next, string(id), in.GroupId),
	}, nil
}

// ListGroupMembershipsForMember lists the groups that a user is in.
func (Service) ListGroupMembershipsForMember(_ context.Context, c *endpoint.Call, in *api.ListGroupMembershipsForMemberRequest) (*api.ListGroupMembershipsForMemberResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	userID, err := member(in.MemberId)
	if err != nil {
		return nil, err
	}
	if _, err := directory.User(c.Tx, id, userID); err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, string(id), userID)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Memberships(userID, q)
	if err != nil {
		return nil, fmt.Errorf("list memberships: %w", err)
	}
	return &api.ListGroupMembershipsForMemberResponse{
		GroupMemberships: append([]api.GroupMembership{}, mapped(rows, membershipOut)...),
		NextToken:        c.NextToken(next, string(id), userID),
	}, nil
}

// IsMemberInGroups tells, group by group in the order asked, whether a user is in it. Nobody is in a group that does not exist.
func (Service) IsMemberInGroups(_ context.Context, c *endpoint.Call, in *api.IsMemberInGroupsRequest) (*api.IsMemberInGroupsResponse, error) {
	id, err := identityStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	userID, err := member(in.MemberId)
	if err != nil {
		return nil, err
	}
	if _, err := directory.User(c.Tx, id, userID); err != nil {
		return nil, err
	}
	if len(in.GroupIds) == 0 {
		return nil, fault.Invalidf("GroupIds must have at least one group.")
	}
	have, err := c.Tx.GroupsOf(userID, slices.Min(in.GroupIds), slices.Max(in.GroupIds))
	if err != nil {
		return nil, fmt.Errorf("list groups of user: %w", err)
	}
	out := &api.IsMemberInGroupsResponse{Results: []api.GroupMembershipExistenceResult{}}
	for _, g := range in.GroupIds {
		out.Results = append(out.Results, api.GroupMembershipExistenceResult{
			GroupId: &g, MemberId: &api.MemberId{UserId: &userID}, MembershipExists: new(slices.Contains(have, g)),
		})
	}
	return out, nil
}

func membershipOut(m store.Membership) api.GroupMembership {
	return api.GroupMembership{
		IdentityStoreId: string(m.StoreID), MembershipId: &m.ID, MembershipArn: m.ARN(), GroupId: &m.GroupID, MemberId: &api.MemberId{UserId: &m.UserID},
		CreatedAt: timestamp(m.CreatedAt), CreatedBy: optional(m.CreatedBy), UpdatedAt: timestamp(m.CreatedAt), UpdatedBy: optional(m.CreatedBy),
	}
}
