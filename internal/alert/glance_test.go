package alert

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sallyport/internal/store"
)

// goldenEvents are those of the ways to sign in (package login).
func goldenEvents(t *testing.T) (all [][]byte) {
	t.Helper()
	files, err := filepath.Glob("../login/testdata/events/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden events: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Split(bytes.TrimSpace(b), []byte("\n"))...)
	}
	return append(all,
		[]byte(`{"userIdentity":{"type":"IAMUser","accessKeyId":"AKIA1"},"eventSource":"sso.amazonaws.com","eventName":"CreateAccountAssignment","sourceIPAddress":"192.0.2.7","requestParameters":{"eventName":"Other"}}`),
		[]byte(`{"eventName":"Named\u0041","eventSource":"sallyport"}`), []byte(`{}`))
}

// TestFirstSight: the rules that are chosen by what an event shows at first sight are all that match it when it is read.
func TestFirstSight(t *testing.T) {
	t.Parallel()
	rules, err := Pack()
	if err != nil {
		t.Fatal(err)
	}
	for n, p := range []string{
		`{"detail":{"eventSource":["signin.amazonaws.com"]}}`, `{"detail":{"userIdentity":{"type":["IdentityCenterUser","AWSService"]}}}`, `{"source":["aws.signin"]}`,
		`{"detail":{"userIdentity":{"type":[{"anything-but":["IAMUser"]}]}}}`, `{"detail":{"$or":[{"eventSource":["sallyport"]},{"userIdentity":{"type":["IAMUser"]}}]}}`,
		`{"detail":{"eventName":[{"prefix":"Cred"}],"eventSource":["signin.amazonaws.com"]}}`, `{"detail":{"eventName":["NamedA"]}}`, `{"detail":{"eventName":[{"exists":false}]}}`,
	} {
		rules = append(rules, store.AlertRule{Name: fmt.Sprint(n), Pattern: p, Enabled: true})
	}
	b := &book{}
	b.index(rules, slog.New(slog.DiscardHandler))
	all := slices.Clone(b.any)
	for _, some := range b.byName {
		all = append(all, some...)
	}
	matched := 0
	for _, json := range goldenEvents(t) {
		e := store.Event{JSON: json}
		f, err := present(e)
		if err != nil {
			t.Fatal(err)
		}
		g := e.Glance()
		want := store.Glance{
			Source: text(f.detail, "eventSource"), Name: text(f.detail, "eventName"), Identity: text(f.detail, "userIdentity", "type"),
			AccessKeyID: text(f.detail, "userIdentity", "accessKeyId"), Address: text(f.detail, "sourceIPAddress"),
		}
		if g != want {
			t.Errorf("%s shows %+v, want %+v", json, g, want)
		}
		chosen := b.candidates(g)
		for _, r := range all {
			if r.pattern.Matches(f.envelope) {
				matched++
				if !slices.Contains(chosen, r) {
					t.Errorf("rule %s matches %s, and was not chosen", r.Name, json)
				}
			}
		}
	}
	if matched < 100 {
		t.Errorf("only %d matches: nothing is shown", matched)
	}
}
