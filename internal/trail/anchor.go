package trail

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/trailfile"
)

// Pruned is up to where files of a trail were deleted by policy, and after which number its own digests begin. Where none of its own were,
// it is that of an older trail of the name, whose files lie in the same bucket; the zero one: no file was deleted.
func Pruned(tx *store.Tx, t store.LogTrail) (a store.TrailAnchor, after int64, err error) {
	a, err = tx.TrailAnchor(t.ID)
	if err == nil {
		return a, a.N, nil
	}
	if errors.Is(err, store.ErrNotFound) {
		a, err = tx.TrailAnchorIn(t.Bucket, t.Name)
	}
	if ignoreGone(err) != nil {
		return a, 0, fmt.Errorf("load anchor: %w", err)
	}
	return a, 0, nil
}

// gone is what a verification is told.
func gone(a store.TrailAnchor) trailfile.Gone {
	return trailfile.Gone{Key: a.Key, Hash: a.Hash, Signature: a.Signature, To: a.ToSeq, ToHash: hex.EncodeToString(a.ToHash), Policy: a.Policy, Said: "the database"}
}

// Expiry is the time from before which the files of trails may be deleted by policy; zero: none may.
func Expiry(in setting.Values, now time.Time) time.Time {
	if in.TrailRetention == 0 {
		return time.Time{}
	}
	return now.Add(-in.TrailRetention)
}
