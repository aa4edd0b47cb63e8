package trailfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
)

// chain computes the audit log's chain again: package store says how it is made.
type chain struct {
	seq  int64
	hash [sha256.Size]byte
	d    hash.Hash
}

// newChain begins behind an event. The chain before the first is 32 zero bytes, or said by nothing.
func newChain(seq int64, text string) (*chain, bool) {
	c := &chain{seq: seq, d: sha256.New()}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 0 && len(b) != len(c.hash) {
		return nil, false
	}
	copy(c.hash[:], b)
	return c, true
}

func (c *chain) add(event []byte) {
	var number [8]byte
	c.seq++
	binary.BigEndian.PutUint64(number[:], uint64(c.seq))
	c.d.Reset()
	c.d.Write(c.hash[:])
	c.d.Write(number[:])
	c.d.Write(event)
	c.d.Sum(c.hash[:0])
}

func (c *chain) String() string { return hex.EncodeToString(c.hash[:]) }

// SameHash tells whether two texts of a chain's hash are one. Nothing is the chain before the first event.
func SameHash(a, b string) bool {
	x, okX := newChain(0, a)
	y, okY := newChain(0, b)
	return okX && okY && x.hash == y.hash
}

var errNoLog = errors.New(`not of the form {"Records":[…]}`)

// Records calls fn with each event of a log file, as the bytes that it has there. It looks no further into events than where they end.
func Records(plain []byte, fn func(event []byte) error) error {
	rest, ok := bytes.CutPrefix(plain, []byte(logHead))
	if !ok {
		return errNoLog
	}
	if string(rest) == logTail {
		return nil
	}
	for {
		n := object(rest)
		if n == 0 {
			return errNoLog
		}
		if err := fn(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
		switch {
		case string(rest) == logTail:
			return nil
		case len(rest) == 0 || rest[0] != ',':
			return errNoLog
		}
		rest = rest[1:]
	}
}

// object is how many bytes the JSON object takes that b begins with; 0: it does not begin with a whole one.
func object(b []byte) int {
	if len(b) == 0 || b[0] != '{' {
		return 0
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			n := text(b[i+1:])
			if n < 0 {
				return 0
			}
			i += n
		}
	}
	return 0
}

// text is how many bytes follow a quote up to and with the one that ends it; -1: none does.
func text(b []byte) int {
	for n := 0; ; {
		q := bytes.IndexByte(b[n:], '"')
		if q < 0 {
			return -1
		}
		n += q + 1
		slashes := 0
		for i := n - 2; i >= 0 && b[i] == '\\'; i-- {
			slashes++
		}
		if slashes%2 == 0 {
			return n
		}
	}
}
