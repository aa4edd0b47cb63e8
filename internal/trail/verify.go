package trail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/trailfile"
)

// verifyTTL is how long a node that verifies a trail may go without telling that it still does.
const verifyTTL = 5 * time.Minute

// verifyDue tells whether a trail's files are to be looked at.
func (w *Worker) verifyDue(t store.LogTrail, in setting.Values) bool {
	return in.TrailVerifyEvery > 0 && t.Live && t.Validation && !t.DigestedAt.IsZero() && !w.DB.Now().Before(later(t.VerifiedAt, t.CreatedAt).Add(in.TrailVerifyEvery))
}

// verifyAll looks at the files of a trail, under a lease of its own, and records what is wrong.
func (w *Worker) verifyAll(ctx context.Context, t store.LogTrail, in setting.Values) error {
	l, err := w.DB.AcquireLease(ctx, "trail-verify/"+t.ID, w.Owner, verifyTTL)
	if errors.Is(err, store.ErrLost) {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := w.Verify(ctx, t, in, nil)
	if err == nil {
		err = w.verdict(ctx, t, r)
	}
	return errors.Join(err, w.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

// overlap is how much of what was verified before is looked at again.
const overlap = 25 * time.Hour

// Verify holds a trail's files since the last time against their signatures, what was recorded of them, and the audit log. change may
// say what else is wanted: another time, a copy of the log, no newest digests; nil: nothing is.
func (w *Worker) Verify(ctx context.Context, t store.LogTrail, in setting.Values, change func(*trailfile.Check)) (*trailfile.Report, error) {
	b, err := w.Buckets.named(ctx, w.DB, t.Bucket)
	if err != nil {
		return nil, err
	}
	c := &trailfile.Check{Bucket: b, Name: t.Bucket, Place: w.House.place(t), Now: w.DB.Now(), Due: Expiry(in, w.DB.Now()), Parallel: max(1, runtime.GOMAXPROCS(0)/2)}
	c.Ours = func(ctx context.Context, keys []string) (ours map[string]bool, err error) {
		err = w.DB.View(ctx, func(tx *store.Tx) (err error) { ours, err = tx.TrailKeysOurs(t.Bucket, keys); return err })
		return ours, err
	}
	if !t.VerifiedAt.IsZero() && t.Faults == 0 { // what was wrong is looked at again, until it is right
		c.From = t.VerifiedAt.Add(-overlap)
	}
	if !t.Logging {
		c.Now = time.Time{}
	}
	if change != nil {
		change(c)
	}
	var first *store.TrailRow
	var anchor store.AuditAnchor
	err = w.DB.View(ctx, func(tx *store.Tx) (err error) {
		now, err := tx.LogTrail(t.ID) // more may have been written since it was found to be due
		if err != nil {
			return fmt.Errorf("load trail: %w", err)
		}
		if first, err = know(tx, now, c); err != nil {
			return err
		}
		if anchor, err = tx.AuditAnchor(); err != nil {
			return fmt.Errorf("read anchor: %w", err)
		}
		if !c.Now.IsZero() {
			c.Stores = map[string]*trailfile.Store{}
			c.Stores[t.Name], err = StoreState(tx, now, in)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if anchor.Seq > 0 && c.Kept == nil {
		c.Kept = trailfile.KeptAt("the database, which has deleted what was before by policy", anchor.Seq, anchor.Hash)
	}
	r, err := c.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify trail: %w", err)
	}
	return r, w.verifyStore(ctx, first, anchor, r)
}

// knownPage is how many digests are read at once.
const knownPage = 1000

// know fills in the keys, and the digests of a time that the server has recorded. It returns the first of them.
func know(tx *store.Tx, t store.LogTrail, c *trailfile.Check) (first *store.TrailRow, err error) {
	c.Rows = []trailfile.Row{}
	if c.Keys, err = checkKeys(tx); err != nil {
		return nil, err
	}
	pruned, after, err := Pruned(tx, t)
	if err != nil {
		return nil, err
	}
	if pruned.N > 0 {
		c.Gone = []trailfile.Gone{gone(pruned)}
	}
	for more := true; more; {
		page, err := tx.TrailDigests(t.ID, after, knownPage)
		if err != nil {
			return nil, fmt.Errorf("list digests: %w", err)
		}
		for _, row := range page {
			after = row.N
			if row.At.Before(c.From) || row.Bucket != t.Bucket {
				continue
			}
			if first == nil {
				first = &row
			}
			c.Rows = append(c.Rows, DigestRow(t.Name, row))
		}
		more = len(page) == knownPage
	}
	return first, nil
}

// checkKeys are all public keys.
func checkKeys(tx *store.Tx) (list []trailfile.Key, err error) {
	keys, err := tx.TrailKeys(time.Time{}, tx.Now())
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	for _, k := range keys {
		list = append(list, trailfile.Key{Fingerprint: k.Fingerprint, Public: k.Public})
	}
	return list, nil
}

// StoreState tells which events a trail has in no file yet.
func StoreState(tx *store.Tx, t store.LogTrail, in setting.Values) (*trailfile.Store, error) {
	s := &trailfile.Store{Written: t.Seq, Patience: 3 * max(in.TrailLogEvery, time.Minute)}
	next, err := tx.AuditLog(t.Seq, 1)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	if s.Last, _, err = tx.AuditEnd(); err != nil {
		return nil, fmt.Errorf("find the log's end: %w", err)
	}
	if len(next) == 1 {
		s.Since = next[0].At
	}
	return s, nil
}

// verifyStore verifies the audit log's own chain from the first digest that is looked at.
func (w *Worker) verifyStore(ctx context.Context, first *store.TrailRow, anchor store.AuditAnchor, r *trailfile.Report) error {
	if first == nil {
		return nil
	}
	seq, hash := first.ToSeq, first.ToHash
	if anchor.Seq > seq {
		seq, hash = anchor.Seq, anchor.Hash
	}
	_, _, err := w.DB.VerifyAudit(ctx, seq, hash)
	var broken *store.BrokenChainError
	if errors.As(err, &broken) {
		r.Faults = append(r.Faults, trailfile.Fault{Kind: trailfile.StoreBroken, Event: broken.Seq, Message: broken.Error()})
		return nil
	}
	return err
}

// maxTold bounds how many faults an event tells of.
const maxTold = 10

// verdict records what was found.
func (w *Worker) verdict(ctx context.Context, t store.LogTrail, r *trailfile.Report) error {
	w.Metrics.verified(t.Name, len(r.Faults))
	err := w.DB.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.LogTrail(t.ID)
		if err == nil {
			now.VerifiedAt, now.Faults = tx.Now(), int64(len(r.Faults))
			err = tx.UpdateTrail(now)
		}
		if ignoreGone(err) != nil {
			return fmt.Errorf("store trail: %w", err)
		}
		if len(r.Faults) == 0 {
			return nil
		}
		told := []map[string]any{}
		for _, f := range r.Faults[:min(maxTold, len(r.Faults))] {
			told = append(told, map[string]any{"kind": f.Kind, "object": f.Object, "event": f.Event, "message": f.Message})
		}
		return w.House.event(tx, "TrailValidationFailed", map[string]any{"trailARN": w.House.ARN(t.Name), "faults": len(r.Faults), "first": told})
	})
	if err != nil {
		return fmt.Errorf("record verification: %w", err)
	}
	return nil
}

// DigestRow is a digest as the server has recorded it.
func DigestRow(name string, r store.TrailRow) trailfile.Row {
	out := trailfile.Row{
		Trail: name, Key: r.Key, At: r.At, From: r.FromSeq, To: r.ToSeq, ToHash: hex.EncodeToString(r.ToHash), Hash: r.Hash, Signature: r.Signature, Written: !r.WrittenAt.IsZero(),
	}
	if r.LogHash != nil {
		out.StoreHash = hex.EncodeToString(r.LogHash)
	}
	return out
}
