package login

import (
	"errors"
	"fmt"

	"sallyport/internal/fault"
	"sallyport/internal/mail"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// letterKinds are the letters of the notices.
var letterKinds = map[store.NoticeKind]mail.NoticeKind{
	store.DeviceAdded: mail.NewDevice, store.PasswordChanged: mail.PasswordChanged, store.ClientApproved: mail.ClientApproved,
}

// Notify tells a person of something that was done with their account: in the portal, and by mail where that is possible. The
// letter has a link for "this was not me".
func (s *Service) Notify(tx *store.Tx, n store.Notice) error {
	n, err := tx.InsertNotice(n)
	if err != nil {
		return fmt.Errorf("add notice: %w", err)
	}
	if !s.Mail.Configured() {
		return nil
	}
	user, err := tx.User(n.UserID)
	if err != nil {
		return fmt.Errorf("load user: %w", err)
	}
	if user.PrimaryEmail() == "" {
		return nil
	}
	link, _, err := s.newLink(tx, user.ID, store.Disowning, n.ID, disownLife)
	if err != nil {
		return err
	}
	err = s.Mail.Enqueue(tx, s.Letters.Notice(letterKinds[n.Kind], n.Detail, tx.Now(), n.IP, string(link)).For(user.PrimaryEmail()))
	if fault.KindOf(err) == fault.Invalid { // an address to which nothing can be sent must not keep anybody from signing in
		return nil
	}
	return err
}

// Disown does what a person wants who says of a notice that it was not them: everything ends. All of their sessions with all
// credentials, sign-ins in progress, links and trusted browsers; their password, which somebody else may know; the device or
// the client that it is about. They come back by a password reset and a device that they have, or through their administrator.
func (s *Service) Disown(tx *store.Tx, userID, noticeID string, from Browser) error {
	n, err := tx.Notice(noticeID)
	if errors.Is(err, store.ErrNotFound) || err == nil && n.UserID != userID {
		return fault.Missing("NOTICE", noticeID)
	}
	if err != nil {
		return fmt.Errorf("load notice: %w", err)
	}
	if err := tx.DisownNotice(n.ID); errors.Is(err, store.ErrNotFound) {
		return nil // done already
	} else if err != nil {
		return fmt.Errorf("mark notice: %w", err)
	}
	if err := s.undo(tx, n); err != nil {
		return err
	}
	if err := s.shut(tx, userID, "disowned by the user"); err != nil {
		return err
	}
	return s.recordDisown(tx, n, from)
}

func (s *Service) undo(tx *store.Tx, n store.Notice) (err error) {
	switch n.Kind {
	case store.DeviceAdded:
		if err = tx.DeleteFactor(n.Subject); errors.Is(err, store.ErrNotFound) {
			err = nil
		}
	case store.ClientApproved:
		_, err = s.Sessions.EndClientOf(tx, n.Subject, n.UserID, "disowned by the user")
	}
	if err != nil {
		return fmt.Errorf("undo what was disowned: %w", err)
	}
	return nil
}

// shut ends everything that somebody else might hold of a person.
func (s *Service) shut(tx *store.Tx, userID, by string) error {
	for _, purpose := range []store.LinkPurpose{store.Invitation, store.Reset, store.Disowning} {
		if err := tx.DeleteLinks(userID, purpose); err != nil {
			return fmt.Errorf("withdraw links: %w", err)
		}
	}
	if err := tx.DeletePassword(userID); err != nil {
		return fmt.Errorf("delete password: %w", err)
	}
	if err := signal.CredentialChanged(tx, userID, signal.Credential{Type: "password", Change: "revoke"}, by); err != nil {
		return err
	}
	if err := tx.VoidAttempts(userID, ""); err != nil {
		return fmt.Errorf("void sign-in attempts: %w", err)
	}
	_, err := s.Sessions.EndAllOf(tx, userID, by)
	return err
}

// FollowDisowning does what a link of a letter asks for: see [Service.Disown].
func (s *Service) FollowDisowning(tx *store.Tx, token string, from Browser) error {
	l, err := s.LinkOf(tx, token)
	if err != nil {
		return err
	}
	if l.Purpose != store.Disowning {
		return ErrNoLink
	}
	return s.Disown(tx, l.UserID, l.Subject, from)
}
