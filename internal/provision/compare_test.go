package provision

import "testing"

// TestSame: a text is the one that was provisioned by its letters or by what it says, if what is kept can be trusted.
func TestSame(t *testing.T) {
	t.Parallel()
	const kept, spaced, other = `{"a": [1, 2], "b": "x"}`, `{ "b":"x", "a":[1,2] }`, `{"a": [2, 1], "b": "x"}`
	for name, test := range map[string]struct {
		hash, text, kept string
		want             bool
	}{
		"none, none":              {"", "", "", true},
		"none, some":              {"", kept, "", false},
		"some, none":              {digest(kept), "", kept, false},
		"the same letters":        {digest(kept), kept, "", true},
		"other spaces and order":  {digest(kept), spaced, kept, true},
		"another text":            {digest(kept), other, kept, false},
		"no JSON":                 {digest(kept), "x", kept, false},
		"kept, but not as it was": {digest(kept), other, other, false},
		"not kept":                {digest(kept), spaced, "", false},
	} {
		if got := same(test.hash, test.text, func(string) string { return test.kept }); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
