package awsapi

import (
	"slices"

	"sallyport/internal/fault"
)

// Detail is a fault's cause (fault.Error.Err) that names the exception itself, where Kind and Reason do not, and gives members
// that a fault has no field for.
type Detail struct {
	Exception string
	Members   map[string]any
}

func (d *Detail) Error() string { return "answered as " + d.Exception }

// modelled are the exceptions that stand for a kind, in the order in which a service is asked for them.
var modelled = map[fault.Kind][]string{
	fault.Internal:  {"InternalServerException"},
	fault.Invalid:   {"ValidationException", "InvalidRequestException"},
	fault.Malformed: {"InvalidRequestException"},
	fault.Denied:    {"AccessDeniedException"},
	fault.NotFound:  {"ResourceNotFoundException", "InvalidRequestException"},
	fault.Conflict:  {"ConflictException", "InvalidRequestException"},
	fault.Quota:     {"ServiceQuotaExceededException", "TooManyRequestsException", "InvalidRequestException"},
	fault.Throttled: {"ThrottlingException", "TooManyRequestsException", "SlowDownException"},
	fault.Expired:   {"ExpiredTokenException", "UnauthorizedException", "ValidationException"},
}

var (
	message = []string{"Message"} // awsJson
	lower   = []string{"message"} // restJson
)

// unmodelled are the errors that services send beside their models (wire-protocols §3, §7). An operation that does not exist
// yet answers 400, as any 5xx makes SDKs try again.
var unmodelled = map[Protocol]map[fault.Kind]Exception{
	JSON: { // the first four are of a service that models none of its own, as CloudTrail
		fault.Internal:         {Code: "InternalServerException", Status: 500, Members: message},
		fault.Invalid:          {Code: "ValidationException", Status: 400, Members: message},
		fault.Quota:            {Code: "LimitExceededException", Status: 400, Members: message},
		fault.Expired:          {Code: "ExpiredTokenException", Status: 400, Members: message},
		fault.Malformed:        {Code: "SerializationException", Status: 400, Members: message},
		fault.TooLarge:         {Code: "RequestEntityTooLargeException", Status: 413, Members: message},
		fault.UnknownOperation: {Code: "UnknownOperationException", Status: 400, Members: message},
		fault.Unimplemented:    {Code: "UnsupportedOperationException", Status: 400, Members: message},
	},
	REST: {
		fault.Internal:         {Code: "InternalServerException", Status: 500, Members: lower},
		fault.Denied:           {Code: "ForbiddenException", Status: 403, Members: lower},
		fault.TooLarge:         {Code: "RequestEntityTooLargeException", Status: 413, Members: lower},
		fault.UnknownOperation: {Code: "UnknownOperationException", Status: 404, Members: lower},
		fault.Unimplemented:    {Code: "UnsupportedOperationException", Status: 400, Members: lower},
	},
	Query: {
		fault.Internal:         {Code: "InternalFailure", Status: 500},
		fault.Invalid:          {Code: "ValidationError", Status: 400},
		fault.Malformed:        {Code: "MalformedInput", Status: 400},
		fault.TooLarge:         {Code: "RequestEntityTooLarge", Status: 413},
		fault.Denied:           {Code: "AccessDenied", Status: 403},
		fault.NotFound:         {Code: "NoSuchEntity", Status: 404},
		fault.Conflict:         {Code: "EntityAlreadyExists", Status: 409},
		fault.Quota:            {Code: "LimitExceeded", Status: 409},
		fault.Throttled:        {Code: "Throttling", Status: 400},
		fault.UnknownOperation: {Code: "InvalidAction", Status: 400},
		fault.Unimplemented:    {Code: "UnsupportedOperation", Status: 400},
	},
}

// authFailures are the answers to a caller who could not be established, by reason. A revoked credential looks expired: what
// the client must do is the same. A skewed clock keeps the code after which SDKs correct theirs.
var authFailures = map[string]struct{ json, query string }{
	fault.AuthMissing:    {"MissingAuthenticationTokenException", "MissingAuthenticationToken"},
	fault.AuthIncomplete: {"IncompleteSignatureException", "IncompleteSignature"},
	fault.AuthUnknownKey: {"UnrecognizedClientException", "InvalidClientTokenId"},
	fault.AuthSignature:  {"InvalidSignatureException", "SignatureDoesNotMatch"},
	fault.AuthSkew:       {"InvalidSignatureException", "SignatureDoesNotMatch"},
	fault.AuthExpired:    {"ExpiredTokenException", "ExpiredToken"},
	fault.AuthRevoked:    {"ExpiredTokenException", "ExpiredToken"},
}

// oauthCodes are the error codes of service SSO OIDC by exception (wire-protocols §8). A fault's Reason may be one of them.
var oauthCodes = map[string]string{
	"AccessDeniedException":          "access_denied",
	"AuthorizationPendingException":  "authorization_pending",
	"ExpiredTokenException":          "expired_token",
	"InternalServerException":        "server_error",
	"InvalidClientException":         "invalid_client",
	"InvalidClientMetadataException": "invalid_client_metadata",
	"InvalidGrantException":          "invalid_grant",
	"InvalidRedirectUriException":    "invalid_redirect_uri",
	"InvalidRequestException":        "invalid_request",
	"InvalidRequestRegionException":  "invalid_request",
	"InvalidScopeException":          "invalid_scope",
	"SlowDownException":              "slow_down",
	"UnauthorizedClientException":    "unauthorized_client",
	"UnsupportedGrantTypeException":  "unsupported_grant_type",
}

// exception chooses the exception that a fault becomes: the one that it names, else the one that its kind stands for.
func (s *Service) exception(f *fault.Error, detail *Detail) Exception {
	if detail != nil {
		if x, ok := s.modelled(detail.Exception); ok {
			return x
		}
	}
	if x, ok := s.named(f.Reason); ok {
		return x
	}
	if f.Kind == fault.Unauthenticated {
		return s.unauthenticated(f.Reason)
	}
	for _, name := range modelled[f.Kind] {
		if x, ok := s.modelled(name); ok {
			return x
		}
	}
	if x, ok := unmodelled[s.Protocol][f.Kind]; ok {
		return x
	}
	return s.exception(&fault.Error{Kind: fault.Internal}, nil)
}

// named finds the exception whose OAuth code, name or wire code a fault's reason is.
func (s *Service) named(reason string) (Exception, bool) {
	if reason == "" {
		return Exception{}, false
	}
	i := slices.IndexFunc(s.Exceptions, func(x Exception) bool {
		return x.Name == reason || x.Code == reason || slices.Contains(x.Members, "error") && oauthCodes[x.Name] == reason
	})
	if i < 0 {
		return Exception{}, false
	}
	return s.Exceptions[i], true
}

func (s *Service) modelled(name string) (Exception, bool) {
	i := slices.IndexFunc(s.Exceptions, func(x Exception) bool { return x.Name == name })
	if i < 0 {
		return Exception{}, false
	}
	return s.Exceptions[i], true
}

func (s *Service) unauthenticated(reason string) Exception {
	if x, ok := s.modelled("UnauthorizedException"); ok { // the portal has a single answer
		return x
	}
	codes, ok := authFailures[reason]
	if !ok {
		codes = authFailures[fault.AuthMissing]
	}
	switch {
	case s.Protocol == JSON:
		return Exception{Code: codes.json, Status: 400, Members: message}
	case s.Protocol == REST:
		return Exception{Code: codes.json, Status: 403, Members: lower}
	case reason == fault.AuthIncomplete:
		return Exception{Code: codes.query, Status: 400}
	}
	return Exception{Code: codes.query, Status: 403}
}
