package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, patch, want string }{ // the cases of RFC 7396, appendix A, that overlays use
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":["c"]}`, `{"a":["c"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"a":"foo"}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
	} {
		got := merge(parse(t, c.base), parse(t, c.patch))
		if diff := cmp.Diff(parse(t, c.want), got); diff != "" {
			t.Errorf("merge(%s, %s) (-want +got):\n%s", c.base, c.patch, diff)
		}
	}
}

func parse(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestConstName(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"PrincipalType", "USER", "PrincipalTypeUser"},
		{"TargetType", "AWS_ACCOUNT", "TargetTypeAwsAccount"},
		{"GrantType", "urn:ietf:params:oauth:grant-type:jwt-bearer", "GrantTypeUrnIetfParamsOauthGrantTypeJwtBearer"},
		{"ThrottlingExceptionReason", "KMS_ThrottlingException", "ThrottlingExceptionReasonKmsThrottlingException"},
	} {
		if got := constName(c[0], c[1]); got != c[2] {
			t.Errorf("constName(%s, %s) = %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestNormalizeAndRewritePatterns(t *testing.T) {
	t.Parallel()
	m := &model{Shapes: map[string]*shape{
		"anchored": {Pattern: `^\d{12}$`},
		"dollar":   {Pattern: `[a]\$`},
		"java":     {Pattern: `[\u0009\u0020-\u007E\uE000-\uFFFD\u10000-\u10FFFF]+`},
	}}
	m.normalize()
	for name, want := range map[string]string{"anchored": `\d{12}`, "dollar": `[a]\$`} {
		if got := m.Shapes[name].Pattern; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	re2 := unicodeEscape.ReplaceAllString(m.Shapes["java"].Pattern, `\x{$1}`)
	re := regexp.MustCompile(`^(?:` + re2 + `)$`)
	for value, want := range map[string]bool{"a\tz": true, "\U00010000": true, "\U0010FFFF": true, "\x01": false, "0000-": true, "\u0085": false} {
		if got := re.MatchString(value); got != want {
			t.Errorf("%s matches %q: %t", re2, value, got)
		}
	}
}

// TestRefusals: what the walker could not serve must not be generated.
func TestRefusals(t *testing.T) {
	t.Parallel()
	row := authzRow{Action: "x:Op", Access: "read"}
	ok := func() (*model, authz) {
		m := &model{
			Metadata:   metadata{Protocol: "json"},
			Operations: map[string]operation{"Op": {Input: ref{Shape: "OpRequest"}}},
			Shapes:     map[string]*shape{"OpRequest": {Type: "structure", Members: map[string]ref{"A": {Shape: "S"}}}, "S": {Type: "string"}},
		}
		return m, authz{Operations: map[string]authzRow{"Op": row}}
	}
	for name, spoil := range map[string]func(*model, *authz){
		"operation without a row":   func(_ *model, a *authz) { a.Operations = nil },
		"row without an operation":  func(_ *model, a *authz) { a.Operations["Other"] = row },
		"access that is neither":    func(_ *model, a *authz) { a.Operations["Op"] = authzRow{Access: "list"} },
		"member of a shape unknown": func(m *model, _ *authz) { delete(m.Shapes, "S") },
		"location unknown":          func(m *model, _ *authz) { m.Shapes["OpRequest"].Members["A"] = ref{Shape: "S", Location: "uri"} },
		"pattern that RE2 has not":  func(m *model, _ *authz) { m.Shapes["S"].Pattern = `(?=a)b` },
		"protocol unknown":          func(m *model, _ *authz) { m.Metadata.Protocol = "ec2" },
		"type unknown":              func(m *model, _ *authz) { m.Shapes["S"].Type = "double" },
		"two names for one": func(m *model, _ *authz) {
			m.Shapes["s"] = &shape{Type: "string"}
			m.Shapes["OpRequest"].Members["B"] = ref{Shape: "s"}
		},
		"self operation without a caller": func(m *model, _ *authz) {
			m.Operations["Op"] = operation{Input: ref{Shape: "OpRequest"}, Self: true, AuthType: "none"}
		},
		"self operation without an action": func(m *model, a *authz) {
			m.Operations["Op"] = operation{Input: ref{Shape: "OpRequest"}, Self: true}
			a.Operations["Op"] = authzRow{Access: "read"}
		},
		"self operation on any user": func(m *model, _ *authz) {
			m.Operations["Op"] = operation{Input: ref{Shape: "OpRequest"}, Self: true}
			m.Shapes["OpRequest"].Members["UserId"] = ref{Shape: "S"}
		},
		"operation without an input": func(m *model, _ *authz) { m.Operations["Op"] = operation{} },
	} {
		m, a := ok()
		spoil(m, &a)
		if _, err := generate(service{pkg: "x", model: "x"}, m, a); err == nil {
			t.Errorf("%s was generated", name)
		}
	}
	m, a := ok()
	if _, err := generate(service{pkg: "x", model: "x"}, m, a); err != nil {
		t.Error(err)
	}
}

// TestOwnModel: the model in our tree needs no module, and what is committed was made from it.
func TestOwnModel(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	i := slices.IndexFunc(services, func(s service) bool { return s.own })
	s := services[i]
	m, err := load("nowhere", s)
	if err != nil {
		t.Fatal(err)
	}
	a, err := loadAuthz(filepath.Join(overlayDir, "authz.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := generate(s, m, a[s.model])
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(s.pkg, "zz_generated.go"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate: (-committed +generated)\n%s", diff)
	}
	for name, op := range m.Operations {
		if !strings.HasPrefix(op.Documentation, name+" ") {
			t.Errorf("%s says of itself %q", name, op.Documentation)
		}
	}
	if m.Metadata.APIVersion != s.version {
		t.Errorf("the model is of %s, the generator's list has %s", m.Metadata.APIVersion, s.version)
	}
}

// TestSelf: what the model says of an operation is in its table, and only there.
func TestSelf(t *testing.T) {
	t.Parallel()
	m := &model{
		Metadata:   metadata{Protocol: "json"},
		Operations: map[string]operation{"Mine": {Input: ref{Shape: "R"}, Self: true, Documentation: "Mine is the caller's."}, "Theirs": {Input: ref{Shape: "R"}}},
		Shapes:     map[string]*shape{"R": {Type: "structure"}},
	}
	a := authz{Operations: map[string]authzRow{"Mine": {Action: "x:Mine", Access: "read"}, "Theirs": {Action: "x:Theirs", Access: "read"}}}
	src, err := generate(service{pkg: "x", model: "x", own: true}, m, a)
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)opMine = awsapi.OperationMeta\{.*?\n\t\}`).FindString(string(src))
	if !regexp.MustCompile(`Self: +true`).MatchString(table) || strings.Count(string(src), "Self:") != 1 {
		t.Errorf("the table of Mine is %s", table)
	}
	if !strings.Contains(string(src), "\t// Mine is the caller's.\n\tMine(ctx") || strings.Contains(string(src), "Amazon") {
		t.Errorf("%s", src)
	}
}
