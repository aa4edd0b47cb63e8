package archtest

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

// listed is what `go list` says of a package.
type listed struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

func TestPackages(t *testing.T) {
	t.Parallel()
	for _, pkg := range packages(t) {
		name, _ := ours(pkg.ImportPath)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, known := allowed[name]; !known {
				t.Fatalf("package has no line in the rules: say there what it may import")
			}
			if pkg.Doc == "" {
				t.Error("no file says what the package is for: it needs a doc comment")
			}
			for _, found := range edges(name, pkg.Imports) {
				t.Error(found)
			}
			for _, base := range pkg.GoFiles {
				fset := token.NewFileSet()
				file, err := parser.ParseFile(fset, filepath.Join(pkg.Dir, base), nil, parser.ParseComments)
				if err != nil {
					t.Fatal(err)
				}
				for _, found := range misuse(fset, file, name) {
					t.Errorf("%s: %s", base, found)
				}
			}
		})
	}
}

func packages(t *testing.T) []listed {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg listed
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("read package list: %v", err)
		}
		all = append(all, pkg)
	}
}

// TestSizes covers the nested modules too.
func TestSizes(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != root):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, found := range sizes(fset, file) {
			t.Errorf("%s: %s", path, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
