package sigv4

import (
	"slices"
	"strconv"
	"time"
)

// presignedParams are the query parameters with a meaning for the signature. Names are case-sensitive.
var presignedParams = []string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature", // required
	"X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-Content-Sha256",
}

func isPresigned(query []param) bool {
	return slices.ContainsFunc(query, func(p param) bool {
		return p.name == "X-Amz-Signature" || p.name == "X-Amz-Algorithm" || p.name == "X-Amz-Credential"
	})
}

func parsePresigned(query []param) (Signature, error) {
	found := make(map[string]string, len(presignedParams))
	for _, p := range query {
		if !slices.Contains(presignedParams, p.name) {
			continue
		}
		if _, twice := found[p.name]; twice {
			return Signature{}, incompletef("The query string holds '%s' twice.", p.name)
		}
		found[p.name] = p.value
	}
	for _, name := range presignedParams[:5] {
		if found[name] == "" {
			return Signature{}, incompletef("AWS query-string parameters must include '%s'.", name)
		}
	}
	if found["X-Amz-Algorithm"] != algorithm {
		return Signature{}, incompletef("Unsupported AWS 'algorithm': sign the request with %s.", algorithm)
	}
	c := claim{
		credential:    found["X-Amz-Credential"],
		signedHeaders: found["X-Amz-SignedHeaders"],
		signature:     found["X-Amz-Signature"],
		token:         found["X-Amz-Security-Token"],
	}
	sig, err := c.read()
	if err != nil {
		return Signature{}, err
	}
	if sig.Time, err = parseTime(found["X-Amz-Date"]); err != nil {
		return Signature{}, err
	}
	sig.Presigned = true
	sig.Expires, err = parseExpires(found["X-Amz-Expires"])
	return sig, err
}

func parseExpires(s string) (time.Duration, error) {
	if s == "" {
		return defaultExpires, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	d := time.Duration(n) * time.Second
	if err != nil || d < time.Second || d > maxExpires {
		return 0, incompletef("X-Amz-Expires must be a number of seconds from 1 to 604800.")
	}
	return d, nil
}
