package trail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/trailfile"
)

// under runs a transaction on a trail that this worker alone writes, as it was when it was read. The API may have changed its
// settings meanwhile: those stay.
func (w *Worker) under(ctx context.Context, l store.Lease, was store.LogTrail, fn func(tx *store.Tx, t *store.LogTrail) error) error {
	return w.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Holds(l); err != nil {
			return err
		}
		t, err := tx.LogTrail(was.ID)
		if err != nil {
			return fmt.Errorf("load trail: %w", err)
		}
		if t.Objects != was.Objects || t.Seq != was.Seq {
			return store.ErrLost
		}
		if err := fn(tx, &t); err != nil {
			return err
		}
		return tx.UpdateTrail(t)
	})
}

// advance puts a run into a trail as it is behind a window. That it is to stop may have been said meanwhile.
func advance(t *store.LogTrail, run store.TrailRun) {
	if len(t.Runs) > 0 && t.Runs[0].Start == run.Start {
		run.Stop, run.StopAt = t.Runs[0].Stop, t.Runs[0].StopAt
		t.Runs[0] = run
	}
}

// planLog records the next log file.
func (w *Worker) planLog(ctx context.Context, l store.Lease, t store.LogTrail, win *window) error {
	_, text, err := filterOf(t.TrailSpec)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(win.log.Plain())
	return w.under(ctx, l, t, func(tx *store.Tx, now *store.LogTrail) error {
		o := store.TrailObject{
			TrailID: t.ID, N: t.Objects + 1, Kind: store.TrailLog, Bucket: t.Bucket, Key: w.House.place(t).LogKey(tx.Now(), trailfile.Suffix()), At: tx.Now(),
			FromSeq: t.Seq, ToSeq: win.seq, ToHash: win.hash, Events: win.events, Oldest: win.oldest, Newest: win.newest, Filter: text, Hash: hex.EncodeToString(sum[:]),
		}
		if !t.Validation {
			o.Digest = -1
		}
		now.Objects, now.FlushedAt = o.N, tx.Now()
		advance(now, win.run)
		return tx.InsertTrailObject(o)
	})
}

// move passes over events of which the trail has none, or begins a run.
func (w *Worker) move(ctx context.Context, l store.Lease, t store.LogTrail, win *window) error {
	return w.under(ctx, l, t, func(tx *store.Tx, now *store.LogTrail) error {
		now.Seq, now.Hash = win.seq, win.hash
		if t.Runs[0].Begun {
			now.FlushedAt = tx.Now()
		}
		advance(now, win.run)
		return tx.SetAuditCursor(cursor(t.ID), win.seq)
	})
}

// endRun writes what closes a run, and then forgets it.
func (w *Worker) endRun(ctx context.Context, l store.Lease, t store.LogTrail, in setting.Values) error {
	var last store.TrailObject
	err := w.DB.View(ctx, func(tx *store.Tx) (err error) { last, err = tx.LastTrailDigest(t.ID); return err })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("find last digest: %w", err)
	}
	if t.Validation && (t.Runs[0].Fresh || last.ToSeq < t.Seq) {
		end := t.Runs[0].StopAt.Truncate(time.Second).Add(time.Second)
		if !end.After(digestBase(t)) {
			end = digestBase(t).Add(time.Second)
		}
		win := &window{seq: t.Seq, hash: t.Hash, run: t.Runs[0]}
		return w.planDigest(ctx, l, t, win, end, true, in)
	}
	return w.under(ctx, l, t, func(tx *store.Tx, now *store.LogTrail) error {
		now.Runs = now.Runs[1:]
		if len(now.Runs) == 0 {
			return tx.DeleteAuditCursor(cursor(t.ID))
		}
		now.Seq, now.Hash = now.Runs[0].After, now.Runs[0].AfterHash
		return tx.SetAuditCursor(cursor(t.ID), now.Seq)
	})
}

// close forgets a trail that was deleted and has nothing left to be written.
func (w *Worker) close(ctx context.Context, l store.Lease, t store.LogTrail) error {
	if t.Live {
		return nil
	}
	return w.DB.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Holds(l), tx.DeleteAuditCursor(cursor(t.ID)), tx.DeleteTrail(t.ID))
	})
}

// maxLogs is how many log files one digest lists at most. The others are for the next.
const maxLogs = 20_000

// planDigest records the digest that ends at a time, signed.
func (w *Worker) planDigest(ctx context.Context, l store.Lease, t store.LogTrail, win *window, end time.Time, closing bool, in setting.Values) error {
	key, signer, err := w.Keys.current(ctx, in.TrailKeyLife)
	if err != nil {
		return err
	}
	var logs []store.TrailObject
	var last store.TrailObject
	p := w.House.place(t)
	err = w.DB.View(ctx, func(tx *store.Tx) (err error) {
		if logs, err = tx.UndigestedLogs(t.ID, maxLogs); err != nil {
			return fmt.Errorf("list log files: %w", err)
		}
		if last, err = tx.LastTrailDigest(t.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("find last digest: %w", err)
		}
		for taken := true; taken; {
			if taken, err = tx.TrailKeyTaken(t.Bucket, p.DigestKey(end)); taken {
				end = end.Add(time.Second)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	d, err := w.digest(t, win, last, logs, end, closing)
	if err != nil {
		return err
	}
	d.Fingerprint = key.Fingerprint
	plain, err := d.Encode()
	if err != nil {
		return err
	}
	signature, err := signed(ctx, key, signer, d.Signed(plain))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(plain)
	return w.under(ctx, l, t, func(tx *store.Tx, now *store.LogTrail) error {
		o := store.TrailObject{
			TrailID: t.ID, N: t.Objects + 1, Kind: store.TrailDigest, Bucket: t.Bucket, Key: d.Object, At: end, FromSeq: d.Stretch.From, ToSeq: win.seq, ToHash: win.hash,
			Hash: hex.EncodeToString(sum[:]), Signature: hex.EncodeToString(signature), Fingerprint: key.Fingerprint, Body: plain,
		}
		now.Objects, now.DigestTo = o.N, end
		win.run.Fresh = false
		advance(now, win.run)
		if len(logs) > 0 {
			if err := tx.DigestTrailLogs(t.ID, o.N, logs[len(logs)-1].N); err != nil {
				return fmt.Errorf("count log files in: %w", err)
			}
		}
		return tx.InsertTrailObject(o)
	})
}

// digest is what a digest says, but for the key that signs it.
func (w *Worker) digest(t store.LogTrail, win *window, last store.TrailObject, logs []store.TrailObject, end time.Time, closing bool) (*trailfile.Digest, error) {
	p := w.House.place(t)
	d := &trailfile.Digest{
		AccountID: p.Account, StartTime: trailfile.Time(digestBase(t)), EndTime: trailfile.Time(end), Bucket: t.Bucket, Object: p.DigestKey(end),
		Algorithm: trailfile.SignatureAlgorithm, LogFiles: []trailfile.LogFile{},
	}
	s := &trailfile.Stretch{From: last.ToSeq, FromHash: hex.EncodeToString(last.ToHash), To: win.seq, ToHash: hex.EncodeToString(win.hash), Whole: true, Closing: closing}
	if win.run.Fresh {
		s.From, s.FromHash = win.run.From, hex.EncodeToString(win.run.FromHash)
	}
	_, filter, err := filterOf(t.TrailSpec)
	if err != nil {
		return nil, err
	}
	s.Whole = filter == ""
	var oldest, newest time.Time
	for _, o := range logs {
		d.LogFiles = append(d.LogFiles, trailfile.LogFile{
			Bucket: o.Bucket, Object: o.Key, Hash: o.Hash, Algorithm: trailfile.HashAlgorithm, NewestEventTime: trailfile.Time(o.Newest), OldestEventTime: trailfile.Time(o.Oldest),
			Part: &trailfile.LogNum{From: o.FromSeq, To: o.ToSeq, Events: o.Events},
		})
		s.Whole = s.Whole && o.Filter == ""
		newest = later(newest, o.Newest)
		if oldest.IsZero() || o.Oldest.Before(oldest) {
			oldest = o.Oldest
		}
	}
	if len(logs) > 0 {
		d.NewestEventTime, d.OldestEventTime = new(trailfile.Time(newest)), new(trailfile.Time(oldest))
	}
	if last.N > 0 {
		d.PreviousBucket, d.PreviousObject, d.PreviousHash = &last.Bucket, &last.Key, &last.Hash
		d.PreviousHashAlgorithm, d.PreviousSignature = new(trailfile.HashAlgorithm), &last.Signature
	}
	d.Stretch = s
	return d, nil
}
