package policy

import (
	"container/list"
	"sync"
)

// costFactor is about how much larger a compiled policy is than its document (TestCacheCost).
const costFactor = 6

// Cache keeps compiled policies by their documents' content, the most recently used up to a bound of
// about so many bytes. It may be used by many goroutines.
type Cache struct {
	maxBytes int

	mu      sync.Mutex
	bytes   int
	entries map[string]*list.Element // of *entry
	recent  list.List                // front: used last
}

type entry struct {
	doc    string
	policy *Policy
}

// NewCache returns an empty cache of about maxBytes. With none, nothing is kept.
func NewCache(maxBytes int) *Cache {
	return &Cache{maxBytes: maxBytes, entries: map[string]*list.Element{}}
}

// Load is the package's Load, compiled once per content.
func (c *Cache) Load(doc string) (*Policy, error) {
	if p := c.get(doc); p != nil {
		return p, nil
	}
	p, err := Load([]byte(doc))
	if err != nil {
		return nil, err
	}
	c.put(doc, p)
	return p, nil
}

func (c *Cache) get(doc string) *Policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[doc]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(element)
	return element.Value.(*entry).policy
}

func (c *Cache) put(doc string, p *Policy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[doc]; ok || cost(doc) > c.maxBytes {
		return
	}
	c.entries[doc] = c.recent.PushFront(&entry{doc, p})
	c.bytes += cost(doc)
	for c.bytes > c.maxBytes {
		oldest := c.recent.Back()
		e := c.recent.Remove(oldest).(*entry)
		delete(c.entries, e.doc)
		c.bytes -= cost(e.doc)
	}
}

func cost(doc string) int { return len(doc)*costFactor + 512 }
