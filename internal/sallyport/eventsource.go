package sallyport

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/collect"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// CreateEventSource takes the audit log of another deployment in.
func (s *Service) CreateEventSource(_ context.Context, c *endpoint.Call, in *api.CreateEventSourceRequest) (*api.CreateEventSourceResponse, error) {
	made, secret, err := collect.Create(c.Tx, s.OperatorKeys, in.Name, c.Caller.ARN)
	if err != nil {
		return nil, wrap(err, "create event source")
	}
	return &api.CreateEventSourceResponse{EventSource: s.sourceOut(made), Secret: string(secret)}, nil
}

// DeleteEventSource takes nothing more from a deployment.
func (*Service) DeleteEventSource(_ context.Context, c *endpoint.Call, in *api.DeleteEventSourceRequest) (*api.DeleteEventSourceResponse, error) {
	return &api.DeleteEventSourceResponse{}, wrap(collect.Delete(c.Tx, in.SourceId), "delete event source")
}

// ListEventSources lists the deployments whose logs are kept here.
func (s *Service) ListEventSources(_ context.Context, c *endpoint.Call, in *api.ListEventSourcesRequest) (*api.ListEventSourcesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.EventSources()
	if err != nil {
		return nil, fmt.Errorf("list event sources: %w", err)
	}
	rows, next := paged(all, q, func(s store.EventSource) string { return s.Name })
	return &api.ListEventSourcesResponse{EventSources: mapped(rows, s.sourceOut), NextToken: c.NextToken(next)}, nil
}

// sourceOut is a source as it is shown. Its secret is shown when it is made, and never again.
func (s *Service) sourceOut(row store.EventSource) api.EventSource {
	return api.EventSource{
		SourceId: row.ID, Name: row.Name, Address: s.SCIM + collect.Base + row.ID, CreatedAt: row.CreatedAt,
		FirstSequence: row.FirstSeq, LastSequence: row.LastSeq, LastReceivedAt: when(row.LastAt),
		Problem: optional(row.Problem), ProblemSince: when(row.ProblemAt),
	}
}

// ListCollectedEvents lists what has come of a deployment.
func (*Service) ListCollectedEvents(_ context.Context, c *endpoint.Call, in *api.ListCollectedEventsRequest) (*api.ListCollectedEventsResponse, error) {
	newest := in.NewestFirst != nil && *in.NewestFirst
	var after int64
	if in.AfterSequence != nil {
		after = *in.AfterSequence
	}
	filter := []string{in.SourceId, strconv.FormatBool(newest), strconv.FormatInt(after, 10)}
	q, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err != nil {
		return nil, err
	}
	if _, err := collect.Find(c.Tx, in.SourceId); err != nil {
		return nil, wrap(err, "find event source")
	}
	rows, err := collected(c.Tx, in.SourceId, newest, after, q)
	if err != nil {
		return nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(e store.SealedEvent) page.Key { return page.Key{strconv.FormatInt(e.Seq, 10)} })
	out := mapped(rows, func(e store.SealedEvent) api.CollectedEvent {
		return api.CollectedEvent{Sequence: e.Seq, Hash: hex.EncodeToString(e.Hash), Event: string(e.JSON)}
	})
	return &api.ListCollectedEventsResponse{CollectedEvents: out, NextToken: c.NextToken(next, filter...)}, nil
}

// collected reads a page, and one event more if there is one.
func collected(tx *store.Tx, source string, newest bool, after int64, q page.Query) ([]store.SealedEvent, error) {
	place := after
	if newest {
		place = math.MaxInt64
	}
	if len(q.After) == 1 {
		var err error
		if place, err = strconv.ParseInt(q.After[0], 10, 64); err != nil {
			return nil, fault.Invalidf("The NextToken belongs to another request.")
		}
	}
	read := tx.CollectedAfter
	if newest {
		read = tx.CollectedBefore
	}
	rows, err := read(source, place, q.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list collected events: %w", err)
	}
	for i, e := range rows {
		if newest && e.Seq <= after {
			return rows[:i], nil
		}
	}
	return rows, nil
}
