package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Bounds of codes that are sent by mail.
const (
	mailCodeLife  = 10 * time.Minute
	mailCodePause = 30 * time.Second // between two of them
	maxMailCodes  = 5                // in one attempt
	maxMailTries  = 5                // for one code
)

// SendMailCode sends the person of an attempt a code by mail, in place of a device that they do not have. What is wrong is told by
// the attempt's Problem.
func (s *Service) SendMailCode(ctx context.Context, id string) error {
	return inOrder(s.DB.Update(ctx, func(tx *store.Tx) error {
		p, w, err := s.at(tx, id, AskMailCode)
		if err != nil {
			return err
		}
		if w.Sends >= maxMailCodes || tx.Now().Before(w.Sent.Add(mailCodePause)) {
			p.Problem = "A code was sent already. Look into your mail, also where unwanted mail goes, and wait half a minute before you ask for another."
			return put(tx, p.Attempt)
		}
		n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails (Go 1.24)
		w.Code, w.Sent, w.Sends, w.Tries = fmt.Sprintf("%06d", n), tx.Now(), w.Sends+1, 0
		m := s.Letters.Code(w.Code, int(mailCodeLife/time.Minute))
		if err := s.Mail.Enqueue(tx, m.For(p.Mail)); fault.KindOf(err) == fault.Invalid {
			p.Problem = "No mail can be sent to the address of your account. Ask your administrator."
			return put(tx, p.Attempt)
		} else if err != nil {
			return fmt.Errorf("send code: %w", err)
		}
		p.Problem = ""
		if err := s.keepWork(&p.Attempt, w); err != nil {
			return err
		}
		return put(tx, p.Attempt)
	}))
}

// MailCodeSent says whether a code of the attempt is under way.
func (s *Service) MailCodeSent(p Position) bool {
	w, err := s.workOf(p.Attempt)
	return err == nil && w.Code != ""
}

// GiveMailCode checks a code that was sent by mail. It works once, and only in the browser that asked for it.
func (s *Service) GiveMailCode(ctx context.Context, id, code string, trust bool, from Browser) (newID string, err error) {
	if _, err := s.admit(from); err != nil {
		return "", err
	}
	right := false
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		newID, right = id, false
		p, w, err := s.at(tx, id, AskMailCode)
		if err != nil {
			return err
		}
		right, err = s.tryCode(tx, p, func() (bool, error) { return w.matches(code, tx.Now()), nil })
		if err != nil {
			return err
		}
		if err := s.recordCheck(tx, p.Attempt, "EMAIL_OTP", from, right); err != nil {
			return err
		}
		if right {
			newID, err = s.secondProved(tx, p, "EMAIL_OTP", trust)
			return err
		}
		if w.Tries++; w.Tries >= maxMailTries {
			w.Code = ""
		}
		p.Problem = "This code is not right, or too old. Enter the newest one, or ask for another."
		if err := s.keepWork(&p.Attempt, w); err != nil {
			return err
		}
		return put(tx, p.Attempt)
	})
	s.checked(right, err, from)
	return newID, inOrder(err)
}

func (w work) matches(code string, now time.Time) bool {
	code = strings.Join(strings.Fields(code), "")
	return w.Code != "" && now.Before(w.Sent.Add(mailCodeLife)) && subtle.ConstantTimeCompare([]byte(code), []byte(w.Code)) == 1
}
