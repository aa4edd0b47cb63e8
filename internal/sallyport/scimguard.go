package sallyport

import (
	"context"
	"errors"
	"fmt"
	"time"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// approvalLife is how long an approval lasts of which nothing else was said.
const approvalLife = time.Hour

// maxStops bounds how many stops are told of all sources together.
const maxStops = 1000

// ApproveScimRemovals lets a source remove any number for a while. What it has removed until now counts no more.
func (s *Service) ApproveScimRemovals(_ context.Context, c *endpoint.Call, in *api.ApproveScimRemovalsRequest) (*api.ApproveScimRemovalsResponse, error) {
	t, _, err := s.tenant(c, in.TenantId)
	if err != nil {
		return nil, err
	}
	life := approvalLife
	if in.DurationSeconds != nil {
		life = time.Duration(*in.DurationSeconds) * time.Second
	}
	a := store.SCIMApproval{TenantID: t.ID, Until: c.Tx.Now().Add(life), By: c.Caller.ARN}
	if life > 0 {
		err = c.Tx.ClearSCIMGuards(t.ID)
	}
	if err = errors.Join(err, c.Tx.ApproveSCIM(a)); err != nil {
		return nil, fmt.Errorf("approve removals: %w", err)
	}
	return &api.ApproveScimRemovalsResponse{TenantId: t.ID, ApprovedUntil: a.Until}, nil
}

// guardsOut adds to sources what of theirs is stopped or approved.
func guardsOut(tx *store.Tx, out []api.ScimTenant) error {
	in, err := setting.Load(tx)
	if err != nil {
		return err
	}
	stops, err := tx.SCIMGuardsRefused(tx.Now().Add(-in.SCIMGuardMemory()), maxStops)
	if err != nil {
		return fmt.Errorf("list stopped removals: %w", err)
	}
	approved, err := tx.SCIMApprovals(tx.Now(), maxStops)
	if err != nil {
		return fmt.Errorf("list approvals: %w", err)
	}
	of := map[string]*api.ScimTenant{}
	for i := range out {
		of[out[i].TenantId] = &out[i]
	}
	for _, g := range stops {
		if t := of[g.TenantID]; t != nil {
			t.RemovalsStopped = append(t.RemovalsStopped, api.ScimRemovalStop{
				Kind: api.ScimRemovalKind(g.Kind), GroupId: optional(g.GroupID), Removed: int32(g.Total(g.TrippedAt.Add(-in.SCIMGuardWindow))), Owned: int32(g.Owned),
				StoppedAt: g.TrippedAt, LastRefusedAt: g.RefusedAt,
			})
		}
	}
	for _, a := range approved {
		if t := of[a.TenantID]; t != nil {
			t.RemovalsApprovedUntil = &a.Until
		}
	}
	return nil
}
