package awsapi_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/awsapi/sts"
	"sallyport/internal/fault"
)

var services = []*awsapi.Service{&ssoadmin.Info, &identitystore.Info, &sso.Info, &ssooidc.Info, &sts.Info, &sallyport.Info, &cloudtrail.Info}

func authFault(reason string) error { return fault.Unauthenticatedf(reason, "m") }

// TestEveryFaultHasAnAnswer is the table of wire-protocols §3: for each fault the code and status at the services in the order
// of the variable above. Our own service answers as the identity store does, CloudTrail as both do but for what its model lacks.
func TestEveryFaultHasAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want [5]string
	}{
		{"not a fault", errors.New("secret"), [5]string{"InternalServerException 500", "InternalServerException 500", "InternalServerException 500", "InternalServerException 500", "InternalFailure 500"}},
		{"Internal", fault.Newf(fault.Internal, "secret"), [5]string{"InternalServerException 500", "InternalServerException 500", "InternalServerException 500", "InternalServerException 500", "InternalFailure 500"}},
		{"Invalid", fault.Invalidf("m"), [5]string{"ValidationException 400", "ValidationException 400", "InvalidRequestException 400", "InvalidRequestException 400", "ValidationError 400"}},
		{"Malformed", fault.Newf(fault.Malformed, "m"), [5]string{"SerializationException 400", "SerializationException 400", "InvalidRequestException 400", "InvalidRequestException 400", "MalformedInput 400"}},
		{"Denied", fault.Deniedf("m"), [5]string{"AccessDeniedException 400", "AccessDeniedException 400", "ForbiddenException 403", "AccessDeniedException 400", "AccessDenied 403"}},
		{"NotFound", fault.Missing("USER", "1"), [5]string{"ResourceNotFoundException 400", "ResourceNotFoundException 400", "ResourceNotFoundException 404", "InvalidRequestException 400", "NoSuchEntity 404"}},
		{"Conflict", fault.Conflictf("m"), [5]string{"ConflictException 400", "ConflictException 400", "InvalidRequestException 400", "InvalidRequestException 400", "EntityAlreadyExists 409"}},
		{"Quota", fault.Quotaf("m"), [5]string{"ServiceQuotaExceededException 400", "ServiceQuotaExceededException 400", "TooManyRequestsException 429", "InvalidRequestException 400", "LimitExceeded 409"}},
		{"Throttled", fault.Newf(fault.Throttled, "m"), [5]string{"ThrottlingException 400", "ThrottlingException 400", "TooManyRequestsException 429", "SlowDownException 400", "Throttling 400"}},
		{"Expired", fault.Newf(fault.Expired, "m"), [5]string{"ValidationException 400", "ValidationException 400", "UnauthorizedException 401", "ExpiredTokenException 400", "ExpiredTokenException 400"}},
		{"Unimplemented", fault.Newf(fault.Unimplemented, "m"), [5]string{"UnsupportedOperationException 400", "UnsupportedOperationException 400", "UnsupportedOperationException 400", "UnsupportedOperationException 400", "UnsupportedOperation 400"}},
		{"UnknownOperation", fault.Newf(fault.UnknownOperation, "m"), [5]string{"UnknownOperationException 400", "UnknownOperationException 400", "UnknownOperationException 404", "UnknownOperationException 404", "InvalidAction 400"}},
		{"missing", authFault(fault.AuthMissing), [5]string{"MissingAuthenticationTokenException 400", "MissingAuthenticationTokenException 400", "UnauthorizedException 401", "MissingAuthenticationTokenException 403", "MissingAuthenticationToken 403"}},
		{"incomplete", authFault(fault.AuthIncomplete), [5]string{"IncompleteSignatureException 400", "IncompleteSignatureException 400", "UnauthorizedException 401", "IncompleteSignatureException 403", "IncompleteSignature 400"}},
		{"unknown key", authFault(fault.AuthUnknownKey), [5]string{"UnrecognizedClientException 400", "UnrecognizedClientException 400", "UnauthorizedException 401", "UnrecognizedClientException 403", "InvalidClientTokenId 403"}},
		{"signature", authFault(fault.AuthSignature), [5]string{"InvalidSignatureException 400", "InvalidSignatureException 400", "UnauthorizedException 401", "InvalidSignatureException 403", "SignatureDoesNotMatch 403"}},
		{"skew", authFault(fault.AuthSkew), [5]string{"InvalidSignatureException 400", "InvalidSignatureException 400", "UnauthorizedException 401", "InvalidSignatureException 403", "SignatureDoesNotMatch 403"}},
		{"expired", authFault(fault.AuthExpired), [5]string{"ExpiredTokenException 400", "ExpiredTokenException 400", "UnauthorizedException 401", "ExpiredTokenException 403", "ExpiredToken 403"}},
		{"revoked", authFault(fault.AuthRevoked), [5]string{"ExpiredTokenException 400", "ExpiredTokenException 400", "UnauthorizedException 401", "ExpiredTokenException 403", "ExpiredToken 403"}},
		{"no reason", authFault(""), [5]string{"MissingAuthenticationTokenException 400", "MissingAuthenticationTokenException 400", "UnauthorizedException 401", "MissingAuthenticationTokenException 403", "MissingAuthenticationToken 403"}},
	} {
		want := append(c.want[:], c.want[1], cmp.Or(map[string]string{"Quota": "LimitExceededException 400", "Expired": "ExpiredTokenException 400"}[c.name], c.want[1]))
		for i, s := range services {
			w := httptest.NewRecorder()
			s.WriteError(w, fmt.Errorf("do it: %w", c.err), requestID)
			code, message := s.Code(c.err)
			if got := fmt.Sprintf("%s %d", code, w.Code); got != want[i] {
				t.Errorf("%s at %s: %s, want %s", c.name, s.ID, got, want[i])
			}
			body := w.Body.String()
			if !strings.Contains(body, code) || !strings.Contains(body, message) || strings.Contains(body, "secret") {
				t.Errorf("%s at %s: %s", c.name, s.ID, body)
			}
			if got := w.Header().Get("X-Amzn-ErrorType"); s.Protocol != awsapi.Query && got != code {
				t.Errorf("%s at %s: X-Amzn-ErrorType %q", c.name, s.ID, got)
			}
		}
	}
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	throttled := fault.Newf(fault.Throttled, "Rate exceeded")
	throttled.RetryAfter = 1500 * time.Millisecond
	region := fault.Invalidf("m")
	region.Err = &awsapi.Detail{Exception: "InvalidRequestRegionException", Members: map[string]any{"endpoint": "https://x", "region": "eu-west-1"}}
	for _, c := range []struct {
		service *awsapi.Service
		err     error
		want    string
	}{
		{&ssoadmin.Info, fault.Missing("PermissionSet", "ps-1"), `{"__type":"ResourceNotFoundException","Message":"PermissionSet not found."}`},
		{&ssoadmin.Info, fault.Conflictf("exists").WithReason("whatever"), `{"__type":"ConflictException","Message":"exists"}`},
		{&identitystore.Info, fault.Missing("USER", userID), `{"__type":"ResourceNotFoundException","Message":"USER not found.","RequestId":"` + requestID + `","ResourceId":"` + userID + `","ResourceType":"USER"}`},
		{&identitystore.Info, fault.Missing("Instance", ""), `{"__type":"ResourceNotFoundException","Message":"Instance not found.","RequestId":"` + requestID + `"}`},
		{&identitystore.Info, fault.Conflictf("taken"), `{"__type":"ConflictException","Message":"taken","Reason":"UNIQUENESS_CONSTRAINT_VIOLATION","RequestId":"` + requestID + `"}`},
		{&identitystore.Info, fault.Conflictf("raced").WithReason("CONCURRENT_MODIFICATION"), `{"__type":"ConflictException","Message":"raced","Reason":"CONCURRENT_MODIFICATION","RequestId":"` + requestID + `"}`},
		{&identitystore.Info, throttled, `{"__type":"ThrottlingException","Message":"Rate exceeded","RequestId":"` + requestID + `","RetryAfterSeconds":2}`},
		{&sallyport.Info, fault.Missing("MFA_DEVICE", userID), `{"__type":"ResourceNotFoundException","Message":"MFA_DEVICE not found.","RequestId":"` + requestID + `","ResourceId":"` + userID + `","ResourceType":"MFA_DEVICE"}`},
		{&sallyport.Info, fault.Conflictf("taken"), `{"__type":"ConflictException","Message":"taken","RequestId":"` + requestID + `"}`},
		{&sallyport.Info, fault.Deniedf("sign in anew").WithReason("FRESH_FACTOR_REQUIRED"), `{"__type":"AccessDeniedException","Message":"sign in anew","Reason":"FRESH_FACTOR_REQUIRED","RequestId":"` + requestID + `"}`},
		{&sso.Info, fault.Deniedf(""), `{"__type":"ForbiddenException","message":"No access"}`},
		{&sso.Info, fault.Deniedf("No access"), `{"__type":"ForbiddenException","message":"No access"}`},
		{&ssooidc.Info, fault.Invalidf("wait").WithReason("authorization_pending"), `{"__type":"AuthorizationPendingException","error":"authorization_pending","error_description":"wait"}`},
		{&ssooidc.Info, fault.Invalidf("").WithReason("invalid_client"), `{"__type":"InvalidClientException","error":"invalid_client"}`},
		{&ssooidc.Info, fault.Invalidf("m").WithReason("invalid_request"), `{"__type":"InvalidRequestException","error":"invalid_request","error_description":"m"}`},
		{&ssooidc.Info, region, `{"__type":"InvalidRequestRegionException","endpoint":"https://x","error":"invalid_request","error_description":"m","region":"eu-west-1"}`},
		{
			&sts.Info, fault.Invalidf("a <b>").WithReason("MalformedPolicyDocument"),
			`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>MalformedPolicyDocument</Code><Message>a &lt;b&gt;</Message></Error><RequestId>` + requestID + `</RequestId></ErrorResponse>`,
		},
	} {
		w := httptest.NewRecorder()
		c.service.WriteError(w, c.err, requestID)
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
	w := httptest.NewRecorder()
	sso.Info.WriteError(w, throttled, requestID)
	if got := w.Header().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q", got)
	}
}

// TestReadError: our own client sees code and message of every protocol.
func TestReadError(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		w := httptest.NewRecorder()
		s.WriteError(w, fault.Invalidf("what was wrong"), requestID)
		_, err := s.ReadResult(s.Operations[0], w.Result(), w.Body.Bytes())
		var got *awsapi.ResponseError
		code, _ := s.Code(fault.Invalidf("x"))
		if !errors.As(err, &got) || got.Code != code || got.Message != "what was wrong" || got.Status != w.Code {
			t.Errorf("%s: %v", s.ID, err)
		}
	}
}
