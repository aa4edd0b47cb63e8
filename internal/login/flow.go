package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// Step is what an attempt needs next.
type Step uint8

// The steps, in the order in which they are asked.
const (
	AskUserName Step = iota
	AskPassword
	AskNewPassword // the password was a one-time password
	AskMFA         // not asked yet: its place in the order
	Done
)

// Lifetimes and limits.
const (
	attemptLife   = 15 * time.Minute
	freeFailures  = 5                // failures in a row before delays begin (behaviour reference §14)
	longestLock   = 15 * time.Minute // the lock that delays rise to
	failureMemory = 24 * time.Hour
	maxUserName   = 128 // model shape UserName
)

// Service runs sign-in attempts.
type Service struct {
	DB       *store.DB
	Hasher   *Hasher
	Store    arn.StoreID // the identity store that people sign in from
	Owner    arn.AccountID
	Region   string
	NameKey  []byte           // keys the hash under which failures of a name are counted
	Sessions *session.Service // starts the portal session that a finished attempt is exchanged for
}

// Begin starts an attempt that leads to next, a path within our origin. The id is for the browser alone.
func (s *Service) Begin(ctx context.Context, next string) (id string, err error) {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, "\\") || len(next) > 8192 {
		return "", fault.Invalidf("The address to return to after sign-in is not one of this portal's.")
	}
	id = base64.RawURLEncoding.EncodeToString(random(32))
	return id, s.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.InsertAttempt(store.Attempt{
			ID: hashID(id), Workflow: arn.NewUUID(), Next: next, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(attemptLife),
		})
	})
}

// ErrNoAttempt says that the browser's attempt is unknown, over or used. The person starts again.
var ErrNoAttempt = errors.New("login: no such attempt")

// Attempt is the live attempt with the browser's id; ErrNoAttempt.
func (s *Service) Attempt(ctx context.Context, id string) (a store.Attempt, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		a, err = attempt(tx, id)
		return err
	})
	return a, err
}

func attempt(tx *store.Tx, id string) (store.Attempt, error) {
	a, err := tx.Attempt(hashID(id))
	if errors.Is(err, store.ErrNotFound) || err == nil && !tx.Now().Before(a.ExpiresAt) {
		return a, ErrNoAttempt
	}
	if err != nil {
		return a, fmt.Errorf("load sign-in attempt: %w", err)
	}
	return a, nil
}

// StepOf says what the attempt needs next. It is the one place that decides.
func StepOf(a store.Attempt) Step {
	switch {
	case a.UserName == "":
		return AskUserName
	case a.PasswordAt.IsZero():
		return AskPassword
	case a.MustChange:
		return AskNewPassword
	}
	return Done // AskMFA comes in here
}

// GiveUserName says who is signing in. Whether there is such a user shows nowhere.
func (s *Service) GiveUserName(ctx context.Context, id, name string) error {
	name = strings.TrimSpace(name)
	return s.change(ctx, id, func(tx *store.Tx, a *store.Attempt) error {
		if StepOf(*a) > AskPassword { // a proved factor belongs to the name that it was proved for
			return nil
		}
		a.UserName, a.Problem = "", "Enter your user name."
		if name != "" && len(name) <= maxUserName {
			a.UserName, a.Problem = name, ""
		}
		return nil
	})
}

// Restart forgets who is claimed and what was proved, and keeps where the person was going.
func (s *Service) Restart(ctx context.Context, id string) error {
	return s.change(ctx, id, func(_ *store.Tx, a *store.Attempt) error {
		a.UserName, a.UserID, a.PasswordAt, a.MustChange, a.Problem = "", "", time.Time{}, false, ""
		return nil
	})
}

// Finish exchanges a finished attempt for a portal session, once. It returns the session's cookie and where to go.
func (s *Service) Finish(ctx context.Context, id string, from session.Origin) (cookie credential.Secret, next string, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := attempt(tx, id)
		if err != nil {
			return err
		}
		if StepOf(a) != Done {
			return ErrNoAttempt
		}
		if err := tx.DeleteAttempt(a.ID); err != nil {
			return ErrNoAttempt
		}
		user, err := tx.User(a.UserID)
		if err != nil || user.Status != store.UserEnabled { // disabled or deleted since the password was checked
			return ErrNoAttempt
		}
		var started store.Session
		if cookie, started, err = s.Sessions.StartPortal(tx, user, from, time.Time{}); err != nil {
			return fmt.Errorf("start portal session: %w", err)
		}
		next = a.Next
		return s.recordSignIn(tx, a, started, from)
	})
	return cookie, next, err
}

// change loads the attempt, lets f change it, and stores it.
func (s *Service) change(ctx context.Context, id string, f func(*store.Tx, *store.Attempt) error) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := attempt(tx, id)
		if err != nil {
			return err
		}
		if err := f(tx, &a); err != nil {
			return err
		}
		return tx.UpdateAttempt(a)
	})
}

// Prune deletes attempts and failure counts whose time is over.
func (s *Service) Prune(ctx context.Context) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.PruneSignIn(tx.Now().Add(-failureMemory)) })
}

func hashID(id string) string {
	h := sha256.Sum256([]byte(id))
	return hex.EncodeToString(h[:])
}

// nameKey is where failures of a claimed name are counted: keyed, so that the table tells nobody which names were tried.
func (s *Service) nameKey(name string) string {
	m := hmac.New(sha256.New, s.NameKey)
	m.Write([]byte(store.FoldName(name)))
	return hex.EncodeToString(m.Sum(nil))
}
