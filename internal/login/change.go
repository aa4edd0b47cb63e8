package login

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/setting"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// change is a new password on its way into the database.
type change struct {
	Position
	id      string // the attempt's, as the browser holds it
	had     store.Password
	old     []store.OldPassword
	phc     string
	problem string
	from    Browser
}

// ChangePassword gives the person of an attempt a password of their own. What is wrong with it is told by the attempt's Problem.
func (s *Service) ChangePassword(ctx context.Context, id, password, confirmation string, from Browser) (newID string, err error) {
	c := &change{id: id, from: from}
	if err := s.DB.View(ctx, func(tx *store.Tx) error { return s.loadChange(tx, c) }); err != nil {
		return id, inOrder(err)
	}
	if err := s.checkNew(ctx, c, password, confirmation); err != nil {
		return id, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) (err error) {
		newID, err = s.storeNew(tx, c)
		return err
	})
	return newID, inOrder(err)
}

func (s *Service) loadChange(tx *store.Tx, c *change) (err error) {
	if c.Position, _, err = s.at(tx, c.id, AskNewPassword); err != nil {
		return err
	}
	if c.had, err = tx.Password(c.UserID); missing(&err) {
		return fmt.Errorf("load password: %w", err)
	}
	if c.old, err = tx.OldPasswords(c.UserID, c.Settings.PasswordHistory); err != nil {
		return fmt.Errorf("load old passwords: %w", err)
	}
	return nil
}

// checkNew says what is wrong with a new password, or hashes it.
func (s *Service) checkNew(ctx context.Context, c *change, password, confirmation string) (err error) {
	if c.problem = Problem(c.Settings, c.UserName, password); c.problem != "" {
		return nil
	}
	if password != confirmation {
		c.problem = "The two passwords differ."
		return nil
	}
	if s.Breached != nil && c.Settings.PasswordBreached {
		known, err := s.Breached.Has(password)
		if err != nil {
			return fmt.Errorf("look password up: %w", err)
		}
		if known {
			c.problem = "This password is on lists of passwords that were stolen elsewhere, which attackers try first. Choose another."
			return nil
		}
	}
	used, err := s.wasUsed(ctx, c, password)
	switch {
	case err != nil:
		return err
	case used && c.had.OneTime && len(c.old) == 0:
		c.problem = "Choose another password than the one-time password."
		return nil
	case used:
		c.problem = "You have used this password before. Choose another."
		return nil
	}
	if c.phc, err = s.Hasher.hash(ctx, c.from.Network(), password); err != nil {
		return fmt.Errorf("hash new password: %w", err)
	}
	return nil
}

// wasUsed compares a new password with the one that the person has and those that they had before.
func (s *Service) wasUsed(ctx context.Context, c *change, password string) (bool, error) {
	hashes := []string{c.had.PHC}
	for _, o := range c.old {
		hashes = append(hashes, o.PHC)
	}
	for _, phc := range hashes {
		if phc == "" {
			continue
		}
		same, err := s.Hasher.Verify(ctx, c.from.Network(), phc, password)
		if err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// storeNew stores a new password, unless another came meanwhile, and uses up the link that the attempt began with.
func (s *Service) storeNew(tx *store.Tx, c *change) (newID string, err error) {
	p, _, err := s.at(tx, c.id, AskNewPassword)
	if err != nil {
		return c.id, err
	}
	if p.Problem = c.problem; c.problem != "" {
		return c.id, put(tx, p.Attempt)
	}
	if err := spend(tx, p.Attempt); err != nil {
		return c.id, err
	}
	if err := s.setPassword(tx, p.Settings, store.Password{UserID: p.UserID, PHC: c.phc, ChangedAt: tx.Now()}, p.ID); err != nil {
		return c.id, err
	}
	if _, err := s.Sessions.EndOthersOf(tx, p.UserID, p.SessionID, "password changed"); err != nil {
		return c.id, err
	}
	if err := s.recordNewPassword(tx, p.Attempt, c.from); err != nil {
		return c.id, err
	}
	if err := s.Notify(tx, store.Notice{UserID: p.UserID, Kind: store.PasswordChanged, IP: c.from.IP}); err != nil {
		return c.id, err
	}
	p.MustChange = false
	return advance(tx, &p.Attempt)
}

// spend uses up the link that an attempt began with. Of two attempts with one link, one comes to its end.
func spend(tx *store.Tx, a store.Attempt) error {
	if a.LinkHash == "" {
		return nil
	}
	err := tx.DeleteLink(a.LinkHash)
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoAttempt
	}
	if err != nil {
		return fmt.Errorf("spend link: %w", err)
	}
	return nil
}

// SetPassword gives a user a password; phc comes from [Hasher.Hash]. Whoever is signed in as the user is signed out, and
// sign-ins in progress are void: the old password may be in the wrong hands.
func (s *Service) SetPassword(tx *store.Tx, userID, phc string, oneTime bool) error {
	in, err := setting.Load(tx)
	if err != nil {
		return err
	}
	if err := s.setPassword(tx, in, store.Password{UserID: userID, PHC: phc, OneTime: oneTime, ChangedAt: tx.Now()}, ""); err != nil {
		return err
	}
	_, err = s.Sessions.EndAllOf(tx, userID, "password changed")
	return err
}

// setPassword stores a password, remembers the one before it, and voids sign-ins in progress and resets, but for the attempt keep.
func (s *Service) setPassword(tx *store.Tx, in setting.Values, p store.Password, keep string) error {
	had, err := tx.Password(p.UserID)
	switch {
	case missing(&err):
		return fmt.Errorf("load password: %w", err)
	case had.PHC != "" && !had.OneTime && in.PasswordHistory > 0:
		if err := tx.KeepOldPassword(p.UserID, had.PHC, in.PasswordHistory); err != nil {
			return fmt.Errorf("keep old password: %w", err)
		}
	}
	change, by := signal.Credential{Type: "password", Change: "update"}, p.UserID
	if had.PHC == "" {
		change.Change = "create"
	}
	if keep == "" {
		by = "" // not by the person
	}
	return errors.Join(
		wrap(tx.PutPassword(p), "store password"),
		wrap(tx.VoidAttempts(p.UserID, keep), "void sign-in attempts"),
		wrap(tx.DeleteLinks(p.UserID, store.Reset), "withdraw resets"),
		signal.CredentialChanged(tx, p.UserID, change, by),
	)
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
