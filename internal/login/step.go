package login

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Step is what an attempt needs next.
type Step uint8

// The steps, in the order in which they are asked.
const (
	AskPassword    Step = iota
	AskPasskey          // which tells who it is, too
	AskMFA              // a code of an authenticator app, or a passkey
	AskDevice           // there is none yet: register one
	AskMailCode         // there is none, and a code by mail will do
	Blocked             // there is none, and that is not enough
	AskNewPassword      // the password was a one-time password, or there is none
	Done
)

// Position is where an attempt stands: what it needs next, and what that rests on.
type Position struct {
	store.Attempt
	Step     Step
	Settings setting.Values
	Factors  []store.Factor // which the person has and may use; none before the person is known
	Mail     string         // the person's mail address, when codes can be sent there
}

// Has says whether the person has a factor of the kind that may be used.
func (p Position) Has(kind store.FactorKind) bool {
	return slices.ContainsFunc(p.Factors, func(f store.Factor) bool { return f.Kind == kind })
}

// HasTOTP says whether the person has an authenticator app.
func (p Position) HasTOTP() bool { return p.Has(store.TOTP) }

// HasPasskey says whether the person has a passkey.
func (p Position) HasPasskey() bool { return p.Has(store.Passkey) }

// MayTrust says whether the page of the second factor may offer to trust the browser.
func (p Position) MayTrust() bool {
	return p.Settings.MFAMode == setting.ContextAware && p.Entry != store.ByConfirmation && p.Entry != store.ByEmergency
}

// Where is where the live attempt with the browser's id stands; ErrNoAttempt.
func (s *Service) Where(ctx context.Context, id string) (p Position, err error) {
	if id == "" {
		return p, ErrNoAttempt
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		a, err := attempt(tx, id)
		if err != nil {
			return err
		}
		p, err = s.position(tx, a)
		return err
	})
	return p, err
}

// position finds out where an attempt stands. Until the person is known it costs the same queries for everybody.
func (s *Service) position(tx *store.Tx, a store.Attempt) (p Position, err error) {
	p.Attempt = a
	if p.Settings, err = setting.Load(tx); err != nil || a.UserID == "" {
		p.Step = stepOf(p)
		return p, err
	}
	all, err := tx.Factors(a.UserID)
	if err != nil {
		return p, fmt.Errorf("load factors: %w", err)
	}
	if p.Factors = usable(p.Settings, all); a.Entry == store.ByEmergency {
		p.Factors = passkeys(all)
	}
	user, err := tx.User(a.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p, fmt.Errorf("load user: %w", err)
	}
	if s.Mail.Configured() {
		p.Mail = user.PrimaryEmail()
	}
	p.Step = stepOf(p)
	return p, nil
}

// usable are the factors of the kinds that the operator allows.
func usable(v setting.Values, all []store.Factor) (out []store.Factor) {
	for _, f := range all {
		if f.Kind == store.TOTP && v.TOTPAllowed() || f.Kind == store.Passkey && v.PasskeysAllowed() {
			out = append(out, f)
		}
	}
	return out
}

// passkeys are the factors that an emergency is for, whichever kinds the operator allows otherwise.
func passkeys(all []store.Factor) (out []store.Factor) {
	for _, f := range all {
		if f.Kind == store.Passkey {
			out = append(out, f)
		}
	}
	return out
}

// stepOf is the one place that decides what an attempt needs next.
func stepOf(p Position) Step {
	if step := first(p); step != Done {
		return step
	}
	if step := second(p); step != Done {
		return step
	}
	switch {
	case p.WantsDevice && !p.Enrolled:
		return AskDevice
	case p.MustChange:
		return AskNewPassword
	}
	return Done
}

// first is what shows who the person is: a password, a passkey or a link. Who is signed in and confirms that proves the best
// factor that they have.
func first(p Position) Step {
	switch p.Entry {
	case store.ByPasskey:
		if p.MFAAt.IsZero() {
			return AskPasskey
		}
	case store.ByConfirmation:
		if len(p.Factors) == 0 && p.PasswordAt.IsZero() && p.MFAAt.IsZero() {
			return AskPassword
		}
	case store.ByPassword, store.ByEmergency:
		if p.PasswordAt.IsZero() {
			return AskPassword
		}
	}
	return Done
}

// second is what is asked beyond that (behaviour reference §6).
func second(p Position) Step {
	has := len(p.Factors) > 0
	switch {
	case !p.MFAAt.IsZero():
		return Done
	case p.Entry == store.ByEmergency: // whatever the mode, and nothing is registered on the way
		if has {
			return AskMFA
		}
		return Blocked
	case p.Entry == store.ByConfirmation:
		if has {
			return AskMFA
		}
		return Done
	case has && p.Entry == store.ByReset: // a mailbox is one factor, whatever the mode
		return AskMFA
	case p.Settings.MFAMode == setting.Off || p.Settings.MFAMode == setting.ContextAware && p.Trusted:
		return Done
	case has:
		return AskMFA
	}
	return without(p)
}

// without is what is asked of a person who has no device.
func without(p Position) Step {
	switch p.Settings.MFAWithoutDevice {
	case setting.Allow:
		return Done
	case setting.Email:
		if p.Mail != "" {
			return AskMailCode
		}
	case setting.Register:
		if mayRegisterFirst(p) {
			return AskDevice
		}
	}
	return Blocked
}

// mayRegisterFirst says whether what was proved is enough to register a first device. A password alone may have been stolen,
// and a reset shows only that somebody reads the mail.
func mayRegisterFirst(p Position) bool {
	switch p.Entry {
	case store.ByInvitation:
		return true
	case store.ByPassword:
		return p.MustChange || p.Settings.MFAFirstDevice == setting.Password
	}
	return false
}
