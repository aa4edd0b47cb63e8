package login

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/store"
)

// work is what the step at hand needs to remember, sealed in the attempt's row: it holds secrets.
type work struct {
	Seed     string    `json:"seed,omitempty"`     // of the authenticator app that is being registered
	Ceremony []byte    `json:"ceremony,omitempty"` // of WebAuthn: used once
	Code     string    `json:"code,omitempty"`     // sent by mail
	Sent     time.Time `json:"sent,omitzero"`
	Sends    int       `json:"sends,omitempty"`
	Tries    int       `json:"tries,omitempty"`
}

// workOf reads an attempt's work.
func (s *Service) workOf(a store.Attempt) (w work, err error) {
	if len(a.Work) == 0 {
		return w, nil
	}
	plain, err := s.Sessions.Keys.OpenRecord("attempt", "work", a.Workflow, a.Work)
	if err == nil {
		err = json.Unmarshal(plain, &w)
	}
	if err != nil {
		return w, fmt.Errorf("open sign-in attempt's work: %w", err)
	}
	return w, nil
}

// keepWork puts work into an attempt, which is yet to be stored.
func (s *Service) keepWork(a *store.Attempt, w work) error {
	plain, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("encode sign-in attempt's work: %w", err)
	}
	a.Work = s.Sessions.Keys.SealRecord("attempt", "work", a.Workflow, plain)
	return nil
}

// advance stores an attempt in which a factor has been proved, under a new id: whoever knew the old one has nothing.
func advance(tx *store.Tx, a *store.Attempt) (id string, err error) {
	id = newID()
	if err := tx.RenameAttempt(a.ID, hashID(id)); err != nil {
		return "", fmt.Errorf("renew sign-in attempt: %w", err)
	}
	a.ID, a.Problem = hashID(id), ""
	return id, put(tx, *a)
}

// put stores an attempt's steps.
func put(tx *store.Tx, a store.Attempt) error {
	if err := tx.UpdateAttempt(a); err != nil {
		return fmt.Errorf("store sign-in attempt: %w", err)
	}
	return nil
}
