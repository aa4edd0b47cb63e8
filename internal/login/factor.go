package login

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// maxDeviceName bounds what people call a device, in characters.
const maxDeviceName = 64

// Factors lists a person's devices, oldest first.
func Factors(tx *store.Tx, userID string) ([]store.Factor, error) {
	all, err := tx.Factors(userID)
	if err != nil {
		return nil, fmt.Errorf("load factors: %w", err)
	}
	return all, nil
}

// factor is a device of the person; a NotFound fault when it is not there, or another's.
func factor(tx *store.Tx, userID, id string) (store.Factor, error) {
	f, err := tx.Factor(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && f.UserID != userID {
		return f, fault.Missing("MFA_DEVICE", id)
	}
	if err != nil {
		return f, fmt.Errorf("load factor: %w", err)
	}
	return f, nil
}

// RenameFactor gives a person's device another name.
func RenameFactor(tx *store.Tx, userID, id, name string) (store.Factor, error) {
	f, err := factor(tx, userID, id)
	if err != nil {
		return f, err
	}
	if f.Name, err = deviceName(name, f.Kind, 0); err != nil {
		return f, err
	}
	if err := tx.RenameFactor(id, f.Name); err != nil {
		return f, fmt.Errorf("rename factor: %w", err)
	}
	return f, nil
}

// RemoveFactor takes a device from a person. Whoever is signed in as them is signed out, since the device may be in the wrong
// hands; but for the session keep, in which the person does it themselves.
func (s *Service) RemoveFactor(tx *store.Tx, userID, id, keep, by string) (store.Factor, error) {
	f, err := factor(tx, userID, id)
	if err != nil {
		return f, err
	}
	if err := tx.DeleteFactor(id); err != nil {
		return f, fmt.Errorf("remove factor: %w", err)
	}
	if err := tx.VoidAttempts(userID, ""); err != nil {
		return f, fmt.Errorf("void sign-in attempts: %w", err)
	}
	if _, err = s.Sessions.EndOthersOf(tx, userID, keep, by); err != nil {
		return f, err
	}
	return f, signal.CredentialChanged(tx, userID, signalled(f, "revoke"), by)
}

// signalled is what others are told of a device.
func signalled(f store.Factor, change string) signal.Credential {
	kind := "app"
	switch {
	case f.Kind == store.Passkey && f.Synced:
		kind = "fido2-platform"
	case f.Kind == store.Passkey:
		kind = "fido2-roaming"
	}
	return signal.Credential{Type: kind, Change: change, Name: f.Name}
}

// addFactor stores a device that the person of an attempt has proved, tells them of it, and counts it as a second factor.
func (s *Service) addFactor(tx *store.Tx, p Position, f store.Factor, from Browser) error {
	all, err := tx.Factors(p.UserID)
	if err != nil {
		return fmt.Errorf("load factors: %w", err)
	}
	if err := hasRoom(p.Settings, all, f.Kind); err != nil {
		return err
	}
	f.UserID, f.CreatedAt, f.UsedAt = p.UserID, tx.Now(), tx.Now()
	if f.Name, err = deviceName(f.Name, f.Kind, len(all)); err != nil {
		return err
	}
	switch err := tx.InsertFactor(f); {
	case errors.Is(err, store.ErrExists):
		return fault.Conflictf("This passkey is registered already.")
	case err != nil:
		return fmt.Errorf("add factor: %w", err)
	}
	if err := s.recordDevice(tx, p.Attempt, f, from); err != nil {
		return err
	}
	if err := signal.CredentialChanged(tx, p.UserID, signalled(f, "create"), p.UserID); err != nil {
		return err
	}
	return s.Notify(tx, store.Notice{UserID: p.UserID, Kind: store.DeviceAdded, Detail: f.Name, Subject: f.ID, IP: from.IP})
}

// hasRoom refuses a device of a kind that is not allowed, or beyond how many a person may have (behaviour reference §6).
func hasRoom(v setting.Values, all []store.Factor, kind store.FactorKind) error {
	most, allowed, what := v.MFAMaxPasskeys, v.PasskeysAllowed(), "passkeys"
	if kind == store.TOTP {
		most, allowed, what = v.MFAMaxTOTP, v.TOTPAllowed(), "authenticator apps"
	}
	n := 0
	for _, f := range all {
		if f.Kind == kind {
			n++
		}
	}
	switch {
	case !allowed:
		return fault.Deniedf("Your organization does not use %s. Register the other kind of device.", what)
	case n >= most:
		return fault.Quotaf("You have %d %s, as many as you may. Remove one first.", n, what)
	}
	return nil
}

// deviceName is what a person calls a device, or what it is called when they say nothing. others is how many there are.
func deviceName(name string, kind store.FactorKind, others int) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		name = map[store.FactorKind]string{store.TOTP: "Authenticator app", store.Passkey: "Passkey"}[kind]
		if others > 0 {
			name = fmt.Sprintf("%s %d", name, others+1)
		}
		return name, nil
	}
	if utf8.RuneCountInString(name) > maxDeviceName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fault.Invalidf("The name of a device has at most %d printable characters.", maxDeviceName)
	}
	return name, nil
}

func newFactorID(tx *store.Tx) string { return arn.NewTimeUUID(tx.Now()) }
