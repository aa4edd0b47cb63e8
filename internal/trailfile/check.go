package trailfile

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sallyport/internal/bucket"
)

// Key is a public key that digests may be signed with.
type Key struct {
	Fingerprint string
	Public      []byte // PKCS #1
}

// Row is a digest as the server has recorded it. It shows what was removed from the end, which files alone cannot.
type Row struct {
	Trail     string
	Key       string
	At        time.Time
	From, To  int64
	ToHash    string
	StoreHash string // the chain in the database at To now; empty: the event is not there
	Hash      string
	Signature string
	Written   bool
}

// Check verifies the trails of a bucket.
type Check struct {
	Bucket bucket.Bucket
	Name   string // of the bucket; empty: what most digests say
	Place  Place  // Trail may be empty: all trails of the place
	Keys   []Key
	// From and To bound the time; zero: all of it. Digests that end in between are checked, and what they list.
	From, To time.Time
	// Now is when newest digests are expected; zero: none are.
	Now time.Time
	// Rows are what the server has recorded of the digests of its trails; nil: nothing is known.
	Rows []Row
	// Gone tells up to where files were deleted by policy, as the server has recorded it. Where Rows are nil, the files' own events tell.
	Gone []Gone
	// Due is the time from before which files may be deleted by policy, by the server or by the bucket's own rule: that one is not
	// there is no fault. Zero: none may.
	Due time.Time
	// Ours tells which of some keys of log files the server has written; nil: only digests tell.
	Ours func(ctx context.Context, keys []string) (map[string]bool, error)
	// Stores tell by trail how far the audit log has come beyond the files; nil: it is not known.
	Stores map[string]*Store
	// Kept tells of the chain at an event, as a copy elsewhere has it; nil: there is none.
	Kept     *Kept
	Parallel int // how many digests are looked at side by side; 0: one
	Progress func(digests, of int, bytes int64)

	keys map[string]*rsa.PublicKey
}

// Store tells of events that no file of a trail holds yet.
type Store struct {
	Written  int64     // the last that is in a file, or was left out
	Last     int64     // of the audit log
	Since    time.Time // of the first that is in none; zero: there is none
	Patience time.Duration
}

// found is a digest with what is known of it.
type found struct {
	key       string
	end       time.Time
	d         *Digest // nil: it cannot be read
	hash      string
	signature string
	signed    bool // by a key of the server's, and it lies where it was written
	told      []Gone
	report    Report
}

// Run verifies. The error is of reading; what is wrong with the files is in the report.
func (c *Check) Run(ctx context.Context) (*Report, error) {
	c.keys = map[string]*rsa.PublicKey{}
	for _, k := range c.Keys {
		public, err := x509.ParsePKCS1PublicKey(k.Public)
		if err != nil {
			return nil, fmt.Errorf("read public key %s: %w", k.Fingerprint, err)
		}
		c.keys[k.Fingerprint] = public
	}
	r := NewReport()
	trails, err := c.digests(ctx, r)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, t := range trails {
		r.Trails = append(r.Trails, t.name)
		if err := c.trail(ctx, t, r, listed); err != nil {
			return nil, err
		}
	}
	if len(trails) == 0 {
		if c.Rows != nil && !slices.ContainsFunc(c.Rows, func(row Row) bool { return row.Written && !row.At.Before(c.Due) }) {
			r.note("there is no digest yet, or policy has deleted them")
		} else {
			r.fault(EndMissing, c.Place.Digests(), 0, "there is no digest")
		}
	}
	if err := c.unlisted(ctx, trails, listed, r); err != nil {
		return nil, err
	}
	r.order()
	return r, nil
}

// chainOf are the digests of a trail, oldest first.
type chainOf struct {
	name    string
	digests []*found
	left    []*found // those that policy has deleted, or is to delete, and that are still there
	gone    *Gone    // up to where it has; nil: no file
	goneAt  time.Time
}

// listPage is how many keys are asked for at once.
const listPage = 1000

// digests finds the digests in the bucket, trail by trail.
func (c *Check) digests(ctx context.Context, r *Report) (trails []*chainOf, err error) {
	byName := map[string]*chainOf{}
	err = c.each(ctx, c.Place.Digests(), func(o bucket.Object) {
		p := c.Place
		if p.Trail == "" {
			p.Trail = trailOf(p, o.Key)
		}
		end, ok := p.DigestEnd(o.Key)
		if !ok && c.Place.Trail == "" {
			r.fault(ObjectUnknown, o.Key, 0, "it is no digest of any trail")
		}
		if !ok || !c.inTime(end) {
			return
		}
		t := byName[p.Trail]
		if t == nil {
			t = &chainOf{name: p.Trail}
			byName[p.Trail] = t
			trails = append(trails, t)
		}
		t.digests = append(t.digests, &found{key: o.Key, end: end})
	})
	for _, row := range c.Rows { // a trail that has lost all of them is known yet
		if byName[row.Trail] == nil && row.Written && c.inTime(row.At) && !row.At.Before(c.Due) {
			byName[row.Trail] = &chainOf{name: row.Trail}
			trails = append(trails, byName[row.Trail])
		}
	}
	return trails, err
}

// inTime tells whether a digest is of the time that is looked at.
func (c *Check) inTime(end time.Time) bool {
	return (c.From.IsZero() || !end.Before(c.From)) && (c.To.IsZero() || !end.After(c.To))
}

// trailOf reads the name of a trail from the key of a digest.
func trailOf(p Place, key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	name, ok := strings.CutPrefix(name, p.Account+"_CloudTrail-Digest_"+p.Region+"_")
	i := strings.LastIndex(name, "_"+p.Region+"_")
	if !ok || i < 0 {
		return ""
	}
	return name[:i]
}

// each lists the objects whose keys begin with a prefix.
func (c *Check) each(ctx context.Context, prefix string, fn func(bucket.Object)) error {
	for after, more := "", true; more; {
		var page []bucket.Object
		var err error
		if page, more, err = c.Bucket.List(ctx, prefix, after, listPage); err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		for _, o := range page {
			fn(o)
			after = o.Key
		}
		more = more && len(page) > 0
	}
	return nil
}

// trail verifies the chain of one trail and all that it lists.
func (c *Check) trail(ctx context.Context, t *chainOf, r *Report, listed map[string]bool) error {
	if err := c.parallel(ctx, t.digests, c.load); err != nil {
		return err
	}
	if c.Name == "" {
		c.Name = usual(t.digests)
	}
	for _, f := range t.digests {
		c.sign(f)
	}
	t.begin(c.Gone)
	var mu sync.Mutex
	done, size := 0, int64(0)
	err := c.parallel(ctx, t.digests, func(ctx context.Context, f *found) error {
		if err := c.logs(ctx, f); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		done, size = done+1, size+f.report.Bytes
		if c.Progress != nil {
			c.Progress(done, len(t.digests), size)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.Rows == nil {
		t.begin(t.evidence())
	}
	if len(t.left) > 0 {
		r.note("%d digests that were deleted by policy are still there: nothing rests on them", len(t.left))
	}
	c.links(t, r)
	for _, f := range slices.Concat(t.left, t.digests) {
		if f.d == nil {
			continue
		}
		for _, l := range f.d.LogFiles {
			listed[l.Object] = true
		}
	}
	for _, f := range t.digests {
		r.add(&f.report)
		if f.d == nil {
			continue
		}
		if s := f.d.Stretch; s != nil {
			if r.From == 0 || s.From < r.From {
				r.From = s.From
			}
			if s.To >= r.To {
				r.To, r.Head = s.To, s.ToHash
			}
		}
	}
	c.end(t.digests, r)
	if s := c.Stores[t.name]; s != nil && !s.Since.IsZero() && c.Now.Sub(s.Since) > s.Patience {
		r.fault(NotHeld, "", s.Written+1, "events %d to %d of the audit log, since %s, are in no file", s.Written+1, s.Last, Time(s.Since))
	}
	c.stored(t, r)
	c.Kept.hold(t.digests, r)
	return nil
}

// usual is the bucket that most digests name as theirs.
func usual(list []*found) (name string) {
	count := map[string]int{}
	for _, f := range list {
		if f.d != nil {
			if count[f.d.Bucket]++; count[f.d.Bucket] > count[name] {
				name = f.d.Bucket
			}
		}
	}
	return name
}

// parallel runs fn for each digest. It ends with the first error.
func (c *Check) parallel(ctx context.Context, list []*found, fn func(context.Context, *found) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(1, c.Parallel))
	for _, f := range list {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := fn(ctx, f); err != nil {
				stop(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
