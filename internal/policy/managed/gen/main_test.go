package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/policy/managed"
)

func pack(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	files := tar.NewWriter(zipped)
	if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const twoVersions = `{"B": {"arn": "arn:aws:iam::aws:policy/B", "latestVersionId": "v2",
	"createdDate": "2020-01-02T03:04:05.000Z", "lastUpdatedDate": "2021-01-02T03:04:05.000Z",
	"versions": {"v1": {"document": {}}, "v2": {"document": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}}}}`

func TestReadPackageTakesTheDefaultVersion(t *testing.T) {
	t.Parallel()
	policies, err := readPackage(pack(t, "package/dist/managedPolicies.json", twoVersions))
	if err != nil {
		t.Fatal(err)
	}
	if len(policies) != 1 || policies[0].VersionID != "v2" ||
		policies[0].Document != `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}` {
		t.Errorf("read %+v", policies)
	}
}

func TestReadPackageRefuses(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string][]byte{
		"no package":           []byte("x"),
		"no data file":         pack(t, "package/other.json", twoVersions),
		"no JSON":              pack(t, "package/managedPolicies.json", "x"),
		"an unreadable policy": pack(t, "package/managedPolicies.json", strings.Replace(twoVersions, `"Effect": "Allow"`, `"Effect": "Permit"`, 1)),
		"a missing version":    pack(t, "package/managedPolicies.json", strings.Replace(twoVersions, `"latestVersionId": "v2"`, `"latestVersionId": "v3"`, 1)),
	} {
		if _, err := readPackage(bytes); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestRunRefusesAnotherHash(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "package.tgz")
	if err := os.WriteFile(file, pack(t, "package/dist/managedPolicies.json", twoVersions), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(file); err == nil || !strings.Contains(err.Error(), "is pinned") {
		t.Errorf("run = %v", err)
	}
}

// TestWriteIsReproducible writes the embedded catalogue's own policies again. The compressor may
// change with Go, so that only what the archive holds is compared, not its bytes.
func TestWriteIsReproducible(t *testing.T) {
	t.Parallel()
	policies := managed.List()[:20]
	for i := range policies {
		policies[i], _ = managed.Lookup(policies[i].ARN)
	}
	first, err := write(policies)
	if err != nil {
		t.Fatal(err)
	}
	second, err := write(policies)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("two runs give different archives (%v)", err)
	}
}

func TestPrintChanges(t *testing.T) {
	t.Parallel()
	policies := managed.List()
	administrator := managed.Policy{}
	for i := range policies {
		if policies[i].ARN == "arn:aws:iam::aws:policy/AdministratorAccess" {
			policies[i].VersionID = "v2"
			policies[i].Document = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
			administrator = policies[i]
		}
	}
	gone := policies[len(policies)-1]
	policies = append(policies[:len(policies)-1], managed.Policy{ARN: "arn:aws:iam::aws:policy/New", VersionID: "v1"})
	var out strings.Builder
	printChanges(&out, policies)
	want := "changed  " + administrator.ARN + " v1 → v2\n  - \"Effect\": \"Allow\"\n  + \"Effect\": \"Deny\"\n" +
		"added    arn:aws:iam::aws:policy/New v1\nremoved  " + gone.ARN + " " + gone.VersionID + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
