package sallyport

import (
	"context"
	"fmt"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

const typeStream = "SIGNAL_STREAM"

func (s *Service) streamOut(c *endpoint.Call) func(store.SignalStream) (api.SignalStream, error) {
	return func(t store.SignalStream) (api.SignalStream, error) {
		n, err := c.Tx.CountSignalsOut(t.ID)
		out := api.SignalStream{
			StreamId: t.ID, Name: t.Name, Audience: t.Audience, Delivery: api.SignalDelivery(t.Delivery), PushUrl: optional(t.PushURL),
			Events: eventsOut(t.Events), SubjectFormat: api.SignalSubjectFormat(t.Subject), CreatedAt: t.CreatedAt, Waiting: count(n),
			LastTakenAt: when(t.SentAt), Problem: optional(t.Problem),
		}
		if t.Delivery == store.SignalPoll {
			out.Endpoint = optional(s.SCIM + "/signals/poll/" + t.ID)
		}
		return out, wrap(err, "count signals")
	}
}

// ListSignalStreams lists the receivers that are told of what happens here. There are few, so that each may be counted.
func (s *Service) ListSignalStreams(_ context.Context, c *endpoint.Call, in *api.ListSignalStreamsRequest) (*api.ListSignalStreamsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.SignalStreams(s.Login.Store)
	if err != nil {
		return nil, fmt.Errorf("list signal streams: %w", err)
	}
	rows, next := paged(all, q, func(t store.SignalStream) string { return t.Name })
	out := &api.ListSignalStreamsResponse{SignalStreams: []api.SignalStream{}, NextToken: c.NextToken(next)}
	for _, t := range rows {
		row, err := s.streamOut(c)(t)
		if err != nil {
			return nil, err
		}
		out.SignalStreams = append(out.SignalStreams, row)
	}
	return out, nil
}

// CreateSignalStream tells a receiver elsewhere of what happens here.
func (s *Service) CreateSignalStream(_ context.Context, c *endpoint.Call, in *api.CreateSignalStreamRequest) (*api.CreateSignalStreamResponse, error) {
	events, err := eventsIn(in.Events, signal.Types)
	if err != nil {
		return nil, err
	}
	secret, hash := credential.NewBearer(signalPrefix)
	t := store.SignalStream{
		ID: arn.NewUUID(), StoreID: s.Login.Store, Name: in.Name, Audience: in.Audience, Delivery: store.SignalDelivery(in.Delivery), PushURL: value(in.PushUrl),
		TokenHash: hash, Subject: store.SubjectEmail, Events: events, CreatedAt: c.Tx.Now(), CreatedBy: c.Caller.ARN,
	}
	if in.SubjectFormat != nil {
		t.Subject = string(*in.SubjectFormat)
	}
	if in.PushToken != nil {
		t.PushToken = s.OperatorKeys.SealRecord("signal_stream", "push_token", t.ID, []byte(*in.PushToken))
	}
	if err := signal.Create(c.Tx, t); err != nil {
		return nil, err
	}
	row, err := s.streamOut(c)(t)
	return &api.CreateSignalStreamResponse{BearerToken: string(secret), SignalStream: row}, err
}

// DeleteSignalStream ends a stream, with all that waits in it.
func (s *Service) DeleteSignalStream(_ context.Context, c *endpoint.Call, in *api.DeleteSignalStreamRequest) (*api.DeleteSignalStreamResponse, error) {
	t, err := s.stream(c, in.StreamId)
	if err != nil {
		return nil, err
	}
	return &api.DeleteSignalStreamResponse{}, wrap(c.Tx.DeleteSignalStream(t.ID), "delete signal stream")
}

// VerifySignalStream sends a verification event.
func (s *Service) VerifySignalStream(_ context.Context, c *endpoint.Call, in *api.VerifySignalStreamRequest) (*api.VerifySignalStreamResponse, error) {
	t, err := s.stream(c, in.StreamId)
	if err != nil {
		return nil, err
	}
	return &api.VerifySignalStreamResponse{}, signal.Verify(c.Tx, t, nil)
}

func (s *Service) stream(c *endpoint.Call, id string) (store.SignalStream, error) {
	t, err := c.Tx.SignalStream(id)
	if err != nil {
		return t, missing(err, typeStream, id, "load signal stream")
	}
	if t.StoreID != s.Login.Store {
		return t, fault.Missing(typeStream, id)
	}
	return t, nil
}

// RotateSignalKey makes a new key for the signatures of signals.
func (s *Service) RotateSignalKey(_ context.Context, c *endpoint.Call, _ *api.RotateSignalKeyRequest) (*api.RotateSignalKeyResponse, error) {
	id, err := s.OperatorKeys.RotateIn(c.Tx, keyring.Signals)
	return &api.RotateSignalKeyResponse{KeyId: id}, err
}
