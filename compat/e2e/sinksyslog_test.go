package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/sink"
	"sallyport/internal/sink/sinktest"
	"sallyport/internal/sink/syslog"
)

// rsyslog is a syslog server that writes a file, each message before it reads the next: what it has read survives its end.
type rsyslog struct {
	*process
	tb      testing.TB
	dir     string
	address string
}

func newRsyslog(tb testing.TB, a *sinktest.Authority) *rsyslog {
	tb.Helper()
	r := &rsyslog{tb: tb, dir: tb.TempDir(), address: freeAddress(tb)}
	cert, key := a.Issue()
	write(tb, filepath.Join(r.dir, "ca.pem"), []byte(a.PEM))
	write(tb, filepath.Join(r.dir, "cert.pem"), []byte(cert))
	write(tb, filepath.Join(r.dir, "key.pem"), []byte(key))
	_, port, _ := strings.Cut(r.address, ":")
	write(tb, filepath.Join(r.dir, "rsyslog.conf"), fmt.Appendf(nil, `
global(workDirectory=%[1]q maxMessageSize="400k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[1]s/cert.pem" defaultNetstreamDriverKeyFile="%[1]s/key.pem")
main_queue(queue.type="Direct")
module(load="imtcp" maxFrameSize="400000" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" address="127.0.0.1" port=%[2]q)
template(name="line" type="string" string="%%syslogfacility%% %%syslogseverity%% %%msgid%% %%structured-data%% %%msg%%\n")
action(type="omfile" file="%[1]s/out" template="line")
`, r.dir, port))
	r.begin()
	return r
}

// begin starts the server, also after its end.
func (r *rsyslog) begin() {
	r.tb.Helper()
	_ = os.Remove(filepath.Join(r.dir, "pid")) // a killed one leaves it
	r.process = start(r.tb, exec.Command(program(r.tb, "rsyslogd"), "-n", "-f", filepath.Join(r.dir, "rsyslog.conf"), "-i", filepath.Join(r.dir, "pid")))
	r.reachable(r.address)
}

// lines are those of the file. One that a kill has cut is none.
func (r *rsyslog) lines() (lines []string) {
	r.tb.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, "out"))
	if err != nil {
		r.tb.Fatal(err)
	}
	scan := bufio.NewScanner(bytes.NewReader(b))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		lines = append(lines, scan.Text())
	}
	return lines
}

var seqInData = regexp.MustCompile(`\[sallyport@32473 seq="(\d+)" id="([^"]+)"`)

// TestRsyslog sends events over TLS with certificates on both sides, the longest that there are among them.
func TestRsyslog(t *testing.T) {
	t.Parallel()
	a := sinktest.NewAuthority(t)
	r := newRsyslog(t, a)
	cert, key := a.Issue()
	events := sinktest.Events(1, 2000)
	events[99].JSON = fmt.Appendf(nil, `{"eventName":"Long","x":%q}`, strings.Repeat("x", audit.MaxSize-64))
	for _, format := range []string{"cloudtrail", "ocsf", "cef"} {
		s, err := syslog.Open(syslog.Config{Address: r.address, TLS: sink.TLS{CA: a.PEM, Cert: cert, Key: key}, Format: format})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	lines := r.lines() // no waiting: Write has returned
	if len(lines) != 6000 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		if m := seqInData.FindStringSubmatch(line); m == nil || m[1] != fmt.Sprint(i%2000+1) || m[2] != events[i%2000].ID {
			t.Fatalf("line %d is %.300s", i+1, line)
		}
	}
	for line, want := range map[int]string{
		7:    "^13 5 DeleteUser " + `\[.*\] \{"eventID":"` + sinktest.ID(8) + `".*"sallyport":\{"seq":8,"hash":"0102"\}\}$`,
		99:   `^13 5 Long .*x","sallyport":\{"seq":100,"hash":"0102"\}\}$`,
		2007: `^13 5 DeleteUser \[.*\] \{"activity_id":4,.*"version":"1\.8\.0".*\}$`,
		4007: `^13 5 DeleteUser \[.*\] CEF:0\|Sallyport\|.*\|cn1Label=sequence cn1=8 externalId=` + sinktest.ID(8),
	} {
		if !regexp.MustCompile(want).MatchString(lines[line]) {
			t.Errorf("line %d is %.600s", line+1, lines[line])
		}
	}

	// A client without a certificate is refused after its handshake has ended well: what it sends is not lost silently.
	if err := syslog.Send(t.Context(), syslog.Config{Address: r.address, TLS: sink.TLS{CA: a.PEM}}, syslog.Message{Text: []byte("x")}); err == nil {
		t.Error("sending without a certificate is no error")
	}
	if n := len(r.lines()); n != 6000 {
		t.Errorf("%d lines", n)
	}
}

// firsts checks that the events from 1 to n all came, the first time in order, and returns how many came.
func firsts(t *testing.T, came []string, n int) {
	t.Helper()
	next := 1
	for _, seq := range came {
		if seq == fmt.Sprint(next) {
			next++
			continue
		}
		var had int
		if _, err := fmt.Sscan(seq, &had); err != nil || had > next {
			t.Fatalf("event %s came before %d", seq, next)
		}
	}
	if next != n+1 {
		t.Errorf("%d of %d events came", next-1, n)
	}
	t.Logf("%d events came as %d", n, len(came))
}

// ship writes events to a sink, whose receiver is killed ten times meanwhile, and tries again what failed, as the engine does.
// It returns how many events the sink has taken, and how many writes failed.
func ship(t *testing.T, s audit.Sink, kill func()) (n, failed int) {
	t.Helper()
	stop, done := make(chan struct{}), make(chan int64)
	var taken atomic.Int64 // batches
	go func() {
		seq := int64(0)
		defer func() { done <- seq }()
		for t.Context().Err() == nil {
			batch := sinktest.Events(seq+1, seq+40)
			if err := s.Write(t.Context(), batch); err != nil {
				failed++
				time.Sleep(5 * time.Millisecond)
				continue
			}
			seq += int64(len(batch))
			taken.Add(1)
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for i := range int64(10) {
		before := taken.Load() // each time some more is to be taken, and more to be in flight
		for end := time.Now().Add(patience); taken.Load() < before+2+i; time.Sleep(time.Duration(7+i) * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the sink took %d batches and no more", before)
			}
		}
		kill()
	}
	close(stop)
	n = int(<-done)
	return n, failed
}

// TestRsyslogKilled: nothing that was sent is lost when the receiver is killed, again and again.
func TestRsyslogKilled(t *testing.T) {
	t.Parallel()
	a := sinktest.NewAuthority(t)
	r := newRsyslog(t, a)
	cert, key := a.Issue()
	s, err := syslog.Open(syslog.Config{Address: r.address, TLS: sink.TLS{CA: a.PEM, Cert: cert, Key: key}})
	if err != nil {
		t.Fatal(err)
	}
	n, failed := ship(t, s, func() {
		r.kill()
		r.begin()
	})
	if failed == 0 {
		t.Error("no write failed")
	}
	var came []string
	for _, line := range r.lines() {
		// A line that a kill has cut has the next one at its end.
		if all := seqInData.FindAllStringSubmatch(line, -1); len(all) > 0 && strings.HasSuffix(line, "}}") {
			came = append(came, all[len(all)-1][1])
		}
	}
	firsts(t, came, n)
}
