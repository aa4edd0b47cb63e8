package policy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/fault"
	"sallyport/internal/policy"
)

// TestParse runs the corpus of documents that are accepted or refused, with the refusal's text.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range parseCorpus(t) {
		parse := policy.Parse
		if c.As == "resource" {
			parse = policy.ParseResource
		}
		_, err := parse([]byte(c.Document))
		got := ""
		if err != nil {
			f := fault.As(err)
			if f == nil || f.Kind != fault.Invalid || f.Reason != policy.Malformed {
				t.Errorf("%s: %#v is no fault of a malformed policy", c.About, err)
			}
			got = err.Error()
		}
		if got != c.Error {
			t.Errorf("%s: %s\n  got  %s\n  want %s", c.About, c.Document, got, c.Error)
		}
	}
}

type parseCase struct {
	About, As, Document, Error string
}

func parseCorpus(t testing.TB) []parseCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "parse.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []parseCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestParseRefusesInvalidUTF8(t *testing.T) {
	t.Parallel()
	doc := []byte(strings.Replace(allowAll, "All", "A\xff", 1))
	for _, parse := range []func([]byte) (*policy.Policy, error){policy.Parse, policy.ParseResource, policy.Load} {
		if _, err := parse(doc); err == nil {
			t.Error("a document that is not UTF-8 is accepted")
		}
	}
}

func TestParseBoundsSize(t *testing.T) {
	t.Parallel()
	largest := allowAll + strings.Repeat(" ", 256<<10-len(allowAll))
	if _, err := policy.Parse([]byte(largest)); err != nil {
		t.Errorf("256 KiB: %v", err)
	}
	if _, err := policy.Parse([]byte(largest + " ")); err == nil {
		t.Error("more than 256 KiB is accepted")
	}
}

// TestLoadErrors lists what even Load refuses: what is no policy, or has a statement whose effect is
// unknown.
func TestLoadErrors(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		``, `null`, `[]`, `{}`, `{"Version": "2012-10-17"}`, `{"Version": "2030-01-01", "Statement": []}`,
		`{"Statement": [], "Statement": []}`, `{"Statement": ["x"]}`, `{"Statement": {"Action": "*", "Resource": "*"}}`,
		`{"Statement": {"Effect": "deny", "Action": "*", "Resource": "*"}}`, `{"Statement": [], "More": 1}`,
	} {
		if _, err := policy.Load([]byte(doc)); err == nil {
			t.Errorf("Load(%s) succeeded", doc)
		}
	}
}

func TestNonSpaceSize(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]int{"": 0, " \t\r\n": 0, `{ "a" : "b c" }`: 10, "é": 2} {
		if got := policy.NonSpaceSize(doc); got != want {
			t.Errorf("NonSpaceSize(%q) = %d, want %d", doc, got, want)
		}
	}
}
