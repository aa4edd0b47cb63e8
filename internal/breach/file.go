package breach

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// hash is the SHA-1 of a password. Its hexadecimal form sorts as its bytes do.
type hash = [sha1.Size]byte

const (
	hexSize = 2 * sha1.Size
	maxLine = hexSize + 1 + 20 + 2 // colon, a count of 64 bits, CR and LF
	block   = 4096                 // what is left to look at when the search by halves ends; holds several lines
	samples = 32                   // lines that check looks at between the first and the last
)

// What is wrong with a file. The words follow "will not do: ".
var (
	errEmpty     = errors.New("it is empty")
	errUnordered = errors.New("it is not ordered by hash")
	errNTLM      = errors.New("it has hashes of 32 digits, as the NTLM list has")
	errLine      = errors.New("it has a line of another form")
)

// search looks for a hash among the lines of a file. It halves the part where the line can be until that is one block: 25
// reads for 40 GB. No two reads depend on a length of lines, which differs.
func search(r io.ReaderAt, size int64, want hash) (bool, error) {
	var least, most *hash // those of the lines before low and at high: what stands between must be between them
	low, high := int64(0), size
	for high-low > block { // a line starts at low and ends at high
		at, h, err := lineAfter(r, low+(high-low)/2, size)
		switch {
		case err != nil:
			return false, err
		case least != nil && bytes.Compare(h[:], least[:]) < 0, most != nil && bytes.Compare(h[:], most[:]) > 0:
			return false, errUnordered
		}
		switch c := bytes.Compare(want[:], h[:]); {
		case c == 0:
			return true, nil
		case c < 0:
			high, most = at, &h
		default:
			low, least = at, &h
		}
	}
	buf := make([]byte, high-low)
	if err := readAt(r, buf, low); err != nil {
		return false, err
	}
	return scan(buf, want)
}

// scan looks through whole lines.
func scan(lines []byte, want hash) (bool, error) {
	for len(lines) > 0 {
		line, rest, _ := bytes.Cut(lines, []byte("\n"))
		h, err := parseLine(line)
		if err != nil {
			return false, err
		}
		if h == want {
			return true, nil
		}
		lines = rest
	}
	return false, nil
}

// lineAfter finds the first line that starts after an offset.
func lineAfter(r io.ReaderAt, offset, size int64) (start int64, h hash, err error) {
	buf := make([]byte, min(2*maxLine, size-offset))
	if err := readAt(r, buf, offset); err != nil {
		return 0, hash{}, err
	}
	before, rest, found := bytes.Cut(buf, []byte("\n"))
	if !found || len(before) >= maxLine || len(rest) == 0 {
		return 0, hash{}, errLine
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	h, err = parseLine(line)
	return offset + int64(len(before)) + 1, h, err
}

// parseLine reads HASH or HASH:COUNT, in either case, without the LF.
func parseLine(line []byte) (h hash, err error) {
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) < hexSize {
		if len(line) >= 32 && allHex(line[:32]) && (len(line) == 32 || line[32] == ':') {
			return hash{}, errNTLM
		}
		return hash{}, errLine
	}
	if _, err := hex.Decode(h[:], line[:hexSize]); err != nil {
		return hash{}, errLine
	}
	switch count := line[hexSize:]; {
	case len(count) == 0:
		return h, nil
	case count[0] != ':' || len(count) < 2 || len(count) > 21 || len(bytes.Trim(count[1:], "0123456789")) > 0:
		return hash{}, errLine
	}
	return h, nil
}

func allHex(b []byte) bool {
	_, err := hex.DecodeString(string(b))
	return err == nil
}

// check looks at the first line, the last, and some between: they must be lines, and in order.
func check(r io.ReaderAt, size int64) error {
	if size == 0 {
		return errEmpty
	}
	head := make([]byte, min(maxLine, size))
	if err := readAt(r, head, 0); err != nil {
		return err
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	last, err := parseLine(line)
	if err != nil {
		return fmt.Errorf("%w at the start", err)
	}
	for i := int64(1); i <= samples && size > samples*maxLine; i++ {
		_, h, err := lineAfter(r, size/(samples+1)*i, size)
		switch {
		case err != nil:
			return fmt.Errorf("%w in the middle", err)
		case bytes.Compare(h[:], last[:]) < 0:
			return errUnordered
		}
		last = h
	}
	return checkEnd(r, size, last)
}

// checkEnd reads the last lines, those of a block. The very last may not come before sample.
func checkEnd(r io.ReaderAt, size int64, sample hash) error {
	tail := make([]byte, min(block, size))
	if err := readAt(r, tail, size-int64(len(tail))); err != nil {
		return err
	}
	if int64(len(tail)) < size { // it starts within a line
		_, tail, _ = bytes.Cut(tail, []byte("\n"))
	}
	var last hash
	for line := range bytes.Lines(tail) {
		h, err := parseLine(bytes.TrimSuffix(line, []byte("\n")))
		switch {
		case err != nil:
			return fmt.Errorf("%w at the end", err)
		case bytes.Compare(h[:], last[:]) < 0:
			return errUnordered
		}
		last = h
	}
	if bytes.Compare(last[:], sample[:]) < 0 {
		return errUnordered
	}
	return nil
}

// readAt fills buf.
func readAt(r io.ReaderAt, buf []byte, offset int64) error {
	if n, err := r.ReadAt(buf, offset); n < len(buf) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // it has shrunk
		}
		return fmt.Errorf("read at %d: %w", offset, err)
	}
	return nil
}
