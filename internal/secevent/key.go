package secevent

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys   = 100
	minRSA    = 2048
	keysLabel = "shared signals ES256"
)

// KeySet are the public keys of an issuer, by their ids.
type KeySet map[string]jose.JSONWebKey

// ParseKeys reads a JWK set (RFC 7517). Keys that no token is verified with are left out: symmetric, weak or unknown ones, those
// for encryption, and those without an id.
func ParseKeys(text []byte) (KeySet, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("read JWK set: %w", err)
	}
	if len(raw.Keys) > maxKeys {
		return nil, fmt.Errorf("read JWK set: it has more than %d keys", maxKeys)
	}
	set := KeySet{}
	for _, r := range raw.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(r); err != nil || k.KeyID == "" || !usable(k) {
			continue
		}
		if _, twice := set[k.KeyID]; twice {
			return nil, fmt.Errorf("read JWK set: two keys have the id %.64q", k.KeyID)
		}
		set[k.KeyID] = k.Public()
	}
	if len(set) == 0 {
		return nil, errors.New("read JWK set: it has no key that signals may be signed with")
	}
	return set, nil
}

func usable(k jose.JSONWebKey) bool {
	if k.Use != "" && k.Use != "sig" || !k.Valid() {
		return false
	}
	switch key := k.Public().Key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSA
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return true
	}
	return false
}

// Key signs tokens.
type Key struct {
	ID      string
	private *ecdsa.PrivateKey
}

// NewKey makes the key of an id. derive makes 32 secret bytes for a label, the same each time.
func NewKey(id string, derive func(label string) []byte) (Key, error) {
	var err error
	for i := range 8 { // one in four billion derivations is no scalar of the curve
		var private *ecdsa.PrivateKey
		if private, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), derive(fmt.Sprintf("%s %d", keysLabel, i))); err == nil {
			return Key{id, private}, nil
		}
	}
	return Key{}, fmt.Errorf("derive signing key: %w", err)
}

// PublicKeys is the JWK set of keys.
func PublicKeys(keys []Key) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.ID, Algorithm: string(jose.ES256), Use: "sig"})
	}
	b, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encode JWK set: %w", err)
	}
	return b, nil
}

// Sign makes a token of claims.
func (k Key) Sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode signal: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.private, KeyID: k.ID}},
		(&jose.SignerOptions{}).WithType(mediaType),
	)
	if err != nil {
		return "", fmt.Errorf("make signer: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign signal: %w", err)
	}
	return signed.CompactSerialize()
}
