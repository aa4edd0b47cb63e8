package format_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"sallyport/internal/audit/format"
)

func FuzzParseCloudTrail(f *testing.F) {
	f.Add([]byte(`{"eventID":"x","eventTime":"2026-11-02T09:00:00Z","sallyport":{"seq":3,"hash":"` + strings.Repeat("0a", 32) + `"}}`))
	f.Add([]byte(`{"eventID":"x","sallyport":{"seq":0,"hash":""}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := format.ParseCloudTrail(line)
		if err != nil {
			return
		}
		written, err := format.CloudTrail{}.Format(e)
		if err != nil {
			t.Fatal(err)
		}
		again, err := format.ParseCloudTrail(written)
		if err != nil || again.Seq != e.Seq || !bytes.Equal(again.JSON, e.JSON) || !bytes.Equal(again.Hash, e.Hash) || !json.Valid(e.JSON) {
			t.Errorf("%q reads as %+v, then %+v, %v", line, e, again, err)
		}
	})
}
