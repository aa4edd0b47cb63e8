package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	api "sallyport/internal/awsapi/cloudtrail"
)

// eventJSON is an event as the API answers it.
func eventJSON(id int, name, user, resource, code string) string {
	return fmt.Sprintf(`{"EventId":"e%d","EventName":%q,"EventSource":"sso.amazonaws.com","EventTime":%d,"ReadOnly":"false","Username":%q,"AccessKeyId":"AKIAOTHER",`+
		`"Resources":[{"ResourceType":"T","ResourceName":%q}],"CloudTrailEvent":%q}`, id, name, 1793610000+id, user, resource, fmt.Sprintf(`{"eventID":"e%d","errorCode":%q}`, id, code))
}

func answerOf(next string, events ...string) string {
	return `{"Events":[` + strings.Join(events, ",") + `]` + next + `}`
}

// TestEventsSearch: the API is asked for one attribute, and the rest is compared here, over as many pages as it takes.
func TestEventsSearch(t *testing.T) {
	a := answers{"LookupEvents": {
		answerOf(`,"NextToken":"more"`, eventJSON(4, "CreateUser", `an\u202ea`, "u-1", ""), eventJSON(3, "DeleteUser", "bob", "u-1", "")),
		answerOf("", eventJSON(2, "DeleteUser", "anna", "u-1", "AccessDeniedException"), eventJSON(1, "DeleteUser", "anna", "u-2", "")),
	}}
	out, _, err := run(t, a, newEvents(), "search", "--user", "anna", "--resource", "u-1", "--source", "sso", "--since", "2026-11-01")
	const want = "TIME                  EVENT       SOURCE  USER  OUTCOME                ABOUT\n" +
		"2026-11-02T09:00:02Z  DeleteUser  sso     anna  AccessDeniedException  u-1\n"
	if err != nil || out != want {
		t.Errorf("%v\n%s", err, out)
	}
	asked := strings.Join(a["asked"], "\n")
	if !strings.Contains(asked, `"AttributeKey":"ResourceName","AttributeValue":"u-1"`) || strings.Contains(asked, "Username") || !strings.Contains(asked, `"StartTime":1793491200`) {
		t.Error(asked)
	}
}

// TestEventsTail: the last come last, and for programs one in each line as it was written.
func TestEventsTail(t *testing.T) {
	a := answers{"LookupEvents": {answerOf(`,"NextToken":"more"`, eventJSON(3, "C", "x", "r", ""), eventJSON(2, "B", "x", "r", ""), eventJSON(1, "A", "x", "r", ""))}}
	out, _, err := run(t, a, newEvents(), "tail", "--limit", "2", "--output", "json", "--follow=false")
	if want := `{"eventID":"e2","errorCode":""}` + "\n" + `{"eventID":"e3","errorCode":""}` + "\n"; err != nil || out != want || len(a["asked"]) != 1 {
		t.Errorf("%v %q, %d", err, out, len(a["asked"]))
	}
}

// TestEventsFollowed: what comes is shown once, in order, also after the server was away; what the tail's own asking left in the log
// is not.
func TestEventsFollowed(t *testing.T) {
	own := strings.ReplaceAll(eventJSON(9, "LookupEvents", "me", "r", ""), "AKIAOTHER", "AKIAABCDEFGHIJKLMNOP")
	a := answers{"LookupEvents": {
		answerOf("", eventJSON(5, "Five", "x", "r", "")),
		"this is no answer",
		answerOf(`,"NextToken":"more"`, own, eventJSON(7, "Seven", "x", "r", "")),
		answerOf("", eventJSON(6, "Six", "x", "r", ""), eventJSON(5, "Five", "x", "r", "")),
		answerOf("", own),
	}}
	out, errs, err := run(t, a, newEvents(), "tail")
	if err == nil || !strings.Contains(err.Error(), "No LookupEvents") || strings.Count(errs, "Going on when it is back.") != 1 {
		t.Errorf("it ended with %v, having said %q", err, errs)
	}
	var names []string
	for line := range strings.Lines(out) {
		names = append(names, strings.Fields(line)[1])
	}
	if got := strings.Join(names, " "); got != "EVENT Five Six Seven" {
		t.Error(got)
	}
}

// TestEventFilters: each is compared with each event, whatever the API was asked for.
func TestEventFilters(t *testing.T) {
	t.Parallel()
	x := api.Event{
		EventName: new("A"), EventSource: new("sso.amazonaws.com"), ReadOnly: new("false"), Username: new("ana"), AccessKeyId: new("AKIA1"),
		Resources: []api.Resource{{ResourceName: new("ps")}, {ResourceName: new("1111")}}, CloudTrailEvent: new(`{"errorCode":"Denied","x":{"credentialId":"c-1"}}`),
	}
	whole := eventFilter{user: "ana", name: "A", source: "sso.amazonaws.com", resource: "ps", account: "1111", session: "c-1", accessKey: "AKIA1", readOnly: "false", errors: true}
	if !whole.matches(x) {
		t.Error("it does not match")
	}
	for i, change := range []func(*eventFilter){
		func(e *eventFilter) { e.user = "bo" }, func(e *eventFilter) { e.name = "B" }, func(e *eventFilter) { e.source = "sts" }, func(e *eventFilter) { e.resource = "other" },
		func(e *eventFilter) { e.account = "2222" }, func(e *eventFilter) { e.session = "c" }, func(e *eventFilter) { e.accessKey = "AKIA2" }, func(e *eventFilter) { e.readOnly = "true" },
	} {
		e := whole
		if change(&e); e.matches(x) {
			t.Errorf("with change %d it matches", i)
		}
	}
	if x.CloudTrailEvent = new(`{"x":{"credentialId":"c-1"}}`); whole.matches(x) {
		t.Error("what did not fail matches")
	}
}

func TestEventFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"search --limit 0", "The limit 0 will not do"},
		{"search --read-only maybe", "--read-only is true or false, not maybe."},
		{"search --since yesterday", `The time "yesterday" will not do`},
		{"search --until 5", `The time "5" will not do`},
		{"tail --since -3h", `The time "-3h" will not do`},
	} {
		a := answers{}
		if _, _, err := run(t, a, newEvents(), strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) || len(a["asked"]) > 0 {
			t.Errorf("%s: %v", c.args, err)
		}
	}
	now := time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]string{"7d": "2026-11-03T12:00:00Z", "90m": "2026-11-10T10:30:00Z", "2026-11-02": "2026-11-02T00:00:00Z"} {
		if got, err := moment(s, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
}
