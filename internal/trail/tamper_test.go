package trail_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
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
