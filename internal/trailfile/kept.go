package trailfile

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/internal/bucket"
)

// stored holds the files against what the server has recorded, and that against the audit log as it is now.
func (c *Check) stored(t *chainOf, r *Report) {
	byKey := make(map[string]*found, len(t.digests))
	for _, f := range t.digests {
		byKey[f.key] = f
	}
	for _, row := range c.Rows {
		if !row.Written || row.Trail != t.name || !c.inTime(row.At) {
			continue
		}
		if row.StoreHash != "" && !SameHash(row.StoreHash, row.ToHash) {
			r.fault(StoreDiffers, row.Key, row.To, "the audit log's chain at event %d is another now than when this digest was signed", row.To)
		}
		f := byKey[row.Key]
		switch {
		case f == nil && row.At.Before(c.Due):
			r.Gone++
		case f == nil:
			r.fault(DigestMissing, row.Key, row.To, "the server has written it, and it is not there")
		case f.d != nil && (f.hash != row.Hash || f.signature != row.Signature):
			r.fault(ChainBroken, row.Key, row.To, "it is not the one that the server has written")
		}
	}
}

// Kept is the chain as a copy elsewhere has it: a sink's JSON lines, or digests that were put aside.
type Kept struct {
	marks  map[int64]mark
	last   int64
	newest time.Time
	// Name says what it is.
	Name string
}

// mark is the chain at an event, and when that was.
type mark struct {
	hash [sha256.Size]byte
	at   int64 // seconds; 0: unknown
}

// KeptAt is the chain at one event.
func KeptAt(name string, seq int64, hash []byte) *Kept {
	k := &Kept{marks: map[int64]mark{}, Name: name}
	k.put(seq, hex.EncodeToString(hash), time.Time{})
	k.last = 0 // it says nothing of what followed
	return k
}

// ReadLines reads a sink's JSON lines: each ends with the number of its event and the chain there.
func ReadLines(name string, r io.Reader) (*Kept, error) {
	k := &Kept{marks: map[int64]mark{}, Name: name}
	lines := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var l struct {
				Sallyport struct {
					Seq  int64
					Hash string
				}
			}
			i := bytes.LastIndex(line, []byte(`,"sallyport":{`))
			if i < 0 || json.Unmarshal(append([]byte("{"), line[i+1:]...), &l) != nil {
				return nil, fmt.Errorf("line %d of %s is no event with the chain's head", n, name)
			}
			k.put(l.Sallyport.Seq, l.Sallyport.Hash, eventTime(line))
		}
		if errors.Is(err, io.EOF) {
			return k, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
}

// ReadDigests reads the heads of digests that were put aside, whatever else is with them.
func ReadDigests(ctx context.Context, name string, b bucket.Bucket) (*Kept, error) {
	k := &Kept{marks: map[int64]mark{}, Name: name}
	for after, more := "", true; more; {
		var page []bucket.Object
		var err error
		if page, more, err = b.List(ctx, "", after, listPage); err != nil {
			return nil, fmt.Errorf("list %s: %w", name, err)
		}
		for _, o := range page {
			after = o.Key
			if !bytes.Contains([]byte(o.Key), []byte("_CloudTrail-Digest_")) {
				continue
			}
			if d := aside(ctx, b, o.Key); d != nil && d.Stretch != nil {
				k.put(d.Stretch.From, d.Stretch.FromHash, time.Time{})
				k.put(d.Stretch.To, d.Stretch.ToHash, time.Time{})
			}
		}
		more = more && len(page) > 0
	}
	return k, nil
}

func aside(ctx context.Context, b bucket.Bucket, key string) *Digest {
	o, err := b.Get(ctx, key)
	if err != nil {
		return nil
	}
	defer o.Close()
	plain, err := Expand(o)
	if err != nil {
		return nil
	}
	d, err := ParseDigest(plain)
	if err != nil {
		return nil
	}
	return d
}

func (k *Kept) put(seq int64, hash string, at time.Time) {
	c, ok := newChain(seq, hash)
	if !ok || seq == 0 {
		return
	}
	m := mark{hash: c.hash}
	if !at.IsZero() {
		m.at = at.Unix()
		if at.After(k.newest) {
			k.newest = at
		}
	}
	k.marks[seq] = m
	k.last = max(k.last, seq)
}

// eventTime finds the time of an event in its JSON.
func eventTime(line []byte) time.Time {
	const name = `"eventTime":"`
	_, rest, ok := bytes.Cut(line, []byte(name))
	if !ok {
		return time.Time{}
	}
	value, _, _ := bytes.Cut(rest, []byte{'"'})
	at, _ := time.Parse(time.RFC3339, string(value)) // zero where it is none
	return at
}

// Len is at how many events it knows the chain.
func (k *Kept) Len() int { return len(k.marks) }

// event holds an event of a log file against the copy. Where they part, the first event says so, and no other of its file.
func (k *Kept) event(ch *chain, object string, r *Report) error {
	if k == nil {
		return nil
	}
	kept, ok := k.marks[ch.seq]
	if ok && kept.hash != ch.hash && !slicesHas(r.Faults, Rewritten, object) {
		r.fault(Rewritten, object, ch.seq, "event %d, or one before it, is another in %s", ch.seq, k.Name)
	}
	return nil
}

func slicesHas(list []Fault, kind, object string) bool {
	for _, f := range list {
		if f.Kind == kind && f.Object == object {
			return true
		}
	}
	return false
}

// hold compares the heads of digests with the copy, and looks for what only the copy has.
func (k *Kept) hold(list []*found, r *Report) {
	if k == nil {
		return
	}
	last := int64(0)
	for _, f := range list {
		if f.d == nil || f.d.Stretch == nil {
			continue
		}
		s := f.d.Stretch
		last = max(last, s.To)
		for _, end := range []struct {
			seq  int64
			hash string
		}{{s.From, s.FromHash}, {s.To, s.ToHash}} {
			if kept, ok := k.marks[end.seq]; ok && !kept.is(end.hash) {
				r.fault(Rewritten, f.key, end.seq, "the chain at event %d is another in %s", end.seq, k.Name)
			}
		}
	}
	if k.last > last && len(list) > 0 { // no digest at all is a fault already
		k.beyond(list[len(list)-1], last, r)
	}
}

func (m mark) is(hash string) bool {
	c, ok := newChain(0, hash)
	return ok && c.hash == m.hash
}

// beyond judges that the copy has events that no digest stands for: some are too new for that, if the copy's newest is now.
func (k *Kept) beyond(newest *found, last int64, r *Report) {
	next, ok := k.marks[last+1]
	switch {
	case newest.d == nil:
	case newest.closed():
		r.note("%s has events up to %d, and logging was stopped at %d", k.Name, k.last, last)
	case ok && next.at != 0 && k.newest.Sub(time.Unix(next.at, 0)) > newest.late():
		r.fault(EndMissing, newest.key, last+1, "it is the newest digest, and %s has events since %s that none stands for", k.Name, Time(time.Unix(next.at, 0)))
	default:
		r.note("%s has events up to %d, and the digests up to %d", k.Name, k.last, last)
	}
}
