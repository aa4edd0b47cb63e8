package sigv4

import (
	"container/list"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// signingKey derives the key that one scope is signed with.
func signingKey(secret string, s Scope) []byte {
	k := mac([]byte("AWS4"+secret), s.Date)
	k = mac(k, s.Region)
	k = mac(k, s.Service)
	return mac(k, terminator)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// hexMAC is the signature of text.
func hexMAC(key, text []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

// maxKeys bounds the cache of a verifier: more callers than this per day and region only cost derivations.
const maxKeys = 4096

// keyID names a signing key without holding the secret itself.
type keyID struct {
	secret [sha256.Size]byte
	scope  Scope
}

type cachedKey struct {
	id  keyID
	key []byte
}

// keyCache keeps the signing keys used last. Its zero value is ready.
type keyCache struct {
	mu    sync.Mutex
	order list.List // of cachedKey, used last at the front
	byID  map[keyID]*list.Element
}

func (c *keyCache) get(secret string, s Scope) []byte {
	id := keyID{sha256.Sum256([]byte(secret)), s}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byID[id]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(cachedKey).key
	}
	key := signingKey(secret, s)
	if c.byID == nil {
		c.byID = make(map[keyID]*list.Element)
	}
	c.byID[id] = c.order.PushFront(cachedKey{id, key})
	if c.order.Len() > maxKeys {
		oldest := c.order.Remove(c.order.Back()).(cachedKey)
		delete(c.byID, oldest.id)
	}
	return key
}
