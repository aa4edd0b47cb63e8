package stream_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// hmacOfNothing is openssl's, for TestWebhook.
const hmacOfNothing = "ab976ebd8648dad322b167e6ad6d1217338a7300f243afc224592c75e7742e51"

// TestWebhook: what a receiver is sent, and that it is the same when it comes again.
func TestWebhook(t *testing.T) {
	t.Parallel()
	re := newReceiver(t, nil)
	s := open(t, stream.Webhook, re.URL+"/in?x=y", nil)
	for range 2 {
		if err := s.Write(t.Context(), batch(7, 8)); err != nil {
			t.Fatal(err)
		}
	}
	var got []struct {
		EventID   string
		Sallyport struct {
			Seq  int64
			Hash string
		}
	}
	if err := json.Unmarshal([]byte(re.bodies[0]), &got); err != nil || len(got) != 2 || got[1].Sallyport.Seq != 8 || got[1].EventID != "id-8" || len(got[0].Sallyport.Hash) != 64 {
		t.Errorf("%v: %s", err, re.bodies[0])
	}
	h := re.asked[0].Header
	want := map[string]string{
		"Content-Type": "application/json", "X-Sallyport-First-Seq": "7", "X-Sallyport-Last-Seq": "8", "X-Sallyport-Events": "2",
		"X-Sallyport-Signature": outbound.Sign(secret, begin, []byte(re.bodies[0])), "Idempotency-Key": stream.IdempotencyKey("11111111-2222-4333-8444-555555555555", batch(7, 8)),
	}
	for name, value := range want {
		if h.Get(name) != value || re.asked[1].Header.Get(name) != value {
			t.Errorf("%s: %q, then %q, want %q", name, h.Get(name), re.asked[1].Header.Get(name), value)
		}
	}
	if re.asked[0].URL.String() != "/in?x=y" || re.bodies[0] != re.bodies[1] {
		t.Errorf("%s, %q, %q", re.asked[0].URL, re.bodies[0], re.bodies[1])
	}
	if stream.IdempotencyKey("x", batch(7, 8)) == stream.IdempotencyKey("x", batch(7, 9)) || stream.IdempotencyKey("x", batch(7, 8)) == stream.IdempotencyKey("y", batch(7, 8)) {
		t.Error("other batches have the same key")
	}
	// Values from another implementation: printf '1700000000.[]' | openssl dgst -sha256 -hmac whsec
	if got := outbound.Sign("whsec", time.Unix(1_700_000_000, 0), []byte("[]")); got != "t=1700000000,v1="+hmacOfNothing {
		t.Error(got)
	}
	lines := open(t, stream.Webhook, re.URL, map[string]string{"body": "ndjson"})
	if err := lines.Write(t.Context(), batch(1, 3)); err != nil || strings.Count(re.bodies[2], "\n") != 3 || re.asked[2].Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%v: %q", err, re.bodies[2])
	}
}

// TestHalves: a receiver that refuses batches as a whole is asked for less, until it is known what it does not want.
func TestHalves(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{"webhook": stream.Webhook, "otlp": stream.OTLP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := map[int64]bool{}
			var got []int64
			re := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
				var some []int64
				for seq := int64(1); seq <= 40; seq++ {
					if strings.Contains(string(body), fmt.Sprintf("id-%d\\\"", seq)) || strings.Contains(string(body), fmt.Sprintf("id-%d\"", seq)) {
						some = append(some, seq)
					}
				}
				for _, seq := range some {
					if bad[seq] {
						http.Error(w, "bad", http.StatusUnprocessableEntity)
						return
					}
				}
				got = append(got, some...)
			})
			s := open(t, kind, re.URL, nil)
			bad[3], bad[4], bad[40] = true, true, true
			err := s.Write(t.Context(), batch(1, 40))
			if fmt.Sprint(refusedOf(err)) != "[3 4 40]" || len(got) != 37 || !slices.IsSorted(got) {
				t.Errorf("%v, it has %v", err, got)
			}
			for seq := range int64(41) {
				bad[seq] = true
			}
			re.bodies = nil
			if err := s.Write(t.Context(), batch(1, 40)); err == nil || refusedOf(err) != nil || len(re.bodies) > 40 {
				t.Errorf("everything is bad: %v, after %d requests", err, len(re.bodies))
			}
			one, five := open(t, kind, re.URL, nil), open(t, kind, re.URL, nil)
			for n := range 4 {
				for _, some := range [][]store.SealedEvent{batch(9, 9), batch(10, 14)} {
					s := map[int]audit.Sink{1: one, 5: five}[len(some)]
					err := s.Write(t.Context(), some)
					if err == nil || (len(refusedOf(err)) == len(some)) != (n == 3) {
						t.Errorf("nothing of %d is taken, try %d: %v", len(some), n+1, err)
					}
				}
			}
		})
	}
}

// TestSplunk: the collector's envelope, and what becomes of events that it cannot read.
func TestSplunk(t *testing.T) {
	t.Parallel()
	var got []int64
	re := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		d := json.NewDecoder(bytes.NewReader(body))
		for i := 0; d.More(); i++ {
			var e struct {
				Time                            json.Number
				Host, Source, SourceType, Index string
				Fields                          map[string]string
				Event                           struct{ EventName string }
			}
			if err := d.Decode(&e); err != nil {
				t.Error(err)
			}
			if e.Event.EventName == "E3" || e.Event.EventName == "E5" {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"text":"Invalid data format","code":6,"invalid-event-number":%d}`, i)
				return
			}
			seq, _ := strconv.ParseInt(e.Fields["sallyport_seq"], 10, 64)
			got = append(got, seq)
			if e.Host != "node-1" || e.Source != "sallyport" || e.SourceType != "aws:cloudtrail" || e.Index != "sec" || e.Fields["event_id"] != fmt.Sprint("id-", seq) ||
				e.Time.String() != fmt.Sprintf("%d.123456", begin.Unix()+seq) {
				t.Errorf("%+v", e)
			}
		}
		fmt.Fprint(w, `{"text":"Success","code":0}`)
	})
	s := open(t, stream.SplunkHEC, re.URL, map[string]string{"host": "node-1", "index": "sec"})
	err := s.Write(t.Context(), batch(1, 6))
	if fmt.Sprint(refusedOf(err)) != "[3 5]" {
		t.Errorf("refused %v", err)
	}
	for _, seq := range []int64{1, 2, 4, 6} {
		if !slices.Contains(got, seq) {
			t.Errorf("%d is lost: %v", seq, got)
		}
	}
	h := re.asked[0].Header
	if re.asked[0].URL.Path != "/services/collector/event" || h.Get("Authorization") != "Splunk "+secret || h.Get("X-Splunk-Request-Channel") == "" {
		t.Errorf("%s %v", re.asked[0].URL, h)
	}
}

// TestElastic: documents that are there already are taken, those that cannot be held are refused, and for others all come again.
func TestElastic(t *testing.T) {
	t.Parallel()
	status := map[string]int{}
	there := map[string]string{}
	re := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
		var items []string
		for i := 0; i < len(lines); i += 2 {
			var action struct {
				Create struct {
					ID string `json:"_id"`
				}
			}
			if err := json.Unmarshal([]byte(lines[i]), &action); err != nil || !json.Valid([]byte(lines[i+1])) {
				t.Errorf("%v: %s %s", err, lines[i], lines[i+1])
			}
			id := action.Create.ID
			code := status[id]
			switch {
			case code != 0:
			case there[id] != "":
				code = 409
			default:
				code, there[id] = 201, lines[i+1]
			}
			items = append(items, fmt.Sprintf(`{"create":{"status":%d,"error":{"type":"t","reason":"because\nof it"}}}`, code))
		}
		fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
	})
	s := open(t, stream.Elastic, re.URL, nil)
	status["id-2"], status["id-4"] = 400, 429
	if err := s.Write(t.Context(), batch(1, 5)); err == nil || refusedOf(err) != nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("busy: %v", err)
	}
	delete(status, "id-4")
	if err := s.Write(t.Context(), batch(1, 5)); fmt.Sprint(refusedOf(err)) != "[2]" || !strings.HasSuffix(err.Error(), "t: because of it") {
		t.Errorf("refused: %v", err)
	}
	delete(status, "id-2")
	if err := s.Write(t.Context(), batch(1, 5)); err != nil || len(there) != 5 {
		t.Errorf("%v: %v", err, there)
	}
	if !strings.HasPrefix(there["id-1"], `{"@timestamp":"2026-11-02T09:00:01.123456Z","eventName":"E1"`) {
		t.Error(there["id-1"])
	}
	first := re.asked[0]
	if first.URL.Path != "/sallyport-audit/_bulk" || first.Header.Get("Authorization") != "ApiKey "+secret || first.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%s %v", first.URL, first.Header)
	}
	user := open(t, stream.Elastic, re.URL+"/es/", map[string]string{"user": "ingest", "index": "logs-audit"})
	if err := user.Write(t.Context(), batch(9, 9)); err != nil {
		t.Error(err)
	}
	last := re.asked[len(re.asked)-1]
	if name, password, _ := last.BasicAuth(); name != "ingest" || password != secret || last.URL.Path != "/es/logs-audit/_bulk" {
		t.Errorf("%s %v", last.URL, last.Header)
	}
	for _, text := range []string{``, `<html>`, `{}`, `{"errors":true,"items":[]}`} {
		re.answer = func(w http.ResponseWriter, _ *http.Request, _ []byte) { fmt.Fprint(w, text) }
		if err := s.Write(t.Context(), batch(6, 7)); err == nil || refusedOf(err) != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestOTLP: what a collector is sent, and that records are searched for that it rejects.
func TestOTLP(t *testing.T) {
	t.Parallel()
	var got []string
	re := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var logs struct {
			ResourceLogs []struct {
				ScopeLogs []struct {
					LogRecords []struct {
						TimeUnixNano string
						Body         struct{ StringValue string }
						Attributes   []struct {
							Key   string
							Value struct{ StringValue, IntValue string }
						}
					}
				}
			}
		}
		d := json.NewDecoder(bytes.NewReader(body))
		if err := d.Decode(&logs); err != nil {
			t.Error(err)
		}
		for _, r := range logs.ResourceLogs[0].ScopeLogs[0].LogRecords {
			if r.Attributes[0].Value.StringValue == "id-3" {
				fmt.Fprint(w, `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too odd"}}`)
				continue
			}
			var e struct{ EventID string }
			if err := json.Unmarshal([]byte(r.Body.StringValue), &e); err != nil || e.EventID != r.Attributes[0].Value.StringValue {
				t.Errorf("%v: %+v", err, r)
			}
			got = append(got, r.Attributes[1].Value.IntValue+" "+r.TimeUnixNano)
		}
	})
	s := open(t, stream.OTLP, re.URL, nil)
	err := s.Write(t.Context(), batch(1, 4))
	if fmt.Sprint(refusedOf(err)) != "[3]" || !strings.Contains(err.Error(), "too odd") {
		t.Errorf("refused: %v", err)
	}
	for _, seq := range []int64{1, 2, 4} {
		if !slices.Contains(got, fmt.Sprint(seq, " ", begin.Add(time.Duration(seq)*time.Second).UnixNano())) {
			t.Errorf("%d is lost: %v", seq, got)
		}
	}
	if re.asked[0].URL.Path != "/v1/logs" || re.asked[0].Header.Get("Authorization") != "Bearer "+secret {
		t.Errorf("%s %v", re.asked[0].URL, re.asked[0].Header)
	}
	for text, well := range map[string]bool{``: true, `{}`: true, `{"partialSuccess":{}}`: true, `{"partialSuccess":{"rejectedLogRecords":0}}`: true, `<html>`: false} {
		re.answer = func(w http.ResponseWriter, _ *http.Request, _ []byte) { fmt.Fprint(w, text) }
		if err := s.Write(t.Context(), batch(6, 7)); (err == nil) != well {
			t.Errorf("%q: %v", text, err)
		}
	}
}
