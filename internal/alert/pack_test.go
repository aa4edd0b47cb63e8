package alert

import (
	"slices"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

func TestPackIsWhole(t *testing.T) {
	t.Parallel()
	all, err := Pack()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range all {
		if r.Description == "" || i > 0 && all[i-1].Name >= r.Name {
			t.Errorf("%s: no description, or out of order", r.Name)
		}
	}
}

// TestInstall: what happened before makes no alerts, and an upgrade changes nothing that people have changed.
func TestInstall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.event("StopLogging", "192.0.2.1", fromTrail)
	w.update(Install)
	w.want("before there were rules", 0, 0)
	w.event("StopLogging", "192.0.2.1", fromTrail)
	w.want("after", 1, 0)

	load := func(name string) (r store.AlertRule) {
		w.update(func(tx *store.Tx) (err error) { r, err = Rule(tx, name); return err })
		return r
	}
	trail, edited := load("trail-stopped"), load("mfa-removed")
	w.update(func(tx *store.Tx) error { _, err := EnableRule(tx, "trail-stopped", false, "me"); return err })
	edited.Severity = Critical
	w.update(func(tx *store.Tx) (err error) { edited, err = PutRule(tx, edited, nil, "me"); return err })
	if !edited.Edited {
		t.Error("a change of a rule of the pack is not told apart")
	}
	next := []store.AlertRule{trail, edited, {Name: "another", Severity: Low, Enabled: true, Count: 1, Pattern: `{"source":["x"]}`}}
	next[0].Description, next[1].Description = "better words", "better words"
	for i := range next {
		next[i].Pack = hash(next[i])
	}
	w.update(func(tx *store.Tx) error { return merge(tx, next) })
	if r := load("trail-stopped"); r.Enabled || r.Description != "better words" || r.ID != trail.ID || r.Edited {
		t.Errorf("not changed by anybody: %+v", r)
	}
	if r := load("mfa-removed"); r.Severity != Critical || r.Description == "better words" || !r.Edited {
		t.Errorf("changed by a person: %+v", r)
	}
	if r := load("another"); !r.Enabled || r.CreatedBy != ByPack {
		t.Errorf("new: %+v", r)
	}
	if r := load("break-glass"); r.Pack != "" {
		t.Errorf("not in the pack any more: %+v", r)
	}
	for name, kind := range map[string]fault.Kind{"another": fault.Conflict, "break-glass": 0, "never-there": fault.NotFound} {
		err := w.db.Update(t.Context(), func(tx *store.Tx) error { return DeleteRule(tx, name) })
		if (kind == 0) != (err == nil) || err != nil && fault.KindOf(err) != kind {
			t.Errorf("delete %s: %v", name, err)
		}
	}
}

// TestPrune: closed alerts go when their time is over, with what was sent of them.
func TestPrune(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.target("mail", Email, "a@example.org")
	w.rule("a", "A")
	w.event("A", "192.0.2.1")
	w.event("A", "192.0.2.1")
	w.find()
	old := w.alerts()
	w.update(func(tx *store.Tx) error { _, err := Close(tx, old[0].ID, "", "me"); return err })
	w.clock.Advance(48 * time.Hour)
	w.update(func(tx *store.Tx) error {
		more, err := Prune(tx, 24*time.Hour)
		if more {
			t.Error("there is more")
		}
		return err
	})
	left := w.alerts()
	if len(left) != 1 || left[0].ID != old[1].ID || len(w.deliveries(old[0].ID)) != 0 || len(w.deliveries(old[1].ID)) != 1 {
		t.Errorf("left: %v", left)
	}
}

// TestPipelines: who called, and who is behind that.
func TestPipelines(t *testing.T) {
	t.Parallel()
	role := func(more map[string]any) map[string]any {
		context := map[string]any{"sessionIssuer": map[string]any{"arn": "arn:aws:iam::1:role/ci"}}
		id := map[string]any{"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/ci/run-7", "sessionContext": context}
		for k, v := range more {
			if k == "sourceIdentity" {
				context[k] = v
			} else {
				id[k] = v
			}
		}
		return map[string]any{"userIdentity": id}
	}
	scim := map[string]any{"eventSource": "identitystore-scim.amazonaws.com", "userIdentity": map[string]any{"type": "WebIdentityUser", "userName": "okta"}}
	alice := role(map[string]any{"sourceIdentity": "alice"})
	person := role(map[string]any{"onBehalfOf": map[string]any{"userId": "u-1"}})
	for _, c := range []struct {
		list   string
		caller map[string]any
		want   bool
	}{
		{"none", role(nil), false},
		{"arn:aws:iam::1:role/ci", role(nil), true},
		{" arn:aws:iam::1:role/other, arn:aws:iam::1:role/ci ", role(nil), true},
		{"arn:aws:sts::1:assumed-role/ci/run-7", role(nil), true},
		{"arn:aws:iam::1:role/ci", alice, false},
		{"arn:aws:iam::1:role/ci@alice", alice, true},
		{"arn:aws:iam::1:role/ci@alice", role(nil), false},
		{"arn:aws:iam::1:role/ci", person, false},
		{"arn:aws:iam::1:role/ci@u-1", person, true},
		{"scim:okta", scim, true},
		{"scim:entra", scim, false},
		{"scim:okta", map[string]any{"userIdentity": map[string]any{"type": "WebIdentityUser", "userName": "okta"}}, false},
		{"none", map[string]any{}, false},
	} {
		if got := pipelineOf(c.list).has(c.caller); got != c.want {
			t.Errorf("%s, %v: %v", c.list, c.caller, got)
		}
	}
	if len(slices.Compact(severities)) != 4 || !reaches(Critical, High) || reaches(Medium, High) {
		t.Error("severities")
	}
}
