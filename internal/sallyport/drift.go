package sallyport

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/provision"
	"sallyport/internal/store"
)

// ListDriftFindings compares roles with what was provisioned, a bounded number of them. It is Direct: accounts are asked, which takes
// longer than a transaction may.
func (s *Service) ListDriftFindings(ctx context.Context, c *endpoint.Call, in *api.ListDriftFindingsRequest) (*api.ListDriftFindingsResponse, error) {
	if err := c.DB.View(ctx, func(tx *store.Tx) error { _, err := s.instanceIn(tx, in.InstanceArn); return err }); err != nil {
		return nil, err
	}
	only := ""
	if in.AccountId != nil {
		only = *in.AccountId
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn, only)
	if err != nil {
		return nil, err
	}
	var from provision.Place
	if len(q.After) == 2 {
		from = provision.Place{Account: arn.AccountID(q.After[0]), Role: q.After[1]}
	}
	look, err := s.Inspector.Look(ctx, arn.AccountID(only), from, q.Limit)
	if err != nil {
		return nil, wrap(err, "look for drift")
	}
	out := &api.ListDriftFindingsResponse{
		RolesChecked: count(int64(look.Checked)), Findings: mapped(look.Findings, findingOut),
		UncheckedAccounts: mapped(look.Unchecked, func(u provision.Unchecked) api.UncheckedAccount {
			return api.UncheckedAccount{AccountId: string(u.Account), Reason: u.Reason}
		}),
	}
	if look.Next != nil {
		out.NextToken = c.NextToken(page.Key{string(look.Next.Account), look.Next.Role}, in.InstanceArn, only)
	}
	return out, wrap(audit.Record(ctx, c.DB, c.Event), "record call")
}

func findingOut(f store.DriftFinding) api.DriftFinding {
	out := api.DriftFinding{AccountId: string(f.Account), RoleName: f.Role, Kind: api.DriftKind(f.Kind), Details: f.Details}
	if f.Set.ID != "" {
		out.PermissionSetArn = optional(f.Set.ARN())
	}
	return out
}

// HealDrift asks for a role to be made again what was provisioned. Jobs of one account are done in their order, this one too.
func (s *Service) HealDrift(_ context.Context, c *endpoint.Call, in *api.HealDriftRequest) (*api.HealDriftResponse, error) {
	i, set, err := s.named(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	account := arn.AccountID(in.AccountId)
	if err := access.MayTouch(c.Tx, i, c.Caller.Account, set, account); err != nil {
		return nil, err
	}
	if _, err := c.Tx.Provisioned(account, set); errors.Is(err, store.ErrNotFound) {
		f := fault.Missing(typeSet, set.ARN())
		f.Message = fmt.Sprintf("Permission set %s was not provisioned in account %s.", set.ARN(), account)
		return nil, f
	} else if err != nil {
		return nil, fmt.Errorf("load what was provisioned: %w", err)
	}
	r, err := access.BeginHealing(c.Tx, set, account)
	if err != nil {
		return nil, wrap(err, "begin healing")
	}
	return &api.HealDriftResponse{DriftHealing: healingOut(r)}, nil
}

// DescribeDriftHealing tells what has become of a healing.
func (s *Service) DescribeDriftHealing(_ context.Context, c *endpoint.Call, in *api.DescribeDriftHealingRequest) (*api.DescribeDriftHealingResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	r, err := access.Request(c.Tx, i, store.RequestHeal, in.HealingId)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.Missing(typeHealing, in.HealingId)
	}
	if err != nil {
		return nil, err
	}
	return &api.DescribeDriftHealingResponse{DriftHealing: healingOut(r)}, nil
}

func healingOut(r store.Request) api.DriftHealing {
	return api.DriftHealing{
		HealingId: r.ID, AccountId: string(r.Account), PermissionSetArn: r.Set.ARN(), Status: api.DriftHealingStatus(r.Status),
		FailureReason: optional(r.Reason), CreatedAt: r.CreatedAt,
	}
}
