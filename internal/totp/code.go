package totp

import (
	"crypto/hmac"
	"crypto/sha1" // RFC 6238's default, and the only hash that every app has
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"
)

const (
	period  = 30 // seconds in a step
	digits  = 6
	modulus = 1_000_000
	drift   = 1  // steps that a phone's clock may be off, either way (RFC 6238 section 5.2)
	maxCode = 64 // bytes of a code as typed
)

// Step is the number of the 30-second step that t is in, counted from 1970 (RFC 6238 section 4.2).
func Step(t time.Time) int64 { return t.Unix() / period }

// Code is the code of a step: HOTP (RFC 4226 section 5.3) with the step as its counter.
func (s Seed) Code(step int64) string {
	mac := hmac.New(sha1.New, s)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	return fmt.Sprintf("%0*d", digits, binary.BigEndian.Uint32(sum[at:])&0x7fffffff%modulus)
}

// Check tells whether a code is of the step at hand or one beside it, and later than last, the step of the last code that was
// taken (0: none). The caller keeps the step that it returns as the new last, in the transaction that acts on it: so a code
// works once, and never after a later one (RFC 6238 section 5.2). When two steps happen to have one code, it is the later.
func (s Seed) Check(code string, now time.Time, last int64) (step int64, ok bool) {
	if len(code) > maxCode {
		return 0, false
	}
	code = withoutSpaces(code)
	for c := Step(now) - drift; c <= Step(now)+drift; c++ { // all of them, whichever fits
		if subtle.ConstantTimeCompare([]byte(s.Code(c)), []byte(code)) == 1 && c > last {
			step, ok = c, true
		}
	}
	return step, ok
}

// withoutSpaces drops the spaces with which apps group what they show.
func withoutSpaces(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
