package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is the text whose digest is signed: method, path, query, signed headers with their values, their names,
// and the payload's hash. Every header named must be there: see checkHeaders.
func canonicalRequest(r *http.Request, service string, headers []string, query []param, payload string) []byte {
	b := make([]byte, 0, 1024)
	b = append(b, r.Method...)
	b = append(b, '\n')
	if service == S3 {
		b = appendKeyPath(b, wirePath(r))
	} else {
		b = appendPath(b, wirePath(r))
	}
	b = append(b, '\n')
	b = appendQuery(b, query)
	b = append(b, '\n')
	for _, name := range headers {
		b = append(b, name...)
		b = append(b, ':')
		for i, value := range headerValues(r, name) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTrimmed(b, value)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = appendNames(b, headers)
	b = append(b, '\n')
	return append(b, payload...)
}

// stringToSign binds the canonical request to the moment and the scope.
func stringToSign(sig Signature, canonical []byte) []byte {
	digest := sha256.Sum256(canonical)
	b := make([]byte, 0, 160)
	b = append(b, algorithm...)
	b = append(b, '\n')
	b = sig.Time.AppendFormat(b, timeLayout)
	b = append(b, '\n')
	b = append(b, sig.Scope.String()...)
	b = append(b, '\n')
	return hex.AppendEncode(b, digest[:])
}

// wirePath is the path as the client wrote it. The server's parsed form will not do: decoding loses what was signed.
func wirePath(r *http.Request) string {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ = strings.Cut(r.RequestURI, "?")
	}
	return path
}

// appendPath normalises the path (no empty, "." or ".." segments) and encodes it once more than the wire has it, which
// all services but S3 do.
func appendPath(b []byte, path string) []byte {
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch {
		case segment == "" || segment == ".":
		case segment == ".." && len(kept) > 0:
			kept = kept[:len(kept)-1]
		case segment != "..":
			kept = append(kept, segment)
		}
	}
	for _, segment := range kept {
		b = append(b, '/')
		b = appendEncoded(b, segment)
	}
	if len(kept) == 0 || strings.HasSuffix(path, "/") {
		b = append(b, '/')
	}
	return b
}

// appendKeyPath encodes the path once, whatever of it the wire has encoded, and leaves its segments as they are: an object's key may
// have empty ones. S3 alone does so. What is not encoded well stands for itself, and so fits no signature.
func appendKeyPath(b []byte, path string) []byte {
	plain, err := url.PathUnescape(path)
	if err != nil {
		plain = path
	}
	for i, segment := range strings.Split(plain, "/") {
		if i > 0 {
			b = append(b, '/')
		}
		b = appendEncoded(b, segment)
	}
	return b
}

// param is one decoded query parameter.
type param struct{ name, value string }

// parseQuery splits and decodes a query string as net/url does, but refuses what net/url would drop in silence: a
// handler must never see less, or other, than what was signed.
func parseQuery(raw string) ([]param, error) {
	if raw == "" {
		return nil, nil
	}
	if len(raw) > maxQuery {
		return nil, incompletef("The query string is longer than %d bytes.", maxQuery)
	}
	if strings.Count(raw, "&") >= maxQueryParams {
		return nil, incompletef("The query string has more than %d parameters.", maxQueryParams)
	}
	var query []param
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, errName := url.QueryUnescape(name)
		v, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil || strings.Contains(pair, ";") {
			return nil, incompletef("The query string is not well-formed: use '&' between parameters and percent-encode everything else.")
		}
		query = append(query, param{n, v})
	}
	return query, nil
}

// appendQuery writes every parameter but the signature itself, encoded, then sorted by name and value.
func appendQuery(b []byte, query []param) []byte {
	encoded := make([]param, 0, len(query))
	for _, p := range query {
		if p.name != "X-Amz-Signature" {
			encoded = append(encoded, param{string(appendEncoded(nil, p.name)), string(appendEncoded(nil, p.value))})
		}
	}
	slices.SortFunc(encoded, func(x, y param) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range encoded {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p.name...)
		b = append(b, '=')
		b = append(b, p.value...)
	}
	return b
}

// headerValues are the values of a header by its lower-case name; nil when the request has none. net/http moves some
// headers out of the map.
func headerValues(r *http.Request, name string) []string {
	if name == "host" {
		if r.Host == "" {
			return []string{r.URL.Host}
		}
		return []string{r.Host}
	}
	if values := r.Header[textproto.CanonicalMIMEHeaderKey(name)]; values != nil {
		return values
	}
	switch {
	case name == "content-length" && r.ContentLength >= 0:
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	case name == "transfer-encoding" && r.TransferEncoding != nil:
		return r.TransferEncoding
	}
	return nil
}

// appendTrimmed drops white space around a header's value and makes one space of each run inside it.
func appendTrimmed(b []byte, value string) []byte {
	start := len(b)
	space := false
	for i := range len(value) {
		c := value[i]
		if c == ' ' || c == '\t' {
			space = true
			continue
		}
		if space && len(b) > start {
			b = append(b, ' ')
		}
		space = false
		b = append(b, c)
	}
	return b
}

func appendNames(b []byte, names []string) []byte {
	for i, name := range names {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	return b
}

// appendEncoded percent-encodes all but RFC 3986's unreserved characters.
func appendEncoded(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}
