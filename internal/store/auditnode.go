package store

import (
	"encoding/binary"
	"math"
	"slices"
	"sort"
)

// The index of the audit log is a forest. A node of level 1 is about 64 events that follow each other, a node of level n about 64
// nodes of level n-1. For each term it has the one event that the term is in or, where there are more, the set of those of its 64
// children that it is in. The nodes of a level that have no parent yet, fewer than 64 of each, are the roots.
//
// A node is kept in rows, by the first bits of terms: one row on level 1, 64 on level 2, and so on. So rows are of one size, and
// each level has as many as level 1: row r of level n is row r mod 64ⁿ⁻¹ of node r / 64ⁿ⁻¹.
const (
	fanOut  = 64
	fanBits = 6
	// topLevel is that of nodes of 16.7 million events, of which there may be any number.
	topLevel = 4
)

// rowBits is by how many bits of a term a node's rows are told apart.
func rowBits(level int) int { return fanBits * (level - 1) }

// rowOf is the row of a node that a term is in.
func rowOf(level int, node int64, term uint64) int64 {
	return node<<rowBits(level) | int64(term>>(termBits-rowBits(level)))
}

// place is the key of a row.
func place(level int, row int64) int64 { return int64(level)<<56 | row }

// node is a row as it is stored, with the bounds of the node's events in time.
type node struct {
	place       int64
	first, last int64
	data        []byte
}

// noTime are the bounds of no event.
func noTime() node { return node{first: math.MaxInt64, last: math.MinInt64} }

// spans widens the bounds.
func (n *node) spans(first, last int64) { n.first, n.last = min(n.first, first), max(n.last, last) }

// pairs are terms with an event each, by its place among those of the node.
type pairs []uint64

// eventBits are those of an event's place among those of a node of the highest level.
const eventBits = fanBits * topLevel

func pair(term uint64, event int64) uint64 { return term<<eventBits | uint64(event) }

// A row's data: the number of terms of one event (2 bytes), those in order (pairs of 8 bytes), the others in order (term, 5 bytes;
// children, 8 bytes, a bit for each).
const (
	headSize = 2
	oneSize  = 8
	termSize = termBits / 8
	manySize = termSize + 8
)

// encode sorts pairs and makes a row's data of them.
func (p pairs) encode(level int) []byte {
	slices.Sort(p)
	p = slices.Compact(p)
	one, many := make([]byte, headSize, headSize+oneSize*len(p)), []byte(nil)
	for i := 0; i < len(p); {
		from, term, children := i, p[i]>>eventBits, uint64(0)
		for ; i < len(p) && p[i]>>eventBits == term; i++ {
			children |= 1 << (p[i] >> rowBits(level) % fanOut)
		}
		if i == from+1 {
			one = binary.BigEndian.AppendUint64(one, p[from])
		} else {
			many = append(many, byte(term>>32), byte(term>>24), byte(term>>16), byte(term>>8), byte(term))
			many = binary.BigEndian.AppendUint64(many, children)
		}
	}
	binary.BigEndian.PutUint16(one, uint16((len(one)-headSize)/oneSize)) // at most 64 events have 50 terms each
	return append(one, many...)
}

func termAt(b []byte) uint64 {
	return uint64(b[0])<<32 | uint64(b[1])<<24 | uint64(b[2])<<16 | uint64(b[3])<<8 | uint64(b[4])
}

// lists are the two of a row's data; none of what is no row's.
func (n *node) lists() (one, many []byte) {
	if len(n.data) < headSize {
		return nil, nil
	}
	size, data := oneSize*int(binary.BigEndian.Uint16(n.data)), n.data[headSize:]
	if size > len(data) {
		return nil, nil
	}
	return data[:size], data[size:]
}

// of is where a term is: in one event of the node, or in some of its children, a bit for each; -1 and 0: nowhere.
func (n *node) of(term uint64) (event int64, children uint64) {
	one, many := n.lists()
	if i := search(one, oneSize, term); i >= 0 {
		return int64(binary.BigEndian.Uint64(one[i:]) & (1<<eventBits - 1)), 0
	}
	if i := search(many, manySize, term); i >= 0 {
		return -1, binary.BigEndian.Uint64(many[i+termSize:])
	}
	return -1, 0
}

// search finds a term in a list, -1 if it is not there.
func search(list []byte, size int, term uint64) int {
	n := len(list) / size
	i := sort.Search(n, func(i int) bool { return termAt(list[i*size:]) >= term })
	if i < n && termAt(list[i*size:]) == term {
		return i * size
	}
	return -1
}

// under adds the terms of a row, as those of a child of its parent, of a level. A term that is in many events is there twice, so that
// it is not taken for that of one event.
func (n *node) under(level, child int, to pairs) pairs {
	base := int64(child) << rowBits(level)
	one, many := n.lists()
	for ; len(one) >= oneSize; one = one[oneSize:] {
		to = append(to, binary.BigEndian.Uint64(one)|uint64(base))
	}
	for ; len(many) >= manySize; many = many[manySize:] {
		to = append(to, pair(termAt(many), base), pair(termAt(many), base+1))
	}
	return to
}
