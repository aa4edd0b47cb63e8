package config

import (
	"strings"
	"testing"
	"time"
)

func TestBound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 3 * time.Second, "2s": 2 * time.Second, "2500ms": 2500 * time.Millisecond, "1m": time.Minute,
		"1.9s": 0, "61s": 0, "3": 0, "-3s": 0, "soon": 0,
	} {
		c := Config{Data: "/d", URL: "https://id.example.org", RevocationBound: text}
		if text == "" && c.Bound() != want {
			t.Errorf("before it is completed: %v", c.Bound())
		}
		err := c.Complete()
		if want == 0 && (err == nil || !strings.Contains(err.Error(), "revocation bound")) || want > 0 && (err != nil || c.Bound() != want) {
			t.Errorf("%q: %v, %v; want %v", text, c.Bound(), err, want)
		}
	}
}
