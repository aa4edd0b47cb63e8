package trail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"sallyport/internal/store"
	"sallyport/internal/trailfile"
)

// finish writes a file that was planned, and then records that. Whatever ends it between, it is done again with the same result.
func (w *Worker) finish(ctx context.Context, l store.Lease, t store.LogTrail, o store.TrailObject) error {
	body, meta, err := w.contents(ctx, o)
	if err != nil {
		return err
	}
	b, err := w.Buckets.named(ctx, w.DB, o.Bucket)
	if err != nil {
		return err
	}
	if err := b.Put(ctx, o.Key, body, meta); err != nil {
		return fmt.Errorf("write %s: %w", o.Key, err)
	}
	w.Metrics.wrote(o, len(body))
	return w.under(ctx, l, t, func(tx *store.Tx, now *store.LogTrail) error {
		if err := tx.TrailObjectWritten(o); err != nil {
			return err
		}
		now.AttemptedAt, now.DeliveredAt, now.Problem = tx.Now(), tx.Now(), ""
		if o.Kind == store.TrailDigest {
			now.DigestedAt = tx.Now()
		}
		now.Seq, now.Hash = o.ToSeq, o.ToHash
		return tx.SetAuditCursor(cursor(t.ID), o.ToSeq)
	})
}

// contents are the bytes of an object and its metadata.
func (w *Worker) contents(ctx context.Context, o store.TrailObject) (body []byte, meta map[string]string, err error) {
	plain := o.Body
	if o.Kind == store.TrailLog {
		if plain, err = w.rebuild(ctx, o); err != nil {
			return nil, nil, err
		}
	} else {
		meta = map[string]string{trailfile.MetaSignature: o.Signature, trailfile.MetaAlgorithm: trailfile.SignatureAlgorithm}
	}
	if sum := sha256.Sum256(plain); hex.EncodeToString(sum[:]) != o.Hash {
		return nil, nil, fmt.Errorf("the audit log was changed: %s was planned with other events from %d to %d", o.Key, o.FromSeq, o.ToSeq)
	}
	body, err = trailfile.Compress(plain)
	return body, meta, err
}
