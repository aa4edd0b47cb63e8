package sallyport_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/store"
)

// TestSignalReceivers: a receiver's token is shown once and kept as a hash, a polled transmitter's is sealed, and nothing that
// cannot work is made.
func TestSignalReceivers(t *testing.T) {
	w := newWorld(t)
	w.service.SignalKeys = func(_ context.Context, r store.SignalReceiver) (int, error) {
		if r.Name != "okta" {
			return 0, errors.New("no route")
		}
		return 2, nil
	}
	const issuer = "https://idp.example.org/"
	secret, pollURL := "their-token", "https://idp.example.org/poll"
	plain, none := "http://idp.example.org/keys", "00000000000-0000-0000-0000-000000000000"
	push := must[api.CreateSignalReceiverResponse](w, &api.CreateSignalReceiverRequest{Name: "okta", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPush})
	poll := must[api.CreateSignalReceiverResponse](w, &api.CreateSignalReceiverRequest{
		Name: "jamf", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPoll, PollUrl: &pollURL, PollToken: &secret, Events: []api.SignalEvent{api.SignalEventSessionRevoked},
	})
	if push.BearerToken == nil || push.SignalReceiver.Endpoint == nil || len(push.SignalReceiver.Events) != 4 || poll.BearerToken != nil || poll.SignalReceiver.Endpoint != nil || len(poll.SignalReceiver.Events) != 1 {
		t.Errorf("made %+v and %+v", push, poll)
	}
	for code, bad := range map[string][]*api.CreateSignalReceiverRequest{
		"ConflictException":         {{Name: "okta", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPush}},
		"ResourceNotFoundException": {{Name: "a", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPush, TenantId: &none}},
		"ValidationException": {
			{Name: "a", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPoll},
			{Name: "a", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPush, PollUrl: &pollURL},
			{Name: "a", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPush, JwksUri: &plain},
			{Name: "a", Issuer: "idp", Audience: "us", Delivery: api.SignalDeliveryPush},
			{Name: "a", Issuer: issuer, Audience: "us", Delivery: api.SignalDeliveryPush, Events: []api.SignalEvent{api.SignalEventAccountEnabled}},
		},
	} {
		for _, in := range bad {
			fails(w, in, code)
		}
	}
	w.update(func(tx *store.Tx) error {
		kept, err := tx.SignalReceivers(w.instance.StoreID)
		for _, k := range kept {
			if strings.Contains(string(k.PollToken), secret) || k.TokenHash == *push.BearerToken {
				t.Errorf("a secret is kept as it is: %+v", k)
			}
		}
		return err
	})
	for _, e := range w.events("CreateSignalReceiver") {
		if text := e["text"].(string); strings.Contains(text, secret) || strings.Contains(text, *push.BearerToken) {
			t.Errorf("a secret is on record: %s", text)
		}
	}
	if out := must[api.VerifySignalReceiverResponse](w, &api.VerifySignalReceiverRequest{ReceiverId: push.SignalReceiver.ReceiverId}); out.KeysPublished != 2 {
		t.Errorf("%+v", out)
	}
	fails(w, &api.VerifySignalReceiverRequest{ReceiverId: poll.SignalReceiver.ReceiverId}, "ValidationException")
	fails(w, &api.VerifySignalReceiverRequest{ReceiverId: unknown}, notFound)
	fails(w, &api.DeleteSignalReceiverRequest{ReceiverId: unknown}, notFound)
	for _, r := range must[api.ListSignalReceiversResponse](w, &api.ListSignalReceiversRequest{}).SignalReceivers {
		must[api.DeleteSignalReceiverResponse](w, &api.DeleteSignalReceiverRequest{ReceiverId: r.ReceiverId})
	}
	if left := must[api.ListSignalReceiversResponse](w, &api.ListSignalReceiversRequest{}).SignalReceivers; len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

// TestSignalStreams: what an operator does to a person waits in the streams, and goes with them.
func TestSignalStreams(t *testing.T) {
	w := newWorld(t)
	secret, url, plain := "their-token", "https://app.example.org/signals", "http://app.example.org/signals"
	push := must[api.CreateSignalStreamResponse](w, &api.CreateSignalStreamRequest{Name: "app", Audience: "app", Delivery: api.SignalDeliveryPush, PushUrl: &url, PushToken: &secret})
	poll := must[api.CreateSignalStreamResponse](w, &api.CreateSignalStreamRequest{Name: "siem", Audience: "siem", Delivery: api.SignalDeliveryPoll, Events: []api.SignalEvent{api.SignalEventAccountPurged}})
	if push.SignalStream.Endpoint != nil || poll.SignalStream.Endpoint == nil || poll.BearerToken == "" || push.SignalStream.SubjectFormat != api.SignalSubjectFormatEmail {
		t.Errorf("made %+v and %+v", push, poll)
	}
	fails(w, &api.CreateSignalStreamRequest{Name: "app", Audience: "app", Delivery: api.SignalDeliveryPoll}, "ConflictException")
	fails(w, &api.CreateSignalStreamRequest{Name: "a", Audience: "a", Delivery: api.SignalDeliveryPush}, "ValidationException")
	fails(w, &api.CreateSignalStreamRequest{Name: "a", Audience: "a", Delivery: api.SignalDeliveryPush, PushUrl: &plain}, "ValidationException")
	fails(w, &api.CreateSignalStreamRequest{Name: "a", Audience: "a", Delivery: api.SignalDeliveryPoll, PushUrl: &url}, "ValidationException")
	must[api.DisableUserResponse](w, &api.DisableUserRequest{UserId: w.user.ID})
	must[api.VerifySignalStreamResponse](w, &api.VerifySignalStreamRequest{StreamId: poll.SignalStream.StreamId})
	fails(w, &api.VerifySignalStreamRequest{StreamId: unknown}, notFound)
	fails(w, &api.DeleteSignalStreamRequest{StreamId: unknown}, notFound)
	want := map[string]int32{"app": 2, "siem": 1} // disabled and sessions ended; the verification
	for _, s := range must[api.ListSignalStreamsResponse](w, &api.ListSignalStreamsRequest{}).SignalStreams {
		if s.Waiting != want[s.Name] {
			t.Errorf("%d wait for %s", s.Waiting, s.Name)
		}
		must[api.DeleteSignalStreamResponse](w, &api.DeleteSignalStreamRequest{StreamId: s.StreamId})
	}
	for _, id := range []string{push.SignalStream.StreamId, poll.SignalStream.StreamId} {
		w.update(func(tx *store.Tx) error {
			n, err := tx.CountSignalsOut(id)
			if n != 0 {
				t.Errorf("%d wait for a stream that is gone", n)
			}
			return err
		})
	}
	if must[api.RotateSignalKeyResponse](w, &api.RotateSignalKeyRequest{}).KeyId == "" {
		t.Error("no key")
	}
}
