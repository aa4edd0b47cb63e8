package sink

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/sink/sinktest"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	batch := sinktest.Events(1, 4)
	batch[1].JSON = []byte("[]")
	batch[2].JSON = []byte(`{"x":"` + strings.Repeat("x", 300) + `"}`)
	var refused Refusals
	if err := refused.Err(); err != nil {
		t.Error(err)
	}
	messages := Encode(format.CloudTrail{}, batch, 300, &refused)
	if len(messages) != 2 || messages[0].Event.Seq != 1 || messages[1].Event.Seq != 4 || !strings.Contains(string(messages[1].Body), `"seq":4`) {
		t.Errorf("%v", messages)
	}
	var r *audit.Refused
	if err := refused.Err(); !errors.As(err, &r) || !slices.Equal(r.Seqs, []int64{2, 3}) || !strings.Contains(err.Error(), "2 events refused (numbers 2 3): the event is not a JSON object") {
		t.Error(err)
	}
}

func TestCheckPlain(t *testing.T) {
	t.Parallel()
	for address, fine := range map[string]bool{
		"127.0.0.1:1": true, "127.8.8.8:1": true, "[::1]:1": true, "localhost:1": true, "[::ffff:127.0.0.1]:1": true,
		"localhost.example.org:1": false, "10.0.0.1:1": false, "0.0.0.0:1": false, "[::]:1": false, "127.0.0.1": false, "": false, ":1": false,
	} {
		if err := CheckPlain(address); (err == nil) != fine {
			t.Errorf("%s: %v", address, err)
		}
	}
}
