package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLookupEvents: the AWS CLI finds what was done, follows pages of its own accord, and is told what is wrong with a request.
func TestLookupEvents(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	operator := s.operator()
	names := []string{"One", "Two", "Three"}
	for _, name := range names {
		var made any
		operator.aws(&made, "sso-admin", "create-permission-set", "--instance-arn", sampleInstance, "--name", name)
	}
	byName := []string{"cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=CreatePermissionSet"}
	type event struct {
		EventID, EventName, Username, ReadOnly, CloudTrailEvent string
		EventTime                                               time.Time
		Resources                                               []struct{ ResourceType, ResourceName string }
	}
	var found struct{ Events []event }
	operator.aws(&found, append(byName, "--page-size", "1", "--start-time", "2026-01-01T00:00:00Z")...)
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
		t.Errorf("found %v, want %v", made, want)
	}
	for code, args := range map[string][]string{
		"InvalidTimeRangeException":  {"--start-time", "2026-01-02T00:00:00Z", "--end-time", "2026-01-01T00:00:00Z"},
		"InvalidMaxResultsException": {"--page-size", "51"},
		"InvalidNextTokenException":  {"--no-paginate", "--next-token", "bWFkZSB1cA=="},
	} {
		operator.refused(code, append(byName, args...)...)
	}
}
