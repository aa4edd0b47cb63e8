package scim

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"sallyport/internal/fault"
)

// failure is an error on the wire: RFC 7644 §3.12, with what AWS adds to it, the misspelt twin of schemas included.
type failure struct {
	Schema    []string `json:"schema,omitempty"`
	Schemas   []string `json:"schemas"`
	Detail    string   `json:"detail"`
	Status    string   `json:"status"`
	SCIMType  string   `json:"scimType,omitempty"`
	RequestID string   `json:"exceptionRequestId,omitempty"`
	TimeStamp string   `json:"timeStamp,omitempty"`
}

// plain is an error that is told in the complete dialect: without AWS's additions, which clients that hold the RFC's schema against
// errors refuse (scim2-client).
type plain struct{ error }

func (p plain) Unwrap() error { return p.error }

// kinds are the statuses, codes of events and SCIM types of faults.
var kinds = map[fault.Kind]struct {
	status   int
	code     string
	scimType string
}{
	fault.Invalid:          {http.StatusBadRequest, "ValidationException", "invalidValue"},
	fault.Malformed:        {http.StatusBadRequest, "ValidationException", "invalidSyntax"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "UnauthorizedException", ""},
	fault.Denied:           {http.StatusForbidden, "AccessDeniedException", ""},
	fault.NotFound:         {http.StatusNotFound, "ResourceNotFoundException", ""},
	fault.Conflict:         {http.StatusConflict, "ConflictException", "uniqueness"},
	fault.Quota:            {http.StatusForbidden, "ServiceQuotaExceededException", "tooMany"},
	fault.Throttled:        {http.StatusTooManyRequests, "ThrottlingException", ""},
	fault.UnknownOperation: {http.StatusMethodNotAllowed, "UnsupportedOperationException", ""},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "ValidationException", "tooMany"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "ServiceUnavailableException", ""},
}

func codeOf(err error) (code, message string) {
	f := fault.As(err)
	k, ok := kinds[fault.KindOf(err)]
	if f == nil || !ok {
		return "InternalServerException", ""
	}
	return k.code, f.Message
}

// fail answers with an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, id string, err error) {
	f, retry := s.failure(r, id, err)
	if retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(retry/time.Second))))
	}
	status, _ := strconv.Atoi(f.Status)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	write(w, status, f)
}

// failure is an error as it is told.
func (s *Server) failure(r *http.Request, id string, err error) (out failure, retry time.Duration) {
	f := fault.As(err)
	k, ok := kinds[fault.KindOf(err)]
	if f == nil || !ok {
		if !errors.Is(err, r.Context().Err()) {
			s.Log.ErrorContext(r.Context(), "SCIM request failed", "path", r.URL.Path, "error", err)
		}
		k.status = http.StatusInternalServerError
		f = fault.Newf(fault.Internal, "The request failed for a reason of the server's. Try again.")
	}
	scimType := k.scimType
	if f.Reason != "" && scimTypes[f.Reason] {
		scimType = f.Reason
	}
	if f.Reason == reasonVersion {
		k.status, scimType = http.StatusPreconditionFailed, ""
	}
	urn := []string{errorMessage}
	out = failure{Schemas: urn, Detail: f.Message, Status: strconv.Itoa(k.status), SCIMType: scimType}
	if !errors.As(err, new(plain)) {
		out.Schema, out.RequestID, out.TimeStamp = urn, id, s.DB.Now().UTC().Format("2006-01-02 15:04:05.000")
	}
	return out, f.RetryAfter
}

// scimTypes are those of RFC 7644 §3.12 and RFC 9865 that a fault's reason may name.
var scimTypes = map[string]bool{
	"invalidFilter": true, "invalidPath": true, "invalidSyntax": true, "invalidValue": true, "invalidVers": true, "mutability": true,
	"noTarget": true, "tooMany": true, "uniqueness": true, "invalidCursor": true, "expiredCursor": true, "invalidCount": true, // RFC 9865 §2
}
