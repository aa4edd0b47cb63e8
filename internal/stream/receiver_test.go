package stream_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

var begin = time.Date(2026, 11, 2, 9, 0, 0, 123_456_000, time.UTC)

// batch are events as they are in the log.
func batch(from, to int64) (out []store.SealedEvent) {
	for seq := from; seq <= to; seq++ {
		h := sha256.Sum256([]byte{byte(seq)})
		out = append(out, store.SealedEvent{Seq: seq, Hash: h[:], Event: store.Event{
			ID: fmt.Sprint("id-", seq), At: begin.Add(time.Duration(seq) * time.Second), JSON: fmt.Appendf(nil, `{"eventName":"E%d","eventID":"id-%d"}`, seq, seq),
		}})
	}
	return out
}

// receiver is an HTTP server that answers as a test says.
type receiver struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, body []byte)
	asked  []*http.Request
	bodies []string
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body []byte)) *receiver {
	t.Helper()
	re := &receiver{answer: answer}
	re.Server = httptest.NewServer(re)
	t.Cleanup(re.Close)
	return re
}

func (re *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	re.asked, re.bodies = append(re.asked, r), append(re.bodies, string(body))
	if re.answer != nil {
		re.answer(w, r, body)
	}
}

func open(t *testing.T, kind, address string, options map[string]string) audit.Sink {
	t.Helper()
	s, err := stream.Open(config(kind, address, options))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.(io.Closer).Close() })
	return s
}

func config(kind, address string, options map[string]string) stream.Config {
	return stream.Config{
		ID: "11111111-2222-4333-8444-555555555555", Name: "siem", Kind: kind, Secret: secret, Clock: clocktest.At(begin), Limit: time.Second,
		Settings: stream.Settings{Address: address, Format: stream.CloudTrail, Options: options},
	}
}

func refusedOf(err error) []int64 {
	if r := (*audit.Refused)(nil); errors.As(err, &r) {
		return r.Seqs
	}
	return nil
}
