package trailfile

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"sallyport/internal/bucket"
)

// logs verifies the log files that a digest lists and, where they hold all of their stretch, that they hold what the audit log did.
func (c *Check) logs(ctx context.Context, f *found) error {
	if f.d == nil {
		return nil
	}
	var ch *chain
	if s := f.d.Stretch; s != nil && s.Whole {
		ch, _ = newChain(s.From, s.FromHash)
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for _, l := range f.d.LogFiles {
		sound, err := c.log(ctx, f, l, ch, buf)
		if err != nil {
			return err
		}
		if !sound {
			ch = nil // what follows cannot be chained
		}
	}
	if s := f.d.Stretch; ch != nil && (ch.seq != s.To || !SameHash(ch.String(), s.ToHash)) {
		f.report.fault(EventsChanged, f.key, ch.seq, "its log files hold events up to %d with another chain than the audit log has at %d", ch.seq, s.To)
	}
	return nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// log verifies one log file.
func (c *Check) log(ctx context.Context, f *found, l LogFile, ch *chain, buf *[]byte) (sound bool, err error) {
	if l.Bucket != c.Name {
		f.report.note("%s lies in the bucket %s and was not looked at", l.Object, l.Bucket)
		return false, nil
	}
	o, err := c.Bucket.Get(ctx, l.Object)
	if errors.Is(err, bucket.ErrNotFound) && c.expired(c.Place.logTime(l.Object)) {
		f.report.Gone++
		return false, nil
	}
	if errors.Is(err, bucket.ErrNotFound) {
		f.report.fault(LogMissing, l.Object, 0, "the digest %s lists it", f.key)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", l.Object, err)
	}
	defer o.Close()
	plain, err := expandInto((*buf)[:0], o)
	*buf = plain
	f.report.Logs++
	f.report.Bytes += int64(len(plain))
	if err != nil {
		f.report.fault(LogUnreadable, l.Object, 0, "%v", err)
		return false, nil
	}
	if sum := sha256.Sum256(plain); hex.EncodeToString(sum[:]) != l.Hash {
		f.report.fault(LogChanged, l.Object, 0, "its contents are not those that the digest %s lists", f.key)
		return false, nil
	}
	n := int64(0)
	err = Records(plain, func(event []byte) error {
		n++
		if ch != nil {
			ch.add(event)
			return c.Kept.event(ch, l.Object, &f.report)
		}
		return nil
	})
	f.report.Events += n
	if err != nil {
		f.report.fault(LogUnreadable, l.Object, 0, "%v", err)
		return false, nil
	}
	if l.Part != nil && l.Part.Events != n {
		f.report.fault(LogChanged, l.Object, 0, "it holds %d events, and the digest says %d", n, l.Part.Events)
	}
	if c.Rows == nil {
		f.told = append(f.told, told(plain, l.Object)...)
	}
	return true, nil
}

// maxPlain bounds a log file that is read: CloudTrail's own are of 50 MB compressed.
const maxPlain = 1 << 30

// expandInto is Expand into a buffer that is used again.
func expandInto(buf []byte, r io.Reader) ([]byte, error) {
	in := &counted{r: r}
	z, err := gzip.NewReader(in)
	if err != nil {
		return buf, fmt.Errorf("expand: %w", err)
	}
	z.Multistream(false)
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(1<<20, len(buf)/2))
		}
		n, err := z.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buf, in.atEnd()
		case err != nil:
			return buf, fmt.Errorf("expand: %w", err)
		case len(buf) > maxPlain:
			return buf, fmt.Errorf("expand: more than %d bytes", maxPlain)
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// unlisted finds log files that no digest lists, but for those that are newer than all digests or that the server knows.
func (c *Check) unlisted(ctx context.Context, trails []*chainOf, listed map[string]bool, r *Report) error {
	if c.Ours == nil && (!c.From.IsZero() || !c.To.IsZero() || c.Place.Trail != "") {
		return nil // the digests of another time, or of another trail, may list them
	}
	newest, closed := time.Time{}, true // where all is closed, nothing waits for a digest
	for _, t := range trails {
		if n := len(t.digests); n > 0 {
			last := t.digests[n-1]
			newest, closed = latest(newest, last.end), closed && last.d != nil && last.closed()
		}
	}
	var unsure []string
	err := c.each(ctx, c.Place.Logs(), func(o bucket.Object) {
		at, ok := c.Place.logTime(o.Key)
		switch {
		case listed[o.Key] || ok && !c.inTime(at):
		case c.Ours != nil || closed || !ok || at.Before(newest.Truncate(time.Minute)):
			unsure = append(unsure, o.Key)
		}
	})
	if err != nil || len(unsure) == 0 {
		return err
	}
	ours := map[string]bool{}
	if c.Ours != nil {
		if ours, err = c.Ours(ctx, unsure); err != nil {
			return fmt.Errorf("look log files up: %w", err)
		}
	}
	for _, key := range unsure {
		if !ours[key] {
			r.fault(LogUnlisted, key, 0, "no digest lists it: it was added, or written while validation was off")
		}
	}
	return nil
}
