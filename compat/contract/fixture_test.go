package contract

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/awsapi/sts"
)

// services are the modules with the number of fixtures that each is known to ship. A release that has more or fewer must be
// looked at, so that none is left out unseen.
var services = []struct {
	module                      string
	info                        *awsapi.Service
	requests, responses, errors int
}{
	{"ssoadmin", &ssoadmin.Info, 79, 79, 7},
	{"identitystore", &identitystore.Info, 22, 22, 7},
	{"sso", &sso.Info, 4, 4, 4},
	{"ssooidc", &ssooidc.Info, 4, 4, 14},
	{"sts", &sts.Info, 11, 11, 12},
}

// fixture is one .snap file.
type fixture struct {
	name   string // operation or exception
	first  string // request line or status
	header http.Header
	body   []byte
}

// moduleDir asks the go command where a module's files are, and has them downloaded if they must be.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/aws/aws-sdk-go-v2/service/"+module).Output()
	if err != nil {
		t.Fatalf("download module %s: %v", module, err)
	}
	var mod struct{ Dir string }
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	return mod.Dir
}

// fixtures reads all files of a folder that end in suffix, and fails where their number is not the expected one.
func fixtures(t *testing.T, module, folder, suffix string, want int) []fixture {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(moduleDir(t, module), folder, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != want {
		t.Errorf("%s ships %d files %s/*%s, want %d: look at the new ones, then correct the table", module, len(paths), folder, suffix, want)
	}
	out := make([]fixture, 0, len(paths))
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parseFixture(t, strings.TrimSuffix(filepath.Base(path), suffix), raw))
	}
	t.Logf("%s: %d %s%s", module, len(out), folder, suffix)
	return out
}

// parseFixture takes a file apart: first line, an empty line in requests, headers, an empty line, body.
func parseFixture(t *testing.T, name string, raw []byte) fixture {
	t.Helper()
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	rest = bytes.TrimPrefix(rest, []byte("\n"))
	head, body, _ := bytes.Cut(rest, []byte("\n\n"))
	f := fixture{name: name, first: string(first), header: http.Header{}, body: body}
	for line := range strings.Lines(string(head)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		k, v, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("%s: %q is not a header", name, line)
		}
		f.header.Set(k, v)
	}
	return f
}

// TestNothingElse makes sure that the folders hold no kind of file that the other tests do not read.
func TestNothingElse(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		for folder, want := range map[string]int{"request_snapshot": s.requests, "response_snapshot": s.responses + s.errors} {
			entries, err := os.ReadDir(filepath.Join(moduleDir(t, s.module), folder))
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != want {
				t.Errorf("%s/%s has %d files, %d are tested", s.module, folder, len(entries), want)
			}
		}
	}
}

// later is what the models have and the module of STS does not have yet.
var later = []string{"GetScopedCredentials", "InsufficientSessionLifetimeException", "InvalidSubjectCredentialsException"}

// TestEveryOperation: what the SDK can call, what it ships fixtures of, and what package awsapi knows are the same operations;
// and each error that an operation's model has comes with a fixture.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		t.Run(s.module, func(t *testing.T) {
			t.Parallel()
			var known, errors []string
			for _, op := range s.info.Operations {
				known, errors = append(known, op.Name), append(errors, op.Errors...)
			}
			known, errors = released(known), released(errors)
			for _, c := range []struct {
				folder, prefix, suffix string
				want                   []string
			}{
				{".", "api_op_", ".go", known},
				{"request_snapshot", "", ".request.snap", known},
				{"response_snapshot", "", ".response.snap", known},
				{"response_snapshot", "", ".error.snap", errors},
			} {
				if diff := cmp.Diff(c.want, names(t, s.module, c.folder, c.prefix, c.suffix)); diff != "" {
					t.Errorf("%s/%s*%s (-models +SDK):\n%s", c.folder, c.prefix, c.suffix, diff)
				}
			}
		})
	}
}

// released sorts names, without those of later.
func released(names []string) []string {
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return slices.Contains(later, name) })
}

// names are the files of a module's folder, in order, without what all of their names have.
func names(t *testing.T, module, folder, prefix, suffix string) (out []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(moduleDir(t, module), folder, prefix+"*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), prefix), suffix)
		if !strings.HasSuffix(name, "_test") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func operation(t *testing.T, s *awsapi.Service, name string) *awsapi.OperationMeta {
	t.Helper()
	for _, o := range s.Operations {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("%s has no operation %s", s.ID, name)
	return nil
}
