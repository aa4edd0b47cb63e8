package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"sallyport/internal/fault"
)

// The cost of a password hash: Argon2id with 19 MiB and two passes (OWASP). It is kept in each hash, so that it can be raised.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltBytes = 16
	hashBytes = 32
)

// Hasher hashes and checks passwords on at most half of the cores, with a bounded queue before them, so that a flood of
// sign-ins leaves the other half to everything else.
type Hasher struct {
	running chan struct{}
	waiting chan struct{}
	dummy   string // checked when there is no user, so that nobody learns of it by the time it takes
}

// NewHasher returns a hasher for this machine.
func NewHasher() *Hasher {
	n := max(1, runtime.NumCPU()/2)
	h := &Hasher{running: make(chan struct{}, n), waiting: make(chan struct{}, 32*n)}
	h.dummy = encode(random(saltBytes), random(hashBytes))
	return h
}

// Hash makes a PHC string of a new random salt.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := random(saltBytes)
	var key []byte
	err := h.do(ctx, func() { key = argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, hashBytes) })
	if err != nil {
		return "", err
	}
	return encode(salt, key), nil
}

// Verify runs exactly one hash. An empty phc means that there is no such user or password: the answer is false, as slowly.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (bool, error) {
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	p, err := decode(phc)
	if err != nil {
		return false, err
	}
	var key []byte
	err = h.do(ctx, func() {
		key = argon2.IDKey([]byte(password), p.salt, p.passes, p.memoryKiB, p.lanes, uint32(len(p.key)))
	})
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1 && known, nil
}

// do runs f when its turn has come. A full queue is a Throttled fault at once: waiting longer would only pile people up.
func (h *Hasher) do(ctx context.Context, f func()) error {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return fault.Newf(fault.Throttled, "Many people are signing in right now. Wait a few seconds and try again.")
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return ctx.Err()
	}
	f()
	return nil
}

type phcParts struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, key         []byte
}

// encode writes the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$hash, base64 without padding.
func encode(salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes, b64(salt), b64(key))
}

func decode(phc string) (p phcParts, err error) {
	f := strings.Split(phc, "$")
	var version int
	if len(f) != 6 || f[1] != "argon2id" {
		return p, fmt.Errorf("read password hash: not an argon2id PHC string")
	}
	if _, err = fmt.Sscanf(f[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, fmt.Errorf("read password hash: version of argon2 is not %d", argon2.Version)
	}
	if _, err = fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.memoryKiB, &p.passes, &p.lanes); err != nil {
		return p, fmt.Errorf("read password hash: parameters: %w", err)
	}
	if p.salt, err = base64.RawStdEncoding.Strict().DecodeString(f[4]); err != nil {
		return p, fmt.Errorf("read password hash: salt: %w", err)
	}
	if p.key, err = base64.RawStdEncoding.Strict().DecodeString(f[5]); err != nil {
		return p, fmt.Errorf("read password hash: key: %w", err)
	}
	return p, nil
}

// outdated tells whether a hash was made at another cost than today's.
func outdated(phc string) bool {
	p, err := decode(phc)
	return err != nil || p.memoryKiB != memoryKiB || p.passes != passes || p.lanes != lanes
}

// MaxPassword bounds what is ever hashed; longer input is wrong without a look.
const MaxPassword = 64

// CheckPassword holds a new password against AWS's rules: 8–64 characters of four classes (behaviour reference §1.4).
func CheckPassword(p string) error {
	n := utf8.RuneCountInString(p)
	if n < 8 || n > MaxPassword {
		return fault.Invalidf("The password must have 8 to %d characters.", MaxPassword)
	}
	var lower, upper, digit, other bool
	for _, r := range p {
		switch {
		case unicode.IsLower(r):
			lower = true
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsDigit(r):
			digit = true
		default:
			other = true
		}
	}
	if !lower || !upper || !digit || !other {
		return fault.Invalidf("The password must have a lower-case letter, an upper-case letter, a digit and another character.")
	}
	return nil
}

// NewPassword makes a random password that satisfies the rules: for one-time passwords and the sample world.
func NewPassword() string {
	const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_" // without look-alikes
	for {
		b := random(20)
		for i, c := range b {
			b[i] = alphabet[int(c)%len(alphabet)] // the bias costs a fraction of a bit of more than a hundred
		}
		if CheckPassword(string(b)) == nil {
			return string(b)
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (Go 1.24)
	return b
}
