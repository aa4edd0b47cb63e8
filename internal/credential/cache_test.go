package credential

import "testing"

func TestCacheIsBoundedAndKeepsTheLastUsed(t *testing.T) {
	t.Parallel()
	c := newCache(2)
	a, b, d := &opened{}, &opened{}, &opened{}
	c.put([32]byte{1}, a)
	c.put([32]byte{2}, b)
	if got, ok := c.get([32]byte{1}); !ok || got != a {
		t.Fatal("lost")
	}
	c.put([32]byte{3}, d)
	c.put([32]byte{3}, d)
	if _, ok := c.get([32]byte{2}); ok {
		t.Error("the least used one is still there")
	}
	if _, ok := c.get([32]byte{1}); !ok || len(c.items) != 2 || c.order.Len() != 2 {
		t.Error("the last used one is gone, or the bound is not kept")
	}
}
