package login

import (
	"context"
	"fmt"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// ChangePassword replaces a one-time password by the person's own. What is wrong with it is told by the attempt's Problem.
func (s *Service) ChangePassword(ctx context.Context, id, password, confirmation string, from Browser) error {
	c, err := s.candidate(ctx, id, from)
	if err != nil || StepOf(c.attempt) != AskNewPassword {
		return err
	}
	problem, phc, err := s.newPassword(ctx, c, password, confirmation, from)
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := attempt(tx, id)
		if err != nil || StepOf(a) != AskNewPassword {
			return err
		}
		if a.Problem = problem; problem != "" {
			return tx.UpdateAttempt(a)
		}
		if _, err := enabled(tx, a.UserID); err != nil {
			return err
		}
		if err := setPassword(tx, store.Password{UserID: a.UserID, PHC: phc, ChangedAt: tx.Now()}, a.ID); err != nil {
			return err
		}
		a.MustChange = false
		if err := tx.UpdateAttempt(a); err != nil {
			return fmt.Errorf("store sign-in attempt: %w", err)
		}
		return s.recordNewPassword(tx, a, from)
	})
}

// newPassword says what is wrong with a new password, or hashes it.
func (s *Service) newPassword(ctx context.Context, c candidate, password, confirmation string, from Browser) (problem, phc string, err error) {
	if err := CheckPassword(password); err != nil {
		return fault.As(err).Message, "", nil
	}
	if password != confirmation {
		return "The two passwords differ.", "", nil
	}
	same, err := s.Hasher.Verify(ctx, from.Network(), c.password.PHC, password)
	if err != nil {
		return "", "", fmt.Errorf("compare with one-time password: %w", err)
	}
	if same {
		return "Choose another password than the one-time password.", "", nil
	}
	if phc, err = s.Hasher.hash(ctx, from.Network(), password); err != nil {
		return "", "", fmt.Errorf("hash new password: %w", err)
	}
	return "", phc, nil
}

// SetPassword gives a user a password; a one-time password must be changed at the next sign-in. phc comes from [Hasher.Hash].
// Whoever is signed in as the user is signed out, and sign-ins in progress are void: the old password may be in the wrong hands.
func SetPassword(tx *store.Tx, userID, phc string, oneTime bool) error {
	return setPassword(tx, store.Password{UserID: userID, PHC: phc, OneTime: oneTime, ChangedAt: tx.Now()}, "")
}

func setPassword(tx *store.Tx, p store.Password, attempt string) error {
	if err := tx.PutPassword(p); err != nil {
		return fmt.Errorf("store password: %w", err)
	}
	if err := tx.VoidAttempts(p.UserID, attempt); err != nil {
		return fmt.Errorf("void sign-in attempts: %w", err)
	}
	return new(session.Service).EndAllOf(tx, p.UserID, "password changed") // a rule that needs nothing of the service
}

// MaxPassword bounds what is ever hashed; longer input is wrong without a look.
const MaxPassword = 64

// CheckPassword holds a new password against AWS's rules: 8–64 characters of four classes (behaviour reference §1.4).
func CheckPassword(p string) error {
	n := utf8.RuneCountInString(p)
	if n < 8 || n > MaxPassword {
		return fault.Invalidf("The password must have 8 to %d characters.", MaxPassword)
	}
	var lower, upper, digit, other bool
	for _, r := range p {
		switch {
		case unicode.IsLower(r):
			lower = true
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsDigit(r):
			digit = true
		default:
			other = true
		}
	}
	if !lower || !upper || !digit || !other {
		return fault.Invalidf("The password must have a lower-case letter, an upper-case letter, a digit and another character.")
	}
	return nil
}

// NewPassword makes a random password that satisfies the rules: for one-time passwords and the sample world.
func NewPassword() string {
	const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_" // without look-alikes
	for {
		b := random(20)
		for i, c := range b {
			b[i] = alphabet[int(c)%len(alphabet)] // the bias costs a fraction of a bit of more than a hundred
		}
		if CheckPassword(string(b)) == nil {
			return string(b)
		}
	}
}
