package trail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"time"

	"sallyport/internal/bucket"
	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/trailfile"
)

// How many digests are deleted by one plan, how many files between two records of that, and how long files rest in which something
// was found to be wrong.
const (
	pruneDigests = 1000
	pruneFiles   = 500
	pruneRest    = 24 * time.Hour
)

// PruneFiles deletes the digests that are older than the setting says, and the log files that they list, oldest first. What is deleted is
// recorded and told of before: an anchor, by which what is left verifies, and an event. The files go once a digest has that event. It
// tells whether some wait for that. Every node may run it; one does.
func (w *Worker) PruneFiles(ctx context.Context) (waiting bool, err error) {
	in, err := w.Settings(ctx)
	if err != nil {
		return false, fmt.Errorf("read settings: %w", err)
	}
	var ids []string
	err = w.DB.View(ctx, func(tx *store.Tx) (err error) {
		if ids, err = tx.OpenTrailAnchors(); err == nil && in.TrailRetention > 0 {
			ids, err = tx.TrailsOfObjects() // of which those are some
		}
		return err
	})
	if err != nil || len(ids) == 0 {
		return false, err
	}
	l, err := w.DB.AcquireLease(ctx, "trail-retention", w.Owner, leaseTTL)
	if errors.Is(err, store.ErrLost) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	held, stop := context.WithCancel(ctx)
	defer stop()
	go w.hold(held, l, stop)
	p := &pruning{w, l, in, map[string]bool{}}
	for _, id := range ids { // those of a name that was used again, oldest first
		waits, e := p.trail(held, id)
		waiting, err = waiting || waits, errors.Join(err, e)
	}
	return waiting, errors.Join(err, w.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

// pruning is one round of deleting.
type pruning struct {
	*Worker
	lease store.Lease
	in    setting.Values
	stuck map[string]bool // names of trails, of which nothing more is deleted
}

// trail deletes what is due of a trail, and tells whether something waits.
func (p *pruning) trail(ctx context.Context, id string) (waiting bool, err error) {
	for more := true; more && err == nil; {
		var a store.TrailAnchor
		ready := false
		err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
			if a, err = tx.TrailAnchor(id); err != nil {
				return err
			}
			ready, err = announced(tx, a)
			return err
		})
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && !a.DeletedAt.IsZero():
			more, err = p.plan(ctx, id)
		case err == nil && !ready:
			return true, nil
		case err == nil:
			err = p.delete(ctx, a)
		}
	}
	if f := fault.As(err); f != nil && f.Kind == fault.NotFound { // the bucket was forgotten, and what is in it stays
		return false, nil
	}
	return false, err
}

// announced says whether a digest of the trail has the event that tells of a deletion, or none will.
func announced(tx *store.Tx, a store.TrailAnchor) (bool, error) {
	t, err := tx.LogTrail(a.TrailID)
	if errors.Is(err, store.ErrNotFound) || err == nil && (len(t.Runs) == 0 || !t.Validation) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("load trail: %w", err)
	}
	last, err := tx.LastTrailDigest(a.TrailID)
	return last.At.After(a.PlannedAt) && !last.WrittenAt.IsZero(), ignoreGone(err)
}

// plan records what is deleted next of a trail, and tells of it, if what there is of that verifies.
func (p *pruning) plan(ctx context.Context, id string) (more bool, err error) {
	if p.in.TrailRetention == 0 || p.resting(pruneKey(id)) {
		return false, nil
	}
	due, t, err := p.due(ctx, id)
	if err != nil || len(due) == 0 {
		return false, err
	}
	last := due[len(due)-1]
	place, ok := trailfile.PlaceOf(last.Key)
	if !ok || p.stuck[place.Trail] || t.Faults > 0 && p.in.TrailVerifyEvery > 0 {
		p.stuck[place.Trail] = true
		return false, nil
	}
	r, err := p.sound(ctx, place, due)
	if err != nil {
		return false, err
	}
	if len(r.Faults) > 0 {
		p.stuck[place.Trail] = true
		p.rests(pruneKey(id), pruneRest)
		return false, p.verdict(ctx, store.LogTrail{ID: id, Name: place.Trail}, r)
	}
	a := store.TrailAnchor{
		TrailID: id, Name: place.Trail, N: last.N, Bucket: last.Bucket, Key: last.Key, At: last.At, ToSeq: last.ToSeq, ToHash: last.ToHash, Hash: last.Hash, Signature: last.Signature,
		Policy: "trail.retention=" + setting.Format(p.in.TrailRetention),
	}
	return true, p.DB.Update(ctx, func(tx *store.Tx) error {
		a.PlannedAt = tx.Now()
		if err := errors.Join(tx.Holds(p.lease), tx.PutTrailAnchor(a)); err != nil {
			return err
		}
		return p.House.event(tx, trailfile.PruneEvent, map[string]any{
			"trailARN": p.House.ARN(a.Name), "policy": a.Policy, "s3Bucket": a.Bucket, "digestS3Object": a.Key, "hashValue": a.Hash, "signature": a.Signature,
			"toSeq": a.ToSeq, "toHash": hex.EncodeToString(a.ToHash), "digests": len(due), "files": r.Digests + r.Logs,
		})
	})
}

// pruneDue tells whether to look for files to be deleted, and when to look again.
func (w *Worker) pruneDue() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.DB.Now()
	if now.Before(w.nextPrune) {
		return false
	}
	w.nextPrune = now.Add(pruneEvery)
	return true
}

// pruned deletes what is due, and looks again soon where something waits for a digest.
func (w *Worker) pruned(ctx context.Context) {
	waiting, err := w.PruneFiles(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrLost) {
		w.Metrics.failed()
		w.Log.ErrorContext(ctx, "deleting old files of trails failed, will try again", "error", err)
	}
	if waiting {
		w.mu.Lock()
		w.nextPrune = w.DB.Now().Add(poll)
		w.mu.Unlock()
	}
}

// pruneKey names the resting of a trail's deletion.
func pruneKey(id string) string { return "retention/" + id }

// due are the digests of a trail to be deleted now, in one place; the last of a trail that is not gone stays, as the next follows on it.
// Days are whole, so that there is one event a day.
func (p *pruning) due(ctx context.Context, id string) (list []store.TrailRow, t store.LogTrail, err error) {
	before := p.DB.Now().Add(-p.in.TrailRetention).Truncate(24 * time.Hour)
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.TrailDigests(id, 0, pruneDigests)
		if err != nil || len(rows) == 0 || !rows[0].At.Before(before) {
			return err
		}
		last := int64(0)
		if t, err = tx.LogTrail(id); err == nil {
			var newest store.TrailObject
			newest, err = tx.LastTrailDigest(id)
			last = newest.N
		}
		if ignoreGone(err) != nil {
			return fmt.Errorf("load trail: %w", err)
		}
		place, _ := trailfile.PlaceOf(rows[0].Key)
		for _, row := range rows {
			if at, _ := trailfile.PlaceOf(row.Key); !row.At.Before(before) || row.WrittenAt.IsZero() || row.N == last || row.Bucket != rows[0].Bucket || at != place {
				break
			}
			list = append(list, row)
		}
		return nil
	})
	return list, t, err
}

// sound verifies digests that are due, and the log files that they list. What a rule of the bucket has deleted already is no fault.
func (p *pruning) sound(ctx context.Context, place trailfile.Place, due []store.TrailRow) (*trailfile.Report, error) {
	b, err := p.Buckets.named(ctx, p.DB, due[0].Bucket)
	if err != nil {
		return nil, err
	}
	c := &trailfile.Check{Bucket: b, Name: due[0].Bucket, Place: place, Due: Expiry(p.in, p.DB.Now()), Parallel: max(1, runtime.GOMAXPROCS(0)/2)}
	c.From, _ = place.DigestEnd(due[0].Key)
	c.To, _ = place.DigestEnd(due[len(due)-1].Key)
	for _, row := range due {
		c.Rows = append(c.Rows, DigestRow(place.Trail, row))
	}
	if err := p.DB.View(ctx, func(tx *store.Tx) (err error) { c.Keys, err = checkKeys(tx); return err }); err != nil {
		return nil, err
	}
	r, err := c.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify what is to be deleted: %w", err)
	}
	return r, nil
}

// delete deletes what is planned and records that. Whatever ends it between, it is done again with the same result.
func (p *pruning) delete(ctx context.Context, a store.TrailAnchor) error {
	b, err := p.Buckets.named(ctx, p.DB, a.Bucket)
	if err != nil {
		return err
	}
	for {
		var files []store.TrailObject
		err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
			files, err = tx.DoomedTrailFiles(a.TrailID, a.N, pruneFiles)
			return err
		})
		if err != nil {
			return fmt.Errorf("list files to be deleted: %w", err)
		}
		for _, o := range files {
			if o.Bucket != a.Bucket { // from before the trail was given another: it was not verified, and stays
				continue
			}
			if err := remove(ctx, b, o.Key); err != nil {
				return fmt.Errorf("delete %s: %w", o.Key, err)
			}
		}
		p.Metrics.deleted(len(files))
		err = p.DB.Update(ctx, func(tx *store.Tx) error {
			if err := tx.Holds(p.lease); err != nil {
				return err
			}
			if len(files) > 0 {
				return tx.TrailFilesDeleted(a.TrailID, a.N, files[len(files)-1].N)
			}
			a.DeletedAt = tx.Now()
			return tx.PutTrailAnchor(a)
		})
		if err != nil || len(files) == 0 {
			return err
		}
	}
}

// remove deletes a file. Where we may not, it is as well if a rule of the bucket has.
func remove(ctx context.Context, b bucket.Bucket, key string) error {
	err := b.Delete(ctx, key)
	if err == nil {
		return nil
	}
	o, e := b.Get(ctx, key)
	if errors.Is(e, bucket.ErrNotFound) {
		return nil
	}
	if e == nil {
		_ = o.Close() // nothing was read
	}
	return err
}
