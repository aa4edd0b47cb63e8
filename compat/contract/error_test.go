package contract

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

// kinds are the faults that become these exceptions without naming them.
var kinds = map[string]fault.Kind{
	"AccessDeniedException":         fault.Denied,
	"ConflictException":             fault.Conflict,
	"InternalServerException":       fault.Internal,
	"InvalidRequestException":       fault.Invalid,
	"ResourceNotFoundException":     fault.NotFound,
	"ServiceQuotaExceededException": fault.Quota,
	"ThrottlingException":           fault.Throttled,
	"TooManyRequestsException":      fault.Throttled,
	"UnauthorizedException":         fault.Unauthenticated,
	"ValidationException":           fault.Invalid,
}

// reasons are the OAuth codes by which ssooidc's other faults name their exceptions.
var reasons = map[string]string{
	"AuthorizationPendingException":  "authorization_pending",
	"ExpiredTokenException":          "expired_token",
	"InvalidClientException":         "invalid_client",
	"InvalidClientMetadataException": "invalid_client_metadata",
	"InvalidGrantException":          "invalid_grant",
	"InvalidRedirectUriException":    "invalid_redirect_uri",
	"InvalidScopeException":          "invalid_scope",
	"SlowDownException":              "slow_down",
	"UnauthorizedClientException":    "unauthorized_client",
	"UnsupportedGrantTypeException":  "unsupported_grant_type",
}

// TestErrors: a fault that says what the fixture says is written with the fixture's members.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		for _, f := range fixtures(t, s.module, "response_snapshot", ".error.snap", s.errors) {
			t.Run(s.module+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				w := httptest.NewRecorder()
				s.info.WriteError(w, faultOf(t, s.info, f), requestID)
				if want := wantStatus(s.info, status(t, f)); w.Code != want {
					t.Errorf("status %d, want %d", w.Code, want)
				}
				if s.info.Protocol == awsapi.Query {
					compareBodies(t, awsapi.Query, f.body, w.Body.Bytes())
					return
				}
				if got := w.Header().Get("X-Amzn-ErrorType"); got != f.name {
					t.Errorf("X-Amzn-ErrorType %q, want %q", got, f.name)
				}
				compareBodies(t, s.info.Protocol, ours(t, f), w.Body.Bytes())
			})
		}
	}
}

// wantStatus: awsJson fixtures have the Smithy models' statuses, while the real services answer 400 to all client errors
// (wire-protocols §3.1), and so do we.
func wantStatus(s *awsapi.Service, fixture int) int {
	if s.Protocol == awsapi.JSON && fixture < http.StatusInternalServerError {
		return http.StatusBadRequest
	}
	return fixture
}

func faultOf(t *testing.T, s *awsapi.Service, f fixture) *fault.Error {
	t.Helper()
	e := &fault.Error{Kind: fault.Invalid, Message: "__Message__", Reason: f.name}
	if s.Protocol == awsapi.Query {
		return e
	}
	members := members(t, f)
	if kind, ok := kinds[f.name]; ok {
		e.Kind = kind
	}
	e.Reason = reasons[f.name]
	e.Resource, _ = members["ResourceType"].(string)
	e.ID, _ = members["ResourceId"].(string)
	if f.name == "InvalidRequestRegionException" {
		e.Kind, e.Err = fault.Invalid, &awsapi.Detail{Exception: f.name, Members: map[string]any{"endpoint": "__Endpoint__", "region": "__Region__"}}
	}
	for _, name := range []string{"Reason", "reason"} {
		if r, ok := members[name].(string); ok {
			e.Reason = r
		}
	}
	if n, ok := members["RetryAfterSeconds"].(float64); ok {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	if text, ok := members["error_description"].(string); ok {
		e.Message = text
	}
	return e
}

func members(t *testing.T, f fixture) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(f.body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// ours is the fixture with what we say in place of its names: the OAuth code, and the only message that an internal error has.
func ours(t *testing.T, f fixture) []byte {
	t.Helper()
	m := members(t, f)
	if _, ok := m["error"]; ok {
		m["error"] = map[string]string{
			"AccessDeniedException": "access_denied", "InternalServerException": "server_error",
			"InvalidRequestException": "invalid_request", "InvalidRequestRegionException": "invalid_request",
		}[f.name]
		if code, ok := reasons[f.name]; ok {
			m["error"] = code
		}
	}
	if f.name == "InternalServerException" {
		for _, name := range []string{"Message", "error_description"} {
			if _, ok := m[name]; ok {
				m[name] = "An internal error occurred. The operator finds its cause in the log under the request ID."
			}
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
