package login_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/audit"
)

// line is an event in one line: name, outcome, credential types, user name, and what was left out.
func line(e audit.Event) string {
	s := e.EventName
	for _, v := range []any{e.ServiceEventDetails[e.EventName], e.AdditionalEventData["CredentialType"], e.AdditionalEventData["UserName"]} {
		if v != nil {
			s += fmt.Sprint(" ", v)
		}
	}
	if n := e.AdditionalEventData["NotRecorded"]; n != nil {
		s += fmt.Sprint(" +", n)
	}
	return s
}

func lines(events []audit.Event) (out []string) {
	for _, e := range events {
		out = append(out, line(e))
	}
	return out
}

// TestEvents holds the sequences of behaviour reference §10.4.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()

	id := w.claim("Alice", here)
	want := []string{"CredentialChallenge Success PASSWORD alice"} // when it is made, not when it is met
	if d := cmp.Diff(want, lines(w.events(0))); d != "" {
		t.Error(d)
	}
	w.give(id, "wrong", here)
	id = w.give(id, password, here)
	if _, err := w.Finish(ctx, id, here); err != nil {
		t.Fatal(err)
	}
	want = append(want, "CredentialVerification Failure PASSWORD", "CredentialVerification Success PASSWORD", "UserAuthentication Success PASSWORD", "Authenticate")
	events := w.events(0)
	if d := cmp.Diff(want, lines(events)); d != "" {
		t.Error(d)
	}
	session := events[3].UserIdentity.CredentialID
	for i, e := range events {
		if e.UserIdentity.Type != "IdentityCenterUser" || e.UserIdentity.OnBehalfOf.UserID != w.user.ID || e.SourceIPAddress != here.IP || e.EventType != "AwsServiceEvent" || e.ReadOnly {
			t.Errorf("%s: %+v", e.EventName, e)
		}
		if i < 4 && (e.AdditionalEventData["AuthWorkflowID"] != events[0].AdditionalEventData["AuthWorkflowID"] || e.EventSource != "signin.amazonaws.com") {
			t.Errorf("%s is not of the same attempt: %+v", e.EventName, e)
		}
		if i < 4 && e.AdditionalEventData["LoginTo"] != "https://id.example.org/portal" {
			t.Errorf("%s: LoginTo is %v", e.EventName, e.AdditionalEventData["LoginTo"])
		}
		if (i >= 3) != (e.UserIdentity.CredentialID != "") || i >= 3 && e.UserIdentity.CredentialID != session {
			t.Errorf("%s: credentialId is %q", e.EventName, e.UserIdentity.CredentialID)
		}
	}

	seen := int64(len(events))
	w.give(w.claim("hunter2-typed-here", here), "wrong", here)
	events = w.events(seen)
	if d := cmp.Diff([]string{"CredentialChallenge Success PASSWORD " + audit.Hidden, "CredentialVerification Failure PASSWORD"}, lines(events)); d != "" {
		t.Error(d)
	}
	for _, e := range events {
		if e.UserIdentity.Type != "Unknown" || e.UserIdentity.OnBehalfOf != nil || strings.Contains(fmt.Sprintf("%+v", e), "hunter2") {
			t.Errorf("an unknown name shows: %+v", e)
		}
	}
}

func TestEventsOfAOneTimePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setPassword("One-Time-Pass-1", true)
	id := w.give(w.claim("alice", here), "One-Time-Pass-1", here)
	for _, p := range []string{"short", "My-Own-Pass-2"} {
		w.choose(id, p, p)
	}
	want := []string{"CredentialChallenge Success PASSWORD alice", "CredentialVerification Success PASSWORD", "UpdatePassword"}
	events := w.events(0)
	if d := cmp.Diff(want, lines(events)); d != "" {
		t.Error(d)
	}
	if last := events[len(events)-1]; last.EventSource != "sso-directory.amazonaws.com" || last.UserIdentity.OnBehalfOf.UserID != w.user.ID {
		t.Errorf("%+v", last)
	}
}

// TestEventsAreBounded: what is tried under a lock or past the allowance is counted, and the next event tells of it.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.claim("alice", here)
	for range 12 { // five count, seven meet the lock
		w.give(id, "wrong", here)
	}
	late := w.claim("alice", here) // under the lock: no challenge
	if n := len(w.events(0)); n != 1+5 {
		t.Errorf("%d events, want 6", n)
	}
	w.clock.Advance(time.Minute)
	w.give(late, password, here)
	want := []string{"CredentialChallenge Success PASSWORD alice", "CredentialVerification Success PASSWORD +7"}
	if d := cmp.Diff(want, lines(w.events(6))); d != "" {
		t.Error(d)
	}

	seen := int64(8)
	flood := at("203.0.113.9")
	for i := range 140 {
		_, _ = w.Claim(t.Context(), "", "/portal", fmt.Sprint("name", i), flood)
	}
	if n := len(w.events(seen)); n != 100 {
		t.Errorf("%d events of 140 claims, want 100", n)
	}
	w.clock.Advance(2 * time.Second)
	w.claim("bob", flood)
	if got := lines(w.events(seen + 100)); len(got) != 1 || !strings.HasSuffix(got[0], " +40") {
		t.Errorf("the next event is %q, and should tell of 40", got)
	}
}
