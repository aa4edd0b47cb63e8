package alert

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// hook is a receiver that answers as it is told to: a status, or 0 to hang.
type hook struct {
	*httptest.Server
	status atomic.Int64
	bodies chan string
	tries  atomic.Int64
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{bodies: make(chan string, 1000)}
	h.status.Store(http.StatusOK)
	stop := make(chan struct{})
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.tries.Add(1)
		body, _ := io.ReadAll(r.Body)
		switch code := int(h.status.Load()); code {
		case 0:
			<-stop
		case http.StatusOK:
			h.bodies <- string(body)
		default:
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(code)
		}
	}))
	t.Cleanup(func() { close(stop); h.Close() })
	return h
}

func (w *world) deliveries(id string) map[string]store.DeliveryState {
	w.t.Helper()
	out := map[string]store.DeliveryState{}
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		all, err := Deliveries(tx, id)
		for _, d := range all {
			out[d.Target] = d.State
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestHangingTarget delays nobody but itself.
func TestHangingTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hanging, good := newHook(t), newHook(t)
	hanging.status.Store(0)
	w.target("a-hanging", Webhook, hanging.URL)
	w.target("good", Webhook, good.URL)
	w.rule("a", "A")
	w.out.Limit = time.Minute
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.out.Run(ctx) }()
	for i := range 3 {
		w.event("A", "192.0.2.1")
		w.find()
		select {
		case <-good.bodies:
		case <-time.After(10 * time.Second):
			t.Fatalf("alert %d waits for another target", i)
		}
	}
	for hanging.tries.Load() == 0 {
		time.Sleep(time.Millisecond) // until it hangs
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := w.deliveries(w.alerts()[0].ID); got["a-hanging"] != store.DeliveryWaiting {
		t.Errorf("deliveries %v", got)
	}
}

// TestDeliveryIsTriedAgain: after a while that grows, for a day; meanwhile others of the same target go their way.
func TestDeliveryIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := newHook(t)
	w.target("hook", Webhook, h.URL+"/secret-path")
	w.rule("a", "A")
	h.status.Store(http.StatusFound) // what redirects gets nothing
	w.event("A", "192.0.2.1")
	w.find()
	w.deliver()
	w.deliver() // not yet
	if n := h.tries.Load(); n != 1 {
		t.Fatalf("%d tries", n)
	}
	first := w.alerts()[0].ID
	var target store.AlertTarget
	w.update(func(tx *store.Tx) (err error) { target, err = targetNamed(tx, "hook"); return err })
	if !strings.Contains(target.Problem, "302") || strings.Contains(target.Problem, "secret-path") || target.Failures != 1 {
		t.Errorf("target %+v", target)
	}
	w.clock.Advance(firstRetry)
	w.deliver()
	h.status.Store(http.StatusOK)
	w.clock.Advance(firstRetry) // twice as long is waited
	w.deliver()
	if n := h.tries.Load(); n != 2 {
		t.Fatalf("%d tries", n)
	}
	w.event("A", "192.0.2.1")
	w.find()
	w.clock.Advance(firstRetry)
	w.deliver()
	if n := len(h.bodies); n != 2 {
		t.Errorf("%d arrive", n)
	}
	if got := w.deliveries(first); got["hook"] != store.DeliverySent {
		t.Errorf("deliveries %v", got)
	}
	h.status.Store(http.StatusInternalServerError)
	w.event("A", "192.0.2.1")
	w.find()
	last := w.alerts()[0].ID
	for range 60 {
		w.deliver()
		w.clock.Advance(longRetry)
	}
	if got := w.deliveries(last); got["hook"] != store.DeliveryGivenUp {
		t.Errorf("deliveries %v", got)
	}
}

// TestUnreachable: without a server the error says so, and without the URL.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.target("slack", Slack, "http://127.0.0.1:1/services/T0/secret")
	w.rule("a", "A")
	w.event("A", "192.0.2.1")
	w.find()
	w.deliver()
	w.update(func(tx *store.Tx) error {
		target, err := targetNamed(tx, "slack")
		if !strings.Contains(target.Problem, "cannot be reached") || strings.Contains(target.Problem, "secret") {
			t.Errorf("problem %q", target.Problem)
		}
		if shown := Shown(w.keys, target); shown != "http://127.0.0.1:1/…" {
			t.Errorf("shown %q", shown)
		}
		if strings.Contains(string(target.Place), "secret") {
			t.Error("the URL is not sealed")
		}
		return err
	})
}

func TestSlackAndMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := newHook(t)
	w.target("slack", Slack, h.URL)
	w.target("mail", Email, "security@example.org")
	w.update(func(tx *store.Tx) error {
		_, err := PutTarget(tx, w.keys, Target{Name: "pager", Kind: Webhook, Place: h.URL, MinSeverity: Critical}, "test")
		return err
	})
	w.rule("a", "A")
	w.event("A", "<!channel> & https://evil.example")
	w.find()
	w.deliver()
	id := w.alerts()[0].ID
	if got := w.deliveries(id); len(got) != 2 || got["slack"] != store.DeliverySent || got["mail"] != store.DeliverySent {
		t.Errorf("deliveries %v", got)
	}
	var said map[string]string
	if err := json.Unmarshal([]byte(<-h.bodies), &said); err != nil || len(said) != 1 {
		t.Fatalf("%v, %v", said, err)
	}
	if text := said["text"]; !strings.HasPrefix(text, "[HIGH] a: A by somebody unknown from &lt;!channel&gt; &amp; https://evil.example (") || !strings.Contains(text, id) {
		t.Errorf("text %q", text)
	}
	jobs, err := w.db.ClaimJobs(t.Context(), "mail", "test", 10, time.Minute)
	if err != nil || len(jobs) != 1 {
		t.Errorf("%d letters wait: %v", len(jobs), err)
	}
}

// TestTryRule: a test says that it is one, goes to the rule's own targets, and is repeated by nothing.
func TestTryRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, other := newHook(t), newHook(t)
	w.target("mine", Webhook, h.URL)
	w.target("other", Webhook, other.URL)
	w.update(func(tx *store.Tx) error {
		_, err := PutRule(tx, store.AlertRule{Name: "a", Severity: Low, Enabled: false, Count: 1, Pattern: `{"source":["x"]}`, DedupWindow: time.Hour}, []string{"mine"}, "me")
		return err
	})
	for range 2 {
		w.update(func(tx *store.Tx) error { _, err := Test(tx, "a", "me"); return err })
	}
	w.deliver()
	if len(h.bodies) != 2 || len(other.bodies) != 0 {
		t.Errorf("%d and %d arrive", len(h.bodies), len(other.bodies))
	}
	if body := <-h.bodies; !strings.Contains(body, `"test":true`) || !strings.Contains(body, "TEST of a by me") {
		t.Errorf("body %s", body)
	}
	err := w.db.Update(t.Context(), func(tx *store.Tx) error { return DeleteTarget(tx, "mine") })
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("a target that a rule names is deleted: %v", err)
	}
}

func TestRefusedTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, in := range []Target{
		{Name: "a", Kind: Webhook, Place: "http://example.org/"},
		{Name: "a", Kind: Webhook, Place: "ftp://127.0.0.1/"},
		{Name: "a", Kind: Webhook, Place: "https://user:pass@example.org/"},
		{Name: "a", Kind: Slack, Place: "https://example.org/", Secret: "0123456789abcdef"},
		{Name: "a", Kind: Email, Place: "Somebody <a@example.org>"},
		{Name: "a", Kind: "PIGEON", Place: "https://example.org/"},
		{Name: "a", Kind: Email, Place: "a@example.org", MinSeverity: "SOME"},
	} {
		err := w.db.Update(t.Context(), func(tx *store.Tx) error { _, err := PutTarget(tx, w.keys, in, "me"); return err })
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", in, err)
		}
	}
	w.target("a", Email, "a@example.org")
	err := w.db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := PutTarget(tx, w.keys, Target{Name: "a", Kind: Webhook, Place: "https://example.org/"}, "me")
		return err
	})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("another kind: %v", err)
	}
}

// TestTargetThatIsChanged: whoever has alerts sent elsewhere, or nowhere, is told of where they were sent until then.
func TestTargetThatIsChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, thief := newHook(t), newHook(t)
	w.target("hook", Webhook, owner.URL)
	w.update(func(tx *store.Tx) error {
		_, err := PutRule(tx, store.AlertRule{Name: "a", Severity: Low, Enabled: true, Count: 1, Pattern: `{"detail":{"eventName":["A"]}}`}, []string{"hook"}, "me")
		return err
	})
	w.clock.Advance(time.Second)
	w.update(func(tx *store.Tx) error { // with the event that tells of it
		_, err := PutTarget(tx, w.keys, Target{Name: "hook", Kind: Webhook, Place: thief.URL}, "mallory")
		return errors.Join(err, (&audit.Event{EventName: "A"}).Store(tx))
	})
	w.clock.Advance(time.Second)
	w.event("A", "192.0.2.1")
	w.find()
	w.deliver()
	if len(owner.bodies) != 1 || len(thief.bodies) != 2 {
		t.Errorf("%d go where they went, %d elsewhere", len(owner.bodies), len(thief.bodies))
	}
	w.update(func(tx *store.Tx) error {
		all, err := Targets(tx)
		if len(all) != 1 || all[0].Name != "hook" {
			t.Errorf("targets %+v", all)
		}
		return err
	})
	w.clock.Advance(goneFor + time.Second)
	w.update(func(tx *store.Tx) error {
		_, err := Prune(tx, time.Hour)
		all, _ := tx.AlertTargets()
		if len(all) != 1 {
			t.Errorf("left: %+v", all)
		}
		return err
	})
}
