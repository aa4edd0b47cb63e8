// Package totp makes and checks the codes of authenticator apps: TOTP (RFC 6238) with what every app takes by default,
// HMAC-SHA-1, six digits and 30 seconds. It keeps nothing: which step was used last is the caller's to remember.
package totp

import (
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net/url"
	"strings"

	"sallyport/internal/fault"
)

// Seed is the secret that an app and we share. It shows itself only by Text and URI, or by conversion.
type Seed []byte

const (
	seedBytes = 20 // as long as SHA-1's output, which RFC 4226 section 4 recommends
	minSeed   = 16 // RFC 4226 section 4, requirement 6
	maxSeed   = 64 // the block of SHA-1; longer keys are no stronger
	maxText   = 256
	redacted  = "REDACTED"
)

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSeed returns 20 random bytes.
func NewSeed() Seed {
	s := make(Seed, seedBytes)
	_, _ = rand.Read(s) // never fails: it ends the process instead (Go 1.24)
	return s
}

// ParseSeed reads a seed as Text writes it and as people copy it: in groups, in lower case, with padding; Invalid.
func ParseSeed(text string) (Seed, error) {
	if len(text) > maxText {
		return nil, errSeed()
	}
	bare := strings.TrimRight(strings.ToUpper(withoutSpaces(text)), "=")
	s, err := encoding.DecodeString(bare)
	if err != nil || len(s) < minSeed || len(s) > maxSeed || encoding.EncodeToString(s) != bare { // a last character cut off or added
		return nil, errSeed()
	}
	return s, nil
}

func errSeed() error {
	return fault.Invalidf("This is not the secret of an authenticator app: it has to be base32 (letters and the digits 2 to 7) of %d to %d bytes.",
		minSeed, maxSeed)
}

// Text is the seed in base32 without padding, for typing it in.
func (s Seed) Text() string { return encoding.EncodeToString(s) }

// URI is what an app reads from a QR code (the Key URI Format of Google Authenticator). Digits, period and algorithm are the
// format's defaults and left out, so that the QR code stays small.
func (s Seed) URI(issuer, account string) string {
	issuer = strings.ReplaceAll(issuer, ":", " ") // a colon ends the issuer in the label
	return "otpauth://totp/" + escape(issuer) + ":" + escape(account) + "?secret=" + s.Text() + "&issuer=" + escape(issuer)
}

// escape is for path and query alike. Spaces become %20, since some apps show a plus sign as it is.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// String hides the seed.
func (Seed) String() string { return redacted }

// GoString hides the seed.
func (Seed) GoString() string { return redacted }

// LogValue hides the seed.
func (Seed) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the seed: whoever stores it seals its bytes.
func (Seed) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
