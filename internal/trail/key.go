package trail

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// keyBits is the size of CloudTrail's keys, and of ours.
const keyBits = 2048

// Signer signs a text with RSASSA-PKCS1-v1_5 and SHA-256. Signing twice gives one signature.
type Signer interface {
	Sign(ctx context.Context, text []byte) ([]byte, error)
}

// local signs with a key of our own.
type local struct{ key *rsa.PrivateKey }

// Sign signs.
func (l local) Sign(_ context.Context, text []byte) ([]byte, error) {
	sum := sha256.Sum256(text)
	return rsa.SignPKCS1v15(nil, l.key, crypto.SHA256, sum[:])
}

// Fingerprint names a key: the first half of the SHA-256 of its PKCS #1 form, in hexadecimal.
func Fingerprint(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:16])
}

// Keys are the keys that digests are signed with.
type Keys struct {
	DB    *store.DB
	Ring  *keyring.Ring
	House House
	KMS   func(ctx context.Context, key string) (KMSKey, error) // nil: there is no KMS
}

// KMSKey is a key that lives in a KMS.
type KMSKey interface {
	Signer
	Public() *rsa.PublicKey
	ARN() string
}

// Rotate makes another key the one that signs, for life: a new one, or that of a KMS. event records it in the same transaction.
func (k *Keys) Rotate(ctx context.Context, kms string, life time.Duration, event func(*store.Tx, store.TrailKey) error) (store.TrailKey, error) {
	made, err := k.make(ctx, kms)
	if err != nil {
		return made, err
	}
	err = k.DB.Update(ctx, func(tx *store.Tx) error {
		if err := k.put(tx, &made, life); err != nil {
			return err
		}
		return event(tx, made)
	})
	return made, err
}

// put stores a key as the one that signs from now on.
func (k *Keys) put(tx *store.Tx, made *store.TrailKey, life time.Duration) error {
	made.StartsAt, made.EndsAt = tx.Now(), tx.Now().Add(life)
	if err := tx.PutTrailKey(*made); err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	return nil
}

func (k *Keys) make(ctx context.Context, kms string) (store.TrailKey, error) {
	if kms != "" {
		key, err := k.remote(ctx, kms)
		if err != nil {
			return store.TrailKey{}, err
		}
		public := x509.MarshalPKCS1PublicKey(key.Public())
		return store.TrailKey{Fingerprint: Fingerprint(public), Public: public, KMS: key.ARN()}, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return store.TrailKey{}, fmt.Errorf("make key: %w", err)
	}
	public := x509.MarshalPKCS1PublicKey(&key.PublicKey)
	name := Fingerprint(public)
	return store.TrailKey{Fingerprint: name, Public: public, Private: k.Ring.SealRecord("trail_key", "private", name, x509.MarshalPKCS1PrivateKey(key))}, nil
}

// current is the key that signs now. Where none does, or its time is over, another is made of the same kind.
func (k *Keys) current(ctx context.Context, life time.Duration) (store.TrailKey, Signer, error) {
	var last store.TrailKey
	err := k.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.TrailKeys(time.Time{}, tx.Now())
		if len(all) > 0 {
			last = all[len(all)-1]
		}
		return err
	})
	if err != nil {
		return last, nil, fmt.Errorf("find key: %w", err)
	}
	if last.Fingerprint == "" || !k.DB.Now().Before(last.EndsAt) {
		if last, err = k.Rotate(ctx, last.KMS, life, func(tx *store.Tx, made store.TrailKey) error {
			return k.House.event(tx, "RotateTrailKey", map[string]any{"fingerprint": made.Fingerprint})
		}); err != nil {
			return last, nil, err
		}
	}
	s, err := k.signer(ctx, last)
	return last, s, err
}

func (k *Keys) signer(ctx context.Context, key store.TrailKey) (Signer, error) {
	if key.KMS != "" {
		return k.remote(ctx, key.KMS)
	}
	der, err := k.Ring.OpenRecord("trail_key", "private", key.Fingerprint, key.Private)
	if err != nil {
		return nil, fmt.Errorf("open key: %w", err)
	}
	private, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return local{private}, nil
}

func (k *Keys) remote(ctx context.Context, id string) (KMSKey, error) {
	if k.KMS == nil {
		return nil, errNoKMS
	}
	key, err := k.KMS(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("open key in KMS: %w", err)
	}
	return key, nil
}

// signed signs a text, and sees that the public key verifies it: what is written with a wrong signature stays wrong.
func signed(ctx context.Context, key store.TrailKey, s Signer, text []byte) ([]byte, error) {
	signature, err := s.Sign(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("sign digest: %w", err)
	}
	public, err := x509.ParsePKCS1PublicKey(key.Public)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	sum := sha256.Sum256(text)
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature); err != nil {
		return nil, fmt.Errorf("the signature by key %s is not one: %w", key.Fingerprint, err)
	}
	return signature, nil
}
