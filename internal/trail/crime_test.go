package trail_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"testing"

	"sallyport/internal/bucket"
	"sallyport/internal/trail"
	"sallyport/internal/trailfile"
)

// crime is a bucket that somebody changes.
type crime struct {
	*testing.T
	b       bucket.Bucket
	digests []string
	logs    []string
	key     *rsa.PrivateKey // the server's
}

func (c *crime) get(key string) (plain []byte, meta map[string]string) {
	c.Helper()
	o, err := c.b.Get(c.Context(), key)
	if err != nil {
		c.Fatal(err)
	}
	defer o.Close()
	if plain, err = trailfile.Expand(o); err != nil {
		c.Fatal(err)
	}
	return plain, o.Meta
}

func (c *crime) raw(key string) []byte {
	c.Helper()
	o, err := c.b.Get(c.Context(), key)
	if err != nil {
		c.Fatal(err)
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil {
		c.Fatal(err)
	}
	return b
}

func (c *crime) putRaw(key string, body []byte, meta map[string]string) {
	c.Helper()
	if err := c.b.Put(c.Context(), key, body, meta); err != nil {
		c.Fatal(err)
	}
}

func (c *crime) put(key string, plain []byte, meta map[string]string) {
	c.Helper()
	body, err := trailfile.Compress(plain)
	if err != nil {
		c.Fatal(err)
	}
	c.putRaw(key, body, meta)
}

func (c *crime) remove(keys ...string) {
	c.Helper()
	for _, k := range keys {
		if err := c.b.Delete(c.Context(), k); err != nil {
			c.Fatal(err)
		}
	}
}

// swap exchanges two objects, metadata included.
func (c *crime) swap(a, b string) {
	c.Helper()
	x, metaX := c.get(a)
	y, metaY := c.get(b)
	c.put(a, y, metaY)
	c.put(b, x, metaX)
}

// sign signs a digest anew.
func (c *crime) sign(d *trailfile.Digest, key *rsa.PrivateKey) {
	c.Helper()
	d.Fingerprint = trail.Fingerprint(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	plain, err := d.Encode()
	if err != nil {
		c.Fatal(err)
	}
	sum := sha256.Sum256(d.Signed(plain))
	s, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		c.Fatal(err)
	}
	c.put(d.Object, plain, map[string]string{"signature": hex.EncodeToString(s), "signature-algorithm": "SHA256withRSA"})
}

// rewrite changes an event of the first log file, and everything after it that proves so, as the thief of the server's key can. With
// chains it changes the heads of the log's chain too.
func (c *crime) rewrite(chains bool) {
	c.Helper()
	var before *trailfile.Digest
	var hash, signature string
	for i, key := range c.digests {
		plain, _ := c.get(key)
		d, err := trailfile.ParseDigest(plain)
		if err != nil {
			c.Fatal(err)
		}
		if before != nil {
			d.PreviousHash, d.PreviousSignature = &hash, &signature
			if chains {
				d.Stretch.FromHash = before.Stretch.ToHash
			}
		}
		head := d.Stretch.FromHash
		seq := d.Stretch.From
		for j := range d.LogFiles {
			l := &d.LogFiles[j]
			log, _ := c.get(l.Object)
			if i == 0 && j == 0 {
				log = bytes.Replace(log, []byte("Event1"), []byte("Event7"), 1)
				c.put(l.Object, log, nil)
			}
			sum := sha256.Sum256(log)
			l.Hash = hex.EncodeToString(sum[:])
			if err := trailfile.Records(log, func(e []byte) error { seq++; head = next(head, seq, e); return nil }); err != nil {
				c.Fatal(err)
			}
		}
		if chains {
			d.Stretch.ToHash = head
		}
		c.sign(d, c.key)
		plain, meta := c.get(key)
		sum := sha256.Sum256(plain)
		before, hash, signature = d, hex.EncodeToString(sum[:]), meta["signature"]
	}
}

// next is the audit log's chain, written out once more: SHA-256(previous ‖ number ‖ event).
func next(head string, seq int64, event []byte) string {
	b := make([]byte, 32)
	if head != "" {
		b, _ = hex.DecodeString(head)
	}
	b = append(b, fmt.Appendf(nil, "%c%c%c%c", 0, 0, 0, 0)...)
	b = append(b, byte(seq>>24), byte(seq>>16), byte(seq>>8), byte(seq))
	sum := sha256.Sum256(append(b, event...))
	return hex.EncodeToString(sum[:])
}
