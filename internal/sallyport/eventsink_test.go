package sallyport_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// TestEventSinks: a sink is told of as it is, but for its secret, which is kept sealed and is never on record.
func TestEventSinks(t *testing.T) {
	w := newWorld(t)
	const secret = "a-very-secret-secret"
	create := &api.CreateEventSinkRequest{
		Name: "siem", Kind: "WEBHOOK", Address: "https://siem.example.test/in", Secret: new(secret), Options: map[string]string{"body": "ndjson"},
		EventSources: []string{"sso.amazonaws.com"}, WriteOnly: new(true),
	}
	made := must[api.CreateEventSinkResponse](w, create).EventSink
	if made.State != "ON" || made.Format != "cloudtrail" || !*made.HasSecret || *made.HasCaCertificates || made.Options["body"] != "ndjson" || !*made.WriteOnly ||
		fmt.Sprint(made.EventSources) != "[sso.amazonaws.com]" || made.Delivered != 0 || made.LagEvents != 0 {
		t.Errorf("%+v", made)
	}
	fails(w, create, "ConflictException")
	for _, address := range []string{"http://example.test/in", "https://", "ftp://example.test", "https://u:p@example.test/in", "https://example.test/in#x", "http://127.0.0.1.example.test/"} {
		fails(w, &api.CreateEventSinkRequest{Name: "x", Kind: "WEBHOOK", Address: address, Secret: new(secret)}, "ValidationException")
	}
	id := made.SinkId
	fails(w, &api.UpdateEventSinkRequest{SinkId: id, Address: new("https://elsewhere.test/in")}, "ValidationException")
	w.clock.Advance(90 * time.Second)
	out := must[api.UpdateEventSinkResponse](w, &api.UpdateEventSinkRequest{SinkId: id, State: new(api.EventSinkStatePaused), EventSources: []string{}, WriteOnly: new(false)}).EventSink
	if out.State != "PAUSED" || len(out.EventSources) != 0 || *out.WriteOnly || out.Options["body"] != "ndjson" || !*out.HasSecret {
		t.Errorf("%+v", out)
	}
	// The call that made it, those that failed, and the change: all of them wait.
	if seen := must[api.DescribeEventSinkResponse](w, &api.DescribeEventSinkRequest{SinkId: id}).EventSink; seen.LagEvents < 2 || seen.LagSeconds != 90 {
		t.Errorf("%+v", seen)
	}
	w.update(func(tx *store.Tx) error {
		kept, err := tx.EventSink(id)
		if bytes.Contains(kept.Secret, []byte(secret)) || len(kept.Secret) == 0 || bytes.Contains(kept.Config, []byte(secret)) {
			t.Error("the secret is kept as it is")
		}
		all, e := tx.AuditLog(0, 1000)
		for _, ev := range all {
			if bytes.Contains(ev.JSON, []byte(secret)) {
				t.Errorf("the secret is on record: %s", ev.JSON)
			}
		}
		if e != nil {
			return e
		}
		return err
	})
	fails(w, &api.DescribeEventSinkRequest{SinkId: unknown}, notFound)
	fails(w, &api.UpdateEventSinkRequest{SinkId: unknown}, notFound)
	fails(w, &api.DeleteEventSinkRequest{SinkId: unknown}, notFound)
	fails(w, &api.TestEventSinkRequest{SinkId: unknown}, notFound)
	fails(w, &api.ListDeadEventsRequest{SinkId: unknown}, notFound)
	fails(w, &api.RetryDeadEventsRequest{SinkId: unknown, All: new(true)}, notFound)
	fails(w, &api.DiscardDeadEventsRequest{SinkId: unknown, All: new(true)}, notFound)
	must[api.CreateEventSinkResponse](w, &api.CreateEventSinkRequest{Name: "alpha", Kind: "OTLP", Address: "https://otel.example.test"})
	first := must[api.ListEventSinksResponse](w, &api.ListEventSinksRequest{MaxResults: new(int32(1))})
	second := must[api.ListEventSinksResponse](w, &api.ListEventSinksRequest{MaxResults: new(int32(1)), NextToken: first.NextToken})
	if first.EventSinks[0].Name != "alpha" || second.EventSinks[0].Name != "siem" || second.NextToken != nil {
		t.Errorf("%+v, %+v", first, second)
	}
	must[api.DeleteEventSinkResponse](w, &api.DeleteEventSinkRequest{SinkId: id})
	if all := must[api.ListEventSinksResponse](w, &api.ListEventSinksRequest{}).EventSinks; len(all) != 1 {
		t.Errorf("%+v", all)
	}
}

// TestEventSinkIsTested: the test says what came of it, and is itself on record.
func TestEventSinkIsTested(t *testing.T) {
	w := newWorld(t)
	status, got := http.StatusOK, ""
	re := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		rw.WriteHeader(status)
	}))
	t.Cleanup(re.Close)
	w.service.Sinks = &stream.Worker{DB: w.db, Keys: w.service.OperatorKeys, Owner: "test", Log: slog.New(slog.DiscardHandler)}
	id := must[api.CreateEventSinkResponse](w, &api.CreateEventSinkRequest{Name: "siem", Kind: "WEBHOOK", Address: re.URL, Secret: new("a-very-secret-secret")}).EventSink.SinkId
	if out := must[api.TestEventSinkResponse](w, &api.TestEventSinkRequest{SinkId: id}); !out.Delivered || out.Error != nil {
		t.Errorf("%+v", out)
	}
	if !strings.Contains(got, `"eventName":"EventSinkTest"`) || !strings.Contains(got, `"test":true`) || !strings.Contains(got, `"sallyport":{"seq":0,`) {
		t.Error(got)
	}
	status = http.StatusTeapot
	if out := must[api.TestEventSinkResponse](w, &api.TestEventSinkRequest{SinkId: id}); out.Delivered || *out.Error != "the receiver answers 418 I'm a teapot" {
		t.Errorf("%+v", out)
	}
	told := 0
	w.update(func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 1000)
		for _, e := range all {
			if bytes.Contains(e.JSON, []byte(`"eventName":"TestEventSink"`)) && bytes.Contains(e.JSON, []byte(`"responseElements":{`)) {
				told++
			}
			if bytes.Contains(e.JSON, []byte(`"eventName":"EventSinkTest"`)) {
				t.Errorf("the test is in the log: %s", e.JSON)
			}
		}
		return err
	})
	if told != 2 {
		t.Errorf("the log tells of %d tests", told)
	}
}

// TestDeadEvents: an operator lists what was refused, and decides about some or all.
func TestDeadEvents(t *testing.T) {
	w := newWorld(t)
	id := must[api.CreateEventSinkResponse](w, &api.CreateEventSinkRequest{Name: "siem", Kind: "WEBHOOK", Address: "https://siem.example.test", Secret: new("a-very-secret-secret")}).EventSink.SinkId
	w.update(func(tx *store.Tx) error {
		var dead []store.SealedEvent
		for seq := int64(1); seq <= 5; seq++ {
			dead = append(dead, store.SealedEvent{Seq: seq, Event: store.Event{ID: fmt.Sprint("id-", seq)}})
		}
		return tx.PutDeadEvents(id, "too odd", dead)
	})
	first := must[api.ListDeadEventsResponse](w, &api.ListDeadEventsRequest{SinkId: id, MaxResults: new(int32(3))})
	rest := must[api.ListDeadEventsResponse](w, &api.ListDeadEventsRequest{SinkId: id, MaxResults: new(int32(3)), NextToken: first.NextToken})
	if len(first.DeadEvents) != 3 || len(rest.DeadEvents) != 2 || rest.NextToken != nil || rest.DeadEvents[1].Sequence != 5 || rest.DeadEvents[1].Reason != "too odd" {
		t.Errorf("%+v, %+v", first, rest)
	}
	fails(w, &api.RetryDeadEventsRequest{SinkId: id}, "ValidationException")
	fails(w, &api.DiscardDeadEventsRequest{SinkId: id, All: new(true), Sequences: []int64{1}}, "ValidationException")
	if out := must[api.RetryDeadEventsResponse](w, &api.RetryDeadEventsRequest{SinkId: id, Sequences: []int64{2, 3, 99}}); out.Events != 2 {
		t.Errorf("%+v", out)
	}
	if out := must[api.DiscardDeadEventsResponse](w, &api.DiscardDeadEventsRequest{SinkId: id, Sequences: []int64{5}}); out.Events != 1 {
		t.Errorf("%+v", out)
	}
	w.update(func(tx *store.Tx) error {
		all, _, err := tx.DeadEvents(id, page.Query{Limit: 10})
		if len(all) != 4 || all[0].Again || !all[1].Again || !all[2].Again {
			t.Errorf("%+v", all)
		}
		return err
	})
	if seen := must[api.DescribeEventSinkResponse](w, &api.DescribeEventSinkRequest{SinkId: id}).EventSink; seen.DeadEvents != 4 {
		t.Errorf("%+v", seen)
	}
	if out := must[api.DiscardDeadEventsResponse](w, &api.DiscardDeadEventsRequest{SinkId: id, All: new(true)}); out.Events != 4 {
		t.Errorf("%+v", out)
	}
}
