package e2e

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// age makes the first digests of the trail, and the log files that they list, three weeks older on record. The server must not run.
func (tr *trailed) age(digests int) {
	tr.server.tb.Helper()
	db, err := sql.Open("sqlite", filepath.Join(tr.server.dir, "sallyport.db"))
	if err != nil {
		tr.server.tb.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(tr.server.tb.Context(), `UPDATE trail_object SET at = at - ? WHERE n <= (SELECT MAX(n) FROM (SELECT n FROM trail_object WHERE kind = 'DIGEST' ORDER BY n LIMIT ?))`,
		(21 * 24 * time.Hour).Microseconds(), digests)
	if err != nil {
		tr.server.tb.Fatal(err)
	}
}

// TestTrailRetention: old files go by trail.retention, through kill -9; the AWS CLI, our own verification, and that of a copy without a
// server are content with what is left, and not where more is missing.
func TestTrailRetention(t *testing.T) {
	t.Parallel()
	tr := startTrail(t)
	tr.await(7)
	tr.run("settings", "set", "trail.retention", "7d")
	tr.server.kill()
	tr.age(4)
	before, _ := tr.files()
	tr.server.start()
	left := func() []string {
		d, _ := tr.files()
		return slices.DeleteFunc(d, func(p string) bool { return !slices.Contains(before, p) })
	}
	for _, until := range []int{len(before) - 1, len(before) - 4} { // killed on the way
		for deadline := time.Now().Add(patience); len(left()) > until; {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d digests are left", len(left()), len(before))
			}
			time.Sleep(20 * time.Millisecond)
		}
		tr.server.kill()
		tr.server.start()
	}
	tr.aws(nil, "cloudtrail", "stop-logging", "--name", "main")
	tr.closed()
	if got := left(); !slices.Equal(got, before[4:]) {
		t.Errorf("left of %q is %q", before, got)
	}
	tr.content(t)
	digests, _ := tr.files()
	tr.remove(digests[0], digests[0]+".meta")
	if said, sound := tr.verify(); sound || !strings.Contains(said, "digest-missing") {
		t.Errorf("without the oldest digest: %s", said)
	}
}

// content sees that whoever verifies the trail's files is content with them.
func (tr *trailed) content(t *testing.T) {
	t.Helper()
	digests, _ := tr.files()
	if said, sound := tr.validate(); sound || strings.Count(said, "INVALID: not found") != 1 { // it asks for the one before the oldest
		t.Errorf("validate-logs from before what is left: %s", said)
	}
	name := strings.TrimSuffix(filepath.Base(digests[0]), ".json.gz")
	var err error
	if tr.began, err = time.Parse("20060102T150405Z", name[strings.LastIndexByte(name, '_')+1:]); err != nil {
		t.Fatal(err)
	}
	if said, sound := tr.validate(); !sound || !strings.Contains(said, "digest files valid") || strings.Contains(said, "INVALID") {
		t.Errorf("validate-logs: %s", said)
	}
	if said, sound := tr.verify("--against", filepath.Join(tr.server.dir, "audit.jsonl")); !sound || !strings.Contains(said, "was deleted by policy (trail.retention=7d), as the server says") {
		t.Errorf("audit verify: %s", said)
	}
	keys := filepath.Join(t.TempDir(), "keys.json")
	list, err := tr.awsUser.command("/usr/bin/aws", "cloudtrail", "list-public-keys", "--start-time", "2026-01-01").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keys, list, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := sallyport(t, tr.server.dir, "audit", "verify", "--dir", filepath.Join(tr.server.dir, "trails", trailBucket), "--keys", keys).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "as the event PruneTrailFiles") {
		t.Errorf("audit verify of the files alone: %v, %s", err, out)
	}
}
