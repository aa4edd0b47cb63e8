package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"sallyport/internal/fault"
)

// MaxSkew is how far a request's time may lie from the verifier's, unless a Verifier says otherwise: "a request must
// reach AWS within five minutes of the time stamp in the request" (IAM User Guide, reference_aws-signing).
const MaxSkew = 5 * time.Minute

// Verifier checks the signatures of the requests to one service. It must not be copied after its first use.
type Verifier struct {
	Service string   // the scope's service name, such as "sso" for sso-admin
	Regions []string // regions that may stand in the scope; with an endpoint override SDKs sign iam, organizations and sts for the client's region
	MaxSkew time.Duration

	keys keyCache
}

// Verify checks that sig, parsed from r, was made with secret over r and body, for this service and at this time.
// Its faults are Unauthenticated: AuthSkew outside the time window, else AuthSignature.
func (v *Verifier) Verify(r *http.Request, body []byte, sig Signature, secret string, now time.Time) error {
	if secret == "" {
		return errors.New("verify signature: the access key has no secret")
	}
	if err := v.checkScope(sig); err != nil {
		return err
	}
	if err := v.checkTime(sig, now.UTC()); err != nil {
		return err
	}
	if err := checkHeaders(r, sig); err != nil {
		return err
	}
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if err := checkQuery(query); err != nil {
		return err
	}
	payload, err := payloadHash(r, body, sig, query)
	if err != nil {
		return err
	}
	text := stringToSign(sig, canonicalRequest(r, sig.Scope.Service, sig.headers, query, payload))
	want := hexMAC(v.keys.get(secret, sig.Scope), text)
	if subtle.ConstantTimeCompare([]byte(want), []byte(sig.value)) != 1 {
		return mismatchf("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func (v *Verifier) checkScope(sig Signature) error {
	day := sig.Time.Format(dateLayout)
	switch {
	case sig.terminator != terminator:
		return mismatchf("Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, sig.terminator)
	case sig.Scope.Service != v.Service:
		return mismatchf("Credential should be scoped to correct service: '%s'.", v.Service)
	case !slices.Contains(v.Regions, sig.Scope.Region):
		return mismatchf("Credential should be scoped to a valid region (%s), not '%s'.", strings.Join(v.Regions, ", "), sig.Scope.Region)
	case sig.Scope.Date != day:
		return mismatchf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			sig.Scope.Date, day, sig.Time.Format(timeLayout))
	}
	return nil
}

// checkTime words its faults as AWS does: people search for them.
func (v *Verifier) checkTime(sig Signature, now time.Time) error {
	skew := v.MaxSkew
	if skew == 0 {
		skew = MaxSkew
	}
	signed := sig.Time.Format(timeLayout)
	if latest := now.Add(skew); sig.Time.After(latest) {
		return skewf("Signature not yet current: %s is still later than %s (%s + %d min.)",
			signed, latest.Format(timeLayout), now.Format(timeLayout), int(skew.Minutes()))
	}
	if sig.Presigned {
		if end := sig.Time.Add(sig.Expires); now.After(end) {
			return skewf("Signature expired: the presigned request was good until %s, and it is %s now.", end.Format(timeLayout), now.Format(timeLayout))
		}
		return nil
	}
	if earliest := now.Add(-skew); sig.Time.Before(earliest) {
		return skewf("Signature expired: %s is now earlier than %s (%s - %d min.)",
			signed, earliest.Format(timeLayout), now.Format(timeLayout), int(skew.Minutes()))
	}
	return nil
}

// checkHeaders requires that all that steers a request is signed, that what is signed is there, and that x-amz headers
// are unambiguous. Leaving out the check on unsigned x-amz headers lets whoever sits between add instructions to a
// signed request; several S3 servers had to fix that.
func checkHeaders(r *http.Request, sig Signature) error {
	signed := sig.headers
	if !slices.Contains(signed, "host") {
		return unsigned("host")
	}
	if !sig.Presigned && r.Header.Get("X-Amz-Date") == "" && !slices.Contains(signed, "date") {
		return unsigned("date")
	}
	for name, values := range r.Header {
		lower := strings.ToLower(name)
		if !strings.HasPrefix(lower, "x-amz-") {
			continue
		}
		if !slices.Contains(signed, lower) {
			return unsigned(lower)
		}
		if len(values) > 1 {
			return mismatchf("The request carries the header '%s' more than once.", lower)
		}
	}
	for _, name := range signed {
		if headerValues(r, name) == nil {
			return mismatchf("The header '%s' is listed in SignedHeaders, but the request arrived without it.", name)
		}
	}
	return nil
}

// checkQuery refuses a parameter given twice: the canonical form sorts values, so their order is not signed, yet
// handlers take the first.
func checkQuery(query []param) error {
	seen := make(map[string]bool, len(query))
	for _, p := range query {
		if seen[p.name] {
			return mismatchf("The query string holds the parameter '%.64s' more than once.", p.name)
		}
		seen[p.name] = true
	}
	return nil
}

// payloadHash is the last line of the canonical request. A hash that the client states must be that of the body.
// UNSIGNED-PAYLOAD is taken only from a request without a body, where nothing is left unsigned: from a presigned one, and to S3,
// where a presigned one need not even say so.
func payloadHash(r *http.Request, body []byte, sig Signature, query []param) (string, error) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	if i := slices.IndexFunc(query, func(p param) bool { return p.name == "X-Amz-Content-Sha256" }); i >= 0 && sig.Presigned {
		if stated != "" && stated != query[i].value {
			return "", mismatchf("X-Amz-Content-Sha256 has one value in the header and another in the query string.")
		}
		stated = query[i].value
	}
	if sig.Scope.Service == S3 && stated == "" && !sig.Presigned {
		return "", mismatchf("Missing required header for this request: x-amz-content-sha256")
	}
	if stated == "" && sig.Scope.Service == S3 {
		stated = unsignedPayload
	}
	if stated == unsignedPayload && (sig.Presigned || sig.Scope.Service == S3) && len(body) == 0 {
		return unsignedPayload, nil
	}
	digest := sha256.Sum256(body)
	actual := hex.EncodeToString(digest[:])
	if stated != "" && subtle.ConstantTimeCompare([]byte(stated), []byte(actual)) != 1 {
		return "", mismatchf("The provided 'x-amz-content-sha256' does not match what was computed. Unsigned and streaming payloads are not accepted.")
	}
	return actual, nil
}

func unsigned(name string) error {
	return mismatchf("'%.64s' must be a 'SignedHeader' in the AWS Authorization.", name)
}

func mismatchf(format string, args ...any) error {
	return fault.Unauthenticatedf(fault.AuthSignature, format, args...)
}

func skewf(format string, args ...any) error {
	return fault.Unauthenticatedf(fault.AuthSkew, format, args...)
}
