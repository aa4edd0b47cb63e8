package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// prf is HMAC-SHA256 under one key, with the keyed state kept: keying anew would cost as much as the rest of a request's
// cryptography. It is safe for concurrent use.
type prf struct{ states sync.Pool }

func newPRF(key []byte) *prf {
	return &prf{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// use lends fn the keyed state and returns its sum.
func (p *prf) use(fn func(hash.Hash)) []byte {
	h := p.states.Get().(hash.Hash)
	defer p.states.Put(h)
	h.Reset()
	fn(h)
	return h.Sum(make([]byte, 0, sha256.Size))
}

// expand is HKDF-Expand with a pseudorandom key and an output of one block (RFC 5869 §2.3).
func (p *prf) expand(info ...string) []byte {
	return p.use(func(h hash.Hash) {
		for _, s := range info {
			h.Write([]byte(s))
		}
		h.Write([]byte{1})
	})
}
