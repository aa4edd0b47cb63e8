package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
)

func codec(t testing.TB) *Codec {
	c, err := NewCodec([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTokenBelongsToItsScope(t *testing.T) {
	t.Parallel()
	c := codec(t)
	token := c.Seal("ListUsers\x00d-1", Key{"a", "b"})
	got, err := c.Open("ListUsers\x00d-1", token)
	if err != nil || !cmp.Equal(got, Key{"a", "b"}) {
		t.Fatalf("Open = %v, %v", got, err)
	}
	if _, err := c.Open("ListUsers\x00d-2", token); fault.KindOf(err) != fault.Invalid {
		t.Errorf("token of another list: %v", err)
	}
	if _, err := c.Open("ListUsers\x00d-1", token[:8]+"\r\n"+token[8:]); err == nil {
		t.Error("a token with a line break was accepted")
	}
	for i := range len(token) {
		changed := []byte(token)
		changed[i] ^= 1
		if _, err := c.Open("ListUsers\x00d-1", string(changed)); err == nil {
			t.Errorf("a token changed at %d was accepted", i)
		}
	}
}

func TestNoKeyNoToken(t *testing.T) {
	t.Parallel()
	c := codec(t)
	if s := c.Seal("x", nil); s != "" {
		t.Errorf("token after the last page: %q", s)
	}
	if k, err := c.Open("x", ""); k != nil || err != nil {
		t.Errorf("Open of no token = %v, %v", k, err)
	}
}

func TestTrim(t *testing.T) {
	t.Parallel()
	key := func(s string) Key { return Key{s} }
	rows, next := Trim([]string{"a", "b", "c"}, 2, key)
	if !cmp.Equal(rows, []string{"a", "b"}) || !cmp.Equal(next, Key{"b"}) {
		t.Errorf("Trim = %v, %v", rows, next)
	}
	if rows, next = Trim([]string{"a", "b"}, 2, key); len(rows) != 2 || next != nil {
		t.Errorf("Trim of a last page = %v, %v", rows, next)
	}
}

func FuzzOpen(f *testing.F) {
	c := codec(f)
	f.Add(c.Seal("s", Key{"a"}))
	f.Add("AAAA")
	f.Fuzz(func(_ *testing.T, token string) { _, _ = c.Open("s", token) })
}
