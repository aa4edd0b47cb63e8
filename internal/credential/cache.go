package credential

import (
	"container/list"
	"sync"

	"sallyport/internal/keyring"
)

// cacheSize bounds the opened tokens that are kept: some 4 MB of ordinary ones.
const cacheSize = 4096

// opened is what a session token says, and the key that opened it.
type opened struct {
	caller Caller
	secret Secret
	key    *keyring.Key
}

// cache keeps the last used opened tokens by the hash of the whole token.
type cache struct {
	mu    sync.Mutex
	max   int
	order *list.List // of *entry, last used first
	items map[[32]byte]*list.Element
}

type entry struct {
	hash [32]byte
	o    *opened
}

func newCache(max int) *cache {
	return &cache{max: max, order: list.New(), items: map[[32]byte]*list.Element{}}
}

func (c *cache) get(hash [32]byte) (*opened, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[hash]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry).o, true
}

func (c *cache) put(hash [32]byte, o *opened) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[hash]; ok { // opened twice at the same time, or found again
		e.Value.(*entry).o = o
		c.order.MoveToFront(e)
		return
	}
	c.items[hash] = c.order.PushFront(&entry{hash, o})
	if c.order.Len() > c.max {
		last := c.order.Remove(c.order.Back()).(*entry)
		delete(c.items, last.hash)
	}
}
