package awsconfig

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/fault"
)

func write(t *testing.T, path string, b Block) Changes {
	t.Helper()
	changes, err := WriteFile(path, b, id)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestWriteNew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".aws", "config")
	if changes := write(t, path, testBlock(profile("a", "111122223333"))); len(changes.Added) != 3 {
		t.Error(changes)
	}
	if mode(t, path) != 0o600 || mode(t, filepath.Dir(path)).Perm() != 0o700 {
		t.Errorf("modes %v and %v", mode(t, path), mode(t, filepath.Dir(path)))
	}
	onlyFile(t, path)
}

// onlyFile checks that no temporary file is left.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

// TestWriteTwice: nothing is written when nothing changes, so not even the file's identity does.
func TestWriteTwice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(foreign), 0o640); err != nil {
		t.Fatal(err)
	}
	named, _, err := Names(DefaultTemplate, manyProfiles())
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, testBlock(named...))
	if mode(t, path) != 0o640 {
		t.Errorf("mode became %v", mode(t, path))
	}
	first, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if changes := write(t, path, testBlock(named...)); !changes.None() {
		t.Error(changes)
	}
	second, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(first, second) || !first.ModTime().Equal(second.ModTime()) {
		t.Error("the file was written again")
	}
	write(t, path, Block{})
	if text, err := os.ReadFile(path); err != nil || string(text) != foreign {
		t.Errorf("%v\n%s", err, text)
	}
	onlyFile(t, path)
}

func TestWriteThroughLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles", "config"), filepath.Join(dir, "config")
	if err := errors.Join(os.Mkdir(filepath.Dir(target), 0o755), os.WriteFile(target, []byte(foreign), 0o600), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	write(t, link, testBlock(profile("a", "111122223333")))
	if mode(t, link)&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if text, err := os.ReadFile(target); err != nil || !strings.Contains(string(text), "[profile a]") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestWriteRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dangling, big, clash := filepath.Join(dir, "dangling"), filepath.Join(dir, "big"), filepath.Join(dir, "clash")
	if err := errors.Join(os.Symlink(filepath.Join(dir, "nowhere"), dangling), os.WriteFile(big, nil, 0o600), os.Truncate(big, maxFile+1),
		os.WriteFile(clash, []byte("[profile a]\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dangling, big, clash, dir} {
		if _, err := WriteFile(path, testBlock(profile("a", "111122223333")), id); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", path, err)
		}
	}
	if text, err := os.ReadFile(clash); err != nil || string(text) != "[profile a]\n" {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestReplaceRace: what another program wrote in between is not overwritten.
func TestReplaceRace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replace(path, []byte("what was read"), []byte("ours"), 0o600); fault.KindOf(err) != fault.Conflict {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "theirs" {
		t.Errorf("%v\n%s", err, text)
	}
	onlyFile(t, path)
}
