package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// trailed is a server with a trail whose files come every second or two.
type trailed struct {
	*server
	*awsUser
	arn   string
	began time.Time
}

const trailBucket = "audit-logs"

func startTrail(t *testing.T) *trailed {
	t.Helper()
	s := startDev(t)
	tr := &trailed{server: s, awsUser: s.operator(), began: time.Now().Add(-time.Minute).UTC()}
	tr.run("settings", "set", "trail.log-every", "1s")
	tr.run("settings", "set", "trail.digest-every", "2s")
	tr.run("trail", "bucket", "add", trailBucket)
	var made struct{ TrailARN string }
	tr.aws(&made, "cloudtrail", "create-trail", "--name", "main", "--s3-bucket-name", trailBucket, "--enable-log-file-validation")
	tr.aws(nil, "cloudtrail", "start-logging", "--name", "main")
	tr.arn = made.TrailARN
	return tr
}

// run runs a command of the program against the server, which must succeed.
func (tr *trailed) run(args ...string) string {
	tr.server.tb.Helper()
	return start(tr.server.tb, sallyport(tr.server.tb, tr.server.dir, append(args, "--data", tr.server.dir)...)).wait()
}

// verify runs sallyport audit verify, and tells what it prints and whether it is content.
func (tr *trailed) verify(args ...string) (said string, sound bool) {
	tr.server.tb.Helper()
	out, err := sallyport(tr.server.tb, tr.server.dir, append([]string{"audit", "verify", "--data", tr.server.dir}, args...)...).CombinedOutput()
	return string(out), err == nil
}

// validate runs the AWS CLI's own check.
func (tr *trailed) validate() (said string, sound bool) {
	tr.server.tb.Helper()
	cmd := tr.awsUser.command("/usr/bin/aws", "cloudtrail", "validate-logs", "--trail-arn", tr.arn, "--start-time", tr.began.Format(time.RFC3339))
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// files are the keys of what is in the bucket.
func (tr *trailed) files() (digests, logs []string) {
	tr.server.tb.Helper()
	root := filepath.Join(tr.server.dir, "trails", trailBucket)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, ".meta") {
			return err
		}
		if strings.Contains(path, "CloudTrail-Digest") {
			digests = append(digests, path)
		} else {
			logs = append(logs, path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tr.server.tb.Fatal(err)
	}
	slices.Sort(digests)
	slices.Sort(logs)
	return digests, logs
}

// await waits until there are as many digests, and calls the server meanwhile, so that there is something to log.
func (tr *trailed) await(digests int) {
	tr.server.tb.Helper()
	ctx, cancel := context.WithTimeout(tr.server.tb.Context(), patience)
	defer cancel()
	for {
		if d, l := tr.files(); len(d) >= digests && len(l) >= digests {
			return
		}
		tr.run("clients", "list")
		select {
		case <-ctx.Done():
			tr.server.tb.Fatal("the trail's files do not come")
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (tr *trailed) read(path string) []byte {
	tr.server.tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tr.server.tb.Fatal(err)
	}
	return b
}

func (tr *trailed) write(path string, b []byte) {
	tr.server.tb.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tr.server.tb.Fatal(err)
	}
}

func (tr *trailed) remove(paths ...string) {
	tr.server.tb.Helper()
	for _, p := range paths {
		if err := os.Remove(p); err != nil {
			tr.server.tb.Fatal(err)
		}
	}
}

// swap exchanges two files.
func (tr *trailed) swap(a, b string) {
	tr.server.tb.Helper()
	x, y := tr.read(a), tr.read(b)
	tr.write(a, y)
	tr.write(b, x)
}

// edit changes what is compressed in a file.
func (tr *trailed) edit(path, from, to string) {
	tr.server.tb.Helper()
	plain := bytes.Replace(gunzip(tr.server.tb, tr.read(path)), []byte(from), []byte(to), 1)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		tr.server.tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tr.server.tb.Fatal(err)
	}
	tr.write(path, b.Bytes())
}

func gunzip(tb testing.TB, b []byte) []byte {
	tb.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return plain
}

// TestTrailTampering: the AWS CLI's own validate-logs accepts a trail, with a rotation of keys in it and an hour's worth of nothing, and
// reports what was done to it; sallyport audit verify reports all of it.
func TestTrailTampering(t *testing.T) {
	t.Parallel()
	tr := startTrail(t)
	tr.await(2)
	tr.run("trail", "rotate-key")
	tr.await(6)
	time.Sleep(5 * time.Second) // digests without a log
	tr.aws(nil, "cloudtrail", "stop-logging", "--name", "main")
	tr.closed()
	if said, sound := tr.validate(); !sound || !strings.Contains(said, "digest files valid") || strings.Contains(said, "INVALID") {
		t.Fatalf("validate-logs on a clean trail: %s", said)
	}
	if said, sound := tr.verify("--against", filepath.Join(tr.server.dir, "audit.jsonl")); !sound {
		t.Fatalf("audit verify on a clean trail: %s", said)
	}
	root := filepath.Join(tr.server.dir, "trails", trailBucket)
	clean := filepath.Join(t.TempDir(), "clean")
	if err := os.CopyFS(clean, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	for name, c := range trailTampering {
		t.Run(name, func(t *testing.T) {
			digests, logs := tr.files()
			c.do(tr, digests, logs)
			if said, sound := tr.verify(); sound || !strings.Contains(said, c.ours) {
				t.Errorf("audit verify does not say %q: %s", c.ours, said)
			}
			if said, sound := tr.validate(); sound != (c.cli == "") || !strings.Contains(said, c.cli) {
				t.Errorf("validate-logs does not say %q: %s", c.cli, said)
			}
			if err := os.RemoveAll(root); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(root, os.DirFS(clean)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if said, sound := tr.verify(); !sound {
		t.Errorf("after all was put back: %s", said)
	}
}

// closed waits until the trail's last digest is there.
func (tr *trailed) closed() {
	tr.server.tb.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if d, _ := tr.files(); len(d) > 0 && bytes.Contains(gunzip(tr.server.tb, tr.read(d[len(d)-1])), []byte(`"closing":true`)) {
			time.Sleep(time.Second) // its record follows
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	tr.server.tb.Fatal("the last digest does not come")
}

// trailTampering are ways to change a trail's files: what sallyport audit verify says, and what the AWS CLI does; "": it accepts it.
var trailTampering = map[string]struct {
	do        func(tr *trailed, digests, logs []string)
	ours, cli string
}{
	"log deleted":        {func(tr *trailed, _, l []string) { tr.remove(l[1]) }, "log-missing", "INVALID: not found"},
	"log edited":         {func(tr *trailed, _, l []string) { tr.edit(l[1], `"eventName"`, `"eventMane"`) }, "log-changed", "INVALID: hash value doesn't match"},
	"logs exchanged":     {func(tr *trailed, _, l []string) { tr.swap(l[0], l[1]) }, "log-changed", "INVALID: hash value doesn't match"},
	"log cut":            {func(tr *trailed, _, l []string) { b := tr.read(l[1]); tr.write(l[1], b[:len(b)/2]) }, "log-unreadable", "INVALID"},
	"bytes behind a log": {func(tr *trailed, _, l []string) { tr.write(l[1], append(tr.read(l[1]), "more"...)) }, "log-unreadable", ""},
	"log added": {func(tr *trailed, _, l []string) {
		tr.write(strings.Replace(l[1], ".json.gz", "X.json.gz", 1), tr.read(l[1]))
	}, "log-unlisted", ""},
	"digest deleted":       {func(tr *trailed, d, _ []string) { tr.remove(d[2]) }, "digest-missing", "INVALID: not found"},
	"digest edited":        {func(tr *trailed, d, _ []string) { tr.edit(d[2], `"fromSeq":`, `"fromSeq":1`) }, "signature-invalid", "INVALID: signature verification failed"},
	"digests exchanged":    {func(tr *trailed, d, _ []string) { tr.swap(d[1], d[2]); tr.swap(d[1]+".meta", d[2]+".meta") }, "digest-moved", "INVALID: has been moved from its original location"},
	"signatures exchanged": {func(tr *trailed, d, _ []string) { tr.swap(d[1]+".meta", d[2]+".meta") }, "signature-invalid", "INVALID: signature verification failed"},
	"signature removed":    {func(tr *trailed, d, _ []string) { tr.remove(d[1] + ".meta") }, "signature-missing", "INVALID: signature verification failed"},
	"digest cut":           {func(tr *trailed, d, _ []string) { b := tr.read(d[1]); tr.write(d[1], b[:len(b)/2]) }, "digest-unreadable", "INVALID: invalid format"},
	"unknown key": {func(tr *trailed, d, _ []string) {
		tr.edit(d[1], `"digestPublicKeyFingerprint":"`, `"digestPublicKeyFingerprint":"0`)
	}, "key-unknown", "INVALID: public key not found"},
	"newest removed": {func(tr *trailed, d, _ []string) {
		for _, p := range d[len(d)-2:] {
			tr.remove(p, p+".meta")
		}
	}, "digest-missing", ""},
}

// TestTrailCrashes kills the server ten times while it writes: then each event is in one log file, and all of it verifies.
func TestTrailCrashes(t *testing.T) {
	t.Parallel()
	tr := startTrail(t)
	tr.run("settings", "set", "trail.digest-every", "1s")
	for range 10 {
		until := time.Now().Add(time.Duration(500+rand.IntN(1500)) * time.Millisecond)
		for time.Now().Before(until) {
			tr.run("clients", "list")
		}
		tr.server.kill()
		tr.server.start()
	}
	tr.aws(nil, "cloudtrail", "stop-logging", "--name", "main")
	tr.closed()
	if said, sound := tr.validate(); !sound {
		t.Errorf("validate-logs: %s", said)
	}
	if said, sound := tr.verify("--against", filepath.Join(tr.server.dir, "audit.jsonl")); !sound {
		t.Errorf("audit verify: %s", said)
	}
	seen := map[string]int{}
	_, logs := tr.files()
	for _, l := range logs {
		var file struct{ Records []event }
		if err := json.Unmarshal(gunzip(t, tr.read(l)), &file); err != nil {
			t.Fatal(err)
		}
		for _, e := range file.Records {
			seen[e.EventID]++
		}
	}
	inside := false
	for _, e := range tr.auditLog() {
		inside = inside || e.EventName == "StartLogging"
		if want := map[bool]int{true: 1}[inside]; seen[e.EventID] != want {
			t.Errorf("%s %s is in %d log files, want %d", e.EventName, e.EventID, seen[e.EventID], want)
		}
		inside = inside && e.EventName != "StopLogging"
	}
	if len(seen) < 20 {
		t.Errorf("%d events", len(seen))
	}
}
