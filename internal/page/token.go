package page

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"sallyport/internal/fault"
)

// Codec makes and reads page tokens. A token is sealed to its scope: the operation, its parameters and the caller.
type Codec struct{ aead cipher.AEAD }

// NewCodec returns a codec over a 32-byte key.
func NewCodec(key []byte) (*Codec, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make page-token cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make page-token cipher: %w", err)
	}
	return &Codec{aead}, nil
}

// Seal writes the token of the page after key; no key, no token.
func (c *Codec) Seal(scope string, key Key) string {
	if key == nil {
		return ""
	}
	plain, _ := json.Marshal(key) // strings always marshal
	return base64.URLEncoding.EncodeToString(c.aead.Seal(nil, nil, plain, []byte(scope)))
}

// Open reads a token. One that was made for another scope, or changed, is an Invalid fault.
func (c *Codec) Open(scope, token string) (Key, error) {
	if token == "" {
		return nil, nil
	}
	bad := fault.Invalidf("The pagination token is invalid: it belongs to another request, or was changed. Start again without a token.")
	raw, err := base64.URLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) > 4096 || base64.URLEncoding.EncodeToString(raw) != token { // the decoder skips line breaks
		return nil, bad
	}
	plain, err := c.aead.Open(nil, nil, raw, []byte(scope))
	if err != nil {
		return nil, bad
	}
	var key Key
	if err := json.Unmarshal(plain, &key); err != nil {
		return nil, bad
	}
	return key, nil
}
