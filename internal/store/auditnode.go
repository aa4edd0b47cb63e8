package store

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sort"
)

// The index of the audit log is a forest. A node of level 1 is about 64 events that follow each other, a node of level n about 64
// nodes of level n-1; for each term it has the set of those of its 64 children that the term is in. The nodes of a level that have
// no parent yet, fewer than 64 of each, are the roots.
//
// A node is kept in rows, by the first bits of terms: one row on level 1, 64 on level 2, and so on. So rows are of one size, and
// each level has as many as level 1: row r of level n is row r mod 64ⁿ⁻¹ of node r / 64ⁿ⁻¹.
const (
	fanOut  = 64
	fanBits = 6
	// topLevel is that of nodes of 69 billion events.
	topLevel = 6
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

// A row's data: the number of terms of one child (2 bytes), those in order (term, 6 bytes; child, 1 byte), the others in order
// (term; children, 8 bytes, a bit for each).
const (
	headSize = 2
	termSize = termBits / 8
	oneSize  = termSize + 1
	manySize = termSize + 8
)

// pairs are terms with a child each: term‖child, as numbers.
type pairs []uint64

func pair(term uint64, child int) uint64 { return term<<fanBits | uint64(child) }

// encode sorts pairs and makes a row's data of them.
func (p pairs) encode() []byte {
	slices.Sort(p)
	one, many := make([]byte, headSize, headSize+oneSize*len(p)), []byte(nil)
	for i := 0; i < len(p); {
		term, children := p[i]>>fanBits, uint64(0)
		for ; i < len(p) && p[i]>>fanBits == term; i++ {
			children |= 1 << (p[i] % fanOut)
		}
		if bits.OnesCount64(children) == 1 {
			one = append(appendTerm(one, term), byte(bits.TrailingZeros64(children)))
		} else {
			many = binary.BigEndian.AppendUint64(appendTerm(many, term), children)
		}
	}
	binary.BigEndian.PutUint16(one, uint16((len(one)-headSize)/oneSize)) // at most 64 events have 50 terms each
	return append(one, many...)
}

func appendTerm(b []byte, term uint64) []byte {
	return append(b, byte(term>>40), byte(term>>32), byte(term>>24), byte(term>>16), byte(term>>8), byte(term))
}

func termAt(b []byte) uint64 {
	return uint64(b[0])<<40 | uint64(b[1])<<32 | uint64(b[2])<<24 | uint64(b[3])<<16 | uint64(b[4])<<8 | uint64(b[5])
}

// termLists are the two of a row's data; none of what is no row's.
func termLists(data []byte) (one, many []byte) {
	if len(data) < headSize {
		return nil, nil
	}
	size := oneSize * int(binary.BigEndian.Uint16(data))
	if data = data[headSize:]; size > len(data) {
		return nil, nil
	}
	return data[:size], data[size:]
}

// children are those that a term is in: a bit for each.
func (n *node) children(term uint64) uint64 {
	one, many := termLists(n.data)
	if i := search(one, oneSize, term); i >= 0 {
		return 1 << (one[i+termSize] % fanOut)
	}
	if i := search(many, manySize, term); i >= 0 {
		return binary.BigEndian.Uint64(many[i+termSize:])
	}
	return 0
}

// search finds a term in a section, -1 if it is not there.
func search(section []byte, size int, term uint64) int {
	n := len(section) / size
	i := sort.Search(n, func(i int) bool { return termAt(section[i*size:]) >= term })
	if i < n && termAt(section[i*size:]) == term {
		return i * size
	}
	return -1
}

// under adds the terms of a row as those of a child of its parent.
func (n *node) under(child int, to pairs) pairs {
	one, many := termLists(n.data)
	for ; len(one) >= oneSize; one = one[oneSize:] {
		to = append(to, pair(termAt(one), child))
	}
	for ; len(many) >= manySize; many = many[manySize:] {
		to = append(to, pair(termAt(many), child))
	}
	return to
}
