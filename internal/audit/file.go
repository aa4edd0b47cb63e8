package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"sallyport/internal/audit/format"
	"sallyport/internal/store"
)

// File is a sink that appends JSON lines: one CloudTrail-shaped event a line, closed by a member "sallyport" with the event's
// number and the hash chain's head, so that a log that was rewritten shows.
// It reads the last number back when it is opened, so that a crash between file and cursor doubles nothing.
type File struct {
	f      *os.File
	path   string
	cursor string       // what this node's file is called among the cursors
	last   atomic.Int64 // number of the last event that the file has
	size   int64        // bytes of whole lines
	lines  bytes.Buffer // of a batch; the next one's are as many
}

// maxLines is the most memory, in bytes, that is kept from one batch to the next.
const maxLines = 8 << 20

// OpenFile opens or makes the file (mode 0600). A half-written last line, left by a crash, is cut off: its event comes again.
func OpenFile(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open audit file: %w", err)
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find audit file: %w", err), f.Close())
	}
	last, size, err := lastLine(f)
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read audit file %s back: %w", path, err), f.Close())
	}
	host, _ := os.Hostname() // "" is a name too
	s := &File{f: f, path: path, cursor: "file:" + host + ":" + whole, size: size}
	s.last.Store(last)
	return s, nil
}

// Name is the sink's name.
func (s *File) Name() string { return "file" }

// Last is the number of the last event that the file has; 0: none.
func (s *File) Last() int64 { return s.last.Load() }

// Write appends the events that the file does not have yet and syncs.
func (s *File) Write(_ context.Context, batch []store.SealedEvent) error {
	buf := &s.lines
	buf.Reset()
	last := s.last.Load()
	for _, e := range batch {
		if e.Seq <= last {
			continue
		}
		line, err := format.CloudTrail{}.Format(e)
		if err != nil {
			return fmt.Errorf("write event %d: %w", e.Seq, err)
		}
		buf.Write(line)
		buf.WriteByte('\n')
		last = e.Seq
	}
	_, err := s.f.WriteAt(buf.Bytes(), s.size)
	if err == nil {
		err = s.f.Sync()
	}
	if err != nil { // half a batch may be there: cut it off, all of it comes again
		return errors.Join(fmt.Errorf("append to audit file: %w", err), s.f.Truncate(s.size))
	}
	s.last.Store(last)
	s.size += int64(buf.Len())
	if buf.Cap() > maxLines {
		s.lines = bytes.Buffer{}
	}
	return nil
}

// Close closes the file.
func (s *File) Close() error { return s.f.Close() }

// lastLine finds the number on the last whole line, and where that line ends. Only the tail of the file is read.
func lastLine(f *os.File) (seq, size int64, err error) {
	const tail = 1 << 20 // CloudTrail bounds an event at 256 KB
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, 0, err
	}
	start := max(0, end-tail)
	r := bufio.NewReader(io.NewSectionReader(f, start, end-start))
	for pos := start; ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return seq, size, ignoreEOF(err)
		}
		pos += int64(len(line))
		size = pos
		var l struct {
			Sallyport struct {
				Seq int64 `json:"seq"`
			} `json:"sallyport"`
		}
		if json.Unmarshal(line, &l) == nil && l.Sallyport.Seq > 0 {
			seq = l.Sallyport.Seq
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
