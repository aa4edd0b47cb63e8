package emergency

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// codeLetters are those of codes: 32, without those that are taken for others (Crockford).
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	codeLength = 25 // letters: 125 bits
	codeGroup  = 5

	freeTries   = 5 // wrong codes in a row without delay
	longestLock = 15 * time.Minute
)

// NewCodes makes so many codes for an access; earlier ones open nothing any more.
func (s *Service) NewCodes(tx *store.Tx, e store.EmergencyAccess, n int) ([]string, error) {
	if n < 1 || n > maxCodes {
		return nil, fault.Invalidf("There are 1 to %d offline codes.", maxCodes)
	}
	codes, hashes := make([]string, n), make([]string, n)
	for i := range codes {
		codes[i] = newCode()
		hashes[i] = s.codeHash(e.ID, codes[i], tx.Now())
	}
	if err := tx.PutEmergencyCodes(e.ID, hashes); err != nil {
		return nil, fmt.Errorf("store codes: %w", err)
	}
	if !e.ByCode {
		e.ByCode = true
		if err := tx.UpdateEmergencyAccess(e); err != nil {
			return nil, fmt.Errorf("change emergency access: %w", err)
		}
	}
	return codes, nil
}

func newCode() string {
	b := make([]byte, codeLength)
	_, _ = rand.Read(b) // never fails (Go 1.24)
	var out strings.Builder
	for i, c := range b {
		if i > 0 && i%codeGroup == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(codeLetters[c%32]) // 256 is a multiple: no bias
	}
	return out.String()
}

// canonical is a code as it was made, however a person writes it.
var canonical = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1")

// codeHash is what is stored of a code: keyed, by the key of the time at which the access got its codes.
func (s *Service) codeHash(accessID, code string, made time.Time) string {
	return hex.EncodeToString(s.Keys.MAC("emergency code", made, accessID, canonical.Replace(strings.ToUpper(code))))
}

// tryCode uses a code up for an opening, if it is one of the access and was not used, and counts how it went. Under a lock no code is
// looked at; the lock is the person's own, so that nobody keeps another out.
func (s *Service) tryCode(tx *store.Tx, e store.EmergencyAccess, p Person, code, opening string) (right bool, err error) {
	try, err := tx.EmergencyTry(p.User.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, fmt.Errorf("load count of codes: %w", err)
	}
	try.UserID = p.User.ID
	if tx.Now().Before(try.LockedUntil) {
		return false, nil
	}
	made, err := tx.EmergencyCodesMade(e.ID)
	if err != nil {
		return false, fmt.Errorf("look for codes: %w", err)
	}
	if !made.IsZero() {
		err := tx.UseEmergencyCode(e.ID, s.codeHash(e.ID, code, made), opening)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, fmt.Errorf("use code: %w", err)
		}
		right = err == nil
	}
	if try.Failures++; right {
		try.Failures = 0
	}
	try.LockedUntil = time.Time{}
	if over := try.Failures - freeTries; over >= 0 {
		try.LockedUntil = tx.Now().Add(min(5*time.Second<<min(over, 20), longestLock))
	}
	if err := tx.PutEmergencyTry(try); err != nil {
		return false, fmt.Errorf("count code: %w", err)
	}
	return right, nil
}
