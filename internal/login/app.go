package login

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/totp"
)

// wrongCode is the one text for a wrong code, a used one and a lock.
const wrongCode = "This code is not right, or was used already, or too many were tried. Wait for the next one and check that the clock of your device is right."

// App is an authenticator app that is being registered.
type App struct {
	Secret string // base32, for those who type it
	URI    string // otpauth://…, for those who scan it
}

// NewApp makes the secret of an authenticator app, or returns the one that was made in this attempt before.
func (s *Service) NewApp(ctx context.Context, id string) (app App, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		p, w, err := s.at(tx, id, AskDevice)
		if err != nil {
			return err
		}
		all, err := tx.Factors(p.UserID)
		if err != nil {
			return fmt.Errorf("load factors: %w", err)
		}
		if err := hasRoom(p.Settings, all, store.TOTP); err != nil {
			return err
		}
		if w.Seed == "" {
			w.Seed = totp.NewSeed().Text()
			if err := s.keepWork(&p.Attempt, w); err != nil {
				return err
			}
			if err := put(tx, p.Attempt); err != nil {
				return err
			}
		}
		app, err = s.app(w.Seed, p.UserName)
		return err
	})
	return app, err
}

func (s *Service) app(seed, userName string) (App, error) {
	parsed, err := totp.ParseSeed(seed)
	if err != nil {
		return App{}, fmt.Errorf("read seed: %w", err)
	}
	return App{seed, parsed.URI("Sallyport", userName)}, nil
}

// RegisterApp registers the authenticator app whose secret was made in this attempt, when its code is right.
func (s *Service) RegisterApp(ctx context.Context, id, code, name string, from Browser) (newID string, err error) {
	newID = id
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		newID = id
		p, w, err := s.at(tx, id, AskDevice)
		if err != nil {
			return err
		}
		if w.Seed == "" {
			return errOutOfOrder
		}
		seed, err := totp.ParseSeed(w.Seed)
		if err != nil {
			return fmt.Errorf("read seed: %w", err)
		}
		step, ok := seed.Check(code, tx.Now(), 0)
		if !ok {
			p.Problem = "This is not the code that belongs to the secret. Check that the clock of your device is right, and enter the code that it shows now."
			return put(tx, p.Attempt)
		}
		f := store.Factor{ID: newFactorID(tx), Kind: store.TOTP, Name: name, Counter: step}
		f.Sealed = s.Sessions.Keys.SealRecord("factor", "sealed", f.ID, []byte(w.Seed))
		if err := s.addFactor(tx, p, f, from); err != nil {
			return told(tx, p.Attempt, err)
		}
		newID, err = enrolled(tx, p.Attempt, "TOTP")
		return err
	})
	return newID, inOrder(err)
}

// EnrollApp gives a person an authenticator app whose seed is known, as the sample world needs it.
func (s *Service) EnrollApp(tx *store.Tx, userID, name string, seed totp.Seed) error {
	f := store.Factor{ID: newFactorID(tx), UserID: userID, Kind: store.TOTP, Name: name, CreatedAt: tx.Now()}
	f.Sealed = s.Sessions.Keys.SealRecord("factor", "sealed", f.ID, []byte(seed.Text()))
	if err := tx.InsertFactor(f); err != nil {
		return fmt.Errorf("add factor: %w", err)
	}
	return nil
}

// GiveCode checks a code of an authenticator app as the second factor. A code works once, on whatever node and page. trust
// says that the person trusts the browser. What was wrong is told by the attempt's Problem.
func (s *Service) GiveCode(ctx context.Context, id, code string, trust bool, from Browser) (newID string, err error) {
	if _, err := s.admit(from); err != nil {
		return "", err
	}
	right := false
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		newID, right = id, false
		p, _, err := s.at(tx, id, AskMFA)
		if err != nil {
			return err
		}
		if right, err = s.tryCode(tx, p, func() (bool, error) { return s.matches(tx, p, code) }); err != nil {
			return err
		}
		if err := s.recordCheck(tx, p.Attempt, "TOTP", from, right); err != nil {
			return err
		}
		if !right {
			p.Problem = wrongCode
			return put(tx, p.Attempt)
		}
		newID, err = s.secondProved(tx, p, "TOTP", trust)
		return err
	})
	s.checked(right, err, from)
	return newID, inOrder(err)
}

// tryCode runs a check of a code under the person's lock, and counts how it went. Whoever gets here has proved a factor, so
// the lock tells nothing; and it does not hold for passkeys.
func (s *Service) tryCode(tx *store.Tx, p Position, check func() (bool, error)) (bool, error) {
	state, err := tx.SignInState(p.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, fmt.Errorf("load sign-in state: %w", err)
	}
	state.UserID = p.UserID
	if tx.Now().Before(state.CodeLockedUntil) {
		return false, nil
	}
	right, err := check()
	if err != nil {
		return false, err
	}
	if state.CodeFailures++; right {
		state.CodeFailures = 0
	}
	state.CodeLockedUntil = tx.Now().Add(delay(p.Settings, state.CodeFailures))
	if err := tx.PutSignInState(state); err != nil {
		return false, fmt.Errorf("count code: %w", err)
	}
	return right, nil
}

// matches looks for the authenticator app that the code is of, and uses the code up.
func (s *Service) matches(tx *store.Tx, p Position, code string) (bool, error) {
	for _, f := range p.Factors {
		if f.Kind != store.TOTP {
			continue
		}
		plain, err := s.Sessions.Keys.OpenRecord("factor", "sealed", f.ID, f.Sealed)
		if err != nil {
			return false, fmt.Errorf("open seed: %w", err)
		}
		seed, err := totp.ParseSeed(string(plain))
		if err != nil {
			return false, fmt.Errorf("read seed: %w", err)
		}
		step, ok := seed.Check(code, tx.Now(), f.Counter)
		if !ok {
			continue
		}
		if f.Counter = step; f.Sealed != nil {
			err = tx.UseFactor(f)
		}
		return err == nil, err
	}
	return false, nil
}

// errOutOfOrder says that the attempt is at another step: the dispatcher knows where to go.
var errOutOfOrder = errors.New("login: not the step at hand")

// inOrder makes a step out of order nothing, since the dispatcher leads on from there.
func inOrder(err error) error {
	if errors.Is(err, errOutOfOrder) {
		return nil
	}
	return err
}

// at is the live attempt, when it is at the step; otherwise ErrNoAttempt or errOutOfOrder.
func (s *Service) at(tx *store.Tx, id string, step Step) (p Position, w work, err error) {
	a, err := attempt(tx, id)
	if err != nil {
		return p, w, err
	}
	if p, err = s.position(tx, a); err != nil {
		return p, w, err
	}
	if p.Step != step {
		return p, w, errOutOfOrder
	}
	if _, err := enabled(tx, a.UserID); a.UserID != "" && err != nil {
		return p, w, err
	}
	w, err = s.workOf(a)
	return p, w, err
}

// told makes what is wrong with a person's wish the attempt's problem; other errors stay errors.
func told(tx *store.Tx, a store.Attempt, err error) error {
	f := fault.As(err)
	if f == nil || f.Kind == fault.Internal || f.Kind == fault.Conflict { // a conflict has failed the transaction
		return err
	}
	a.Problem = f.Message
	return put(tx, a)
}

// enrolled moves an attempt on in which a device was registered, and so proved.
func enrolled(tx *store.Tx, a store.Attempt, by string) (id string, err error) {
	a.Enrolled, a.MFAAt, a.MFABy, a.Work = true, tx.Now(), by, nil
	return advance(tx, &a)
}

// secondProved moves an attempt on whose person has proved a second factor.
func (s *Service) secondProved(tx *store.Tx, p Position, by string, trust bool) (id string, err error) {
	a := p.Attempt
	a.MFAAt, a.MFABy, a.Trusted, a.Work = tx.Now(), by, trust && p.MayTrust(), nil
	return advance(tx, &a)
}

// checked tells the rest of the process how the check of a factor ended.
func (s *Service) checked(right bool, err error, from Browser) {
	switch {
	case err != nil || right:
		s.networks.giveBack(from.Network(), 1, s.DB.Now())
	default:
		s.Metrics.count(outcomeWrong)
	}
}
