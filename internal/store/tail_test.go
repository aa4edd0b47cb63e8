package store

import (
	"fmt"
	"testing"
)

func sealedEvents(from, to int64, size int) (list []SealedEvent) {
	for seq := from; seq <= to; seq++ {
		list = append(list, SealedEvent{Seq: seq, Event: Event{ID: fmt.Sprint(seq), JSON: make([]byte, size)}})
	}
	return list
}

func TestTail(t *testing.T) {
	t.Parallel()
	var l tail
	want := func(after int64, limit int, first, n int64, ok bool) {
		t.Helper()
		got, is := l.after(after, limit)
		if is != ok || int64(len(got)) != n || n > 0 && got[0].Seq != first {
			t.Errorf("after %d, at most %d: %d events, %v", after, limit, len(got), is)
		}
	}
	want(0, 10, 0, 0, false)
	l.add(sealedEvents(101, 110, 10))
	want(99, 10, 0, 0, false) // 100 was written by an earlier process
	want(100, 3, 101, 3, true)
	want(105, 10, 106, 5, true)
	want(110, 10, 0, 0, true)
	want(111, 10, 0, 0, false)
	l.add(sealedEvents(111, 114, maxTail/3))
	want(110, 10, 0, 0, false) // pushed out
	want(112, 10, 113, 2, true)
	if l.bytes > maxTail {
		t.Errorf("%d bytes are kept", l.bytes)
	}
}
