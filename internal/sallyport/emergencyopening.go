package sallyport

import (
	"context"
	"fmt"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/emergency"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

// mostUses bounds the credentials of one opening that are told.
const mostUses = 500

// ListEmergencyOpenings lists openings, newest first.
func (*Service) ListEmergencyOpenings(_ context.Context, c *endpoint.Call, in *api.ListEmergencyOpeningsRequest) (*api.ListEmergencyOpeningsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Openings(q)
	if err != nil {
		return nil, fmt.Errorf("list openings: %w", err)
	}
	return &api.ListEmergencyOpeningsResponse{EmergencyOpenings: mapped(rows, openingOut), NextToken: c.NextToken(next)}, nil
}

// DescribeEmergencyOpening tells of an opening, and what was given out in it.
func (*Service) DescribeEmergencyOpening(_ context.Context, c *endpoint.Call, in *api.DescribeEmergencyOpeningRequest) (*api.DescribeEmergencyOpeningResponse, error) {
	o, err := emergency.Opening(c.Tx, in.OpeningId)
	if err != nil {
		return nil, err
	}
	uses, err := c.Tx.EmergencyUses(o.ID, mostUses)
	if err != nil {
		return nil, fmt.Errorf("list credentials of opening: %w", err)
	}
	return &api.DescribeEmergencyOpeningResponse{
		EmergencyOpening: openingOut(o),
		Credentials: mapped(uses, func(u store.EmergencyUse) api.EmergencyCredential {
			return api.EmergencyCredential{AccessKeyId: u.AccessKeyID, AccountId: string(u.Account), GivenOutAt: u.At, ExpiresAt: u.Until, EventId: optional(u.EventID)}
		}),
	}, nil
}

// ListEmergencyEvents lists what was done in an opening.
func (*Service) ListEmergencyEvents(_ context.Context, c *endpoint.Call, in *api.ListEmergencyEventsRequest) (*api.ListEmergencyEventsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken, in.OpeningId)
	if err != nil {
		return nil, err
	}
	o, err := emergency.Opening(c.Tx, in.OpeningId)
	if err != nil {
		return nil, err
	}
	events, next, err := c.Tx.EmergencyEvents(o.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list events of opening: %w", err)
	}
	return &api.ListEmergencyEventsResponse{
		Events: mapped(events, func(e store.EmergencyEvent) api.EmergencyEvent {
			return api.EmergencyEvent{EventId: e.EventID, At: e.At, EventSource: e.Source, EventName: e.Name, ErrorCode: optional(e.Error)}
		}),
		NextToken: c.NextToken(next, in.OpeningId),
	}, nil
}

// CloseEmergencyOpening ends an opening before its time.
func (s *Service) CloseEmergencyOpening(_ context.Context, c *endpoint.Call, in *api.CloseEmergencyOpeningRequest) (*api.CloseEmergencyOpeningResponse, error) {
	if err := s.ownEmergencies(c); err != nil {
		return nil, err
	}
	o, err := emergency.Opening(c.Tx, in.OpeningId)
	if err != nil {
		return nil, err
	}
	return &api.CloseEmergencyOpeningResponse{}, s.Emergency.CloseBy(c.Tx, o, c.Caller.ARN)
}

// CloseEmergencyReview closes a review. The opener cannot, with whatever credentials; the operator's key is nobody's in particular.
func (s *Service) CloseEmergencyReview(_ context.Context, c *endpoint.Call, in *api.CloseEmergencyReviewRequest) (*api.CloseEmergencyReviewResponse, error) {
	if err := s.ownEmergencies(c); err != nil {
		return nil, err
	}
	_, err := emergency.CloseReview(c.Tx, in.OpeningId, emergency.Reviewer{UserID: c.Caller.UserID, Name: c.Caller.ARN}, in.Reason)
	return &api.CloseEmergencyReviewResponse{}, err
}

func openingOut(o store.Opening) api.EmergencyOpening {
	out := api.EmergencyOpening{
		OpeningId: o.ID, AccessId: o.AccessID, AccessName: o.AccessName, PermissionSetArn: o.Set.ARN(), OpenerId: o.UserID, OpenerName: o.UserName,
		IpAddress: optional(o.IP), Reason: o.Reason, State: api.EmergencyOpeningState(o.State), AskedAt: o.AskedAt, OpenedAt: when(o.OpenedAt),
		EndedAt: when(o.EndedAt), EndedBy: optional(o.EndedBy), ApproverId: optional(o.ApproverID), ApproverName: optional(o.ApproverName),
		Review: api.EmergencyReviewState(o.Review), ReviewedAt: when(o.ReviewedAt), ReviewedBy: optional(o.ReviewedBy), ReviewReason: optional(o.ReviewReason),
	}
	if !o.OpenedAt.IsZero() {
		out.EndsAt = when(o.Until)
	}
	return out
}
