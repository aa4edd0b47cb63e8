package session

import (
	"regexp"
	"testing"
)

func TestUserCode(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`)
	seen := map[string]bool{}
	for range 1000 {
		code := newUserCode()
		if !form.MatchString(code) || seen[code] {
			t.Fatalf("bad or repeated code %q", code)
		}
		seen[code] = true
		if got, ok := parseUserCode(code); !ok || got != code {
			t.Fatalf("code %q reads as %q", code, got)
		}
	}
}

func TestParseUserCode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{"BCDF-GHJK", "BCDF-GHJK"},
		{"bcdf-ghjk", "BCDF-GHJK"},
		{"bcdfghjk", "BCDF-GHJK"},
		{" bcdf ghjk ", "BCDF-GHJK"},
		{"", ""},
		{"BCDF-GHJ", ""},
		{"BCDF-GHJKL", ""},
		{"BCDF-GHJA", ""},
		{"BADF-GHJK", ""},
		{"BCDF_GHJK", ""},
		{"BCDFGHJÜ", ""},
	} {
		if got, ok := parseUserCode(tc.in); got != tc.want || ok != (tc.want != "") {
			t.Errorf("parseUserCode(%q) = %q, %v", tc.in, got, ok)
		}
	}
}
