package keyring

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

// ErrSealed says that a sealed value was changed, is bound to something else, or was not sealed here.
var ErrSealed = errors.New("the sealed value was changed, is bound to something else, or was not sealed here")

// maxBlob bounds what OpenBlob looks at.
const maxBlob = 16 << 10

// Open opens what a key of the purpose has sealed, and tells which one. Callers whose keys have an end look at its
// RetiredAt.
func (r *Ring) Open(p Purpose, label, ad string, sealed []byte) ([]byte, *Key, error) {
	if len(sealed) < headSize || sealed[0] != version {
		return nil, nil, ErrSealed
	}
	for _, k := range (*r.lines.Load())[p] {
		if string(k.id[:]) != string(sealed[1:1+idSize]) { // ids are no secret
			continue
		}
		if plain, ok := k.open(label, ad, sealed); ok {
			return plain, k, nil
		}
	}
	return nil, nil, ErrSealed
}

// SealRecord seals a secret for one column of one row, so that it means nothing in another place.
func (r *Ring) SealRecord(table, column, row string, plain []byte) []byte {
	return r.Current(Records).Seal(table+"."+column, row, plain)
}

// OpenRecord opens what SealRecord has sealed for the same place.
func (r *Ring) OpenRecord(table, column, row string, sealed []byte) ([]byte, error) {
	plain, _, err := r.Open(Records, table+"."+column, row, sealed)
	return plain, err
}

// SealBlob seals state that a client keeps for us, as URL-safe text. The opener must know ad; an expiry belongs inside.
func (r *Ring) SealBlob(label, ad string, plain []byte) string {
	return base64.RawURLEncoding.EncodeToString(r.Current(Tokens).Seal(label, ad, plain))
}

// OpenBlob opens what SealBlob has sealed with the same label and ad. Each blob has one spelling.
func (r *Ring) OpenBlob(label, ad, blob string) ([]byte, error) {
	raw, ok := Decode(blob, maxBlob)
	if !ok {
		return nil, ErrSealed
	}
	plain, _, err := r.Open(Tokens, label, ad, raw)
	return plain, err
}

// MAC authenticates parts under the key that was current at a time. A result that must come out the same again, such as
// the successor of a refresh token, is asked for with the stored time of its first use, so that rotation does not matter.
func (r *Ring) MAC(label string, at time.Time, parts ...string) []byte {
	return r.at(Tokens, at).MAC(label, parts...)
}

// Decode reads unpadded URL-safe base64 of at most max characters, in its only canonical spelling. (The standard decoder
// skips line breaks even when strict.)
func Decode(s string, max int) ([]byte, bool) {
	if s == "" || len(s) > max || strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}
