package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/sink"
	"sallyport/internal/sink/sinktest"
	"sallyport/internal/store"
)

func cluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(4, "audit")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, c Config) *producer {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	p := s.(*producer)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// read reads records until it has those of n events, each for the first time. It returns them in the order that they first came.
func read(t *testing.T, c Config, n int) (first []*kgo.Record, all int) {
	t.Helper()
	options, err := c.options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(options, kgo.ConsumeTopics(c.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	seen := map[string]bool{}
	for len(seen) < n {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d events came", len(seen), n)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			all++
			if seq := header(r, "seq"); !seen[seq] {
				seen[seq] = true
				first = append(first, r)
			}
		})
	}
	return first, all
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// ordered checks that the records are those of the events from 1, in order.
func ordered(t *testing.T, records []*kgo.Record) {
	t.Helper()
	for i, r := range records {
		if got := header(r, "seq"); got != fmt.Sprint(i+1) || r.Partition != records[0].Partition {
			t.Fatalf("event %d is %s in partition %d", i+1, got, r.Partition)
		}
	}
}

func TestProduce(t *testing.T) {
	t.Parallel()
	a := sinktest.NewAuthority(t)
	c := cluster(t, kfake.TLS(a.Server()), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "sallyport", "secret"))
	config := Config{
		Name: "bus", Brokers: c.ListenAddrs(), Topic: "audit", TLS: sink.TLS{CA: a.PEM}, Mechanism: "SCRAM-SHA-512", User: "sallyport", Password: "secret",
	}
	p := open(t, config)
	events := sinktest.Events(1, 1000)
	for batch := range slices.Chunk(events, 300) {
		if err := p.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	records, all := read(t, config, 1000)
	ordered(t, records)
	r := records[6]
	want, _ := format.CloudTrail{}.Format(events[6])
	if all != 1000 || string(r.Value) != string(want) || string(r.Key) != "111122223333" || header(r, "id") != sinktest.ID(7) || header(r, "hash") != "0102" ||
		!r.Timestamp.Equal(events[6].At) || p.Name() != "bus" {
		t.Errorf("%d records, %s %s %v %v", all, r.Key, r.Value, r.Headers, r.Timestamp)
	}
	config.Password = "wrong"
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := open(t, config).Write(ctx, events[:1]); err == nil {
		t.Errorf("wrong password: %v", err)
	}
}

// TestKeys: with the source as key, each source's events are in one partition.
func TestKeys(t *testing.T) {
	t.Parallel()
	config := Config{Brokers: cluster(t).ListenAddrs(), Topic: "audit", Plain: true, Key: KeySource}
	events := sinktest.Events(1, 60)
	for i := range events {
		events[i].JSON = fmt.Appendf(nil, `{"eventSource":"s%d"}`, i%10)
	}
	if err := open(t, config).Write(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	records, _ := read(t, config, 60)
	where := map[string]int32{}
	used := map[int32]bool{}
	for _, r := range records {
		if p, ok := where[string(r.Key)]; ok && p != r.Partition {
			t.Errorf("key %s is in two partitions", r.Key)
		}
		where[string(r.Key)], used[r.Partition] = r.Partition, true
	}
	if len(where) != 10 || len(used) < 2 {
		t.Errorf("%v", where)
	}
}

// TestFailures: brokers that fail in ways that the client tries again, and in ways that it gives up on. The engine repeats a
// batch, and what comes is complete and in order.
func TestFailures(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	n := 0
	c.ControlKey(0, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		n++
		var code int16
		switch n {
		case 1, 9:
			return nil, errors.New("gone"), true // the connection ends
		case 4:
			code = kerr.NotEnoughReplicas.Code // tried again
		case 3, 6, 7:
			code = kerr.TopicAuthorizationFailed.Code // given up
		default:
			return nil, nil, false
		}
		produce := req.(*kmsg.ProduceRequest)
		res := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range produce.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = partition.Partition, code
				rt.Partitions = append(rt.Partitions, rp)
			}
			res.Topics = append(res.Topics, rt)
		}
		return res, nil, true
	})
	config := Config{Brokers: c.ListenAddrs(), Topic: "audit", Plain: true}
	p := open(t, config)
	failed := 0
	for batch := range slices.Chunk(sinktest.Events(1, 200), 25) {
		for tries := 0; ; tries++ {
			err := p.Write(t.Context(), batch)
			if err == nil {
				break
			}
			failed++
			if tries == 10 {
				t.Fatal(err)
			}
		}
	}
	if failed == 0 {
		t.Error("no Write failed")
	}
	records, _ := read(t, config, 200)
	ordered(t, records)
}

// TestHangingBroker: a Write ends with its context, though a broker may have the records, and the next begins anew.
func TestHangingBroker(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	hang := make(chan struct{})
	c.ControlKey(0, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.SleepControl(func() { <-hang })
		return nil, errors.New("gone"), true
	})
	config := Config{Brokers: c.ListenAddrs(), Topic: "audit", Plain: true}
	p := open(t, config)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := p.Write(ctx, sinktest.Events(1, 10)); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	close(hang)
	if err := p.Write(t.Context(), sinktest.Events(1, 20)); err != nil {
		t.Fatal(err)
	}
	records, _ := read(t, config, 20)
	ordered(t, records)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	if err := c.CreateTopic("small", 1, map[string]string{"max.message.bytes": "70000"}); err != nil {
		t.Fatal(err)
	}
	large := func(seq int64) store.SealedEvent {
		e := sinktest.Events(seq, seq)[0]
		e.JSON = fmt.Appendf(nil, `{"x":%q}`, rest(100<<10))
		return e
	}
	events := append(sinktest.Events(1, 2), large(3), sinktest.Events(4, 4)[0])
	var refused *audit.Refused
	config := Config{Brokers: c.ListenAddrs(), Topic: "small", Plain: true, MaxBytes: 70000}
	if err := open(t, config).Write(t.Context(), events); !errors.As(err, &refused) || !slices.Equal(refused.Seqs, []int64{3}) {
		t.Error(err)
	}
	if records, all := read(t, config, 3); all != 3 || header(records[2], "seq") != "4" {
		t.Errorf("%d records", all)
	}
	config.MaxBytes = 0
	if err := open(t, config).Write(t.Context(), events); err == nil || !strings.Contains(err.Error(), "max.message.bytes") {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	config.Brokers = []string{"127.0.0.1:1"}
	if err := open(t, config).Write(ctx, events); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
	config.Brokers = c.ListenAddrs()
	config.Topic = "missing"
	if err := open(t, config).Write(t.Context(), events); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Error(err)
	}
}

// rest is text that compression does not shorten much.
func rest(n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = 'A' + byte(x>>24)%50
	}
	return strings.ReplaceAll(string(b), `\`, "x")
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Brokers: []string{"kafka.example.org:9093"}, Topic: "audit"}
	for want, change := range map[string]func(*Config){
		"at least one broker": func(c *Config) { c.Brokers = nil },
		"not host:port":       func(c *Config) { c.Brokers = []string{"kafka"} },
		"Without TLS":         func(c *Config) { c.Plain = true },
		"no name of a topic":  func(c *Config) { c.Topic = "a b" },
		"key is the account":  func(c *Config) { c.Key = "user" },
		"is not PLAIN":        func(c *Config) { c.Mechanism = "GSSAPI" },
		"given together":      func(c *Config) { c.Mechanism, c.User = "PLAIN", "u" },
		"maxBytes":            func(c *Config) { c.MaxBytes = 1 },
		"no event format":     func(c *Config) { c.Format = "leef" },
		"in PEM":              func(c *Config) { c.TLS.CA = "x" },
	} {
		c := good
		change(&c)
		if _, err := Open(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
