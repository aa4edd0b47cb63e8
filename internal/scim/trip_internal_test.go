package scim

import "testing"

// TestShellWord: the command that a refusal names can be typed as it stands, whatever the source is called.
func TestShellWord(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"okta-1.eu_x": "okta-1.eu_x", "two words": "'two words'", "it's": `'it'\''s'`, "$(rm)": "'$(rm)'", "ünï": "'ünï'",
	} {
		if got := shellWord(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
