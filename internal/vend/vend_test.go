package vend

import (
	"regexp"
	"strings"
	"testing"
)

// sts is the model's shape roleSessionNameType.
var sts = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// TestSessionName: a user name that STS takes is the session's name; any other becomes one that STS takes and that no other
// user has.
func TestSessionName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"alice": "alice", "alice@example.org": "alice@example.org", "a+b=c,d.e_f-g": "a+b=c,d.e_f-g", strings.Repeat("x", 64): strings.Repeat("x", 64),
		"a":                     "a-a24a7f55",
		"Алиса":                 "_____-a24a7f55",
		"a/b:c":                 "a_b_c-a24a7f55",
		"🙂":                     "_-a24a7f55",
		strings.Repeat("x", 65): strings.Repeat("x", 55) + "-a24a7f55",
		"\x00\xff":              "__-a24a7f55",
	} {
		if got := SessionName(name, "u-1"); got != want {
			t.Errorf("%q becomes %s, want %s", name, got, want)
		}
	}
	if SessionName("a/b", "u-1") == SessionName("a:b", "u-2") {
		t.Error("two users have one session name")
	}
}

func FuzzSessionName(f *testing.F) {
	for _, name := range []string{"", "a", "alice@example.org", "Алиса", strings.Repeat("é", 128)} {
		f.Add(name, "906731adeb-12345678-1234-5678-90ab-cdef12345678")
	}
	f.Fuzz(func(t *testing.T, name, id string) {
		if got := SessionName(name, id); !sts.MatchString(got) {
			t.Errorf("%q of %q becomes %q", name, id, got)
		}
	})
}
