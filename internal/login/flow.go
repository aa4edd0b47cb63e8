package login

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/arn"
	"sallyport/internal/breach"
	"sallyport/internal/fault"
	"sallyport/internal/mail"
	"sallyport/internal/passkey"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// Lifetimes and limits.
const (
	attemptLife   = 15 * time.Minute
	failureMemory = 24 * time.Hour
	maxUserName   = 128 // characters (model shape UserName)
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
	Party    *passkey.Party
	Mail     *mail.Outbox
	Letters  mail.Letters
	Breached *breach.List // nil: none is known
	Metrics  *Metrics     // nil: nothing is counted

	networks allowances
}

// Browser is what a request tells of the browser that it came from.
type Browser struct {
	session.Origin
	Known string // what [SignedIn] gave this browser the last time; anything else counts as nothing
	Trust string // likewise, when the person trusts this browser
}

// ErrNoAttempt says that the browser's attempt is unknown, over or used. The person starts again.
var ErrNoAttempt = errors.New("login: no such attempt")

// Claim begins an attempt: somebody says that they are the user of a name. Whether there is such a user shows nowhere.
// The id is for the browser alone; old is that of an attempt that it gives up, or nothing. A row is written only here, so
// that whoever opens pages leaves none, and one network can leave only so many.
func (s *Service) Claim(ctx context.Context, old, next, name string, from Browser) (id string, err error) {
	return s.claim(ctx, old, name, from, store.Attempt{Next: Local(next), Entry: store.ByPassword})
}

// ClaimForEmergency begins an attempt in which the person proves a password and a passkey of this directory, wherever people come
// from otherwise and whatever is asked of them: an emergency waits for no provider and takes nothing less. It leads to next.
func (s *Service) ClaimForEmergency(ctx context.Context, old, next, name string, from Browser) (id string, err error) {
	return s.claim(ctx, old, name, from, store.Attempt{Next: Local(next), Entry: store.ByEmergency})
}

func (s *Service) claim(ctx context.Context, old, name string, from Browser, begun store.Attempt) (id string, err error) {
	name = strings.TrimSpace(name)
	if !claimable(name) {
		return "", fault.Invalidf("Enter your user name.")
	}
	notRecorded, err := s.admit(from)
	if err != nil {
		return "", err
	}
	id = newID()
	recorded := false
	err = s.DB.Update(ctx, func(tx *store.Tx) (err error) {
		if err := tx.DeleteAttempt(hashID(old)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("give up sign-in attempt: %w", err)
		}
		a := begun
		a.ID, a.Workflow, a.UserName, a.CreatedAt, a.ExpiresAt = hashID(id), arn.NewUUID(), name, tx.Now(), tx.Now().Add(attemptLife)
		recorded, err = s.challenge(tx, a, from, notRecorded)
		return err
	})
	if err != nil || !recorded {
		s.networks.leaveOut(from.Network(), notRecorded)
	}
	return id, err
}

// ClaimByPasskey begins an attempt in which a passkey tells who it is. old and next are as for [Service.Claim].
func (s *Service) ClaimByPasskey(ctx context.Context, old, next string, from Browser) (id string, err error) {
	if _, err := s.admit(from); err != nil {
		return "", err
	}
	id = newID()
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteAttempt(hashID(old)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("give up sign-in attempt: %w", err)
		}
		return tx.InsertAttempt(store.Attempt{
			ID: hashID(id), Workflow: arn.NewUUID(), Next: Local(next), Entry: store.ByPasskey, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(attemptLife),
		})
	})
	return id, err
}

// claimable says whether there could be a user of the name. What could not be one is not looked up: a database may refuse it.
func claimable(name string) bool {
	return name != "" && utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxUserName && !strings.ContainsFunc(name, unicode.IsControl)
}

// Local is the path and query of next when it leads to a page of ours, otherwise the portal's. Browsers read a backslash as
// a slash and skip tabs and line breaks, so nothing but visible ASCII is taken.
func Local(next string) string {
	foreign := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || len(next) > 8192 || strings.ContainsFunc(next, foreign) {
		return "/portal"
	}
	return next
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

// Restart gives the attempt up and returns where the person was going.
func (s *Service) Restart(ctx context.Context, id string) (next string, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := attempt(tx, id)
		if err != nil {
			return err
		}
		next = a.Next
		return tx.DeleteAttempt(a.ID)
	})
	return next, err
}

// enabled is the user, when they have not been deleted or disabled since a factor was proved; ErrNoAttempt.
func enabled(tx *store.Tx, userID string) (store.User, error) {
	user, err := tx.User(userID)
	if errors.Is(err, store.ErrNotFound) || err == nil && user.Status != store.UserEnabled {
		return user, ErrNoAttempt
	}
	if err != nil {
		return user, fmt.Errorf("load user: %w", err)
	}
	return user, nil
}

// Prune deletes attempts and failure counts whose time is over, a bounded number in each transaction.
func (s *Service) Prune(ctx context.Context) error {
	const limit = 500
	for more := true; more; {
		err := s.DB.Update(ctx, func(tx *store.Tx) error {
			n, err := tx.PruneSignIn(tx.Now().Add(-failureMemory), limit)
			more = n >= limit
			return err
		})
		if err != nil {
			return fmt.Errorf("prune sign-in attempts: %w", err)
		}
	}
	return nil
}

func newID() string { return base64.RawURLEncoding.EncodeToString(random(32)) }

func hashID(id string) string {
	h := sha256.Sum256([]byte(id))
	return hex.EncodeToString(h[:])
}

// nameHash is where failures of a claimed name are counted: keyed, so that the table tells nobody which names were tried.
func (s *Service) nameHash(name string) string {
	m := hmac.New(sha256.New, s.NameKey)
	m.Write([]byte(store.FoldName(name)))
	return hex.EncodeToString(m.Sum(nil))
}

// failureKey is where those of one browser are counted. A browser in which that user has signed in before has a count of its
// own: see [Service.knownBrowser].
func (s *Service) failureKey(nameHash string, user store.User, from Browser, now time.Time) string {
	if mark := s.markOf(from.Known, now); mark.User != "" && mark.User == user.ID {
		m := hmac.New(sha256.New, s.NameKey)
		m.Write([]byte(nameHash + "\x00" + mark.Nonce))
		return hex.EncodeToString(m.Sum(nil))
	}
	return nameHash
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (Go 1.24)
	return b
}
