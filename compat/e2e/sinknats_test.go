package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sallyport/internal/audit"
	"sallyport/internal/sink"
	"sallyport/internal/sink/nats"
	"sallyport/internal/sink/sinktest"
)

// natsServer is a NATS server with JetStream, TLS and a user.
type natsServer struct {
	*process
	tb      testing.TB
	dir     string
	address string
	a       *sinktest.Authority
}

func newNATS(tb testing.TB) *natsServer {
	tb.Helper()
	n := &natsServer{tb: tb, dir: tb.TempDir(), address: freeAddress(tb), a: sinktest.NewAuthority(tb)}
	cert, key := n.a.Issue()
	write(tb, filepath.Join(n.dir, "ca.pem"), []byte(n.a.PEM))
	write(tb, filepath.Join(n.dir, "cert.pem"), []byte(cert))
	write(tb, filepath.Join(n.dir, "key.pem"), []byte(key))
	write(tb, filepath.Join(n.dir, "nats.conf"), fmt.Appendf(nil, `
listen: %q
jetstream { store_dir: %q }
tls { cert_file: "%[2]s/cert.pem", key_file: "%[2]s/key.pem", ca_file: "%[2]s/ca.pem" }
authorization { user: sallyport, password: secret }
max_payload: 200000
`, n.address, n.dir))
	n.begin()
	return n
}

func (n *natsServer) begin() {
	n.tb.Helper()
	n.process = start(n.tb, exec.Command(program(n.tb, "nats-server"), "-c", filepath.Join(n.dir, "nats.conf")))
	n.reachable(n.address)
}

// stream is a client's view of the stream, which is made if it is not there.
func (n *natsServer) stream(config jetstream.StreamConfig) (jetstream.JetStream, jetstream.Stream) {
	n.tb.Helper()
	conn, err := natsgo.Connect("tls://"+n.address, natsgo.RootCAs(filepath.Join(n.dir, "ca.pem")), natsgo.UserInfo("sallyport", "secret"))
	if err != nil {
		n.tb.Fatal(err)
	}
	n.tb.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		n.tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := js.CreateOrUpdateStream(ctx, config)
	if err != nil {
		n.tb.Fatal(err)
	}
	return js, s
}

// seqs are the numbers of all events in the stream, in its order.
func (n *natsServer) seqs(s jetstream.Stream) (seqs []string) {
	n.tb.Helper()
	for _, m := range n.messages(s) {
		seqs = append(seqs, m.Headers().Get("Sallyport-Seq"))
	}
	return seqs
}

// messages are all that the stream has, in its order.
func (n *natsServer) messages(s jetstream.Stream) (all []jetstream.Msg) {
	n.tb.Helper()
	info, err := s.Info(context.Background())
	if err != nil {
		n.tb.Fatal(err)
	}
	c, err := s.OrderedConsumer(context.Background(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		n.tb.Fatal(err)
	}
	for len(all) < int(info.State.Msgs) {
		batch, err := c.Fetch(min(500, int(info.State.Msgs)-len(all)), jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			n.tb.Fatal(err)
		}
		before := len(all)
		for m := range batch.Messages() {
			all = append(all, m)
		}
		if len(all) == before {
			n.tb.Fatalf("%d of %d messages came: %v", before, info.State.Msgs, batch.Error())
		}
	}
	return all
}

func (n *natsServer) config() nats.Config {
	return nats.Config{
		Servers: []string{n.address}, Stream: "AUDIT", Subject: "audit.sallyport", TLS: sink.TLS{CA: n.a.PEM}, User: "sallyport", Password: "secret",
	}
}

func openNATS(t *testing.T, c nats.Config) audit.Sink {
	t.Helper()
	s, err := nats.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.(interface{ Close() error }).Close() })
	return s
}

func TestNATS(t *testing.T) {
	t.Parallel()
	n := newNATS(t)
	js, stream := n.stream(jetstream.StreamConfig{Name: "AUDIT", Subjects: []string{"audit.>"}, MaxMsgSize: 100_000})
	s := openNATS(t, n.config())
	events := sinktest.Events(1, 1000)
	events[9].JSON = fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("x", 150_000))   // the stream takes less
	events[700].JSON = fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("x", 250_000)) // the server takes less
	for range 2 {                                                                 // the second time they are there
		var refused *audit.Refused
		if err := s.Write(t.Context(), events); !errors.As(err, &refused) || !slices.Contains(refused.Seqs, 10) || !slices.Contains(refused.Seqs, 701) || len(refused.Seqs) != 2 {
			t.Fatal(err)
		}
	}
	seqs := n.seqs(stream)
	if len(seqs) != 998 || seqs[9] != "11" || seqs[997] != "1000" || !slices.IsSortedFunc(seqs, func(a, b string) int { return len(a) - len(b) }) {
		t.Errorf("%d messages: %.200q", len(seqs), seqs)
	}

	// Somebody else's messages in between.
	if _, err := js.Publish(t.Context(), "audit.other", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Write(t.Context(), sinktest.Events(991, 1010)); err != nil {
			t.Errorf("around a message of somebody else: %v", err)
		}
	}
	if seqs := n.seqs(stream); len(seqs) != 1009 || seqs[998] != "" || seqs[999] != "1001" || seqs[1008] != "1010" {
		t.Errorf("%d messages: %q", len(seqs), seqs[990:])
	}

	for want, change := range map[string]func(*nats.Config){
		"no stream takes":         func(c *nats.Config) { c.Subject = "other" },
		"expected stream":         func(c *nats.Config) { c.Stream = "OTHER" },
		"Authorization Violation": func(c *nats.Config) { c.Password = "wrong" },
		"unknown authority":       func(c *nats.Config) { c.TLS.CA = sinktest.NewAuthority(t).PEM },
	} {
		c := n.config()
		change(&c)
		began := time.Now()
		if err := openNATS(t, c).Write(t.Context(), sinktest.Events(1, 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if time.Since(began) > 5*time.Second {
			t.Errorf("%s took %v", want, time.Since(began))
		}
	}
}

// TestNATSKilled: nothing that was acknowledged is lost when the server is killed, again and again.
func TestNATSKilled(t *testing.T) {
	t.Parallel()
	server := newNATS(t)
	server.stream(jetstream.StreamConfig{Name: "AUDIT", Subjects: []string{"audit.>"}})
	n, failed := ship(t, openNATS(t, server.config()), func() {
		server.kill()
		server.begin()
	})
	if failed == 0 {
		t.Error("no write failed")
	}
	_, stream := server.stream(jetstream.StreamConfig{Name: "AUDIT", Subjects: []string{"audit.>"}})
	firsts(t, server.seqs(stream), n)
}
