package login

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/setting"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// State is what an operator sees of a person's sign-in.
type State struct {
	User         store.User
	Password     store.Password // PHC empty: there is none
	Devices      int
	SignedInAt   time.Time // zero: never
	Failures     int64     // wrong passwords in a row, in the browser where it were most
	LockedUntil  time.Time // zero or past: not locked
	InvitedUntil time.Time // zero: no invitation is open
}

// StateOf is the state of a person's sign-in.
func (s *Service) StateOf(tx *store.Tx, userID string) (st State, err error) {
	if st.User, err = s.user(tx, userID); err != nil {
		return st, err
	}
	if st.Password, err = tx.Password(userID); missing(&err) {
		return st, fmt.Errorf("load password: %w", err)
	}
	factors, err := tx.Factors(userID)
	if err != nil {
		return st, fmt.Errorf("load factors: %w", err)
	}
	st.Devices = len(factors)
	in, err := tx.SignInState(userID)
	if missing(&err) {
		return st, fmt.Errorf("load sign-in state: %w", err)
	}
	failures, err := tx.FailuresOfName(s.nameHash(st.User.UserName))
	if missing(&err) {
		return st, fmt.Errorf("load failures: %w", err)
	}
	st.SignedInAt, st.Failures, st.LockedUntil = in.SignedInAt, failures.Failures, failures.LockedUntil
	if in.CodeLockedUntil.After(st.LockedUntil) {
		st.LockedUntil = in.CodeLockedUntil
	}
	l, err := tx.LinkOf(userID, store.Invitation)
	if missing(&err) {
		return st, fmt.Errorf("load invitation: %w", err)
	}
	if l.ExpiresAt.After(tx.Now()) {
		st.InvitedUntil = l.ExpiresAt
	}
	return st, nil
}

// missing says whether there is an error other than that nothing was found, which it takes away.
func missing(err *error) bool {
	if errors.Is(*err, store.ErrNotFound) {
		*err = nil
	}
	return *err != nil
}

// user is a user of the identity store; a NotFound fault.
func (s *Service) user(tx *store.Tx, userID string) (store.User, error) {
	return directory.User(tx, s.Store, userID)
}

// Enable lets a person sign in again.
func (s *Service) Enable(tx *store.Tx, userID, by string) error {
	return s.setStatus(tx, userID, store.UserEnabled, by)
}

// Disable keeps a person out, and ends all that they hold: enabling them later revives none of it.
func (s *Service) Disable(tx *store.Tx, userID, by string) error {
	if err := s.setStatus(tx, userID, store.UserDisabled, by); err != nil {
		return err
	}
	if err := tx.VoidAttempts(userID, ""); err != nil {
		return fmt.Errorf("void sign-in attempts: %w", err)
	}
	for _, purpose := range []store.LinkPurpose{store.Invitation, store.Reset} {
		if err := tx.DeleteLinks(userID, purpose); err != nil {
			return fmt.Errorf("withdraw links: %w", err)
		}
	}
	_, err := s.Sessions.EndAllOf(tx, userID, by)
	return err
}

func (s *Service) setStatus(tx *store.Tx, userID string, status store.UserStatus, by string) error {
	u, err := s.user(tx, userID)
	if err != nil || u.Status == status {
		return err
	}
	u.Status = status
	if u, err = directory.UpdateUser(tx, u, "", by); err != nil {
		return err
	}
	return signal.StatusChanged(tx, u)
}

// OneTime is a one-time password that was made and is yet to be stored: hashing takes longer than a transaction may.
type OneTime struct {
	Password string
	phc      string
}

// NewOneTime makes a one-time password.
func (s *Service) NewOneTime(ctx context.Context) (OneTime, error) {
	o := OneTime{Password: NewPassword()}
	var err error
	if o.phc, err = s.Hasher.Hash(ctx, o.Password); err != nil {
		return o, fmt.Errorf("hash one-time password: %w", err)
	}
	return o, nil
}

// GiveOneTime makes a one-time password a person's password. Whoever is signed in as them is signed out. It tells until when it works.
func (s *Service) GiveOneTime(tx *store.Tx, userID string, o OneTime) (expires time.Time, err error) {
	if _, err := s.user(tx, userID); err != nil {
		return expires, err
	}
	in, err := setting.Load(tx)
	if err != nil {
		return expires, err
	}
	expires = tx.Now().Add(in.OneTimeLife)
	p := store.Password{UserID: userID, PHC: o.phc, OneTime: true, ChangedAt: tx.Now(), ExpiresAt: expires}
	if err := s.setPassword(tx, in, p, ""); err != nil {
		return expires, err
	}
	_, err = s.Sessions.EndAllOf(tx, userID, "one-time password given")
	return expires, err
}

// Unlock takes the locks off that wrong passwords and codes have put on a person.
func (s *Service) Unlock(tx *store.Tx, userID string) error {
	u, err := s.user(tx, userID)
	if err != nil {
		return err
	}
	if _, err := tx.UnlockName(s.nameHash(u.UserName)); err != nil {
		return fmt.Errorf("unlock name: %w", err)
	}
	state, err := tx.SignInState(userID)
	if missing(&err) {
		return fmt.Errorf("load sign-in state: %w", err)
	}
	if state.UserID == "" {
		return nil
	}
	state.CodeFailures, state.CodeLockedUntil = 0, time.Time{}
	if err := tx.PutSignInState(state); err != nil {
		return fmt.Errorf("unlock codes: %w", err)
	}
	return nil
}

func newWorkflow() string { return arn.NewUUID() }
