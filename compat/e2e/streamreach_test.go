package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sallyport/internal/sink/sinktest"
)

// reached is what a receiver has of the stream: how a sink is told of it, and its events as they came. Where the receiver can wait, events
// waits until the one with the number n has come.
type reached struct {
	add    []string
	events func(n int) []string
}

// TestStreamsReachReceivers goes the whole way to a real receiver of each kind that needs one: a sink that the command adds, calls by
// clients, a server that is killed among them. The receiver has in the end what the log's file has, byte for byte and in its order.
func TestStreamsReachReceivers(t *testing.T) {
	t.Parallel()
	for kind, receiver := range map[string]func(*testing.T) reached{"syslog": reachRsyslog, "nats": reachNATS, "kafka": reachKafka} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := receiver(t)
			s := startDev(t)
			s.cli("settings", "set", "limits.mode", "relaxed")
			s.cli(append([]string{"sinks", "add", "siem", "--kind", kind, "--from-start"}, r.add...)...)
			ctx, stop := context.WithCancel(t.Context())
			load := s.load(ctx)
			time.Sleep(time.Second)
			s.awaitReached(r, s.awaitGroups(nil)) // the sink is at it
			s.kill()
			s.start()
			time.Sleep(time.Second)
			stop()
			acknowledged := load.wait()
			if len(acknowledged) == 0 {
				t.Fatal("nothing was acknowledged")
			}
			s.awaitReached(r, s.awaitGroups(acknowledged))
		})
	}
}

// awaitReached waits until the receiver has the last of the events, and compares all. What came again must be what came the first time.
func (s *server) awaitReached(r reached, want [][]byte) {
	s.tb.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		came, next := r.events(len(want)), 0
		for _, line := range came {
			var e event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				continue // the kill has cut what was being sent, and it came again
			}
			n := int(e.Sallyport.Seq)
			if n > next+1 {
				s.tb.Fatalf("event %d follows event %d", n, next)
			}
			if next = max(next, n); n <= len(want) && line != string(bytes.TrimSuffix(want[n-1], []byte("\n"))) {
				s.tb.Fatalf("event %d:\n%s%s", n, want[n-1], line)
			}
		}
		if next >= len(want) {
			s.tb.Logf("%d events came as %d", next, len(came))
			return
		}
		if time.Now().After(end) {
			s.tb.Fatalf("the receiver has %d of %d events:\n%s", next, len(want), s.cli("sinks", "show", "siem"))
		}
	}
}

// secretFile is a file for a command's --secret-file or --ca-file.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	write(t, file, []byte(text))
	return file
}

// reachRsyslog is rsyslog over TLS with certificates on both sides.
func reachRsyslog(t *testing.T) reached {
	a := sinktest.NewAuthority(t)
	r := newRsyslog(t, a)
	cert, key := a.Issue()
	return reached{
		add: []string{"--url", r.address, "--ca-file", secretFile(t, a.PEM), "--secret-file", secretFile(t, cert+key)},
		events: func(int) (events []string) {
			if _, err := os.Stat(filepath.Join(r.dir, "out")); err != nil {
				return nil // nothing has come
			}
			for _, line := range r.lines() {
				if _, e, ok := strings.Cut(line, "] {"); ok {
					events = append(events, "{"+e)
				}
			}
			return events
		},
	}
}

// reachNATS is a stream of a NATS server over TLS, with a password.
func reachNATS(t *testing.T) reached {
	n := newNATS(t)
	_, stream := n.stream(jetstream.StreamConfig{Name: "AUDIT", Subjects: []string{"audit.>"}})
	return reached{
		add: []string{
			"--url", n.address, "--ca-file", secretFile(t, n.a.PEM), "--secret-file", secretFile(t, "secret"),
			"--option", "user=sallyport", "--option", "stream=AUDIT", "--option", "subject=audit.sallyport",
		},
		events: func(int) (events []string) {
			for _, m := range n.messages(stream) {
				events = append(events, string(m.Data()))
			}
			return events
		},
	}
}

// reachKafka is a broker of Kafka in a process of its own, without TLS.
func reachKafka(t *testing.T) reached {
	address := freeAddress(t)
	kafkaBroker(t, address, t.TempDir())
	return reached{
		add: []string{"--url", address, "--option", "topic=audit", "--option", "plain=true"},
		events: func(n int) (events []string) {
			for _, r := range consume(t, address, n) {
				events = append(events, string(r.Value))
			}
			return events
		},
	}
}
