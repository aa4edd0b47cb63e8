package awsapi

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"

	"sallyport/internal/fault"
)

// internalMessage is all that a client learns of an error that is not a fault.
const internalMessage = "An internal error occurred. The operator finds its cause in the log under the request ID."

// failure is an error as the wire has it.
type failure struct {
	Exception
	message    string
	retryAfter int64 // seconds, rounded up
	fault      *fault.Error
	detail     *Detail
}

// failure is the one place where errors become exceptions. What is not a fault is internal and keeps its text to itself.
func (s *Service) failure(err error) failure {
	f := fault.As(err)
	switch {
	case f == nil:
		f = &fault.Error{Message: internalMessage}
	case f.Kind == fault.Internal:
		f = &fault.Error{Message: internalMessage, RetryAfter: f.RetryAfter}
	}
	out := failure{message: f.Message, fault: f}
	errors.As(f.Err, &out.detail)
	out.Exception = s.exception(f, out.detail)
	out.retryAfter = int64(math.Ceil(f.RetryAfter.Seconds()))
	if out.message == "" && out.Code == "ForbiddenException" {
		out.message = "No access"
	}
	return out
}

// Code is the code and message that WriteError would send, for the audit record.
func (s *Service) Code(err error) (code, message string) {
	f := s.failure(err)
	return f.Code, f.message
}

// WriteError writes err as the service's exception.
func (s *Service) WriteError(w http.ResponseWriter, err error, requestID string) {
	f := s.failure(err)
	body := s.encodeFailure(f, requestID)
	h := w.Header()
	h.Set("X-Amzn-RequestId", requestID)
	h.Set("Content-Type", s.contentType())
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if s.Protocol != Query {
		h.Set("X-Amzn-ErrorType", f.Code)
	}
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(f.retryAfter, 10))
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write(body) // the client is gone if this fails, and nobody is left to tell
}

func (s *Service) encodeFailure(f failure, requestID string) []byte {
	if s.Protocol == Query {
		return s.queryFailure(f, requestID)
	}
	b := appendString([]byte(`{"__type":`), f.Code)
	for _, name := range f.Members {
		value := f.member(name, requestID)
		if value == nil {
			continue
		}
		b = append(b, ',')
		b = appendString(b, name)
		b = append(b, ':')
		if n, ok := value.(int64); ok {
			b = strconv.AppendInt(b, n, 10)
			continue
		}
		text, _ := value.(string)
		b = appendString(b, text)
	}
	return append(b, '}')
}

func (s *Service) queryFailure(f failure, requestID string) []byte {
	kind := "Sender"
	if f.Status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	var b bytes.Buffer
	b.WriteString(`<ErrorResponse xmlns="` + s.XMLNamespace + `"><Error>`)
	writeElement(&b, "Type", kind)
	writeElement(&b, "Code", f.Code)
	writeElement(&b, "Message", f.message)
	b.WriteString("</Error>")
	writeElement(&b, "RequestId", requestID)
	b.WriteString("</ErrorResponse>")
	return b.Bytes()
}

// member is the value of an exception's member, or nil where there is nothing to say.
func (f failure) member(name, requestID string) any {
	if f.detail != nil {
		if v, ok := f.detail.Members[name]; ok {
			return v
		}
	}
	switch name {
	case "Message", "message", "error_description":
		return optional(f.message)
	case "error":
		return oauthCodes[f.Name]
	case "Reason", "reason":
		return f.reason()
	case "RequestId":
		return requestID
	case "ResourceType":
		if slices.Contains(f.ResourceTypes, f.fault.Resource) {
			return f.fault.Resource
		}
	case "ResourceId":
		return optional(f.fault.ID)
	case "RetryAfterSeconds":
		if f.retryAfter > 0 {
			return f.retryAfter
		}
	}
	return nil
}

// reason is the fault's where the model has it. A conflict in the identity store is over a unique value, if nothing else is said.
func (f failure) reason() any {
	if slices.Contains(f.Reasons, f.fault.Reason) {
		return f.fault.Reason
	}
	const unique = "UNIQUENESS_CONSTRAINT_VIOLATION"
	if slices.Contains(f.Reasons, unique) {
		return unique
	}
	return nil
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}
