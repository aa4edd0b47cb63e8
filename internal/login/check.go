package login

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// wrong is the one text for an unknown name, a wrong password, a disabled user and a lock.
const wrong = "The user name or the password is not right, or too many attempts were made. Try again in a while."

// candidate is what is known before the hash runs. An unknown user has empty fields and costs the same queries.
type candidate struct {
	attempt  store.Attempt
	user     store.User
	password store.Password
	failures store.SignInFailures
}

// GivePassword checks the password and records the outcome. What was wrong is told by the attempt's Problem, never by the
// error. Every call runs exactly one hash and the same queries, whoever is claimed.
func (s *Service) GivePassword(ctx context.Context, id, password string, from session.Origin) error {
	c, err := s.candidate(ctx, id)
	if err != nil {
		return err
	}
	if StepOf(c.attempt) != AskPassword { // out of order: the dispatcher knows where to go
		return nil
	}
	if len(password) > 4*MaxPassword {
		password = "" // longer than any password can be; still hash, to take as long
	}
	right, err := s.Hasher.Verify(ctx, c.password.PHC, password)
	if f := fault.As(err); f != nil && f.Kind == fault.Throttled {
		return s.change(ctx, id, func(_ *store.Tx, a *store.Attempt) error { a.Problem = f.Message; return nil })
	}
	if err != nil {
		return fmt.Errorf("check password: %w", err)
	}
	rehash := ""
	if right && outdated(c.password.PHC) {
		if rehash, err = s.Hasher.Hash(ctx, password); err != nil {
			return fmt.Errorf("raise password hash: %w", err)
		}
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error { return s.settle(tx, id, c, right, rehash, from) })
}

func (s *Service) candidate(ctx context.Context, id string) (c candidate, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		c, err = s.load(tx, id)
		return err
	})
	return c, err
}

func (s *Service) load(tx *store.Tx, id string) (c candidate, err error) {
	if c.attempt, err = attempt(tx, id); err != nil {
		return c, err
	}
	if c.user, err = tx.UserByName(s.Store, c.attempt.UserName); err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, fmt.Errorf("load user: %w", err)
	}
	if c.password, err = tx.Password(c.user.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, fmt.Errorf("load password: %w", err)
	}
	if c.failures, err = tx.SignInFailures(s.nameKey(c.attempt.UserName)); err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, fmt.Errorf("load failures: %w", err)
	}
	return c, nil
}

// settle records the outcome of a check against the state as it is now: a lock that came meanwhile counts, and a password
// that was changed meanwhile was not the one that was checked.
func (s *Service) settle(tx *store.Tx, id string, before candidate, right bool, rehash string, from session.Origin) error {
	c, err := s.load(tx, id)
	if err != nil {
		return err
	}
	if StepOf(c.attempt) != AskPassword || c.attempt.UserName != before.attempt.UserName {
		return nil
	}
	locked := tx.Now().Before(c.failures.LockedUntil)
	if !right || locked || c.user.Status != store.UserEnabled || c.password.PHC != before.password.PHC {
		return s.fail(tx, c, locked, from)
	}
	if rehash != "" {
		c.password.PHC = rehash
		if err := tx.PutPassword(c.password); err != nil {
			return err
		}
	}
	if err := tx.DeleteSignInFailures(s.nameKey(c.attempt.UserName)); err != nil {
		return err
	}
	c.attempt.UserID, c.attempt.PasswordAt, c.attempt.MustChange, c.attempt.Problem = c.user.ID, tx.Now(), c.password.OneTime, ""
	if err := tx.UpdateAttempt(c.attempt); err != nil {
		return err
	}
	return s.recordPassword(tx, c, true, from)
}

// fail counts a failure. While a lock stands nothing is counted, so that nobody can keep a person out for ever.
func (s *Service) fail(tx *store.Tx, c candidate, locked bool, from session.Origin) error {
	if !locked {
		n := c.failures.Failures + 1
		f := store.SignInFailures{NameKey: s.nameKey(c.attempt.UserName), Failures: n, LastAt: tx.Now(), LockedUntil: tx.Now().Add(delay(n))}
		if err := tx.PutSignInFailures(f); err != nil {
			return err
		}
	}
	c.attempt.Problem = wrong
	if err := tx.UpdateAttempt(c.attempt); err != nil {
		return err
	}
	return s.recordPassword(tx, c, false, from)
}

// delay is how long a name is locked after its nth failure in a row: nothing for the first few, then rising to a quarter of an hour.
func delay(n int64) time.Duration {
	if n < freeFailures {
		return 0
	}
	d := 5 * time.Second << min(n-freeFailures, 10)
	return min(d, longestLock)
}

// ChangePassword replaces a one-time password by the person's own.
func (s *Service) ChangePassword(ctx context.Context, id, password, confirmation string) error {
	c, err := s.candidate(ctx, id)
	if err != nil || StepOf(c.attempt) != AskNewPassword {
		return err
	}
	problem := ""
	if err := CheckPassword(password); err != nil {
		problem = fault.As(err).Message
	} else if password != confirmation {
		problem = "The two passwords differ."
	} else if same, err := s.Hasher.Verify(ctx, c.password.PHC, password); err != nil {
		return fmt.Errorf("compare with one-time password: %w", err)
	} else if same {
		problem = "Choose another password than the one-time password."
	}
	phc := ""
	if problem == "" {
		if phc, err = s.Hasher.Hash(ctx, password); err != nil {
			return fmt.Errorf("hash new password: %w", err)
		}
	}
	return s.change(ctx, id, func(tx *store.Tx, a *store.Attempt) error {
		if StepOf(*a) != AskNewPassword {
			return nil
		}
		if a.Problem = problem; problem != "" {
			return nil
		}
		a.MustChange = false
		return tx.PutPassword(store.Password{UserID: a.UserID, PHC: phc, ChangedAt: tx.Now()})
	})
}

// SetPassword gives a user a password; a one-time password must be changed at the next sign-in. phc comes from [Hasher.Hash].
func SetPassword(tx *store.Tx, userID, phc string, oneTime bool) error {
	return tx.PutPassword(store.Password{UserID: userID, PHC: phc, OneTime: oneTime, ChangedAt: tx.Now()})
}
