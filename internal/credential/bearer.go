package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Prefixes of bearer tokens, as AWS's begin (wire protocols §15). No client parses them; secret scanners do.
const (
	AccessToken  = "aoa"
	RefreshToken = "aor"
)

// NewBearer makes an opaque token with a prefix, and the hash under which it is stored.
func NewBearer(prefix string) (token Secret, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead (Go 1.24)
	return BearerFrom(prefix, b[:])
}

// BearerFrom makes the token whose random part is given: a refresh token's successor is a MAC, so that it can be made
// twice (hard part 8).
func BearerFrom(prefix string, random []byte) (token Secret, hash string) {
	t := prefix + base64.RawURLEncoding.EncodeToString(random)
	return Secret(t), HashBearer(t)
}

// HashBearer is the hash under which a token is stored: SHA-256 in hex. A plain hash does, since the token is random.
func HashBearer(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
