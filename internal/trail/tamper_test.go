package trail_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/bucket"
	"sallyport/internal/store"
	"sallyport/internal/trail"
	"sallyport/internal/trailfile"
)

// crime is a bucket that somebody changes.
type crime struct {
	*testing.T
	b       bucket.Bucket
	digests []string
	logs    []string
	key     *rsa.PrivateKey // the server's
}

func (c *crime) get(key string) (plain []byte, meta map[string]string) {
	c.Helper()
	o, err := c.b.Get(c.Context(), key)
	if err != nil {
		c.Fatal(err)
	}
	defer o.Close()
	if plain, err = trailfile.Expand(o); err != nil {
		c.Fatal(err)
	}
	return plain, o.Meta
}

func (c *crime) raw(key string) []byte {
	c.Helper()
	o, err := c.b.Get(c.Context(), key)
	if err != nil {
		c.Fatal(err)
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil {
		c.Fatal(err)
	}
	return b
}

func (c *crime) putRaw(key string, body []byte, meta map[string]string) {
	c.Helper()
	if err := c.b.Put(c.Context(), key, body, meta); err != nil {
		c.Fatal(err)
	}
}

func (c *crime) put(key string, plain []byte, meta map[string]string) {
	c.Helper()
	body, err := trailfile.Compress(plain)
	if err != nil {
		c.Fatal(err)
	}
	c.putRaw(key, body, meta)
}

func (c *crime) remove(keys ...string) {
	c.Helper()
	for _, k := range keys {
		if err := c.b.Delete(c.Context(), k); err != nil {
			c.Fatal(err)
		}
	}
}

// swap exchanges two objects, metadata included.
func (c *crime) swap(a, b string) {
	c.Helper()
	x, metaX := c.get(a)
	y, metaY := c.get(b)
	c.put(a, y, metaY)
	c.put(b, x, metaX)
}

// sign signs a digest anew.
func (c *crime) sign(d *trailfile.Digest, key *rsa.PrivateKey) {
	c.Helper()
	d.Fingerprint = trail.Fingerprint(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	plain, err := d.Encode()
	if err != nil {
		c.Fatal(err)
	}
	sum := sha256.Sum256(d.Signed(plain))
	s, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		c.Fatal(err)
	}
	c.put(d.Object, plain, map[string]string{"signature": hex.EncodeToString(s), "signature-algorithm": "SHA256withRSA"})
}

// rewrite changes an event of the first log file, and everything after it that proves so, as the thief of the server's key can. With
// chains it changes the heads of the log's chain too.
func (c *crime) rewrite(chains bool) {
	c.Helper()
	var before *trailfile.Digest
	var hash, signature string
	for i, key := range c.digests {
		plain, _ := c.get(key)
		d, err := trailfile.ParseDigest(plain)
		if err != nil {
			c.Fatal(err)
		}
		if before != nil {
			d.PreviousHash, d.PreviousSignature = &hash, &signature
			if chains {
				d.Stretch.FromHash = before.Stretch.ToHash
			}
		}
		head := d.Stretch.FromHash
		seq := d.Stretch.From
		for j := range d.LogFiles {
			l := &d.LogFiles[j]
			log, _ := c.get(l.Object)
			if i == 0 && j == 0 {
				log = bytes.Replace(log, []byte("Event1"), []byte("Event7"), 1)
				c.put(l.Object, log, nil)
			}
			sum := sha256.Sum256(log)
			l.Hash = hex.EncodeToString(sum[:])
			if err := trailfile.Records(log, func(e []byte) error { seq++; head = next(head, seq, e); return nil }); err != nil {
				c.Fatal(err)
			}
		}
		if chains {
			d.Stretch.ToHash = head
		}
		c.sign(d, c.key)
		plain, meta := c.get(key)
		sum := sha256.Sum256(plain)
		before, hash, signature = d, hex.EncodeToString(sum[:]), meta["signature"]
	}
}

// next is the audit log's chain, written out once more: SHA-256(previous ‖ number ‖ event).
func next(head string, seq int64, event []byte) string {
	b := make([]byte, 32)
	if head != "" {
		b, _ = hex.DecodeString(head)
	}
	b = append(b, fmt.Appendf(nil, "%c%c%c%c", 0, 0, 0, 0)...)
	b = append(b, byte(seq>>24), byte(seq>>16), byte(seq>>8), byte(seq))
	sum := sha256.Sum256(append(b, event...))
	return hex.EncodeToString(sum[:])
}

// tampering are ways to change a trail's files, and what must be found.
var tampering = map[string]struct {
	do      func(c *crime)
	want    string // by the files alone
	against string // with a copy of the log
}{
	"nothing":     {do: func(*crime) {}},
	"log deleted": {do: func(c *crime) { c.remove(c.logs[0]) }, want: trailfile.LogMissing},
	"log edited": {do: func(c *crime) {
		p, _ := c.get(c.logs[0])
		c.put(c.logs[0], bytes.Replace(p, []byte("Event1"), []byte("Event2"), 1), nil)
	}, want: trailfile.LogChanged},
	"logs exchanged": {do: func(c *crime) { c.swap(c.logs[0], c.logs[1]) }, want: trailfile.LogChanged},
	"log renamed": {do: func(c *crime) {
		p, _ := c.get(c.logs[0])
		c.put(c.logs[0][:len(c.logs[0])-12]+"AAAA.json.gz", p, nil)
		c.remove(c.logs[0])
	}, want: trailfile.LogMissing},
	"log cut":               {do: func(c *crime) { b := c.raw(c.logs[0]); c.putRaw(c.logs[0], b[:len(b)-6], nil) }, want: trailfile.LogUnreadable},
	"bytes behind a log":    {do: func(c *crime) { c.putRaw(c.logs[0], append(c.raw(c.logs[0]), "more"...), nil) }, want: trailfile.LogUnreadable},
	"a stream behind a log": {do: func(c *crime) { c.putRaw(c.logs[0], append(c.raw(c.logs[0]), c.raw(c.logs[1])...), nil) }, want: trailfile.LogUnreadable},
	"log added":             {do: func(c *crime) { p, _ := c.get(c.logs[1]); c.put(c.logs[0][:len(c.logs[0])-12]+"AAAA.json.gz", p, nil) }, want: trailfile.LogUnlisted},
	"digest deleted":        {do: func(c *crime) { c.remove(c.digests[2]) }, want: trailfile.DigestMissing},
	"digest edited": {do: func(c *crime) {
		p, m := c.get(c.digests[2])
		c.put(c.digests[2], bytes.Replace(p, []byte("T1"), []byte("T0"), 1), m)
	}, want: trailfile.SignatureInvalid},
	"digests exchanged": {do: func(c *crime) { c.swap(c.digests[1], c.digests[2]) }, want: trailfile.DigestMoved},
	"digest moved": {do: func(c *crime) {
		p, m := c.get(c.digests[3])
		c.remove(c.digests[3])
		c.put(strings.Replace(c.digests[3], "0000Z.json", "3000Z.json", 1), p, m)
	}, want: trailfile.DigestMoved},
	"digest renamed": {do: func(c *crime) {
		p, m := c.get(c.digests[5])
		c.remove(c.digests[5])
		c.put(strings.Replace(c.digests[5], "0000Z.json", "0000Z.old.json", 1), p, m)
	}, want: trailfile.ObjectUnknown},
	"signatures exchanged": {do: func(c *crime) { p, _ := c.get(c.digests[1]); _, m := c.get(c.digests[2]); c.put(c.digests[1], p, m) }, want: trailfile.SignatureInvalid},
	"signature removed":    {do: func(c *crime) { p, _ := c.get(c.digests[1]); c.remove(c.digests[1]); c.put(c.digests[1], p, nil) }, want: trailfile.SignatureMissing},
	"digest cut": {do: func(c *crime) {
		b := c.raw(c.digests[1])
		_, m := c.get(c.digests[1])
		c.putRaw(c.digests[1], b[:len(b)/2], m)
	}, want: trailfile.DigestUnreadable},
	"bytes behind a digest":   {do: func(c *crime) { _, m := c.get(c.digests[1]); c.putRaw(c.digests[1], append(c.raw(c.digests[1]), 0), m) }, want: trailfile.DigestUnreadable},
	"newest digests removed":  {do: func(c *crime) { c.remove(c.digests[3:]...) }, want: trailfile.EndMissing, against: trailfile.EndMissing},
	"oldest digests removed":  {do: func(c *crime) { c.remove(c.digests[:2]...) }, want: trailfile.DigestMissing},
	"newest logs and digests": {do: func(c *crime) { c.remove(c.digests[2:]...); c.remove(c.logs[2:]...) }, want: trailfile.EndMissing, against: trailfile.EndMissing},
	"everything":              {do: func(c *crime) { c.remove(c.digests...); c.remove(c.logs...) }, want: trailfile.EndMissing},
	"history by the key":      {do: func(c *crime) { c.rewrite(false) }, want: trailfile.EventsChanged, against: trailfile.Rewritten},
	"history with its chain":  {do: func(c *crime) { c.rewrite(true) }, against: trailfile.Rewritten},
	"signed by a foreign key": {do: foreign, want: trailfile.KeyUnknown},
	"foreign key, known name": {do: impostor, want: trailfile.SignatureInvalid},
	"newest signed to be last": {do: func(c *crime) {
		p, _ := c.get(c.digests[3])
		d, _ := trailfile.ParseDigest(p)
		c.remove(c.digests[3:]...)
		d.PreviousObject = nil
		c.sign(d, c.key)
	}, want: trailfile.ChainBroken},
}

func foreign(c *crime) {
	p, _ := c.get(c.digests[1])
	d, err := trailfile.ParseDigest(p)
	if err != nil {
		c.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.Fatal(err)
	}
	c.sign(d, other)
}

// impostor signs with a key of their own, and says that it is the server's.
func impostor(c *crime) {
	p, _ := c.get(c.digests[1])
	d, err := trailfile.ParseDigest(p)
	if err != nil {
		c.Fatal(err)
	}
	name := d.Fingerprint
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.Fatal(err)
	}
	c.sign(d, other)
	p, m := c.get(c.digests[1])
	c.put(c.digests[1], bytes.Replace(p, []byte(d.Fingerprint), []byte(name), 1), m)
}

// scene is a trail of six hours, of which one is empty, with two keys, and a copy of its log.
func scene(t *testing.T) (h *house, key *rsa.PrivateKey, lines []byte) {
	h = newHouse(t, morning)
	key = h.own()
	h.begin("main", nil)
	for i := range 6 {
		if i == 4 {
			h.rotate(key)
		}
		if i != 3 {
			h.happen(10)
		}
		h.at(morning.Truncate(time.Hour).Add(time.Duration(i+1) * time.Hour))
	}
	h.happen(3) // in no file yet
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 10_000)
		for _, e := range all {
			lines = append(lines, bytes.TrimSuffix(e.JSON, []byte("}"))...)
			lines = fmt.Appendf(lines, `,"sallyport":{"seq":%d,"hash":"%x"}}`+"\n", e.Seq, e.Hash)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, key, lines
}

// own gives the server a key that the test has too.
func (h *house) own() *rsa.PrivateKey {
	h.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		h.Fatal(err)
	}
	h.rotate(key)
	return key
}

// rotate has another key sign from now on, and then a test's own again: digests of one chain have two fingerprints.
func (h *house) rotate(key *rsa.PrivateKey) {
	h.Helper()
	public := x509.MarshalPKCS1PublicKey(&key.PublicKey)
	name := trail.Fingerprint(public)
	sealed := h.worker.Keys.Ring.SealRecord("trail_key", "private", name, x509.MarshalPKCS1PrivateKey(key))
	h.update(func(tx *store.Tx) error {
		return tx.PutTrailKey(store.TrailKey{Fingerprint: name, Public: public, Private: sealed, StartsAt: tx.Now(), EndsAt: tx.Now().Add(90 * 24 * time.Hour)})
	})
}

func TestTampering(t *testing.T) {
	t.Parallel()
	h, key, lines := scene(t)
	for name, c := range tampering {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(h.dir, bucketName))); err != nil {
				t.Fatal(err)
			}
			b, err := bucket.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			scene := &crime{T: t, b: b, key: key}
			for _, k := range h.objects() {
				if strings.Contains(k, "-Digest_") {
					scene.digests = append(scene.digests, k)
				} else {
					scene.logs = append(scene.logs, k)
				}
			}
			c.do(scene)
			kinds := func(check *trailfile.Check) []string {
				check.Bucket = b
				r, err := check.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var kinds []string
				for _, f := range r.Faults {
					kinds = append(kinds, f.Kind)
					if testing.Verbose() {
						t.Log(f)
					}
				}
				return kinds
			}
			if got := kinds(h.check()); c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("by the files alone: %q, want %q", got, c.want)
			}
			against := h.check()
			if against.Kept, err = trailfile.ReadLines("the copy", bytes.NewReader(lines)); err != nil {
				t.Fatal(err)
			}
			if got := kinds(against); c.against != "" && !slices.Contains(got, c.against) || name == "nothing" && len(got) > 0 {
				t.Errorf("against a copy: %q, want %q", got, c.against)
			}
			if got := h.known(t, b); len(got) == 0 != (name == "nothing") {
				t.Errorf("by what the server knows: %q", got)
			}
		})
	}
}

// known is what a verification finds that knows what the server has written.
func (h *house) known(t *testing.T, b bucket.Bucket) (kinds []string) {
	t.Helper()
	c := h.check()
	c.Bucket = b
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		tr, err := tx.TrailByName("main")
		if err != nil {
			return err
		}
		c.Rows = nil
		rows, err := tx.TrailDigests(tr.ID, 0, 1000)
		for _, r := range rows {
			c.Rows = append(c.Rows, trail.DigestRow("main", r))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}

// TestFaultsAreNamed: a report is JSON, and each fault has the file's key or the event's number.
func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	h, _, _ := scene(t)
	if err := h.bucket().Delete(t.Context(), h.objects()[0]); err != nil {
		t.Fatal(err)
	}
	r := h.run(h.check())
	text, err := json.Marshal(r)
	if err != nil || len(r.Faults) == 0 || !strings.Contains(string(text), `"object":"AWSLogs/`) {
		t.Errorf("%s, %v", text, err)
	}
}
