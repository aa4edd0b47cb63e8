package policy

import (
	"container/list"
	"sync"
)

// costFactor is about how much larger a compiled policy is than its document (TestCacheCost).
const costFactor = 6

// Cache keeps compiled policies by the hash of their documents, the most recently used up to a bound of
// about so many bytes. A hash names its text for ever, so nothing in it goes stale. It may be used by many goroutines.
type Cache struct {
	maxBytes int

	mu      sync.Mutex
	bytes   int
	entries map[string]*list.Element // of *entry
	recent  list.List                // front: used last
}

type entry struct {
	hash   string
	cost   int
	policy *Policy
}

// NewCache returns an empty cache of about maxBytes. With none, nothing is kept.
func NewCache(maxBytes int) *Cache {
	return &Cache{maxBytes: maxBytes, entries: map[string]*list.Element{}}
}

// Load is the package's Load, compiled once per hash. text fetches the document; it is called on a miss only.
func (c *Cache) Load(hash string, text func() (string, error)) (*Policy, error) {
	if p := c.get(hash); p != nil {
		return p, nil
	}
	doc, err := text()
	if err != nil {
		return nil, err
	}
	p, err := Load([]byte(doc))
	if err != nil {
		return nil, err
	}
	c.put(&entry{hash, len(doc)*costFactor + 512, p})
	return p, nil
}

func (c *Cache) get(hash string) *Policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[hash]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(element)
	return element.Value.(*entry).policy
}

func (c *Cache) put(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[e.hash]; ok || e.cost > c.maxBytes {
		return
	}
	c.entries[e.hash] = c.recent.PushFront(e)
	c.bytes += e.cost
	for c.bytes > c.maxBytes {
		oldest := c.recent.Remove(c.recent.Back()).(*entry)
		delete(c.entries, oldest.hash)
		c.bytes -= oldest.cost
	}
}
