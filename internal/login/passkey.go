package login

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"sallyport/internal/fault"
	"sallyport/internal/passkey"
	"sallyport/internal/store"
)

const webAuthn = "WEBAUTHN"

// PasskeyOptions begins the ceremony that the attempt's step asks for, and returns what the browser's WebAuthn is given.
func (s *Service) PasskeyOptions(ctx context.Context, id string) (options json.RawMessage, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := attempt(tx, id)
		if err != nil {
			return err
		}
		p, err := s.position(tx, a)
		if err != nil {
			return err
		}
		w, err := s.workOf(a)
		if err != nil {
			return err
		}
		var c passkey.Ceremony
		if options, c, err = s.begin(tx, p); err != nil {
			return err
		}
		w.Ceremony = c
		if err := s.keepWork(&a, w); err != nil {
			return err
		}
		return put(tx, a)
	})
	return options, err
}

func (s *Service) begin(tx *store.Tx, p Position) (json.RawMessage, passkey.Ceremony, error) {
	if s.Party == nil {
		return nil, nil, fault.Deniedf("Passkeys need this service to have a host name. Use another way.")
	}
	switch p.Step {
	case AskPasskey:
		if !p.Settings.PasskeySignIn || !p.Settings.PasskeysAllowed() {
			return nil, nil, fault.Deniedf("Signing in by passkey alone is turned off here. Enter your user name.")
		}
		return s.Party.BeginPasskey(tx.Now())
	case AskMFA:
		who, err := s.person(p.UserID, p.UserName, p.Factors)
		if err != nil {
			return nil, nil, err
		}
		return s.Party.BeginAssertion(who, tx.Now())
	case AskDevice:
		all, err := tx.Factors(p.UserID)
		if err != nil {
			return nil, nil, fmt.Errorf("load factors: %w", err)
		}
		if err := hasRoom(p.Settings, all, store.Passkey); err != nil {
			return nil, nil, err
		}
		who, err := s.person(p.UserID, p.UserName, all)
		if err != nil {
			return nil, nil, err
		}
		return s.Party.BeginRegistration(who, tx.Now())
	}
	return nil, nil, fault.Conflictf("This sign-in is at another step. Reload the page.")
}

// person is the user as WebAuthn knows them.
func (s *Service) person(userID, name string, factors []store.Factor) (passkey.Person, error) {
	who := passkey.Person{Handle: []byte(userID), Name: name, DisplayName: name}
	for _, f := range factors {
		if f.Kind != store.Passkey {
			continue
		}
		key, err := s.keyOf(f)
		if err != nil {
			return who, err
		}
		who.Keys = append(who.Keys, key)
	}
	return who, nil
}

func (s *Service) keyOf(f store.Factor) (key passkey.Key, err error) {
	plain, err := s.Sessions.Keys.OpenRecord("factor", "sealed", f.ID, f.Sealed)
	if err == nil {
		err = json.Unmarshal(plain, &key)
	}
	if err != nil {
		return key, fmt.Errorf("open passkey: %w", err)
	}
	return key, nil
}

func (s *Service) sealKey(factorID string, key passkey.Key) ([]byte, error) {
	plain, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("encode passkey: %w", err)
	}
	return s.Sessions.Keys.SealRecord("factor", "sealed", factorID, plain), nil
}

// GivePasskey takes the browser's answer to the ceremony of the attempt's step: it registers a passkey, proves one as the
// second factor, or signs its person in. A ceremony is answered once. What was wrong is told by the attempt's Problem.
func (s *Service) GivePasskey(ctx context.Context, id, response, name string, trust bool, from Browser) (newID string, err error) {
	if _, err := s.admit(from); err != nil {
		return "", err
	}
	right := false
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		newID, right = id, false
		t, err := s.openCeremony(tx, id)
		if err != nil {
			return err
		}
		t.response, t.name, t.trust, t.from = []byte(response), name, trust, from
		newID, right, err = s.answer(tx, t)
		return err
	})
	s.checked(right, err, from)
	return newID, inOrder(err)
}

// ceremony is one answer of a browser on its way into the database.
type ceremony struct {
	Position
	id       string
	begun    passkey.Ceremony
	response []byte
	name     string
	trust    bool
	from     Browser
}

// openCeremony takes the ceremony out of the attempt: whatever the answer is, there is no second one.
func (s *Service) openCeremony(tx *store.Tx, id string) (t ceremony, err error) {
	a, err := attempt(tx, id)
	if err != nil {
		return t, err
	}
	t.id = id
	if t.Position, err = s.position(tx, a); err != nil {
		return t, err
	}
	if a.UserID != "" { // otherwise the passkey is to tell
		if _, err := enabled(tx, a.UserID); err != nil {
			return t, err
		}
	}
	w, err := s.workOf(a)
	if err != nil {
		return t, err
	}
	if t.begun = w.Ceremony; len(t.begun) == 0 {
		return t, errOutOfOrder
	}
	w.Ceremony = nil // and the secret of an app, which the page may show, stays
	return t, s.keepWork(&t.Attempt, w)
}

func (s *Service) answer(tx *store.Tx, t ceremony) (newID string, right bool, err error) {
	switch t.Step {
	case AskPasskey:
		err = s.signInByPasskey(tx, &t)
	case AskMFA:
		err = s.assertSecond(tx, &t)
	case AskDevice:
		err = s.registerPasskey(tx, t)
	default:
		return t.id, false, errOutOfOrder
	}
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.Conflict {
		if t.Step != AskDevice {
			if err := s.recordCheck(tx, t.Attempt, webAuthn, t.from, false); err != nil {
				return t.id, false, err
			}
		}
		t.Problem = f.Message
		return t.id, false, put(tx, t.Attempt)
	}
	if err != nil {
		return t.id, false, err
	}
	if t.Step == AskDevice {
		newID, err = enrolled(tx, t.Attempt, webAuthn)
		return newID, true, err
	}
	if err := s.recordCheck(tx, t.Attempt, webAuthn, t.from, true); err != nil {
		return t.id, false, err
	}
	newID, err = s.secondProved(tx, t.Position, webAuthn, t.trust)
	return newID, true, err
}

// signInByPasskey finds out who the passkey's person is, and that it is them.
func (s *Service) signInByPasskey(tx *store.Tx, t *ceremony) error {
	var found store.Factor
	var user store.User
	got, err := s.Party.FinishPasskey(t.begun, t.response, tx.Now(), func(handle, keyID []byte) (passkey.Person, error) {
		var err error
		if found, err = tx.FactorByKey(keyIDText(keyID)); err != nil || found.UserID != string(handle) {
			return passkey.Person{}, errUnknownKey(err)
		}
		if user, err = tx.User(found.UserID); err != nil || user.Status != store.UserEnabled || user.StoreID != s.Store {
			return passkey.Person{}, errUnknownKey(err)
		}
		return s.person(user.ID, user.UserName, []store.Factor{found})
	})
	if err != nil {
		return err
	}
	t.UserID, t.UserName = user.ID, user.UserName
	t.Attempt.UserID, t.Attempt.UserName = user.ID, user.UserName
	return s.used(tx, found, got)
}

// errUnknownKey is the refusal of a passkey that is not registered, or whose person may not sign in.
func errUnknownKey(err error) error {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return fault.Unauthenticatedf(fault.AuthUnknownKey, "This passkey is not registered here. Use another one, or enter your user name.")
}

func (s *Service) assertSecond(tx *store.Tx, t *ceremony) error {
	who, err := s.person(t.UserID, t.UserName, t.Factors)
	if err != nil {
		return err
	}
	got, err := s.Party.FinishAssertion(who, t.begun, t.response, tx.Now())
	if err != nil {
		return err
	}
	f, err := tx.FactorByKey(keyIDText(got.Key.ID))
	if err != nil {
		return fmt.Errorf("load passkey: %w", err)
	}
	t.FactorID = f.ID
	return s.used(tx, f, got)
}

// used stores what the use of a passkey changed of it. A counter that went back means that there are two of it (WebAuthn
// §7.2, step 22): it is not taken.
func (s *Service) used(tx *store.Tx, f store.Factor, got passkey.Assertion) (err error) {
	if got.Cloned {
		return fault.Unauthenticatedf(fault.AuthRevoked, "This passkey's counter went back: there may be a copy of it. Use another device, and have this one removed.")
	}
	f.Counter, f.Synced = int64(got.Key.SignCount), got.Key.Flags.BackupEligible
	if f.Sealed, err = s.sealKey(f.ID, got.Key); err != nil {
		return err
	}
	if err := tx.UseFactor(f); err != nil {
		return fmt.Errorf("store use of passkey: %w", err)
	}
	return nil
}

func (s *Service) registerPasskey(tx *store.Tx, t ceremony) error {
	all, err := tx.Factors(t.UserID)
	if err != nil {
		return fmt.Errorf("load factors: %w", err)
	}
	who, err := s.person(t.UserID, t.UserName, all)
	if err != nil {
		return err
	}
	key, err := s.Party.FinishRegistration(who, t.begun, t.response, tx.Now())
	if err != nil {
		return err
	}
	f := store.Factor{ID: newFactorID(tx), Kind: store.Passkey, Name: t.name, KeyID: keyIDText(key.ID), Counter: int64(key.SignCount), Synced: key.Flags.BackupEligible}
	if f.Sealed, err = s.sealKey(f.ID, key); err != nil {
		return err
	}
	return s.addFactor(tx, t.Position, f, t.from)
}

func keyIDText(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }
