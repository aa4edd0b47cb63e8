package secevent

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"sallyport/internal/awsapi"
)

const (
	mediaType = "secevent+jwt"
	maxText   = 2048                // of identifiers
	ahead     = 5 * time.Minute     // what clocks may differ by
	MaxAge    = 30 * 24 * time.Hour // Check refuses older tokens: what is remembered against replays has an end
)

// algorithms that tokens may be signed with: asymmetric ones alone.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA}

// Token is a security event token with its one event.
type Token struct {
	Issuer   string
	Audience []string
	ID       string // jti
	IssuedAt time.Time
	Subject  Subject
	Type     string         // of the event
	Event    map[string]any // its claims
}

// Verify reads a token that one of the keys has signed. Its error is a [Problem].
func Verify(compact string, keys KeySet) (Token, error) {
	jws, kid, err := parse(compact)
	if err != nil {
		return Token{}, err
	}
	key, ok := keys[kid]
	if !ok {
		return Token{}, problem(InvalidKey, "The key %.64q is not one that the issuer publishes.", kid)
	}
	if key.Algorithm != "" && key.Algorithm != jws.Signatures[0].Header.Algorithm {
		return Token{}, problem(InvalidKey, "The key %.64q is not for the algorithm %s.", kid, jws.Signatures[0].Header.Algorithm)
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return Token{}, problem(InvalidKey, "The signature does not match.")
	}
	return claims(payload)
}

// KeyOf is the id of the key that a token names. Nothing of the token is verified.
func KeyOf(compact string) (string, error) {
	_, kid, err := parse(compact)
	return kid, err
}

func parse(compact string) (*jose.JSONWebSignature, string, error) {
	if len(compact) > MaxSize {
		return nil, "", problem(InvalidRequest, "The token is longer than %d bytes.", MaxSize)
	}
	jws, err := jose.ParseSignedCompact(compact, algorithms)
	var other *jose.ErrUnexpectedSignatureAlgorithm
	switch {
	case errors.As(err, &other):
		return nil, "", problem(InvalidKey, "The algorithm must be one of ES256, RS256, PS256 and EdDSA.")
	case err != nil || len(jws.Signatures) != 1:
		return nil, "", problem(InvalidRequest, "The request is not a JWS in compact form.")
	}
	h := jws.Signatures[0].Protected
	typ, _ := h.ExtraHeaders[jose.HeaderType].(string)
	switch t := strings.TrimPrefix(strings.ToLower(typ), "application/"); {
	case t != mediaType:
		return nil, "", problem(InvalidRequest, "The token's typ is not %s.", mediaType)
	case h.KeyID == "":
		return nil, "", problem(InvalidKey, "The token does not name its key.")
	}
	return jws, h.KeyID, nil
}

// claims reads the payload. Names that come twice are refused, lest two readers see two tokens.
func claims(payload []byte) (t Token, err error) {
	v, err := awsapi.ParseJSON(payload)
	c, ok := v.(map[string]any)
	if err != nil || !ok {
		return t, problem(InvalidRequest, "The claims are not a JSON object.")
	}
	t.Issuer, t.ID = text(c["iss"]), text(c["jti"])
	if t.Issuer == "" || t.ID == "" {
		return t, problem(InvalidRequest, "The token has no iss or no jti.")
	}
	if _, expires := c["exp"]; expires {
		return t, problem(InvalidRequest, "The token has an exp, as tokens of events never do.")
	}
	if t.IssuedAt, ok = instant(c["iat"]); !ok {
		return t, problem(InvalidRequest, "The token has no iat.")
	}
	if t.Audience = audience(c["aud"]); len(t.Audience) == 0 {
		return t, problem(InvalidAudience, "The token has no aud.")
	}
	return t, t.event(c)
}

func (t *Token) event(c map[string]any) error {
	events, _ := c["events"].(map[string]any)
	if len(events) != 1 {
		return problem(InvalidRequest, "The token has not exactly one event.")
	}
	for name, v := range events {
		event, ok := v.(map[string]any)
		if !ok || text(name) == "" {
			return problem(InvalidRequest, "The event is not a JSON object.")
		}
		t.Type, t.Event = name, event
	}
	about, ok := c["sub_id"]
	if !ok {
		about = t.Event["subject"] // as drafts of the framework had it, which are still sent
	}
	var known bool
	if t.Subject, known = subject(about, 0); !known {
		return problem(InvalidRequest, "The token's sub_id is not a subject identifier.")
	}
	return nil
}

// Check looks whether a token is for us. Its error is a [Problem].
func (t Token) Check(issuer, audience string, now time.Time) error {
	switch {
	case t.Issuer != issuer:
		return problem(InvalidIssuer, "The issuer is not the one that this receiver listens to.")
	case !slices.Contains(t.Audience, audience):
		return problem(InvalidAudience, "The token is not for this receiver.")
	case t.IssuedAt.After(now.Add(ahead)):
		return problem(InvalidRequest, "The token was issued in the future.")
	case t.IssuedAt.Before(now.Add(-MaxAge)):
		return problem(InvalidRequest, "The token was issued more than %d days ago.", MaxAge/(24*time.Hour))
	}
	return nil
}

// text is a short string that a database takes; otherwise empty.
func text(v any) string {
	s, _ := v.(string)
	if len(s) > maxText || strings.ContainsRune(s, 0) {
		return ""
	}
	return s
}

// instant is a NumericDate (RFC 7519 §2).
func instant(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := n.Float64()
	if err != nil || f <= 0 || f > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0).UTC(), true
}

func audience(v any) (all []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, e := range list {
		if s := text(e); s != "" {
			all = append(all, s)
		}
	}
	return all
}
