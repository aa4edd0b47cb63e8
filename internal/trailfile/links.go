package trailfile

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/bucket"
)

// load reads a digest.
func (c *Check) load(ctx context.Context, f *found) error {
	o, err := c.Bucket.Get(ctx, f.key)
	if errors.Is(err, bucket.ErrNotFound) {
		f.report.fault(DigestMissing, f.key, 0, "it was there a moment ago")
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", f.key, err)
	}
	defer o.Close()
	f.report.Digests++
	plain, err := Expand(o)
	if err == nil {
		f.d, err = ParseDigest(plain)
	}
	if err != nil {
		f.d = nil
		f.report.fault(DigestUnreadable, f.key, 0, "%v", err)
		return nil
	}
	sum := sha256.Sum256(plain)
	f.hash, f.signature = hex.EncodeToString(sum[:]), o.Meta[MetaSignature]
	f.d.signed = f.d.Signed(plain)
	if !bytes.Equal(bytes.TrimSpace([]byte(o.Meta[MetaAlgorithm])), []byte(SignatureAlgorithm)) || f.signature == "" {
		f.report.fault(SignatureMissing, f.key, 0, "it has no signature, or one of another kind than %s", SignatureAlgorithm)
	}
	return nil
}

// sign verifies a digest's place and signature.
func (c *Check) sign(f *found) {
	if f.d == nil {
		return
	}
	if f.d.Object != f.key || f.d.Bucket != c.Name {
		f.report.fault(DigestMoved, f.key, 0, "it was written as s3://%s/%s", f.d.Bucket, f.d.Object)
	}
	if end, err := time.Parse(time.RFC3339, f.d.EndTime); err != nil || !end.Equal(f.end) {
		f.report.fault(DigestMoved, f.key, 0, "it ends at %s, and its name says another time", f.d.EndTime)
	}
	if f.signature == "" {
		return
	}
	key := c.keys[f.d.Fingerprint]
	if key == nil {
		f.report.fault(KeyUnknown, f.key, 0, "the server has no key with the fingerprint %s", f.d.Fingerprint)
		return
	}
	sum := sha256.Sum256(f.d.signed)
	signature, err := hex.DecodeString(f.signature)
	if err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		f.report.fault(SignatureInvalid, f.key, 0, "the signature is not that of this digest")
		return
	}
	f.signed = f.d.Object == f.key && f.d.Bucket == c.Name
}

// links holds each digest against the one before it.
func (c *Check) links(t *chainOf, r *Report) {
	var before *found
	for _, f := range t.digests {
		if f.d == nil {
			continue
		}
		switch {
		case before == nil:
			c.first(f, t, r)
		case f.d.PreviousObject == nil:
			if !before.closed() {
				f.report.fault(ChainBroken, f.key, 0, "a new chain begins here, though the one before was not closed")
			} else {
				r.note("a new chain begins at %s: the trail was deleted and made again", f.d.StartTime)
			}
		default:
			c.follows(f, before, t.digests)
		}
		before = f
	}
}

func (f *found) closed() bool { return f.d.Stretch != nil && f.d.Stretch.Closing }

// follows holds a digest against the one before it in the bucket.
func (c *Check) follows(f, before *found, list []*found) {
	if *f.d.PreviousObject != before.key {
		switch {
		case known(list, *f.d.PreviousObject):
			f.report.fault(ChainBroken, f.key, 0, "it follows on %s, but %s lies between", *f.d.PreviousObject, before.key)
		case !c.expiredDigest(*f.d.PreviousObject):
			f.report.fault(DigestMissing, *f.d.PreviousObject, 0, "%s follows on it", f.key)
		}
		return
	}
	if f.d.PreviousSignature == nil || *f.d.PreviousSignature != before.signature || f.d.PreviousHash == nil || *f.d.PreviousHash != before.hash {
		f.report.fault(ChainBroken, before.key, 0, "it is not the one that %s follows on", f.key)
	}
	a, b := before.d.Stretch, f.d.Stretch
	switch {
	case a == nil || b == nil:
	case b.From == a.To && SameHash(b.FromHash, a.ToHash):
	case b.From > a.To && a.Closing:
		f.report.note("events %d to %d are not in this trail: logging was stopped", a.To+1, b.From)
	case b.From > a.To:
		f.report.note("events %d to %d are in no digest: validation was off", a.To+1, b.From)
	default:
		f.report.fault(EventsChanged, f.key, b.From, "the audit log's chain at event %d is not that of the digest before", b.From)
	}
}

func known(list []*found, key string) bool {
	for _, f := range list {
		if f.key == key {
			return true
		}
	}
	return false
}

// patience is for how many periods newest digests may be late.
const patience = 3

// late is after how long a digest should be followed by another.
func (f *found) late() time.Duration {
	start, err := time.Parse(time.RFC3339, f.d.StartTime)
	if err != nil || !start.Before(f.end) {
		start = f.end.Add(-time.Hour)
	}
	return patience * max(f.end.Sub(start), time.Minute)
}

// end looks for digests that are missing behind the newest.
func (c *Check) end(list []*found, r *Report) {
	var last *found
	for _, f := range list {
		if f.d != nil {
			last = f
		}
	}
	if last == nil || c.Now.IsZero() || last.closed() {
		return
	}
	if c.Now.Sub(last.end) > last.late() {
		r.fault(EndMissing, last.key, 0, "it is the newest digest, and ended %s ago: newer ones were removed, or are written no more", c.Now.Sub(last.end).Round(time.Second))
	}
}
