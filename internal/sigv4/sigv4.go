// Package sigv4 verifies AWS Signature Version 4, in the Authorization header and in presigned URLs, and signs.
//
// It is pure. The caller parses a request, finds the secret behind the access key itself, and then verifies; whether the
// credentials are still good, and what they may do, is decided elsewhere. Only what services other than S3 accept is
// accepted: one algorithm, the whole body in memory and hashed, paths normalised and encoded again. Of S3, reading.
//
// The rules are those of the IAM User Guide, "AWS Signature Version 4 for API requests"; where the guide is silent, what
// botocore and the AWS SDKs for Go and JavaScript do, as recorded under testdata.
package sigv4

import (
	"fmt"
	"log/slog"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"

	timeLayout = "20060102T150405Z" // ISO 8601 basic, as in X-Amz-Date
	dateLayout = "20060102"         // the scope's day

	unsignedPayload = "UNSIGNED-PAYLOAD"

	// S3 is the service name of S3, whose signatures differ: paths are encoded once and not normalised, and each request states the
	// hash of its payload, or that it is not signed.
	S3 = "s3"
)

// Bounds on what a request may ask to have parsed. Real requests stay far below.
const (
	maxAuthorization = 4 << 10
	maxToken         = 8 << 10
	maxQuery         = 64 << 10
	maxQueryParams   = 1000
	maxSignedHeaders = 64
	maxKeyID         = 128 // model: sts accessKeyIdType
	maxScopePart     = 64

	maxExpires     = 604800 * time.Second
	defaultExpires = 15 * time.Minute // the Go SDK presigns without X-Amz-Expires; STS then honours a URL for this long
)

// Scope is what a signing key is good for: one day, one region, one service.
type Scope struct {
	Date    string // YYYYMMDD
	Region  string
	Service string
}

func (s Scope) String() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator
}

// Signature is what a request claims about its signer. Nothing in it is proven before Verify.
type Signature struct {
	AccessKeyID  string
	SessionToken string // empty for long-term keys
	Scope        Scope
	Time         time.Time
	Presigned    bool          // signed in the query string
	Expires      time.Duration // life of a presigned request

	terminator string
	headers    []string // names of the signed headers: lower case, sorted
	value      string   // 64 lower-case hexadecimal digits
}

// String names the signer and leaves token and signature out.
func (s Signature) String() string { return s.AccessKeyID + "/" + s.Scope.String() }

// LogValue is String, so that a token is never logged.
func (s Signature) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Format keeps the token out of every formatting verb.
func (s Signature) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }
