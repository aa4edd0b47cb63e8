package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
	"sync/atomic"
	"time"
)

const (
	version  = 1
	idSize   = 8
	saltSize = 32
	headSize = 1 + idSize + saltSize
	keySize  = 32
)

// Key is one data key. It never shows its bytes.
type Key struct {
	id      [idSize]byte
	prk     *prf     // HKDF-Extract of the root
	macs    sync.Map // label → *prf; labels are constants of the program
	active  time.Time
	retired atomic.Int64 // microseconds: when the next key of the purpose becomes active; 0: there is none
}

func newKey(id [idSize]byte, root []byte, active time.Time) *Key {
	return &Key{id: id, prk: newPRF(must(hkdf.Extract(sha256.New, root, nil))), active: active}
}

// ID names the key; it is no secret.
func (k *Key) ID() string { return hex.EncodeToString(k.id[:]) }

// RetiredAt is when the key was succeeded; zero while it is the newest.
func (k *Key) RetiredAt() time.Time {
	if n := k.retired.Load(); n != 0 {
		return time.UnixMicro(n).UTC()
	}
	return time.Time{}
}

// String names the key and hides its bytes, whatever the verb.
func (k *Key) String() string { return "key " + k.ID() }

// GoString is as String.
func (k *Key) GoString() string { return k.String() }

// Derive is a 32-byte key for one use, which label names.
func (k *Key) Derive(label string) []byte { return k.prk.expand("derive\x00", label) }

// MAC authenticates parts for one use, which label names. No two lists of parts are taken for one another.
func (k *Key) MAC(label string, parts ...string) []byte {
	m, ok := k.macs.Load(label)
	if !ok {
		m, _ = k.macs.LoadOrStore(label, newPRF(k.prk.expand("mac\x00", label)))
	}
	return m.(*prf).use(func(h hash.Hash) {
		for _, p := range parts {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
			h.Write([]byte(p))
		}
	})
}

// Seal hides plain and binds it to a use, which label names, and to ad, which the opener must know.
func (k *Key) Seal(label, ad string, plain []byte) []byte {
	out := make([]byte, headSize, headSize+12+len(plain)+16)
	out[0] = version
	copy(out[1:], k.id[:])
	salt := out[1+idSize : headSize]
	_, _ = rand.Read(salt) // never fails: it ends the process instead (Go 1.24)
	return k.aead(label, salt).Seal(out, nil, plain, append(out[:headSize:headSize], ad...))
}

// open is the inverse of Seal. The caller has found k by the id in sealed.
func (k *Key) open(label, ad string, sealed []byte) ([]byte, bool) {
	head := sealed[:headSize:headSize]
	plain, err := k.aead(label, head[1+idSize:]).Open(nil, nil, sealed[headSize:], append(head, ad...))
	return plain, err == nil
}

// aead is the cipher of the one value that salt belongs to.
func (k *Key) aead(label string, salt []byte) cipher.AEAD {
	return gcm(k.prk.expand("seal\x00", label, "\x00", string(salt)))
}

func gcm(key []byte) cipher.AEAD {
	return must(cipher.NewGCMWithRandomNonce(must(aes.NewCipher(key))))
}

// must is for calls that fail only on sizes, which are constants here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
