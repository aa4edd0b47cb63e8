package sallyport

import (
	"context"
	"fmt"
	"slices"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/heed"
	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

const (
	typeReceiver = "SIGNAL_RECEIVER"
	signalPrefix = "sig_"
)

// signalEvents are the types of events by the words of the model.
var signalEvents = map[api.SignalEvent]string{
	api.SignalEventSessionRevoked: secevent.SessionRevoked, api.SignalEventCredentialChange: secevent.CredentialChange,
	api.SignalEventAccountDisabled: secevent.AccountDisabled, api.SignalEventAccountEnabled: secevent.AccountEnabled,
	api.SignalEventAccountPurged: secevent.AccountPurged,
}

// eventsIn are the types that words say; none: all that there are.
func eventsIn(words []api.SignalEvent, all []string) ([]string, error) {
	if len(words) == 0 {
		return all, nil
	}
	var out []string
	for _, w := range words {
		t := signalEvents[w]
		switch {
		case !slices.Contains(all, t):
			return nil, fault.Invalidf("The event %s does not act here: a signal never grants.", w)
		case !slices.Contains(out, t):
			out = append(out, t)
		}
	}
	return out, nil
}

func eventsOut(types []string) []api.SignalEvent {
	var out []api.SignalEvent
	for _, t := range types {
		for w, is := range signalEvents {
			if is == t {
				out = append(out, w)
			}
		}
	}
	return out
}

func (s *Service) receiverOut(r store.SignalReceiver) api.SignalReceiver {
	out := api.SignalReceiver{
		ReceiverId: r.ID, Name: r.Name, Issuer: r.Issuer, Audience: r.Audience, JwksUri: optional(r.JWKSURI), Delivery: api.SignalDelivery(r.Delivery),
		PollUrl: optional(r.PollURL), Events: eventsOut(r.Events), TenantId: optional(r.TenantID), CreatedAt: r.CreatedAt,
	}
	if r.Delivery == store.SignalPush {
		out.Endpoint = optional(s.SCIM + "/signals/" + r.ID)
	}
	return out
}

// ListSignalReceivers lists the transmitters whose signals act here.
func (s *Service) ListSignalReceivers(_ context.Context, c *endpoint.Call, in *api.ListSignalReceiversRequest) (*api.ListSignalReceiversResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.SignalReceivers(s.Login.Store)
	if err != nil {
		return nil, fmt.Errorf("list signal receivers: %w", err)
	}
	rows, next := paged(all, q, func(r store.SignalReceiver) string { return r.Name })
	return &api.ListSignalReceiversResponse{SignalReceivers: mapped(rows, s.receiverOut), NextToken: c.NextToken(next)}, nil
}

// CreateSignalReceiver lets the signals of a transmitter act here.
func (s *Service) CreateSignalReceiver(_ context.Context, c *endpoint.Call, in *api.CreateSignalReceiverRequest) (*api.CreateSignalReceiverResponse, error) {
	events, err := eventsIn(in.Events, heed.Types)
	if err != nil {
		return nil, err
	}
	r := store.SignalReceiver{
		ID: arn.NewUUID(), StoreID: s.Login.Store, Name: in.Name, Issuer: in.Issuer, Audience: in.Audience, JWKSURI: value(in.JwksUri),
		Delivery: store.SignalDelivery(in.Delivery), PollURL: value(in.PollUrl), Events: events, TenantID: value(in.TenantId),
		CreatedAt: c.Tx.Now(), CreatedBy: c.Caller.ARN,
	}
	if r.TenantID != "" {
		if _, _, err := s.tenant(c, r.TenantID); err != nil {
			return nil, err
		}
	}
	if in.PollToken != nil {
		r.PollToken = s.OperatorKeys.SealRecord("signal_receiver", "poll_token", r.ID, []byte(*in.PollToken))
	}
	out := &api.CreateSignalReceiverResponse{}
	if r.Delivery == store.SignalPush {
		var secret credential.Secret
		secret, r.TokenHash = credential.NewBearer(signalPrefix)
		out.BearerToken = optional(string(secret))
	}
	if err := heed.Create(c.Tx, r); err != nil {
		return nil, err
	}
	out.SignalReceiver = s.receiverOut(r)
	return out, nil
}

// DeleteSignalReceiver lets a transmitter's signals act no more.
func (s *Service) DeleteSignalReceiver(_ context.Context, c *endpoint.Call, in *api.DeleteSignalReceiverRequest) (*api.DeleteSignalReceiverResponse, error) {
	r, err := s.receiver(c.Tx, in.ReceiverId)
	if err != nil {
		return nil, err
	}
	return &api.DeleteSignalReceiverResponse{}, wrap(c.Tx.DeleteSignalReceiver(r.ID), "delete signal receiver")
}

func (s *Service) receiver(tx *store.Tx, id string) (store.SignalReceiver, error) {
	r, err := tx.SignalReceiver(id)
	if err != nil {
		return r, missing(err, typeReceiver, id, "load signal receiver")
	}
	if r.StoreID != s.Login.Store {
		return r, fault.Missing(typeReceiver, id)
	}
	return r, nil
}

// VerifySignalReceiver fetches the keys of a transmitter. It is Direct: that takes longer than a transaction may.
func (s *Service) VerifySignalReceiver(ctx context.Context, c *endpoint.Call, in *api.VerifySignalReceiverRequest) (*api.VerifySignalReceiverResponse, error) {
	var r store.SignalReceiver
	err := c.DB.View(ctx, func(tx *store.Tx) (err error) { r, err = s.receiver(tx, in.ReceiverId); return err })
	if err != nil {
		return nil, err
	}
	n, err := s.SignalKeys(ctx, r)
	if err != nil {
		return nil, fault.Invalidf("The keys of %s cannot be fetched: %v.", r.Issuer, err)
	}
	return &api.VerifySignalReceiverResponse{KeysPublished: count(int64(n))}, wrap(audit.Record(ctx, c.DB, c.Event), "record call")
}

// value is a member that may be left out.
func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
