package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"sallyport/internal/sink/kafka"
)

// kafkaDir and kafkaPort make of a test binary a broker of Kafka that keeps its records there and listens there.
const (
	kafkaDir  = "SALLYPORT_TEST_KAFKA_DIR"
	kafkaPort = "SALLYPORT_TEST_KAFKA_PORT"
)

// TestKafkaBroker is the broker's process; as a test among others it does nothing.
func TestKafkaBroker(t *testing.T) {
	dir := os.Getenv(kafkaDir)
	if dir == "" {
		return
	}
	port, err := strconv.Atoi(os.Getenv(kafkaPort))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(3, "audit"), kfake.DataDir(dir), kfake.SyncWrites())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-t.Context().Done() // until it is killed
	select {}
}

// kafkaBroker starts a broker that keeps its records in dir, also after its end.
func kafkaBroker(t *testing.T, address, dir string) *process {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKafkaBroker$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), kafkaDir+"="+dir, kafkaPort+"="+port)
	p := start(t, cmd)
	p.reachable(address)
	return p
}

// TestKafkaKilled: nothing that was acknowledged is lost when the broker is killed, again and again.
func TestKafkaKilled(t *testing.T) {
	t.Parallel()
	address, dir := freeAddress(t), t.TempDir()
	begin := func() *process { return kafkaBroker(t, address, dir) }
	broker := begin()
	s, err := kafka.Open(kafka.Config{Brokers: []string{address}, Topic: "audit", Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.(interface{ Close() error }).Close() })
	n, _ := ship(t, s, func() { // the client tries again by itself: no write need fail
		broker.kill()
		broker = begin()
	})
	var seqs []string
	for _, r := range consume(t, address, n) {
		seqs = append(seqs, header(r, "seq"))
	}
	firsts(t, seqs, n)
}

// consume reads the topic until the event with the number n has come.
func consume(t *testing.T, address string, n int) (records []*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics("audit"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for done := false; !done; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("event %d did not come among %d", n, len(records))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			records = append(records, r)
			done = done || header(r, "seq") == fmt.Sprint(n)
		})
	}
	return records
}

// header is a header of a record, empty where there is none.
func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
