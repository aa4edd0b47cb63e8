package store

import (
	"cmp"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"time"
)

// Lookup asks for events, the newest first: in the order of the log.
type Lookup struct {
	By           Attribute
	Value        string
	Since, Until time.Time // both in; events have whole seconds
	Before       int64     // the number of an event; 0: from the newest
	Limit        int
}

// FoundEvent is an event that was looked up.
type FoundEvent struct {
	SealedEvent
	Facts Facts
}

// lookupWork bounds the rows of the index that one look-up reads; a row of the log counts as two. Only a look-up in what is not
// indexed yet comes near, or one in a log whose times go back and forth.
const lookupWork = 8192

const (
	logAmong query = `SELECT seq, id, at, event, hash FROM audit_log WHERE seq IN ($1)`
	// A constant limit: both planners walk the index and stop.
	logBefore query = `SELECT seq, id, at, event, hash FROM audit_log WHERE seq < $1 AND seq > $2 ORDER BY seq DESC LIMIT 64`
)

// LookupEvents finds events. There may be more before the number that it returns; 0 says that there are none. A page may have fewer
// events than were asked for, with more to come. Its cost does not depend on how many events there are.
func (tx *Tx) LookupEvents(q Lookup) (found []FoundEvent, next int64, err error) {
	head, err := tx.logHead()
	if err != nil {
		return nil, 0, err
	}
	m, err := tx.indexMade()
	if err != nil {
		return nil, 0, err
	}
	s := &lookupRun{tx: tx, q: q, term: term(q.By, q.Value), since: ceilSecond(q.Since), until: q.Until.Unix(), end: head.seq, left: lookupWork}
	if q.Before > 0 {
		s.end = min(s.end, q.Before-1)
	}
	if s.direct(m.events()) {
		for level := 1; level <= topLevel && s.forest(&m, level); level++ {
		}
	}
	if s.err != nil {
		return nil, 0, fmt.Errorf("look up events: %w", s.err)
	}
	if len(s.found) > q.Limit {
		return s.found[:q.Limit], s.found[q.Limit-1].Seq, nil
	}
	return s.found, s.next, nil
}

// ceilSecond is the first whole second that is not before t.
func ceilSecond(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// lookupRun is a look-up under way.
type lookupRun struct {
	tx           *Tx
	q            Lookup
	term         uint64
	since, until int64
	end          int64 // the number of the newest event that is looked at
	left         int   // of lookupWork
	found        []FoundEvent
	next         int64 // where the work ended; 0: it has not
	err          error
}

// over tells that there is nothing more to be looked at.
func (s *lookupRun) over() bool { return s.err != nil || len(s.found) > s.q.Limit }

// spend takes from the work that is left. It tells whether there was any; else the look-up ends before an event's number.
func (s *lookupRun) spend(work int, next int64) bool {
	switch {
	case s.next > 0: // it has ended: what is newer than that is still looked at
	case s.left <= 0:
		s.next = next
		return false
	}
	s.left -= work
	return true
}

// direct looks at events that are not indexed, and tells whether to go on.
func (s *lookupRun) direct(indexed int64) bool {
	for before := s.end + 1; before > indexed+1 && !s.over(); {
		if !s.spend(2*fanOut, before) {
			return false
		}
		events, err := list(s.tx, logBefore, scanSealed, before, indexed)
		if err != nil || len(events) == 0 {
			s.err = err
			break
		}
		for _, e := range events {
			s.take(e)
		}
		before = events[len(events)-1].Seq
	}
	return !s.over()
}

// take keeps an event if it is one of those that were asked for.
func (s *lookupRun) take(e SealedEvent) {
	f := e.Facts()
	if at := f.Time.Unix(); !s.over() && at >= s.since && at <= s.until && f.has(s.q.By, s.q.Value) {
		s.found = append(s.found, FoundEvent{e, f})
	}
}

// forest looks at the events under the roots of a level, and tells whether to go on to those of the next.
func (s *lookupRun) forest(m *made, level int) bool {
	whole, above := m.nodes(level), int64(0) // above: those that have a parent
	if level < topLevel {
		above = m.nodes(level+1) * fanOut
	}
	nodes := func(yield func(int64) bool) {
		for n := whole - 1; n >= above && yield(n); n-- {
		}
	}
	for l := level; l >= 1; l-- {
		nodes = s.descend(l, nodes)
	}
	s.read(nodes)
	return !s.over() && s.next == 0
}

// descend gives the children of nodes that may have what is looked for, or the events themselves. It reads a few rows at first: that
// is enough for what is frequent.
func (s *lookupRun) descend(level int, nodes iter.Seq[int64]) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for chunk := range chunks(s.before(level, nodes), 8) {
			if !s.spend(len(chunk), after(level, chunk[0])) {
				return
			}
			read, err := s.rows(level, chunk)
			if err != nil {
				s.err = err
				return
			}
			for _, n := range chunk {
				if n < 0 {
					if !yield(n) {
						return
					}
					continue
				}
				event, children := s.of(read[rowOf(level, n, s.term)])
				if event >= 0 && !yield(^(n<<(fanBits*level) | event)) {
					return
				}
				for children != 0 {
					child := bits.Len64(children) - 1
					children &^= 1 << child
					if !yield(n*fanOut + int64(child)) {
						return
					}
				}
			}
		}
	}
}

// rows are those of nodes that the term would be in.
func (s *lookupRun) rows(level int, nodes []int64) (map[int64]*node, error) {
	rows := make([]int64, 0, len(nodes))
	for _, n := range nodes {
		if n >= 0 {
			rows = append(rows, rowOf(level, n, s.term))
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return s.tx.indexRows(level, rows)
}

// after is the number of the event that follows a node's. In a sequence of nodes, an event that is known already, the n-th from 0,
// is ^n.
func after(level int, node int64) int64 {
	if node < 0 {
		return ^node + 2
	}
	return (node+1)<<(fanBits*level) + 1
}

// before leaves out nodes of which all events are too new. Nodes of level 0 are events.
func (s *lookupRun) before(level int, nodes iter.Seq[int64]) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for n := range nodes {
			first := n << (fanBits * level)
			if n < 0 {
				first = ^n
			}
			if first < s.end && !yield(n) {
				return
			}
		}
	}
}

// of is where in a node to look. What has been dropped has nothing.
func (s *lookupRun) of(n *node) (event int64, children uint64) {
	switch {
	case n == nil || n.first > s.until || n.last < s.since:
		return -1, 0
	case s.q.By == EveryEvent:
		return -1, ^uint64(0)
	}
	return n.of(s.term)
}

// read looks at events of the log.
func (s *lookupRun) read(events iter.Seq[int64]) {
	for chunk := range chunks(s.before(0, events), min(fanOut, s.q.Limit+1)) {
		if !s.spend(2*len(chunk), after(0, chunk[0])) {
			return
		}
		places := make([]any, len(chunk))
		for i, n := range chunk {
			places[i] = after(0, n) - 1
		}
		q, args := logAmong.among(places)
		read, err := list(s.tx, q, scanSealed, args...)
		if err != nil {
			s.err = err
			return
		}
		for _, e := range newestFirst(read) {
			s.take(e)
		}
		if s.over() {
			return
		}
	}
}

// chunks cuts a sequence into lists, the first of a size, others of 64.
func chunks(of iter.Seq[int64], size int) iter.Seq[[]int64] {
	return func(yield func([]int64) bool) {
		chunk := make([]int64, 0, fanOut)
		for n := range of {
			if chunk = append(chunk, n); len(chunk) < size {
				continue
			}
			if !yield(chunk) {
				return
			}
			chunk, size = chunk[:0], fanOut
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

func newestFirst(events []SealedEvent) []SealedEvent {
	slices.SortFunc(events, func(a, b SealedEvent) int { return cmp.Compare(b.Seq, a.Seq) })
	return events
}
