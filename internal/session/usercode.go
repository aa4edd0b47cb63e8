package session

import (
	"crypto/rand"
	"strings"
)

// userCodeLetters are consonants that are not taken for one another and spell no words (RFC 8628 §6.1). Eight of
// them are 34 bits.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

const userCodeLength = 8

// newUserCode makes a code in the form in which it is shown: XXXX-XXXX.
func newUserCode() string {
	code := make([]byte, 0, userCodeLength)
	var b [1]byte
	for len(code) < userCodeLength {
		_, _ = rand.Read(b[:])                                         // never fails: it ends the process instead (Go 1.24)
		if int(b[0]) < 256/len(userCodeLetters)*len(userCodeLetters) { // even odds for each letter
			code = append(code, userCodeLetters[int(b[0])%len(userCodeLetters)])
		}
	}
	return showUserCode(string(code))
}

func showUserCode(code string) string { return code[:userCodeLength/2] + "-" + code[userCodeLength/2:] }

// parseUserCode reads what a person typed: any case, with or without hyphen and spaces.
func parseUserCode(s string) (code string, ok bool) {
	if len(s) > 64 {
		return "", false
	}
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(s))
	if len(s) != userCodeLength || strings.Trim(s, userCodeLetters) != "" {
		return "", false
	}
	return showUserCode(s), true
}
