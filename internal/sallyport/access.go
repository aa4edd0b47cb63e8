package sallyport

import (
	"context"
	"fmt"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// ListUserAccess lists how a user reaches accounts, or did at a time.
func (s *Service) ListUserAccess(_ context.Context, c *endpoint.Call, in *api.ListUserAccessRequest) (*api.ListUserAccessResponse, error) {
	i, at, err := s.past(c, in.InstanceArn, in.At)
	if err != nil {
		return nil, err
	}
	u, err := userThen(c, i, in.UserId, in.UserName, at)
	if err != nil {
		return nil, err
	}
	account := value(in.AccountId)
	filter := []string{in.InstanceArn, u.ID, account, moment(in.At)}
	q, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err != nil {
		return nil, err
	}
	rows, next, err := access.PathsOfUser(c.Tx, i, u.ID, arn.AccountID(account), at, q)
	if err != nil {
		return nil, err
	}
	before, err := forgotten(c, at)
	if err != nil {
		return nil, err
	}
	return &api.ListUserAccessResponse{
		At: at, ForgottenBefore: before, UserId: u.ID, UserName: u.Name, UserStatus: api.AccessUserStatus(u.Status), StatusSince: markOut(u.Since),
		Paths: mapped(rows, pathOut), NextToken: c.NextToken(next, filter...),
	}, nil
}

// ListAccountAccess lists who reaches an account, or did at a time.
func (s *Service) ListAccountAccess(_ context.Context, c *endpoint.Call, in *api.ListAccountAccessRequest) (*api.ListAccountAccessResponse, error) {
	i, at, err := s.past(c, in.InstanceArn, in.At)
	if err != nil {
		return nil, err
	}
	var set arn.PermissionSet
	if in.PermissionSetArn != nil {
		if _, set, err = s.named(c, in.InstanceArn, *in.PermissionSetArn); err != nil {
			return nil, err
		}
	}
	filter := []string{in.InstanceArn, in.AccountId, set.ID, moment(in.At)}
	q, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err != nil {
		return nil, err
	}
	rows, next, err := access.PathsOfAccount(c.Tx, i, arn.AccountID(in.AccountId), set, at, q)
	if err != nil {
		return nil, err
	}
	before, err := forgotten(c, at)
	if err != nil {
		return nil, err
	}
	return &api.ListAccountAccessResponse{At: at, ForgottenBefore: before, Paths: mapped(rows, pathOut), NextToken: c.NextToken(next, filter...)}, nil
}

// past is the instance that is asked about, and the time: now, unless another is named.
func (s *Service) past(c *endpoint.Call, instanceARN string, at *time.Time) (store.Instance, time.Time, error) {
	i, err := s.instance(c, instanceARN)
	if err != nil || at == nil {
		return i, c.Tx.Now(), err
	}
	if at.After(c.Tx.Now()) {
		return i, *at, fault.Invalidf("At is in the future: nobody knows yet.")
	}
	return i, *at, nil
}

// forgotten is the time before which what had ended is not kept, where the time that is asked about is before that.
func forgotten(c *endpoint.Call, at time.Time) (*time.Time, error) {
	in, err := setting.Load(c.Tx)
	if err != nil {
		return nil, fmt.Errorf("load settings: %w", err)
	}
	before, err := access.Forgotten(c.Tx, at, in.HistoryKeep)
	return when(before), err
}

func userThen(c *endpoint.Call, i store.Instance, id, name *string, at time.Time) (store.UserThen, error) {
	if (id == nil) == (name == nil) {
		return store.UserThen{}, fault.Invalidf("Say either UserId or UserName.")
	}
	return access.UserThen(c.Tx, i.StoreID, value(id), value(name), at)
}

// moment is a time as part of what a page's token is bound to.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func pathOut(p access.Path) api.AccessPath {
	return api.AccessPath{
		AccountId: string(p.Account), AccountStatus: placeOut(p.Place), AccountStatusSince: endOut(p.Place.Since), PermissionSetArn: p.Path.Set.ARN(), PermissionSetName: optional(p.Set),
		PrincipalType: api.PrincipalType(p.PrincipalType), PrincipalId: p.PrincipalID, GroupName: optional(p.Group),
		UserId: p.UserID, UserName: optional(p.User), UserStatus: statusOut(p.Status),
		Since: markOut(p.Since()), Until: endOut(p.Until), Assigned: markOut(p.Granted), Joined: endOut(p.Joined), LastUsedAt: when(p.Used),
	}
}

func statusOut(s store.UserStatus) *api.AccessUserStatus {
	if s == "" {
		return nil
	}
	out := api.AccessUserStatus(s)
	return &out
}

// placeOut is whether an account was open; nil: it was not there, or nobody knows.
func placeOut(a store.AccountThen) *api.AccountStatus {
	if a.Status == "" {
		return nil
	}
	out := api.AccountStatus(a.Status)
	return &out
}

func markOut(m store.Mark) api.AccessMark {
	return api.AccessMark{At: m.At, EventId: optional(m.Event), By: optional(m.By)}
}

// endOut is a mark that there need not be.
func endOut(m store.Mark) *api.AccessMark {
	if m.At.IsZero() {
		return nil
	}
	out := markOut(m)
	return &out
}
