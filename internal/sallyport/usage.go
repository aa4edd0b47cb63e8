package sallyport

import (
	"context"
	"fmt"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/usage"
)

// ListUnusedAccess lists assignments by which nobody has got credentials for a while.
func (s *Service) ListUnusedAccess(_ context.Context, c *endpoint.Call, in *api.ListUnusedAccessRequest) (*api.ListUnusedAccessResponse, error) {
	i, since, err := s.past(c, in.InstanceArn, &in.UnusedSince)
	if err != nil {
		return nil, err
	}
	filter := []string{in.InstanceArn, moment(&since)}
	q, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err != nil {
		return nil, err
	}
	until, err := usage.CountedUntil(c.Tx)
	if err != nil {
		return nil, err
	}
	rows, next, err := usage.ListUnused(c.Tx, i.ID, since, q)
	if err != nil {
		return nil, err
	}
	return &api.ListUnusedAccessResponse{CountedUntil: &until, UnusedAssignments: mapped(rows, unusedOut), NextToken: c.NextToken(next, filter...)}, nil
}

func unusedOut(u usage.Unused) api.UnusedAssignment {
	return api.UnusedAssignment{
		AccountId: string(u.Account), PermissionSetArn: u.Assignment.Set.ARN(), PermissionSetName: optional(u.Set),
		PrincipalType: api.PrincipalType(u.PrincipalType), PrincipalId: u.PrincipalID, PrincipalName: optional(u.Principal),
		Granted: markOut(u.Granted), LastUsedAt: when(u.Last),
	}
}

// ListUsage sums up what was given out.
func (s *Service) ListUsage(_ context.Context, c *endpoint.Call, in *api.ListUsageRequest) (*api.ListUsageResponse, error) {
	if _, err := s.instance(c, in.InstanceArn); err != nil {
		return nil, err
	}
	if in.To.Before(in.From) {
		return nil, fault.Invalidf("To is before From.")
	}
	filter := []string{in.InstanceArn, string(in.By), moment(&in.From), moment(&in.To)}
	q, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err != nil {
		return nil, err
	}
	until, err := usage.CountedUntil(c.Tx)
	if err != nil {
		return nil, err
	}
	rows, next, err := usage.Report(c.Tx, store.UsageBy(in.By), in.From, in.To, q)
	if err != nil {
		return nil, fmt.Errorf("report usage: %w", err)
	}
	return &api.ListUsageResponse{CountedUntil: &until, NextToken: c.NextToken(next, filter...), Usage: mapped(rows, func(l usage.Line) api.UsageSum {
		return api.UsageSum{Id: l.ID, Name: optional(l.Name), Sessions: l.Issued, CredentialSeconds: l.Seconds, LastUsedAt: when(l.Last)}
	})}, nil
}
