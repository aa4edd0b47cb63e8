package audit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// stored writes an event and reads it back from the log's table.
func stored(t *testing.T, db *store.DB, e *audit.Event) (raw []byte, fields map[string]any) {
	t.Helper()
	if err := db.Update(t.Context(), e.Store); err != nil {
		t.Fatal(err)
	}
	err := db.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 1000)
		raw = all[len(all)-1].JSON
		return err
	})
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw, fields
}

func open(t *testing.T) (*store.DB, clock.Clock) {
	t.Helper()
	c := clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	return storetest.Open(t, c), c
}

func TestEventHasCloudTrailsShape(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	raw, _ := stored(t, db, &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "IAMUser", UserName: "operator"}, EventSource: "sso.amazonaws.com", EventName: "ListInstances",
		AWSRegion: "us-east-1", SourceIPAddress: "192.0.2.1", RequestID: "r", EventID: "e", RecipientAccountID: "999988887777", ReadOnly: true,
	})
	const want = `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","userName":"operator"},"eventTime":"2026-11-02T09:00:00Z",` +
		`"eventSource":"sso.amazonaws.com","eventName":"ListInstances","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","requestParameters":null,` +
		`"responseElements":null,"requestID":"r","eventID":"e","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,` +
		`"recipientAccountId":"999988887777","eventCategory":"Management"}`
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Error(diff)
	}
}

// TestEventsAreBounded: whatever a request held, its event stays below CloudTrail's 256 KB and is valid JSON.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	huge := map[string]any{"policy": strings.Repeat("\x01<", 200<<10)} // each character takes six bytes
	raw, got := stored(t, db, &audit.Event{
		EventName: "PutInlinePolicyToPermissionSet", RequestParameters: huge, ResponseElements: huge, AdditionalEventData: huge, ServiceEventDetails: huge,
		Resources: make([]audit.Resource, 10_000), UserAgent: strings.Repeat("é", 4000), ErrorCode: "ValidationException", ErrorMessage: strings.Repeat("é", 100<<10),
	})
	if len(raw) > audit.MaxSize || !utf8.Valid(raw) {
		t.Errorf("%d bytes, valid %v", len(raw), utf8.Valid(raw))
	}
	omitted := func(part string) map[string]any {
		return map[string]any{"omitted": true, "originalSize": float64(len(`{"policy":""}`) + 12*(200<<10)), "reason": part + " too large"}
	}
	for _, part := range []string{"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"} {
		if diff := cmp.Diff(omitted(part), got[part]); diff != "" {
			t.Errorf("%s: %s", part, diff)
		}
	}
	if got["errorMessage"] != strings.Repeat("é", 512) || got["resources"] != nil {
		t.Errorf("message %.20q, resources %v", got["errorMessage"], got["resources"])
	}
}

// TestPartsJustWithinBounds are kept as they are, and all of them together fit.
func TestPartsJustWithinBounds(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	part := func(n int) map[string]any { return map[string]any{"p": strings.Repeat("x", n-len(`{"p":""}`))} }
	raw, got := stored(t, db, &audit.Event{
		RequestParameters: part(100 << 10), ResponseElements: part(100 << 10), AdditionalEventData: part(20 << 10), ServiceEventDetails: part(20 << 10),
		UserAgent: strings.Repeat("u", 1024), ErrorMessage: strings.Repeat("m", 1024),
	})
	if len(raw) > audit.MaxSize {
		t.Errorf("%d bytes", len(raw))
	}
	for name, n := range map[string]int{"requestParameters": 100 << 10, "responseElements": 100 << 10, "additionalEventData": 20 << 10, "serviceEventDetails": 20 << 10} {
		if p, _ := got[name].(map[string]any)["p"].(string); len(p) != n-len(`{"p":""}`) {
			t.Errorf("%s was cut to %d", name, len(p))
		}
	}
}
