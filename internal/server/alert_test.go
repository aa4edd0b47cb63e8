package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// receiver is a webhook.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []received
}

type received struct {
	body string
	head http.Header
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{string(body), q.Header.Clone()})
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

// alarm does what the workers do: finds what there is to find, and sends it.
func (h alertHouse) alarm(t *testing.T) {
	t.Helper()
	if err := h.flush(); err != nil {
		t.Fatal(err)
	}
	if err := h.alerts.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.alarms.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestAlert goes all the way: a rule, an event, an alert, a webhook that gets it signed, and somebody who looks after it.
func TestAlert(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		s := newAlertHouse(t, open)
		s.put(t, "alerts.pipelines", "arn:aws:iam::"+string(sampleManagement)+":user/operator") // whom no default rule is about
		hook := newReceiver(t)
		s.must(t, "PutAlertTarget", `{"Name":"hook","Kind":"WEBHOOK","Place":"`+hook.URL+`/in","Secret":"0123456789abcdef"}`)
		s.must(t, "PutAlertRule", `{"Name":"groups","Severity":"LOW","Pattern":"{\"source\":[\"aws.identitystore\"],\"detail\":{\"eventName\":[\"CreateGroup\"]}}"}`)
		s.ask(t, "identitystore", "CreateGroup", `{"IdentityStoreId":"`+string(s.Server.instance.StoreID)+`","DisplayName":"Red team"}`)
		s.alarm(t)
		s.alarm(t) // nothing twice
		got := hook.all()
		if len(got) != 1 || !strings.Contains(got[0].body, `"rule":"groups"`) || !strings.Contains(got[0].body, `"source":"aws.identitystore"`) {
			t.Fatalf("the webhook got %v", got)
		}
		if want := outbound.Sign("0123456789abcdef", s.clock.Now(), []byte(got[0].body)); got[0].head.Get(outbound.SignatureHeader) != want {
			t.Errorf("signature %q, want %q", got[0].head.Get(outbound.SignatureHeader), want)
		}
		all := s.must(t, "ListAlerts", `{"State":"OPEN"}`)["Alerts"].([]any)
		if len(all) != 1 {
			t.Fatalf("alerts %v", all)
		}
		id := all[0].(map[string]any)["AlertId"].(string)
		if got[0].head.Get("Idempotency-Key") != id {
			t.Errorf("key %q of alert %s", got[0].head.Get("Idempotency-Key"), id)
		}
		s.must(t, "AcknowledgeAlert", `{"AlertId":"`+id+`","Note":"it was me"}`)
		shown := s.must(t, "DescribeAlert", `{"AlertId":"`+id+`"}`)
		if a := shown["Alert"].(map[string]any); a["State"] != "ACKNOWLEDGED" || a["Note"] != "it was me" || !strings.HasSuffix(a["AcknowledgedBy"].(string), ":user/operator") {
			t.Errorf("alert %v", a)
		}
		rec := httptest.NewRecorder()
		s.handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, s.url+"/metrics", nil))
		if told := rec.Body.String(); !strings.Contains(told, `sallyport_alert_waiting{target="hook"} 0`) || !strings.Contains(told, "sallyport_alert_events_behind ") {
			t.Error("metrics say nothing of alerts")
		}
		if d := shown["Deliveries"].([]any); len(d) != 1 || d[0].(map[string]any)["State"] != "SENT" || d[0].(map[string]any)["TargetName"] != "hook" {
			t.Errorf("deliveries %v", d)
		}
	})
}

// alertHouse is a story without a script: its tests ask as its callers do.
type alertHouse struct{ *story }

func (alertHouse) Setenv(string, string) {}

func newAlertHouse(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) alertHouse {
	t.Helper()
	h := alertHouse{newStory(t, open)}
	if err := h.begin(h); err != nil {
		t.Fatal(err)
	}
	return h
}

// try asks as somebody.
func (h alertHouse) try(t *testing.T, who, service, operation, input string) (map[string]any, error) {
	t.Helper()
	answer, err := h.call(t.Context(), h.callers[who], service, operation, input)
	m, _ := answer.(map[string]any)
	return m, err
}

// ask asks as the operator, and must succeed.
func (h alertHouse) ask(t *testing.T, service, operation, input string) map[string]any {
	t.Helper()
	answer, err := h.try(t, "operator", service, operation, input)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return answer
}

func (h alertHouse) must(t *testing.T, operation, input string) map[string]any {
	t.Helper()
	return h.ask(t, "sallyport", operation, input)
}
