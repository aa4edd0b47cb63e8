package login

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// wrong is the one text for an unknown name, a wrong password, a disabled user and a lock.
const wrong = "The user name or the password is not right, or too many attempts were made. Try again in a while."

// candidate is what is known before the hash runs. An unknown user has empty fields and costs the same queries.
type candidate struct {
	attempt  store.Attempt
	position Position
	user     store.User
	password store.Password
	failures store.SignInFailures
}

// GivePassword checks the password and records the outcome. What was wrong is told by the attempt's Problem, never by the
// error. Every check runs exactly one hash and the same queries, whoever is claimed. The id that it returns is the attempt's
// from now on: it is a new one once the password has been proved, so that whoever knew the old one has nothing.
func (s *Service) GivePassword(ctx context.Context, id, password string, from Browser) (string, error) {
	c, err := s.candidate(ctx, id, from)
	if err != nil {
		return "", err
	}
	if c.position.Step != AskPassword { // out of order: the dispatcher knows where to go
		return id, nil
	}
	notRecorded, err := s.admit(from)
	if err != nil {
		return "", err
	}
	right, rehash, err := s.hash(ctx, c, password, from)
	if err == nil {
		t := &try{candidate: c, id: id, newID: id, right: right, rehash: rehash, from: from, notRecorded: notRecorded}
		if err = s.DB.Update(ctx, func(tx *store.Tx) error { return s.settle(tx, t) }); err == nil {
			s.settled(t)
			return t.newID, nil
		}
	}
	s.networks.giveBack(from.Network(), 1, s.DB.Now())
	s.networks.leaveOut(from.Network(), notRecorded)
	return "", err
}

// try is one check of a password on its way into the database.
type try struct {
	candidate          // as it was before the hash
	id          string // the attempt's, as the browser holds it
	right       bool
	rehash      string // the hash at today's cost, when the stored one is of another
	from        Browser
	notRecorded int64 // tries before this one that have no event

	outcome string
	newID   string // as the browser is to hold it
}

func (s *Service) candidate(ctx context.Context, id string, from Browser) (c candidate, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		c, err = s.load(tx, id, from)
		return err
	})
	return c, err
}

func (s *Service) load(tx *store.Tx, id string, from Browser) (c candidate, err error) {
	if c.attempt, err = attempt(tx, id); err != nil {
		return c, err
	}
	if c.position, err = s.position(tx, c.attempt); err != nil {
		return c, err
	}
	if c.user, c.failures, err = s.claimed(tx, c.attempt.UserName, from); err != nil {
		return c, err
	}
	if c.password, err = tx.Password(c.user.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, fmt.Errorf("load password: %w", err)
	}
	return c, nil
}

// claimed is the user of a claimed name, empty when there is none, and the failures that count for this browser.
func (s *Service) claimed(tx *store.Tx, name string, from Browser) (user store.User, f store.SignInFailures, err error) {
	if user, err = tx.UserByName(s.Store, name); err != nil && !errors.Is(err, store.ErrNotFound) {
		return user, f, fmt.Errorf("load user: %w", err)
	}
	hash := s.nameHash(name)
	key := s.failureKey(hash, user, from, tx.Now())
	if f, err = tx.SignInFailures(key); err != nil && !errors.Is(err, store.ErrNotFound) {
		return user, f, fmt.Errorf("load failures: %w", err)
	}
	f.NameKey, f.NameHash = key, hash
	return user, f, nil
}

// hash runs the one hash. When the password is right and its hash is of another cost than today's, it makes a new one,
// which may fail without harm.
func (s *Service) hash(ctx context.Context, c candidate, password string, from Browser) (right bool, rehash string, err error) {
	if len(password) > 4*MaxPassword {
		password = "" // longer than any password can be; still hash, to take as long
	}
	right, err = s.Hasher.Verify(ctx, from.Network(), c.password.PHC, password)
	if fault.KindOf(err) == fault.Throttled {
		s.Metrics.count(outcomeBusy)
		return false, "", err
	}
	if err != nil {
		return false, "", fmt.Errorf("check password: %w", err)
	}
	if right && s.Hasher.outdated(c.password.PHC) {
		rehash, _ = s.Hasher.Hash(ctx, password)
	}
	return right, rehash, nil
}

// settle records the outcome of a check against the state as it is now: a lock that came meanwhile counts, and a password
// that was changed meanwhile was not the one that was checked. An attempt that was proved meanwhile has another id by now.
// It may run twice.
func (s *Service) settle(tx *store.Tx, t *try) error {
	c, err := s.load(tx, t.id, t.from)
	if err != nil {
		return err
	}
	switch {
	case tx.Now().Before(c.failures.LockedUntil):
		t.outcome = outcomeLocked
		return s.locked(tx, c)
	case !t.right || !c.usable(tx.Now()) || c.password.PHC != t.password.PHC:
		t.outcome = outcomeWrong
		return s.fail(tx, c, t)
	}
	t.outcome = outcomeSuccess
	return s.proved(tx, c, t)
}

// usable says whether the password that was checked is one to sign in with, as its person.
func (c candidate) usable(now time.Time) bool {
	over := !c.password.ExpiresAt.IsZero() && !now.Before(c.password.ExpiresAt)
	another := c.attempt.UserID != "" && c.attempt.UserID != c.user.ID // who confirms is known already
	return c.user.Status == store.UserEnabled && !over && !another
}

// settled tells the rest of the process how the try ended.
func (s *Service) settled(t *try) {
	network := t.from.Network()
	switch t.outcome {
	case outcomeSuccess: // counted when the person is in
		s.networks.giveBack(network, 2, s.DB.Now()) // this try, and the claim before it
	case outcomeWrong:
		s.Metrics.count(outcomeWrong)
	default:
		s.networks.leaveOut(network, t.notRecorded)
		s.Metrics.count(outcomeLocked)
	}
}

// proved moves the attempt on, under a new id.
func (s *Service) proved(tx *store.Tx, c candidate, t *try) error {
	if t.rehash != "" {
		c.password.PHC = t.rehash
		if err := tx.PutPassword(c.password); err != nil {
			return fmt.Errorf("raise password hash: %w", err)
		}
	}
	if err := tx.DeleteSignInFailures(c.failures.NameKey); err != nil {
		return fmt.Errorf("forget failures: %w", err)
	}
	var err error
	c.attempt.UserID, c.attempt.UserName, c.attempt.PasswordAt = c.user.ID, c.user.UserName, tx.Now()
	if c.attempt.Entry == store.ByPassword || c.attempt.Entry == store.ByEmergency {
		c.attempt.MustChange = c.password.OneTime
	}
	if c.attempt.Trusted, err = s.trusts(tx, c.user.ID, t.from); err != nil {
		return err
	}
	if err := s.recordVerification(tx, &c, t, true); err != nil {
		return err
	}
	t.newID, err = advance(tx, &c.attempt)
	return err
}

// fail counts a failure and records it.
func (s *Service) fail(tx *store.Tx, c candidate, t *try) error {
	if err := s.recordVerification(tx, &c, t, false); err != nil {
		return err
	}
	c.failures.Failures++
	c.failures.LeftOut, c.failures.LastAt, c.failures.LockedUntil = 0, tx.Now(), tx.Now().Add(delay(c.position.Settings, c.failures.Failures))
	return s.tell(tx, c)
}

// locked counts a try under a lock, for the next event to tell: a flood of them would fill the audit log. It makes the lock
// no longer, so that nobody can keep a person out for ever.
func (s *Service) locked(tx *store.Tx, c candidate) error {
	c.failures.LeftOut++
	return s.tell(tx, c)
}

// tell stores the failures and what the page says.
func (s *Service) tell(tx *store.Tx, c candidate) error {
	if err := tx.PutSignInFailures(c.failures); err != nil {
		return fmt.Errorf("count failure: %w", err)
	}
	c.attempt.Problem = wrong
	if err := tx.UpdateAttempt(c.attempt); err != nil {
		return fmt.Errorf("store sign-in attempt: %w", err)
	}
	return nil
}

// delay is how long is waited after the nth failure in a row: nothing for the first few, then rising (behaviour reference §14).
func delay(v setting.Values, n int64) time.Duration {
	free := int64(v.FreeFailures)
	if n < free {
		return 0
	}
	d := 5 * time.Second << min(n-free, 20)
	return min(d, v.LongestLock)
}
