package objects

import (
	"encoding/xml"
	"net/http"

	"sallyport/internal/fault"
)

// refusal is S3's error.
type refusal struct {
	XMLName    xml.Name `xml:"Error"`
	Code       string
	Message    string
	BucketName string `xml:",omitempty"`
	Key        string `xml:",omitempty"`
	RequestID  string `xml:"RequestId"`
}

// statuses are those of S3's codes.
var statuses = map[string]int{
	"AccessDenied": 403, "InvalidAccessKeyId": 403, "SignatureDoesNotMatch": 403, "RequestTimeTooSkewed": 403, "ExpiredToken": 400, "AuthorizationHeaderMalformed": 400,
	"NoSuchBucket": 404, "NoSuchKey": 404, "InvalidArgument": 400, "InvalidRequest": 400, "MethodNotAllowed": 405, "NotImplemented": 501, "ServiceUnavailable": 503, "InternalError": 500,
}

// authCodes are S3's codes by why nobody was established.
var authCodes = map[string]string{
	fault.AuthMissing: "AccessDenied", fault.AuthIncomplete: "AuthorizationHeaderMalformed", fault.AuthUnknownKey: "InvalidAccessKeyId", fault.AuthSignature: "SignatureDoesNotMatch",
	fault.AuthSkew: "RequestTimeTooSkewed", fault.AuthExpired: "ExpiredToken", fault.AuthRevoked: "ExpiredToken",
}

// code is S3's code for an error, and its text for the client.
func code(err error) (code, message string) {
	f := fault.As(err)
	if f == nil || f.Kind == fault.Internal {
		return "InternalError", "An internal error occurred. The operator finds its cause in the log under the request ID."
	}
	if _, ok := statuses[f.Reason]; ok {
		return f.Reason, f.Message
	}
	switch f.Kind {
	case fault.Unauthenticated:
		if c, ok := authCodes[f.Reason]; ok {
			return c, f.Message
		}
		return "AccessDenied", f.Message
	case fault.Denied:
		return "AccessDenied", f.Message
	case fault.Unavailable, fault.Throttled:
		return "ServiceUnavailable", f.Message
	}
	return "InvalidRequest", f.Message
}

// refuse answers with an error, and returns its code.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, id string, q request, err error) string {
	c, message := code(err)
	out := refusal{Code: c, Message: message, RequestID: id}
	if c == "NoSuchBucket" {
		out.BucketName = q.bucket
	}
	if c == "NoSuchKey" {
		out.Key = q.key
	}
	body, e := xml.Marshal(out)
	if e != nil {
		body = nil
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(statuses[c])
	if r.Method != http.MethodHead {
		_, _ = w.Write(append([]byte(xml.Header), body...)) // the client is gone if this fails
	}
	return c
}
