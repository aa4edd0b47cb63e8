package audit

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/store"
)

func events(from, to int64) []store.SealedEvent {
	var out []store.SealedEvent
	for seq := from; seq <= to; seq++ {
		h := sha256.Sum256(fmt.Append(nil, seq))
		out = append(out, store.SealedEvent{Seq: seq, Hash: h[:], Event: store.Event{ID: fmt.Sprint(seq), JSON: fmt.Appendf(nil, `{"eventID":"%d"}`, seq)}})
	}
	return out
}

func lines(t *testing.T, path string) (seqs []int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var l struct {
			EventID   string `json:"eventID"`
			Sallyport struct {
				Seq  int64  `json:"seq"`
				Hash string `json:"hash"`
			} `json:"sallyport"`
		}
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("line %q: %v", s.Text(), err)
		}
		if l.EventID != fmt.Sprint(l.Sallyport.Seq) || len(l.Sallyport.Hash) != 64 {
			t.Fatalf("line %q", s.Text())
		}
		seqs = append(seqs, l.Sallyport.Seq)
	}
	return seqs
}

// TestFileSurvivesACrash: what was cut off comes again, and what is there is not doubled.
func TestFileSurvivesACrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	write := func(batch []store.SealedEvent) {
		t.Helper()
		f, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	write(events(1, 3))
	half, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.WriteString(`{"eventID":"4","sallyp`); err != nil {
		t.Fatal(err)
	}
	if err := half.Close(); err != nil {
		t.Fatal(err)
	}
	write(events(2, 6)) // the cursor had not moved past 1
	got := lines(t, path)
	if fmt.Sprint(got) != "[1 2 3 4 5 6]" {
		t.Errorf("file has %v", got)
	}
}

func TestFileModeIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestFileWithLargeEvents: the last number is found again behind events as large as they may be, with half of one after them.
func TestFileWithLargeEvents(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	large := events(1, 6)
	for i := range large {
		large[i].JSON = fmt.Appendf(nil, `{"eventID":"%d","x":"%s"}`, i+1, strings.Repeat("x", MaxSize-64))
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Write(t.Context(), large[:5]), f.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	half, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.Write(large[5].JSON[:MaxSize-100]); err != nil {
		t.Fatal(err)
	}
	if f, err = OpenFile(path); err != nil || f.Last() != 5 || f.size != whole.Size() {
		t.Errorf("last %d, size %d of %d: %v", f.Last(), f.size, whole.Size(), err)
	}
	if err := errors.Join(half.Close(), f.Close()); err != nil {
		t.Error(err)
	}
}
