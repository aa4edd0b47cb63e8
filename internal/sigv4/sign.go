package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials are what a request is signed with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // empty for long-term keys
}

// String names the key and leaves the secrets out.
func (c Credentials) String() string { return c.AccessKeyID }

// LogValue is String, so that secrets are never logged.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.AccessKeyID) }

// Format keeps the secrets out of every formatting verb.
func (c Credentials) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.AccessKeyID) }

// Sign puts X-Amz-Date, X-Amz-Security-Token and Authorization headers on r, whose body is body. The signature covers
// what gives a request its meaning: method, path, query, body, host, content type and every x-amz header.
func Sign(r *http.Request, body []byte, c Credentials, region, service string, now time.Time) error {
	sig := claimed(c, region, service, now)
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", sig.Time.Format(timeLayout))
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	}
	if service == S3 {
		digest := sha256.Sum256(body)
		r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(digest[:]))
	}
	sig.headers = headersToSign(r)
	value, err := sign(r, body, c, sig)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", algorithm+" Credential="+sig.String()+
		", SignedHeaders="+strings.Join(sig.headers, ";")+", Signature="+value)
	return nil
}

// Presign moves the signature into r's query string, where it is good for the time given, up to seven days.
func Presign(r *http.Request, body []byte, c Credentials, region, service string, expires time.Duration, now time.Time) error {
	if expires < time.Second || expires > maxExpires {
		return fmt.Errorf("presign: expiry must be from 1 second to 7 days, not %s", expires)
	}
	sig := claimed(c, region, service, now)
	sig.headers = headersToSign(r)
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("presign: %w", err)
	}
	query = slices.DeleteFunc(query, func(p param) bool { return slices.Contains(presignedParams, p.name) })
	query = append(query,
		param{"X-Amz-Algorithm", algorithm},
		param{"X-Amz-Credential", sig.String()},
		param{"X-Amz-Date", sig.Time.Format(timeLayout)},
		param{"X-Amz-Expires", strconv.Itoa(int(expires.Seconds()))},
		param{"X-Amz-SignedHeaders", strings.Join(sig.headers, ";")})
	if c.SessionToken != "" {
		query = append(query, param{"X-Amz-Security-Token", c.SessionToken})
	}
	r.URL.RawQuery = string(appendQuery(nil, query))
	value, err := sign(r, body, c, sig)
	if err != nil {
		return err
	}
	r.URL.RawQuery += "&X-Amz-Signature=" + value
	return nil
}

func claimed(c Credentials, region, service string, now time.Time) Signature {
	now = now.UTC()
	return Signature{
		AccessKeyID: c.AccessKeyID,
		Scope:       Scope{Date: now.Format(dateLayout), Region: region, Service: service},
		Time:        now,
	}
}

func sign(r *http.Request, body []byte, c Credentials, sig Signature) (string, error) {
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	digest := sha256.Sum256(body)
	canonical := canonicalRequest(r, sig.Scope.Service, sig.headers, query, hex.EncodeToString(digest[:]))
	return hexMAC(signingKey(c.SecretAccessKey, sig.Scope), stringToSign(sig, canonical)), nil
}

// headersToSign leaves out what proxies and net/http change on the way.
func headersToSign(r *http.Request) []string {
	names := []string{"host"}
	for name := range r.Header {
		if lower := strings.ToLower(name); lower == "content-type" || strings.HasPrefix(lower, "x-amz-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return names
}
