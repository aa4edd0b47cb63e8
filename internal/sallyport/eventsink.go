package sallyport

import (
	"context"
	"fmt"
	"math"

	"sallyport/internal/audit"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// CreateEventSink sends the audit log to a receiver.
func (s *Service) CreateEventSink(_ context.Context, c *endpoint.Call, in *api.CreateEventSinkRequest) (*api.CreateEventSinkResponse, error) {
	change := stream.Change{
		Name: &in.Name, Address: &in.Address, CA: in.CaCertificates, Secret: in.Secret, Format: formatOf(in.Format), Options: in.Options,
		WriteOnly: in.WriteOnly, Sources: sourcesOf(in.EventSources),
	}
	made, err := stream.Create(c.Tx, s.OperatorKeys, in.Kind, change, in.FromStart != nil && *in.FromStart, c.Caller.ARN)
	if err != nil {
		return nil, wrap(err, "create event sink")
	}
	out, err := s.sinkOut(c, made)
	return &api.CreateEventSinkResponse{EventSink: out}, err
}

func formatOf(name *string) *stream.Format {
	if name == nil {
		return nil
	}
	return new(stream.Format(*name))
}

func sourcesOf(sources []string) *[]string {
	if sources == nil {
		return nil
	}
	return &sources
}

// UpdateEventSink changes a sink.
func (s *Service) UpdateEventSink(_ context.Context, c *endpoint.Call, in *api.UpdateEventSinkRequest) (*api.UpdateEventSinkResponse, error) {
	change := stream.Change{
		Name: in.Name, Address: in.Address, CA: in.CaCertificates, Secret: in.Secret, Format: formatOf(in.Format), Options: in.Options,
		WriteOnly: in.WriteOnly, Sources: sourcesOf(in.EventSources),
	}
	if in.State != nil {
		change.State = new(store.SinkState(*in.State))
	}
	changed, err := stream.Update(c.Tx, s.OperatorKeys, in.SinkId, change)
	if err != nil {
		return nil, wrap(err, "update event sink")
	}
	out, err := s.sinkOut(c, changed)
	return &api.UpdateEventSinkResponse{EventSink: out}, err
}

// DeleteEventSink ends the sending to a sink.
func (*Service) DeleteEventSink(_ context.Context, c *endpoint.Call, in *api.DeleteEventSinkRequest) (*api.DeleteEventSinkResponse, error) {
	return &api.DeleteEventSinkResponse{}, wrap(stream.Delete(c.Tx, in.SinkId), "delete event sink")
}

// DescribeEventSink tells how the sending to a sink goes.
func (s *Service) DescribeEventSink(_ context.Context, c *endpoint.Call, in *api.DescribeEventSinkRequest) (*api.DescribeEventSinkResponse, error) {
	found, err := stream.Find(c.Tx, in.SinkId)
	if err != nil {
		return nil, wrap(err, "find event sink")
	}
	out, err := s.sinkOut(c, found)
	return &api.DescribeEventSinkResponse{EventSink: out}, err
}

// ListEventSinks lists the sinks.
func (s *Service) ListEventSinks(_ context.Context, c *endpoint.Call, in *api.ListEventSinksRequest) (*api.ListEventSinksResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.EventSinks()
	if err != nil {
		return nil, fmt.Errorf("list event sinks: %w", err)
	}
	rows, next := paged(all, q, func(s store.EventSink) string { return s.Name })
	out := &api.ListEventSinksResponse{EventSinks: []api.EventSink{}, NextToken: c.NextToken(next)}
	for _, row := range rows { // twenty at most
		one, err := s.sinkOut(c, row)
		if err != nil {
			return nil, err
		}
		out.EventSinks = append(out.EventSinks, one)
	}
	return out, nil
}

// sinkOut is a sink as it is shown: its secret and the certificates never are.
func (s *Service) sinkOut(c *endpoint.Call, row store.EventSink) (api.EventSink, error) {
	in, err := stream.SettingsOf(row)
	if err != nil {
		return api.EventSink{}, wrap(err, "show event sink")
	}
	lag, err := stream.LagOf(c.Tx, s.Login.DB, row)
	if err != nil {
		return api.EventSink{}, wrap(err, "measure event sink")
	}
	seconds := int64(0)
	if !lag.Since.IsZero() {
		seconds = int64(math.Ceil(max(0, c.Tx.Now().Sub(lag.Since).Seconds())))
	}
	return api.EventSink{
		SinkId: row.ID, Name: row.Name, Kind: row.Kind, State: api.EventSinkState(row.State), Address: in.Address, Format: string(in.Format), Options: in.Options,
		HasSecret: new(len(row.Secret) > 0), HasCaCertificates: new(in.CA != ""), WriteOnly: &in.Filter.WriteOnly, EventSources: in.Filter.Sources,
		CreatedAt: row.CreatedAt, Position: row.Position, Delivered: row.Delivered, LastDeliveredAt: when(row.DeliveredAt),
		Failures: count(row.Failed), FailuresInARow: count(int64(row.Failures)), LastError: optional(row.LastError), LastErrorAt: when(row.ErrorAt), ResumesAt: when(row.ResumeAt),
		LagEvents: lag.Events, LagSeconds: seconds, DeadEvents: count(lag.Dead),
	}, nil
}

// TestEventSink sends a sink a test. It is Direct: the receiver may take longer than a transaction may.
func (s *Service) TestEventSink(ctx context.Context, c *endpoint.Call, in *api.TestEventSinkRequest) (*api.TestEventSinkResponse, error) {
	var row store.EventSink
	err := c.DB.View(ctx, func(tx *store.Tx) (err error) { row, err = stream.Find(tx, in.SinkId); return err })
	if err != nil {
		return nil, wrap(err, "find event sink")
	}
	took, cause := s.Sinks.Test(ctx, row, c.Caller.ARN)
	out := &api.TestEventSinkResponse{Delivered: cause == nil, Milliseconds: count(took.Milliseconds())}
	if cause != nil {
		out.Error = optional(outbound.OneLine(cause.Error()))
	}
	c.Event.ResponseElements = responseElements("TestEventSink", out)
	return out, wrap(audit.Record(ctx, c.DB, c.Event), "record call")
}

// ListDeadEvents lists what a sink has refused.
func (*Service) ListDeadEvents(_ context.Context, c *endpoint.Call, in *api.ListDeadEventsRequest) (*api.ListDeadEventsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken, in.SinkId)
	if err != nil {
		return nil, err
	}
	if _, err := stream.Find(c.Tx, in.SinkId); err != nil {
		return nil, wrap(err, "find event sink")
	}
	all, next, err := c.Tx.DeadEvents(in.SinkId, q)
	if err != nil {
		return nil, fmt.Errorf("list dead events: %w", err)
	}
	return &api.ListDeadEventsResponse{
		NextToken: c.NextToken(next, in.SinkId),
		DeadEvents: mapped(all, func(d store.DeadEvent) api.DeadEvent {
			return api.DeadEvent{Sequence: d.Seq, EventId: d.EventID, Reason: d.Reason, RefusedAt: d.At, Attempts: count(int64(d.Attempts)), Retrying: &d.Again}
		}),
	}, nil
}

// RetryDeadEvents has dead events sent again.
func (*Service) RetryDeadEvents(_ context.Context, c *endpoint.Call, in *api.RetryDeadEventsRequest) (*api.RetryDeadEventsResponse, error) {
	n, err := settleDead(c.Tx, in.SinkId, in.Sequences, in.All, c.Tx.RetryDeadEvents)
	return &api.RetryDeadEventsResponse{Events: n}, err
}

// DiscardDeadEvents forgets dead events.
func (*Service) DiscardDeadEvents(_ context.Context, c *endpoint.Call, in *api.DiscardDeadEventsRequest) (*api.DiscardDeadEventsResponse, error) {
	n, err := settleDead(c.Tx, in.SinkId, in.Sequences, in.All, c.Tx.DiscardDeadEvents)
	return &api.DiscardDeadEventsResponse{Events: n}, err
}

// settleDead decides about the dead events that are named, or about all.
func settleDead(tx *store.Tx, id string, seqs []int64, all *bool, decide func(string, []int64, bool) (int64, error)) (int32, error) {
	everything := all != nil && *all
	if everything == (len(seqs) > 0) {
		return 0, fault.Invalidf("Say which events by Sequences, or All.")
	}
	if _, err := stream.Find(tx, id); err != nil {
		return 0, wrap(err, "find event sink")
	}
	n, err := decide(id, seqs, everything)
	return count(n), wrap(err, "settle dead events")
}
