package sigv4

import (
	"net/http"
	"strings"
	"time"

	"sallyport/internal/fault"
)

// Parse reads the signature that r carries, in its Authorization header or its query string. It checks form only.
// Its faults are Unauthenticated: AuthMissing when there is nothing, AuthIncomplete when parts are missing or malformed.
func Parse(r *http.Request) (Signature, error) {
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return Signature{}, err
	}
	header := r.Header["Authorization"]
	presigned := isPresigned(query)
	switch {
	case presigned && len(header) > 0:
		return Signature{}, incompletef("Only one way of authentication is allowed: sign the request in the Authorization header or in the query string, not in both.")
	case presigned:
		return parsePresigned(query)
	case len(header) > 1:
		return Signature{}, incompletef("The request carries more than one Authorization header.")
	case len(header) == 0 || header[0] == "":
		return Signature{}, fault.Unauthenticatedf(fault.AuthMissing, "Missing Authentication Token")
	}
	return parseHeader(r.Header, header[0])
}

// claim is a signature as text, wherever it was found.
type claim struct {
	credential, signedHeaders, signature, token string
}

func parseHeader(h http.Header, auth string) (Signature, error) {
	if len(auth) > maxAuthorization {
		return Signature{}, incompletef("The Authorization header is longer than %d bytes.", maxAuthorization)
	}
	scheme, parts, _ := strings.Cut(auth, " ")
	if scheme != algorithm {
		return Signature{}, incompletef("Unsupported AWS 'algorithm': sign the request with %s.", algorithm)
	}
	c, err := authorizationParts(parts)
	if err != nil {
		return Signature{}, err
	}
	when, err := headerTime(h)
	if err != nil {
		return Signature{}, err
	}
	if c.token, err = once(h, "X-Amz-Security-Token"); err != nil {
		return Signature{}, err
	}
	sig, err := c.read()
	if err != nil {
		return Signature{}, err
	}
	sig.Time = when
	return sig, nil
}

// authorizationParts reads "Credential=…, SignedHeaders=…, Signature=…" in any order.
func authorizationParts(s string) (claim, error) {
	var c claim
	for field := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		var into *string
		switch name {
		case "Credential":
			into = &c.credential
		case "SignedHeaders":
			into = &c.signedHeaders
		case "Signature":
			into = &c.signature
		default:
			return claim{}, incompletef("The Authorization header may hold Credential=…, SignedHeaders=… and Signature=…, separated by commas, and nothing else.")
		}
		if *into != "" {
			return claim{}, incompletef("The Authorization header holds '%s' twice.", name)
		}
		*into = value
	}
	var missing []string
	for _, part := range [][2]string{{"Credential", c.credential}, {"Signature", c.signature}, {"SignedHeaders", c.signedHeaders}} {
		if part[1] == "" {
			missing = append(missing, "Authorization header requires '"+part[0]+"' parameter.")
		}
	}
	if missing != nil {
		return claim{}, incompletef("%s", strings.Join(missing, " "))
	}
	return c, nil
}

// headerTime is when the request was signed. X-Amz-Date wins over Date, as the guide says.
func headerTime(h http.Header) (time.Time, error) {
	value, err := once(h, "X-Amz-Date")
	if err != nil {
		return time.Time{}, err
	}
	if value != "" {
		return parseTime(value)
	}
	if value, err = once(h, "Date"); err != nil {
		return time.Time{}, err
	}
	if value == "" {
		return time.Time{}, incompletef("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if t, err := http.ParseTime(value); err == nil {
		return t.UTC(), nil
	}
	return parseTime(value)
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(timeLayout, s)
	if err != nil || t.Format(timeLayout) != s { // Parse lets a fraction of a second pass
		return time.Time{}, incompletef("Date must be in ISO-8601 'basic format', for example 20260102T030405Z.")
	}
	return t, nil
}

// read checks the form of the parts that header and query have in common.
func (c claim) read() (Signature, error) {
	scope := strings.Split(c.credential, "/")
	if len(scope) != 5 {
		return Signature{}, incompletef("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	if !isWord(scope[0], maxKeyID) {
		return Signature{}, incompletef("The access key ID in Credential must be 1 to %d letters, digits or underscores.", maxKeyID)
	}
	for _, part := range scope[1:] {
		if part == "" || len(part) > maxScopePart {
			return Signature{}, incompletef("Each element of Credential must have 1 to %d characters.", maxScopePart)
		}
	}
	headers, err := signedHeaders(c.signedHeaders)
	if err != nil {
		return Signature{}, err
	}
	if !isDigest(c.signature) {
		return Signature{}, incompletef("Signature must be 64 lower-case hexadecimal digits.")
	}
	if len(c.token) > maxToken {
		return Signature{}, incompletef("The security token is longer than %d bytes.", maxToken)
	}
	return Signature{
		AccessKeyID:  scope[0],
		SessionToken: c.token,
		Scope:        Scope{Date: scope[1], Region: scope[2], Service: scope[3]},
		terminator:   scope[4],
		headers:      headers,
		value:        c.signature,
	}, nil
}

// signedHeaders splits the list and requires it as every signer writes it: lower case, sorted, no name twice. Then a
// list has one meaning only.
func signedHeaders(list string) ([]string, error) {
	names := strings.SplitN(list, ";", maxSignedHeaders+1)
	if len(names) > maxSignedHeaders {
		return nil, incompletef("SignedHeaders lists more than %d headers.", maxSignedHeaders)
	}
	for i, name := range names {
		if name == "" || strings.ContainsFunc(name, notLowerToken) {
			return nil, incompletef("SignedHeaders must be lower-case header names separated by ';'.")
		}
		if i > 0 && names[i-1] >= name {
			return nil, incompletef("SignedHeaders must be sorted and list each header once.")
		}
	}
	return names, nil
}

// once is the value of a header that steers verification and so must be unambiguous; empty when it is absent.
func once(h http.Header, name string) (string, error) {
	switch values := h[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", incompletef("The request carries the %s header more than once.", name)
}

// notLowerToken reports what cannot stand in a lower-case header name (RFC 9110 section 5.6.2).
func notLowerToken(c rune) bool {
	return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
}

func isWord(s string, limit int) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// isDigest reports whether s is a SHA-256 digest as this protocol writes it.
func isDigest(s string) bool {
	for _, c := range []byte(s) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return len(s) == 64
}

func incompletef(format string, args ...any) error {
	return fault.Unauthenticatedf(fault.AuthIncomplete, format, args...)
}
