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
	"sallyport/internal/revocation"
	"sallyport/internal/store"
)

// Revoke cuts off a user, a session, a permission set or an account. To close doors is not refused to a delegated administrator.
func (s *Service) Revoke(_ context.Context, c *endpoint.Call, in *api.RevokeRequest) (*api.RevokeResponse, error) {
	o, err := s.order(c, in)
	if err != nil {
		return nil, err
	}
	if o, err = revocation.Measure(c.Tx, o); err != nil {
		return nil, wrap(err, "measure revocation")
	}
	if in.DryRun != nil && *in.DryRun {
		o.At = c.Tx.Now()
		return &api.RevokeResponse{Revocation: revocationOut(o)}, nil
	}
	if o.Disabled {
		if err := s.Login.Disable(c.Tx, o.UserID, c.Caller.ARN); err != nil {
			return nil, err
		}
	}
	if o, err = revocation.Revoke(c.Tx, s.Sessions, o); err != nil {
		return nil, wrap(err, "revoke")
	}
	return &api.RevokeResponse{Revocation: revocationOut(o)}, nil
}

// order is what a request asks for, if that is there.
func (s *Service) order(c *endpoint.Call, in *api.RevokeRequest) (o store.Revocation, err error) {
	o = store.Revocation{By: c.Caller.ARN, Disabled: in.DisableUser != nil && *in.DisableUser}
	if in.Reason != nil {
		o.Reason = *in.Reason
	}
	named := 0
	if in.UserId != nil {
		named++
		o.Scope, o.UserID = store.RevokedUser, *in.UserId
	}
	if in.SessionId != nil {
		named++
		o.Scope, o.SessionID = store.RevokedSession, *in.SessionId
	}
	switch {
	case in.PermissionSetArn != nil:
		named++
		o.Scope = store.RevokedSet
	case in.AccountId != nil:
		named++
		o.Scope = store.RevokedAccount
	}
	switch {
	case named != 1 || in.AccountId != nil && o.Scope != store.RevokedSet && o.Scope != store.RevokedAccount:
		return o, fault.Invalidf("Name one of these: a user, a session, a permission set, an account; or a permission set and the account to which it is limited.")
	case o.Disabled && o.Scope != store.RevokedUser:
		return o, fault.Invalidf("Only a user who is named can be disabled.")
	case o.Scope == store.RevokedUser:
		_, err = s.user(c, o.UserID)
	case o.Scope == store.RevokedSession: // Measure looks it up
	default:
		err = s.orderOf(c, in, &o)
	}
	return o, err
}

// orderOf is about a permission set or an account.
func (s *Service) orderOf(c *endpoint.Call, in *api.RevokeRequest, o *store.Revocation) error {
	if in.AccountId != nil {
		o.Account = arn.AccountID(*in.AccountId)
		if _, err := c.Tx.Account(o.Account); err != nil {
			return missing(err, typeAccount, *in.AccountId, "load account")
		}
	}
	if in.PermissionSetArn == nil {
		return nil
	}
	i, set, err := s.named(c, s.Instance.ARN(), *in.PermissionSetArn)
	if err != nil {
		return err
	}
	o.Set = set
	_, err = access.PermissionSet(c.Tx, i, set)
	if fault.KindOf(err) == fault.NotFound {
		return fault.Missing(typeSet, set.ARN())
	}
	return err
}

// DescribeRevocation tells how far a revocation has come.
func (*Service) DescribeRevocation(_ context.Context, c *endpoint.Call, in *api.DescribeRevocationRequest) (*api.DescribeRevocationResponse, error) {
	v, err := c.Tx.Revocation(in.RevocationId)
	if err != nil {
		return nil, missing(err, typeRevocation, in.RevocationId, "load revocation")
	}
	return &api.DescribeRevocationResponse{Revocation: revocationOut(v)}, nil
}

// ListRevokedAccounts tells what the backends of accounts said to a revocation.
func (*Service) ListRevokedAccounts(_ context.Context, c *endpoint.Call, in *api.ListRevokedAccountsRequest) (*api.ListRevokedAccountsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken, in.RevocationId)
	if err != nil {
		return nil, err
	}
	if _, err := c.Tx.Revocation(in.RevocationId); err != nil {
		return nil, missing(err, typeRevocation, in.RevocationId, "load revocation")
	}
	rows, next, err := c.Tx.RevokedIns(in.RevocationId, q)
	if err != nil {
		return nil, fmt.Errorf("list accounts of revocation: %w", err)
	}
	return &api.ListRevokedAccountsResponse{RevokedAccounts: mapped(rows, revokedInOut), NextToken: c.NextToken(next, in.RevocationId)}, nil
}

// ListRevocations lists revocations, newest first.
func (*Service) ListRevocations(_ context.Context, c *endpoint.Call, in *api.ListRevocationsRequest) (*api.ListRevocationsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Revocations(q)
	if err != nil {
		return nil, fmt.Errorf("list revocations: %w", err)
	}
	return &api.ListRevocationsResponse{Revocations: mapped(rows, revocationOut), NextToken: c.NextToken(next)}, nil
}

func revocationOut(v store.Revocation) api.Revocation {
	out := api.Revocation{
		RevocationId: optional(v.ID), Scope: api.RevocationScope(v.Scope), UserId: optional(v.UserID), SessionId: optional(v.SessionID),
		AccountId: optional(string(v.Account)), UserDisabled: v.Disabled, Reason: optional(v.Reason), RequestedBy: v.By, At: v.At,
		Status: api.RevocationStatus(v.Status), ConfirmedAt: when(v.ConfirmedAt), EndedAt: when(v.EndedAt), AccountCount: count(v.Counts.Accounts),
		Targets: targetsOut(v),
	}
	if v.ID == "" {
		out.Status = api.RevocationStatusDryRun
	}
	if v.Set.ID != "" {
		out.PermissionSetArn = optional(v.Set.ARN())
	}
	return out
}

// targetsOut is what this identity center verifies itself and cuts off together, when the revocation is committed.
func targetsOut(v store.Revocation) []api.RevocationTarget {
	status := api.RevocationStatusInProgress
	switch {
	case v.ID == "":
		status = api.RevocationStatusDryRun
	case !v.ConfirmedAt.IsZero():
		status = api.RevocationStatusReached
	}
	target := func(kind api.RevocationTargetKind, n int64, what string) api.RevocationTarget {
		return api.RevocationTarget{Kind: kind, Count: count(n), Status: status, What: what}
	}
	roles := target(api.RevocationTargetKindRoleCredentials, v.Counts.Roles, "Roles with credentials in use. All that were given out until the revocation are refused.")
	if v.Counts.Roles >= revocation.Counted {
		roles.What += " There are this many at least."
	}
	if v.Scope != store.RevokedUser && v.Scope != store.RevokedSession {
		return []api.RevocationTarget{roles}
	}
	return []api.RevocationTarget{
		target(api.RevocationTargetKindPortalSessions, v.Counts.Portal, "Sessions in browsers."),
		target(api.RevocationTargetKindClientSessions, v.Counts.Clients, "Command-line sessions, with their access tokens."),
		target(api.RevocationTargetKindRefreshTokens, v.Counts.Families, "Families of refresh tokens."),
		roles,
	}
}

func revokedInOut(in store.RevokedIn) api.RevokedAccount {
	return api.RevokedAccount{
		AccountId: string(in.Account), Status: api.RevocationStatus(in.Status), HoldsWithinSeconds: count(int64((in.Within + time.Second - 1) / time.Second)),
		Residue: in.Residue, ReachedAt: when(in.ReachedAt), FailureReason: optional(in.Reason),
	}
}
