package trailfile

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzRecords: whatever a log file holds, it is split as encoding/json splits it, or refused.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{
		`{"Records":[]}`, `{"Records":[{}]}`, `{"Records":[{"a":"}]\\\""},{"b":[{}]}]}`, `{"Records":[{"a":"\\"}]}`, `{"Records":[{"a":"\u007d"},]}`, `{"Records":[{]}`, ``, `{"Records":[{"a":1}]}x`,
	} {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"Records":[{"eventSource":"sallyport","eventName":"PruneTrailFiles","serviceEventDetails":{"digestS3Object":"AWSLogs/1/CloudTrail-Digest/r/x","toSeq":"5"}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, g := range told(b, "o") { // whatever it says, it is not taken for more than text
			if end, ok := g.of("t"); ok && end.IsZero() {
				t.Fatalf("%q is of no time", g.Key)
			}
		}
		var got [][]byte
		if err := Records(b, func(e []byte) error { got = append(got, e); return nil }); err != nil {
			return
		}
		if joined := append(append([]byte(logHead), bytes.Join(got, []byte(","))...), logTail...); !bytes.Equal(joined, b) {
			t.Fatalf("%q is not what %q was split to", joined, b)
		}
		var want struct{ Records []json.RawMessage }
		if !json.Valid(b) || json.Unmarshal(b, &want) != nil {
			return // what is inside events is not looked at
		}
		if len(want.Records) != len(got) {
			t.Fatalf("%q: %d events, want %d", b, len(got), len(want.Records))
		}
		for i, e := range want.Records {
			if !bytes.Equal(e, got[i]) {
				t.Fatalf("event %d of %q: %q, want %q", i, b, got[i], e)
			}
		}
	})
}

// FuzzDigest: no bytes make reading a digest fail otherwise than by an error, and what is read is written as it was.
func FuzzDigest(f *testing.F) {
	d := Digest{AccountID: "1", StartTime: "s", EndTime: "e", Bucket: "b", Object: "o", Fingerprint: "f", LogFiles: []LogFile{{Object: "l", Part: &LogNum{1, 2, 3}}}, Stretch: &Stretch{From: 1}}
	b, err := d.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"logFiles":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDigest(b)
		if err != nil {
			return
		}
		_ = d.Signed(b)
		again, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if e, err := ParseDigest(again); err != nil || e.Object != d.Object || len(e.LogFiles) != len(d.LogFiles) {
			t.Fatalf("%q became %q: %v", b, again, err)
		}
	})
}

// FuzzExpand: bytes of any kind are one whole compressed stream, or an error.
func FuzzExpand(f *testing.F) {
	whole, err := Compress([]byte("some text"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(bytes.Clone(whole), 0))
	f.Add(whole[:len(whole)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := Expand(bytes.NewReader(b))
		into, errInto := expandInto(nil, bytes.NewReader(b))
		if (err == nil) != (errInto == nil) || err == nil && !bytes.Equal(plain, into) {
			t.Fatalf("%q, %v; %q, %v", plain, err, into, errInto)
		}
	})
}
