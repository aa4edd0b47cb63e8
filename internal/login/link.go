package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

const (
	linkPrefix   = "aol"
	maxLink      = 128 // bytes of a token; ours have 46
	foundingLife = 7 * 24 * time.Hour
	disownLife   = 14 * 24 * time.Hour
	resetPause   = 2 * time.Minute // between two resets that a person asks for
)

// Delivery is how a link reaches a person: by mail, or by whoever asked for it.
type Delivery struct {
	Link      credential.Secret // empty: it was mailed
	SentTo    string            // the mail address; empty: it was not mailed
	ExpiresAt time.Time
}

// ErrNoLink says that a link is unknown, over or used.
var ErrNoLink = fault.Newf(fault.Expired, "This link is not valid any more: it was used, is too old, or a newer one was made. Ask for another.")

// Invite makes a link with which a person chooses a password and registers their first device. An earlier one is void.
func (s *Service) Invite(tx *store.Tx, userID string, byMail bool) (Delivery, error) {
	return s.deliver(tx, userID, store.Invitation, byMail)
}

// SendReset makes a link with which a person chooses another password; their device is still asked for. An earlier one is void.
func (s *Service) SendReset(tx *store.Tx, userID string, byMail bool) (Delivery, error) {
	return s.deliver(tx, userID, store.Reset, byMail)
}

func (s *Service) deliver(tx *store.Tx, userID string, purpose store.LinkPurpose, byMail bool) (d Delivery, err error) {
	user, err := s.user(tx, userID)
	if err != nil {
		return d, err
	}
	if user.Status != store.UserEnabled {
		return d, fault.Conflictf("The user %s is disabled. Enable them first.", user.UserName)
	}
	if byMail && !s.Mail.Configured() {
		return d, fault.Conflictf("No mail server is configured. Ask for the link, and hand it over yourself.")
	}
	if byMail && user.PrimaryEmail() == "" {
		return d, fault.Conflictf("The user %s has no mail address. Ask for the link, and hand it over yourself.", user.UserName)
	}
	in, err := setting.Load(tx)
	if err != nil {
		return d, err
	}
	life, letter := in.InvitationLife, s.Letters.Invitation
	if purpose == store.Reset {
		life, letter = in.ResetLife, s.Letters.Reset
	}
	if d.Link, d.ExpiresAt, err = s.newLink(tx, userID, purpose, "", life); err != nil || !byMail {
		return d, err
	}
	m := letter(user.DisplayName, string(d.Link), d.ExpiresAt).For(user.PrimaryEmail())
	d.Link, d.SentTo = "", user.PrimaryEmail()
	return d, s.Mail.Enqueue(tx, m)
}

// FoundingLink makes the link with which somebody becomes the first administrator. An earlier one is void.
func (s *Service) FoundingLink(tx *store.Tx) (credential.Secret, time.Time, error) {
	return s.newLink(tx, "", store.Founding, "", foundingLife)
}

func (s *Service) newLink(tx *store.Tx, userID string, purpose store.LinkPurpose, subject string, life time.Duration) (credential.Secret, time.Time, error) {
	if purpose != store.Disowning {
		if err := tx.DeleteLinks(userID, purpose); err != nil {
			return "", time.Time{}, fmt.Errorf("withdraw links: %w", err)
		}
		if err := tx.VoidEntries(userID, entries[purpose]); err != nil {
			return "", time.Time{}, fmt.Errorf("void what began with withdrawn links: %w", err)
		}
	}
	token, hash := credential.NewBearer(linkPrefix)
	l := store.Link{Hash: hash, UserID: userID, Purpose: purpose, Subject: subject, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(life)}
	if err := tx.InsertLink(l); err != nil {
		return "", time.Time{}, fmt.Errorf("add link: %w", err)
	}
	return credential.Secret(s.Sessions.URLs.Portal + "/link/" + string(token)), l.ExpiresAt, nil
}

// LinkOf is the live link of a token; ErrNoLink. Looking does not use it up: programs that check mail look at links.
func (s *Service) LinkOf(tx *store.Tx, token string) (l store.Link, err error) {
	if token == "" || len(token) > maxLink {
		return l, ErrNoLink
	}
	l, err = tx.Link(credential.HashBearer(token))
	if errors.Is(err, store.ErrNotFound) || err == nil && !tx.Now().Before(l.ExpiresAt) {
		return l, ErrNoLink
	}
	if err != nil {
		return l, fmt.Errorf("load link: %w", err)
	}
	return l, nil
}

// entries are how attempts begin by links. A founding link begins none.
var entries = map[store.LinkPurpose]store.Entry{store.Invitation: store.ByInvitation, store.Reset: store.ByReset}

// FollowLink begins an attempt with an invitation or a reset. The link is used up when the person has chosen a password.
func (s *Service) FollowLink(ctx context.Context, token, old string, from Browser) (id string, err error) {
	if _, err := s.admit(from); err != nil {
		return "", err
	}
	id = newID()
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		l, err := s.LinkOf(tx, token)
		if err != nil {
			return err
		}
		entry := entries[l.Purpose]
		user, err := enabled(tx, l.UserID)
		if entry == "" || errors.Is(err, ErrNoAttempt) {
			return ErrNoLink
		}
		if err != nil {
			return err
		}
		if err := tx.DeleteAttempt(hashID(old)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("give up sign-in attempt: %w", err)
		}
		return tx.InsertAttempt(store.Attempt{
			ID: hashID(id), Workflow: arn.NewUUID(), Next: Local(""), UserName: user.UserName, UserID: user.ID, MustChange: true,
			Entry: entry, LinkHash: l.Hash, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(attemptLife),
		})
	})
	if err == nil {
		s.networks.giveBack(from.Network(), 1, s.DB.Now())
	}
	return id, err
}

// resetJob is the kind of the jobs that look for the person who has forgotten their password.
const resetJob = "password reset"

// ForgotPassword sends the user of a name a link, if there is one, they are enabled and have a mail address. It looks for
// none of that itself: what it does is the same for every name. Without a mail server there is a Conflict fault.
func (s *Service) ForgotPassword(ctx context.Context, name string, from Browser) error {
	if !s.Mail.Configured() {
		return fault.Conflictf("No mail can be sent here. Ask your administrator for a new password.")
	}
	name = strings.TrimSpace(name)
	if !claimable(name) {
		return fault.Invalidf("Enter your user name.")
	}
	if _, err := s.admit(from); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		key := arn.NewUUID()
		payload, err := json.Marshal(s.Sessions.Keys.SealRecord("job", "payload", key, []byte(name))) // people type passwords there
		if err != nil {
			return fmt.Errorf("encode reset: %w", err)
		}
		return tx.Enqueue(store.Job{Kind: resetJob, Key: key, Payload: payload})
	})
}

// SendResets does what [Service.ForgotPassword] has put off, up to a bounded number, and tells how many it were.
func (s *Service) SendResets(ctx context.Context, owner string) (int, error) {
	jobs, err := s.DB.ClaimJobs(ctx, resetJob, owner, 20, time.Minute)
	if err != nil {
		return 0, fmt.Errorf("claim resets: %w", err)
	}
	for _, j := range jobs {
		err := s.DB.Update(ctx, func(tx *store.Tx) error {
			if err := s.sendReset(tx, j); err != nil {
				return err
			}
			return tx.FinishJob(j)
		})
		if err != nil {
			return len(jobs), fmt.Errorf("send reset: %w", err)
		}
	}
	return len(jobs), nil
}

func (s *Service) sendReset(tx *store.Tx, j store.Job) error {
	var sealed []byte
	if err := json.Unmarshal(j.Payload, &sealed); err != nil {
		return fmt.Errorf("decode reset: %w", err)
	}
	name, err := s.Sessions.Keys.OpenRecord("job", "payload", j.Key, sealed)
	if err != nil {
		return fmt.Errorf("open reset: %w", err)
	}
	user, err := tx.UserByName(s.Store, string(name))
	if errors.Is(err, store.ErrNotFound) || err == nil && (user.Status != store.UserEnabled || user.PrimaryEmail() == "") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load user: %w", err)
	}
	last, err := tx.LinkOf(user.ID, store.Reset)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load link: %w", err)
	}
	if err == nil && tx.Now().Before(last.CreatedAt.Add(resetPause)) {
		return nil
	}
	_, err = s.SendReset(tx, user.ID, true)
	if f := fault.As(err); f != nil && f.Kind != fault.Internal {
		return nil // an address to which nothing can be sent: there is nobody to tell
	}
	if err != nil {
		return err
	}
	return s.recordReset(tx, user.ID)
}
