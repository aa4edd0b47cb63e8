package main

import (
	"encoding/json"
	"regexp"
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
		"type unknown":              func(m *model, _ *authz) { m.Shapes["S"].Type = "blob" },
		"two names for one": func(m *model, _ *authz) {
			m.Shapes["s"] = &shape{Type: "string"}
			m.Shapes["OpRequest"].Members["B"] = ref{Shape: "s"}
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
