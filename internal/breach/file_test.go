package breach

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// counted counts reads.
type counted struct {
	io.ReaderAt
	reads int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return c.ReaderAt.ReadAt(p, off)
}

// TestSearchIsAMap compares with a map: what is in it is found, and nothing else, not even a neighbour.
func TestSearchIsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(1, 5), rapid.IntRange(1, 2000)).Draw(t, "lines")
		form := lines{
			count: rapid.Bool().Draw(t, "count"), crlf: rapid.Bool().Draw(t, "crlf"),
			lower: rapid.Bool().Draw(t, "lower"), open: rapid.Bool().Draw(t, "open"),
		}
		hs := numbered(n)
		content := form.of(hs)
		r, size := bytes.NewReader(content), int64(len(content))
		if err := check(r, size); err != nil {
			t.Fatal(err)
		}
		known := map[hash]bool{}
		for _, h := range hs {
			known[h] = true
		}
		ask := []hash{{}, {0: 0xFF, 19: 0xFF}, sha1.Sum([]byte(rapid.String().Draw(t, "other")))}
		for range 50 {
			h := hs[rapid.IntRange(0, n-1).Draw(t, "line")]
			near := h
			near[19] += byte(rapid.IntRange(1, 255).Draw(t, "distance"))
			ask = append(ask, h, near)
		}
		for _, h := range append(ask, hs[0], hs[n-1]) {
			if got, err := search(r, size, h); err != nil || got != known[h] {
				t.Fatalf("search(%x) = %v, %v", h, got, err)
			}
		}
	})
}

// huge is a file of a billion lines that nobody has to write: line i has the hash of hugeHash(i).
type huge struct{}

const (
	hugeLines = 1_000_000_000
	hugeWidth = hexSize + 4 // :n, CR, LF
)

func hugeHash(i int64) (h hash) {
	binary.BigEndian.PutUint64(h[:], uint64(i)<<33)
	return h
}

func (huge) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off+int64(n) < hugeLines*hugeWidth {
		i := (off + int64(n)) / hugeWidth
		line := fmt.Sprintf("%X:%d\r\n", hugeHash(i), i%10)
		n += copy(p[n:], line[off+int64(n)-i*hugeWidth:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestSearchReadsLittle(t *testing.T) {
	t.Parallel()
	const size = hugeLines * hugeWidth // 44 GB
	if err := check(huge{}, size); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int64{0, 1, 2, 12345, hugeLines / 3, hugeLines/2 - 1, hugeLines / 2, hugeLines - 2, hugeLines - 1} {
		for _, there := range []bool{true, false} {
			want := hugeHash(i)
			if !there {
				want[19] = 1
			}
			r := &counted{ReaderAt: huge{}}
			if got, err := search(r, size, want); err != nil || got != there {
				t.Errorf("line %d: %v, %v", i, got, err)
			}
			if r.reads > 30 {
				t.Errorf("line %d: %d reads", i, r.reads)
			}
		}
	}
}

// FuzzFile gives the search any bytes for a file.
func FuzzFile(f *testing.F) {
	good := lines{count: true}.of(numbered(110))
	f.Add(good, []byte("number 7"))
	f.Add(lines{crlf: true, open: true, lower: true}.of(numbered(110)), []byte("number 700"))
	f.Add(good[:len(good)-20], []byte(""))
	f.Add(bytes.Repeat([]byte("\n"), 5000), []byte("a"))
	f.Add(bytes.Repeat([]byte("A"), 5000), []byte("a"))
	f.Add([]byte("00000011059407D743D40689940F858C:12\n"), []byte("a"))
	f.Fuzz(func(t *testing.T, content, password []byte) {
		size := int64(len(content))
		want := sha1.Sum(password)
		r := &counted{ReaderAt: bytes.NewReader(content)}
		_ = check(r, size)
		r.reads = 0
		found, err := search(r, size, want)
		if limit := 2 * (size/block + 2); int64(r.reads) > min(limit, 64) {
			t.Errorf("%d reads of %d bytes", r.reads, size)
		}
		if found && (err != nil || !bytes.Contains(bytes.ToUpper(content), fmt.Appendf(nil, "%X", want))) {
			t.Errorf("found %x, which is not there: %v", want, err)
		}
		if there, err := scan(content, want); err == nil && ordered(content) {
			if got, err := search(r, size, want); err != nil || got != there {
				t.Errorf("search: %v, %v; reading all: %v", got, err, there)
			}
		}
	})
}

// ordered says whether all lines are hashes, in order.
func ordered(content []byte) bool {
	var last hash
	for line := range bytes.Lines(content) {
		h, err := parseLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil || bytes.Compare(h[:], last[:]) < 0 {
			return false
		}
		last = h
	}
	return true
}

func BenchmarkHas(b *testing.B) {
	file := write(b, lines{count: true}.of(numbered(200_000)))
	for _, bm := range []struct{ name, file, password string }{
		{"embedded/found", "", "P@ssw0rd"},
		{"embedded/absent", "", "correct horse battery staple"},
		{"file/found", file, "number 77777"},
		{"file/absent", file, "correct horse battery staple"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			l := open(b, bm.file)
			for b.Loop() {
				if _, err := l.Has(bm.password); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
