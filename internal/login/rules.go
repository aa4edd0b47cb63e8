package login

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// MaxPassword bounds what is ever hashed, in characters; longer input is wrong without a look.
const MaxPassword = 64

// minOfName is how long a user name must be before a password may not hold it: "al" is in many words.
const minOfName = 4

// Rules says what a password must be, for those who choose one.
func Rules(v setting.Values) string {
	s := fmt.Sprintf("%d to %d characters", v.PasswordMinLength, MaxPassword)
	switch v.PasswordClasses {
	case 4:
		s += ", with a lower-case letter, an upper-case letter, a digit and another character"
	case 2, 3:
		s += fmt.Sprintf(", of %d of these kinds: lower-case letters, upper-case letters, digits, others", v.PasswordClasses)
	}
	return s + ". Long is better than complicated."
}

// Problem says what is wrong with a new password by the rules alone, or nothing (behaviour reference §1.4).
func Problem(v setting.Values, userName, password string) string {
	n := utf8.RuneCountInString(password)
	switch {
	case n < v.PasswordMinLength || n > MaxPassword || !utf8.ValidString(password):
		return fmt.Sprintf("The password must have %d to %d characters.", v.PasswordMinLength, MaxPassword)
	case classes(password) < v.PasswordClasses && v.PasswordClasses == 4:
		return "The password must have a lower-case letter, an upper-case letter, a digit and another character."
	case classes(password) < v.PasswordClasses:
		return fmt.Sprintf("The password must have %d of these kinds: lower-case letters, upper-case letters, digits, others.", v.PasswordClasses)
	case len(userName) >= minOfName && strings.Contains(store.FoldName(password), store.FoldName(userName)):
		return "The password must not hold your user name."
	}
	return ""
}

// classes is of how many kinds of characters a password is made.
func classes(password string) int {
	var has [4]bool
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			has[0] = true
		case unicode.IsUpper(r):
			has[1] = true
		case unicode.IsDigit(r):
			has[2] = true
		default:
			has[3] = true
		}
	}
	n := 0
	for _, h := range has {
		if h {
			n++
		}
	}
	return n
}

// NewPassword makes a random password that satisfies the strictest rules: for one-time passwords and the sample world.
func NewPassword() string {
	const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_" // without look-alikes
	for {
		b := random(20)
		for i, c := range b {
			b[i] = alphabet[int(c)%len(alphabet)] // the bias costs a fraction of a bit of more than a hundred
		}
		if classes(string(b)) == 4 {
			return string(b)
		}
	}
}
