package store

import (
	"context"
	"sync"
)

const (
	// crowdStart, crowdMost: how many serializable transactions a node runs at a time, at first and at most.
	crowdStart = 4
	crowdMost  = 12 // of pgConns, so that queues and the sealer find a connection
	// crowdGrows is after how many commits without a collision one more is let in.
	crowdGrows = 64
)

// crowd limits how many serializable transactions this node runs at a time, by how often they collide.
//
// PostgreSQL locks what SERIALIZABLE transactions read by pages of an index. While a table fits on one page, any two that
// read and insert there collide, however unrelated their rows are, and of n at a time only one can commit: letting them
// in one by one costs nothing, and retries cost more than their share. Once tables are larger they seldom collide, and
// many at a time share a flush. The limit finds its place as TCP's window does.
type crowd struct {
	tokens chan struct{}

	mu    sync.Mutex
	limit int
	owed  int // tokens to be kept back, since the limit has fallen below the number inside
	clean int // commits since the last collision or growth
}

func newCrowd() *crowd {
	c := &crowd{tokens: make(chan struct{}, crowdMost), limit: crowdStart}
	for range crowdStart {
		c.tokens <- struct{}{}
	}
	return c
}

// enter waits for a place.
func (c *crowd) enter(ctx context.Context) error {
	select {
	case <-c.tokens:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the place to the next, and learns from what happened.
func (c *crowd) leave(collided bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	give := 1
	switch c.clean++; {
	case collided:
		less := min((c.limit+3)/4, c.limit-1)
		c.limit, c.owed, c.clean = c.limit-less, c.owed+less, 0
	case c.clean >= crowdGrows && c.limit < crowdMost:
		c.limit, c.clean = c.limit+1, 0
		give++
	}
	kept := min(c.owed, give)
	c.owed -= kept
	for range give - kept {
		c.tokens <- struct{}{}
	}
}
