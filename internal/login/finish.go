package login

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/credential"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// SignedIn is what a finished attempt is exchanged for.
type SignedIn struct {
	Cookie credential.Secret // of the portal session
	Next   string            // where the person was going
	Known  string            // for the browser to keep: it is one in which the person has signed in
	Trust  string            // likewise, when the person trusts it; empty: nothing new
}

// Finish exchanges a finished attempt for a portal session, once; a confirmation for another cookie of the session that it
// was begun in.
func (s *Service) Finish(ctx context.Context, id string, from Browser) (in SignedIn, err error) {
	var p Position
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := attempt(tx, id)
		if err != nil {
			return err
		}
		if p, err = s.position(tx, a); err != nil {
			return err
		}
		if p.Step != Done {
			return ErrNoAttempt
		}
		if err := tx.DeleteAttempt(a.ID); err != nil {
			return fmt.Errorf("consume sign-in attempt: %w", err)
		}
		user, err := enabled(tx, a.UserID)
		if err != nil {
			return err
		}
		if a.Entry == store.ByConfirmation {
			in, err = s.confirm(tx, a)
			return err
		}
		in, err = s.enter(tx, p, user, from)
		return err
	})
	if err == nil && p.Entry != store.ByConfirmation {
		s.Metrics.count(outcomeSuccess)
	}
	if err == nil && p.Entry == store.ByPasskey {
		s.networks.giveBack(from.Network(), 1, s.DB.Now()) // what the claim took
	}
	return in, err
}

// enter starts the portal session of somebody who has signed in.
func (s *Service) enter(tx *store.Tx, p Position, user store.User, from Browser) (in SignedIn, err error) {
	cookie, started, err := s.Sessions.StartPortal(tx, user, from.Origin, p.MFAAt)
	if err != nil {
		return in, fmt.Errorf("start portal session: %w", err)
	}
	if p.Entry == store.ByEmergency {
		if err := tx.InsertEmergencySignIn(started.ID, p.FactorID); err != nil {
			return in, fmt.Errorf("note sign-in for emergency: %w", err)
		}
	}
	state, err := tx.SignInState(user.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return in, fmt.Errorf("load sign-in state: %w", err)
	}
	state.UserID, state.SignedInAt = user.ID, tx.Now()
	if err := tx.PutSignInState(state); err != nil {
		return in, fmt.Errorf("store sign-in state: %w", err)
	}
	in = SignedIn{Cookie: cookie, Next: p.Next, Known: s.knownBrowser(user.ID, tx.Now())}
	if p.Trusted && !p.MFAAt.IsZero() && p.Settings.MFAMode == setting.ContextAware {
		in.Trust = s.trustBrowser(p.Settings, user.ID, from, tx.Now())
	}
	return in, s.recordSignIn(tx, p.Attempt, started, from)
}

// Confirm begins an attempt in which somebody who is signed in proves a factor again, and goes on to next.
type Confirm struct {
	Next        string
	WantsDevice bool // leads to registering a device
	NewPassword bool // leads to another password
}

// ClaimToConfirm begins a confirmation in a portal session. What was proved a short while ago need not be proved again.
func (s *Service) ClaimToConfirm(ctx context.Context, p store.Session, want Confirm) (id string, err error) {
	id = newID()
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		user, err := enabled(tx, p.UserID)
		if err != nil {
			return err
		}
		in, err := setting.Load(tx)
		if err != nil {
			return err
		}
		a := store.Attempt{
			ID: hashID(id), Workflow: "", Next: Local(want.Next), UserName: user.UserName, UserID: user.ID, Entry: store.ByConfirmation, SessionID: p.ID,
			MustChange: want.NewPassword, WantsDevice: want.WantsDevice, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(attemptLife),
		}
		a.Workflow = newWorkflow()
		if want.WantsDevice || want.NewPassword { // a wish for freshness itself is not met by what there is
			err = s.fresh(tx, in, p, &a)
		}
		if err != nil {
			return err
		}
		return tx.InsertAttempt(a)
	})
	return id, err
}

// fresh takes over into a confirmation what was proved a short while ago, of the best kind that the person has.
func (s *Service) fresh(tx *store.Tx, in setting.Values, p store.Session, a *store.Attempt) error {
	all, err := tx.Factors(p.UserID)
	if err != nil {
		return fmt.Errorf("load factors: %w", err)
	}
	since := tx.Now().Add(-in.MFAFreshFor)
	switch has := len(usable(in, all)) > 0; {
	case has && p.MFAAt.After(since):
		a.MFAAt = p.MFAAt
	case !has && p.ProvedAt.After(since):
		a.PasswordAt = p.ProvedAt
	}
	return nil
}

// Fresh says whether the person of a session has proved the best factor that they have a short while ago.
func (s *Service) Fresh(tx *store.Tx, p store.Session) (bool, error) {
	in, err := setting.Load(tx)
	if err != nil {
		return false, err
	}
	var a store.Attempt
	err = s.fresh(tx, in, p, &a)
	return !a.MFAAt.IsZero() || !a.PasswordAt.IsZero(), err
}

// confirm gives the session of a confirmation another cookie.
func (s *Service) confirm(tx *store.Tx, a store.Attempt) (SignedIn, error) {
	cookie, _, err := s.Sessions.Renew(tx, a.SessionID, a.MFAAt)
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Cookie: cookie, Next: a.Next}, nil
}
