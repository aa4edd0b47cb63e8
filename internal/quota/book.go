package quota

import (
	"sync"
	"time"
)

// Bounds of what is admitted without counting.
const (
	// margin is the room below which every admission counts: many times more than one node's transactions under way, which
	// have been admitted and can't be counted yet.
	margin = 256
	// share is which part of the room beyond the margin is admitted on the strength of one count: several nodes may admit
	// on the strength of the same.
	share = 8
	// countLife is how long a count is good for: other nodes, and deletions, change it meanwhile.
	countLife = 10 * time.Second
	// maxRooms bounds the counts that are remembered.
	maxRooms = 4096
)

// Book remembers how much room counts have found, so that creating one of 200,000 users does not count them, nor read what
// every other creator writes, which PostgreSQL would make them wait for each other over.
//
// A count far below its limit admits a share of the room that it found, for a few seconds. Near the limit each admission counts
// in its own transaction, and so exactly. While several nodes create at once, a limit of many hundreds may be passed by what
// they had been admitted; those up to [margin] never are.
//
// A Book is safe for concurrent use, and the nil Book remembers nothing.
type Book struct {
	// Replace has values in place of the table's, for tests. It is set before the first use.
	Replace map[Name]int

	mu    sync.Mutex
	rooms map[roomKey]*room
}

type roomKey struct {
	name  Name
	key   string
	limit int
}

type room struct {
	left  int // how many more are admitted without a count
	until time.Time
}

// In are the limits of a mode.
func (b *Book) In(m Mode) Limits { return Limits{m, b} }

// spend admits one, if a count has found room for it.
func (b *Book) spend(n Name, key string, limit int, now time.Time) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rooms[roomKey{n, key, limit}]
	if r == nil || r.left == 0 || !now.Before(r.until) {
		return false
	}
	r.left--
	return true
}

// grant remembers what a count has found.
func (b *Book) grant(n Name, key string, limit, have int, now time.Time) {
	left := (limit - have - margin) / share
	if b == nil || left <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rooms) >= maxRooms {
		clear(b.rooms) // they are counted again
	}
	if b.rooms == nil {
		b.rooms = map[roomKey]*room{}
	}
	b.rooms[roomKey{n, key, limit}] = &room{left, now.Add(countLife)}
}
