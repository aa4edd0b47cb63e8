package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

func TestListIsSortedAndFolded(t *testing.T) {
	t.Parallel()
	words, err := readPackage(pack(t, "package/src/passwords.json", `["zebra","Monkey","monkey","a1"]`))
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := write(words)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a1\nmonkey\nzebra\n"; string(got) != want {
		t.Errorf("%q, not %q", got, want)
	}
}

func TestBadPackagesAreRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "package.tgz")
	if err := os.WriteFile(file, pack(t, "package/src/passwords.json", `["a"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(file); err == nil || !strings.Contains(err.Error(), "is pinned") {
		t.Errorf("a package with another hash: %v", err)
	}
	if _, err := readPackage(pack(t, "package/readme", "")); err == nil {
		t.Error("a package without passwords was taken")
	}
	for _, w := range []string{"", "a\nb"} {
		if _, err := write([]string{w}); err == nil {
			t.Errorf("%q was taken for a line", w)
		}
	}
}
