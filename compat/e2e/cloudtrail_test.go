package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLookupEvents: boto3 and the AWS CLI find what was done, follow pages of their own accord, and are told what is wrong with a
// request. There is enough of it to be indexed.
func TestLookupEvents(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	operator := s.operator()
	if got := strings.TrimSpace(operator.python("lookup_events.py")); got != "found 150" {
		t.Fatalf("boto3 printed %q", got)
	}
	names := []string{"One", "Two", "Three"}
	for _, name := range names {
		operator.aws(nil, "sso-admin", "create-permission-set", "--instance-arn", sampleInstance, "--name", name)
	}
	by := func(key, value string) []string {
		return []string{"cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=" + key + ",AttributeValue=" + value}
	}
	var found lookedUp
	operator.aws(&found, append(by("EventName", "CreatePermissionSet"), "--page-size", "1", "--start-time", "2026-01-01T00:00:00Z")...)
	var made []string
	for _, e := range found.Events {
		if e.Username != "operator" || e.ReadOnly != "false" || e.EventTime.IsZero() || len(e.Resources) != 1 || e.Resources[0].ResourceType != "AWS::SSO::PermissionSet" {
			t.Errorf("%+v", e)
		}
		for _, name := range names {
			if strings.Contains(e.CloudTrailEvent, `"name":"`+name+`"`) {
				made = append(made, name)
			}
		}
	}
	if want := []string{"Three", "Two", "One"}; !slices.Equal(made, want) {
		t.Fatalf("found %v, want %v", made, want)
	}
	var none lookedUp
	if operator.aws(&none, append(by("Username", "operator"), "--end-time", "2020-01-01T00:00:00Z")...); len(none.Events) > 0 {
		t.Errorf("found %d events before there were any", len(none.Events))
	}
	operator.everyKey(t, found.Events[0], by)
	operator.inParts(t, by("EventName", "CreateUser"), 150)
	for code, args := range map[string][]string{
		"InvalidTimeRangeException":  {"--start-time", "2026-01-02T00:00:00Z", "--end-time", "2026-01-01T00:00:00Z"},
		"InvalidMaxResultsException": {"--page-size", "51"},
		"InvalidNextTokenException":  {"--no-paginate", "--next-token", "bWFkZSB1cA=="},
	} {
		operator.refused(code, append(by("EventName", "CreateUser"), args...)...)
	}
}

// lookedUp is what the AWS CLI prints.
type lookedUp struct {
	Events    []foundEvent
	NextToken string
}

type foundEvent struct {
	EventID, EventName, EventSource, Username, ReadOnly, AccessKeyID, CloudTrailEvent string

	EventTime time.Time
	Resources []struct{ ResourceType, ResourceName string }
}

// everyKey finds an event, the newest that changed something, by each of its attributes.
func (u *awsUser) everyKey(t *testing.T, e foundEvent, by func(key, value string) []string) {
	t.Helper()
	for key, value := range map[string]string{
		"EventId": e.EventID, "EventName": e.EventName, "ReadOnly": e.ReadOnly, "Username": e.Username, "EventSource": e.EventSource, "AccessKeyId": e.AccessKeyID,
		"ResourceType": e.Resources[0].ResourceType, "ResourceName": e.Resources[0].ResourceName,
	} {
		var found lookedUp
		u.aws(&found, append(by(key, value), "--max-items", "30")...)
		if !slices.ContainsFunc(found.Events, func(x foundEvent) bool { return x.EventID == e.EventID }) {
			t.Errorf("%s %s finds %d events, and not that", key, value, len(found.Events))
		}
	}
}

// inParts finds n events, 100 at a time.
func (u *awsUser) inParts(t *testing.T, ask []string, n int) {
	t.Helper()
	seen := map[string]bool{}
	args := append(slices.Clone(ask), "--max-items", "100")
	for token := ""; ; {
		var found lookedUp
		if token != "" {
			args = append(slices.Clone(ask), "--max-items", "100", "--starting-token", token)
		}
		u.aws(&found, args...)
		for _, e := range found.Events {
			seen[e.EventID] = true
		}
		if token = found.NextToken; token == "" {
			break
		}
	}
	if len(seen) != n {
		t.Errorf("found %d events, want %d", len(seen), n)
	}
}
