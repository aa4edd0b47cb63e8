package heed

import (
	"errors"
	"fmt"

	"sallyport/internal/secevent"
	"sallyport/internal/store"
)

// person is the part of a subject that names a person; empty: none does.
func person(s secevent.Subject) secevent.Subject {
	if s.Format != secevent.Complex {
		return s
	}
	if s.User != nil {
		return *s.User
	}
	return secevent.Subject{}
}

// user is the id of the person whom a transmitter names; empty: nobody whom we know. Names are looked up in the receiver's identity
// store alone.
func (s *Service) user(tx *store.Tx, r store.SignalReceiver, who secevent.Subject) (string, error) {
	switch who.Format {
	case secevent.Email:
		u, err := tx.UserByEmail(r.StoreID, who.Email)
		return found(u.ID, err)
	case secevent.IssSub:
		if who.Issuer == s.URL {
			return s.own(tx, r, who.Sub)
		}
		id, err := found(tx.SubjectOf(r.StoreID, store.PrincipalUser, store.ExternalID{Issuer: who.Issuer, ID: who.Sub}))
		if err != nil || id != "" || who.Issuer != r.Issuer {
			return id, err
		}
		return s.external(tx, r, who.Sub)
	case secevent.Opaque:
		id, err := found(tx.SubjectOf(r.StoreID, store.PrincipalUser, store.ExternalID{Issuer: r.Issuer, ID: who.ID}))
		if err != nil || id != "" {
			return id, err
		}
		return s.external(tx, r, who.ID)
	}
	return "", nil
}

// own is the person of one of our own ids.
func (s *Service) own(tx *store.Tx, r store.SignalReceiver, id string) (string, error) {
	u, err := tx.User(id)
	if err == nil && u.StoreID != r.StoreID {
		return "", nil
	}
	return found(u.ID, err)
}

// external is the person whom the receiver's source of people, if it has one, calls so (SCIM's externalId).
func (s *Service) external(tx *store.Tx, r store.SignalReceiver, id string) (string, error) {
	if r.TenantID == "" {
		return "", nil
	}
	issuer := s.URL + "/" + r.TenantID + "/scim/v2"
	return found(tx.SubjectOf(r.StoreID, store.PrincipalUser, store.ExternalID{Issuer: issuer, ID: id}))
}

func found(id string, err error) (string, error) {
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up whom a signal is about: %w", err)
	}
	return id, nil
}
