package trailfile

import (
	"bytes"
	"encoding/json"
	"time"
)

// PruneEvent is the event that tells that files were deleted by policy, and who its source is.
const (
	PruneEvent  = "PruneTrailFiles"
	pruneSource = "sallyport"
)

// Gone is the last digest up to which a trail's files were deleted by policy. Its members are those of the event's details.
type Gone struct {
	Key       string `json:"digestS3Object"`
	Hash      string `json:"hashValue"`
	Signature string `json:"signature"`
	To        int64  `json:"toSeq"`
	ToHash    string `json:"toHash"`
	Policy    string `json:"policy"`
	// Said is what says so, for people.
	Said string `json:"-"`
}

// of is the end of the digest, and whether it is one of a trail.
func (g Gone) of(trail string) (end time.Time, ok bool) {
	p, _ := PlaceOf(g.Key)
	end, ok = p.DigestEnd(g.Key)
	return end, ok && p.Trail == trail
}

// told reads from a log file up to where it says that files were deleted.
func told(plain []byte, object string) (list []Gone) {
	if !bytes.Contains(plain, []byte(PruneEvent)) {
		return nil
	}
	_ = Records(plain, func(event []byte) error { // that it is a log file was seen before
		var e struct {
			EventSource, EventName, EventID string
			ServiceEventDetails             Gone
		}
		if bytes.Contains(event, []byte(PruneEvent)) && json.Unmarshal(event, &e) == nil && e.EventName == PruneEvent && e.EventSource == pruneSource {
			e.ServiceEventDetails.Said = "the event " + PruneEvent + " " + e.EventID + " in " + object
			list = append(list, e.ServiceEventDetails)
		}
		return nil
	})
	return list
}

// begin puts aside the digests up to the last that was deleted by policy, as far as they are still there: nothing rests on them.
func (t *chainOf) begin(list []Gone) {
	for _, g := range list {
		if end, ok := g.of(t.name); ok && (t.gone == nil || end.After(t.goneAt)) {
			t.gone, t.goneAt = &g, end
		}
	}
	n := 0
	for n < len(t.digests) && t.gone != nil && !t.digests[n].end.After(t.goneAt) {
		n++
	}
	t.left, t.digests = append(t.left, t.digests[:n]...), t.digests[n:]
}

// evidence is up to where the files themselves say that others were deleted: such as lie in a log file that a signed digest lists.
func (t *chainOf) evidence() (list []Gone) {
	for _, f := range t.digests {
		if f.signed {
			list = append(list, f.told...)
		}
	}
	return list
}

// expired tells whether policy may have deleted a file by now, by the time in its key.
func (c *Check) expired(at time.Time, ok bool) bool { return ok && at.Before(c.Due) }

// expiredDigest tells so of a digest.
func (c *Check) expiredDigest(key string) bool {
	p, _ := PlaceOf(key)
	return c.expired(p.DigestEnd(key))
}

// first looks at the oldest digest. One that follows on another needs a reason that that is not there.
func (c *Check) first(f *found, t *chainOf, r *Report) {
	if f.d.PreviousObject == nil {
		return
	}
	previous, gone := *f.d.PreviousObject, t.gone
	if !c.From.IsZero() && (gone == nil || t.goneAt.Before(c.From)) {
		return // it was not asked for
	}
	switch {
	case f != t.digests[0]:
		f.report.fault(ChainBroken, f.key, 0, "the digest before it cannot be read")
	case gone != nil && previous == gone.Key:
		f.after(gone, r)
	case !c.expiredDigest(previous):
		f.report.fault(DigestMissing, previous, 0, "the oldest digest, %s, follows on it", f.key)
	}
}

// after holds the oldest digest against the last that was deleted.
func (f *found) after(gone *Gone, r *Report) {
	if f.d.PreviousSignature == nil || *f.d.PreviousSignature != gone.Signature || f.d.PreviousHash == nil || *f.d.PreviousHash != gone.Hash {
		f.report.fault(ChainBroken, f.key, 0, "it does not follow on the digest %s that was deleted by policy: so says %s", gone.Key, gone.Said)
		return
	}
	if s := f.d.Stretch; s != nil && (s.From < gone.To || s.From == gone.To && !SameHash(s.FromHash, gone.ToHash)) {
		f.report.fault(EventsChanged, f.key, s.From, "the audit log's chain at event %d is not that of the digest that was deleted by policy", s.From)
	}
	r.note("it begins at %s: what was before was deleted by policy (%s), as %s says", f.key, gone.Policy, gone.Said)
}
