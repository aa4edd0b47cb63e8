package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/octetcounting"
	"github.com/leodido/go-syslog/v4/rfc5424"

	"sallyport/internal/audit"
	"sallyport/internal/sink"
	"sallyport/internal/sink/sinktest"
)

// receiver is a syslog server that reads with another's parser, and closes when a sender says that nothing follows.
type receiver struct {
	address string
	most    int // longest message that it can read

	mu     sync.Mutex
	got    []*rfc5424.SyslogMessage
	broken []error
	refuse func(n int, c *net.TCPConn) bool // takes the nth connection, or leaves it
	n      int
}

func newReceiver(t *testing.T, c *tls.Config) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{address: l.Addr().String(), most: audit.MaxSize * 2}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { r.serve(raw, c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		work.Wait()
	})
	return r
}

func (r *receiver) serve(raw net.Conn, c *tls.Config) {
	defer raw.Close()
	r.mu.Lock()
	r.n++
	refused := r.refuse != nil && r.refuse(r.n, raw.(*net.TCPConn))
	r.mu.Unlock()
	if refused {
		return
	}
	conn := raw
	if c != nil {
		conn = tls.Server(raw, c)
	}
	octetcounting.NewParser(syslog.WithMaxMessageLength(r.most), syslog.WithListener(func(res *syslog.Result) {
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case errors.Is(res.Error, io.EOF):
		case res.Error != nil:
			r.broken = append(r.broken, res.Error)
		default:
			r.got = append(r.got, res.Message.(*rfc5424.SyslogMessage))
		}
	})).Parse(conn)
}

// received are the messages so far, and what was none.
func (r *receiver) received() ([]*rfc5424.SyslogMessage, []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got), slices.Clone(r.broken)
}

func (r *receiver) seqs() (seqs []string) {
	got, _ := r.received()
	for _, m := range got {
		seqs = append(seqs, (*m.StructuredData)[dataID]["seq"])
	}
	return seqs
}

func TestMessages(t *testing.T) {
	t.Parallel()
	a := sinktest.NewAuthority(t)
	r := newReceiver(t, a.Server())
	s, err := Open(Config{Name: "siem", Address: r.address, TLS: sink.TLS{CA: a.PEM}, Hostname: "id.example.org", Format: "cef"})
	if err != nil {
		t.Fatal(err)
	}
	batch := sinktest.Events(1, 500)
	for _, part := range slices.Collect(slices.Chunk(batch, 125)) {
		if err := s.Write(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	// No waiting: what Write has returned for has been read.
	seqs := r.seqs()
	got, broken := r.received()
	if len(seqs) != 500 || len(broken) > 0 {
		t.Fatalf("%d messages, %v", len(seqs), broken)
	}
	for i, seq := range seqs {
		if seq != fmt.Sprint(i+1) {
			t.Fatalf("message %d is %s", i, seq)
		}
	}
	m := got[6]
	fields := fmt.Sprint(*m.Facility, *m.Severity, m.Version, m.Timestamp.Format(time.RFC3339), *m.Hostname, *m.Appname, m.ProcID, *m.MsgID, (*m.StructuredData)[dataID])
	want := fmt.Sprint(13, 5, 1, "2026-11-28T22:00:07Z", "id.example.org", "sallyport", m.ProcID, "DeleteUser",
		map[string]string{"id": sinktest.ID(7), "seq": "7", "source": "identitystore.amazonaws.com"})
	if fields != want || !strings.HasPrefix(*m.Message, "CEF:0|Sallyport|") || s.Name() != "siem" {
		t.Errorf("%s %s\nwant %s", fields, *m.Message, want)
	}
}

// TestBrokenConnections: a receiver that ends with bytes unread, at once or after some, has not got the batch, and gets all
// of it again.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	a := sinktest.NewAuthority(t)
	for name, c := range map[string]*tls.Config{"TLS": a.Server(), "TCP": nil} {
		r := newReceiver(t, c)
		r.mu.Lock()
		r.refuse = func(n int, conn *net.TCPConn) bool {
			switch n {
			case 1: // as one that is killed: what it has not read makes the system reset the connection
				_, _ = io.CopyN(io.Discard, conn, 200)
				time.Sleep(20 * time.Millisecond)
				return true
			case 2:
				_ = conn.SetLinger(0)
				return true
			}
			return false
		}
		r.mu.Unlock()
		s, err := Open(Config{Address: r.address, TLS: sink.TLS{CA: a.PEM}, Plain: c == nil})
		if err != nil {
			t.Fatal(err)
		}
		batch := sinktest.Events(1, 50)
		for range 2 {
			if err := s.Write(t.Context(), batch); err == nil {
				t.Errorf("%s: a broken connection is no error", name)
			}
		}
		if err := s.Write(t.Context(), batch); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if seqs := r.seqs(); len(seqs) != 50 || seqs[49] != "50" {
			t.Errorf("%s: %v", name, seqs)
		}
	}
}

// TestSilentReceiver: one that reads and never closes has not said that it has read to the end.
func TestSilentReceiver(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	held := make(chan net.Conn, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, c)
			held <- c // and neither closes it
		}
	}()
	s, err := Open(Config{Address: l.Addr().String(), Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Write(ctx, sinktest.Events(1, 2)); err == nil || !strings.Contains(err.Error(), "has not read to the end") {
		t.Error(err)
	}
	(<-held).Close()
}

// TestAuthorities: only the pinned authority's receivers get events, and a receiver that asks for a certificate says so.
func TestAuthorities(t *testing.T) {
	t.Parallel()
	a, b := sinktest.NewAuthority(t), sinktest.NewAuthority(t)
	strict := a.Server()
	strict.ClientAuth = tls.RequireAndVerifyClientCert
	r := newReceiver(t, strict)
	cert, key := a.Issue()
	for _, test := range []struct {
		tls  sink.TLS
		want string
	}{
		{sink.TLS{CA: b.PEM, Cert: cert, Key: key}, "unknown authority"},
		{sink.TLS{CA: a.PEM, Cert: cert, Key: key, ServerName: "other.example.org"}, "not other.example.org"},
		{sink.TLS{CA: a.PEM}, "certificate required"},
		{sink.TLS{CA: a.PEM, Cert: cert, Key: key}, "<nil>"},
	} {
		err := Send(t.Context(), Config{Address: r.address, TLS: test.tls}, Message{Severity: 1, Text: []byte("alert")})
		if !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
	if got, broken := r.received(); len(got) != 1 || *got[0].Severity != 1 || *got[0].Message != "alert" {
		t.Errorf("%v %v", got, broken)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	s, err := Open(Config{Address: r.address, Plain: true, MaxBytes: 300})
	if err != nil {
		t.Fatal(err)
	}
	batch := sinktest.Events(1, 4)
	batch[1].JSON = fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("x", 300))
	batch[2].JSON = nil
	var refused *audit.Refused
	if err := s.Write(t.Context(), batch); !errors.As(err, &refused) || !slices.Equal(refused.Seqs, []int64{2, 3}) || !strings.Contains(refused.Reason, "the sink takes 300") {
		t.Error(err)
	}
	if seqs := r.seqs(); fmt.Sprint(seqs) != "[1 4]" {
		t.Error(seqs)
	}
}

// TestFrame: whatever is put into a message, it stays one.
func TestFrame(t *testing.T) {
	t.Parallel()
	nasty := "a\"b]c\\d\n e=é\x00" + strings.Repeat("x", 100)
	r := newReceiver(t, nil)
	m := Message{Severity: 99, ID: nasty, Data: []Param{{nasty, nasty}, {"", ""}}, Text: []byte(nasty)}
	if err := Send(t.Context(), Config{Address: r.address, Plain: true, Facility: 4}, m, Message{}); err != nil {
		t.Fatal(err)
	}
	all, broken := r.received()
	if len(all) != 2 || len(broken) > 0 {
		t.Fatalf("%v %v", all, broken)
	}
	got := all[0]
	if *got.Facility != 4 || *got.Severity != 3 || *got.Message != nasty || (*got.StructuredData)[dataID][`a_b_c\d__e___`+strings.Repeat("x", 19)] != nasty {
		t.Errorf("%v %v %q %v", *got.Facility, *got.Severity, *got.Message, *got.StructuredData)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Config{
		"host:port":           {Address: "siem.example.org"},
		"Without TLS":         {Address: "siem.example.org:514", Plain: true},
		"facility":            {Address: "siem.example.org:6514", Facility: 24},
		"host name":           {Address: "siem.example.org:6514", Hostname: "a b"},
		"application":         {Address: "siem.example.org:6514", AppName: strings.Repeat("a", 49)},
		"maxBytes":            {Address: "siem.example.org:6514", MaxBytes: -1},
		"no event format":     {Address: "siem.example.org:6514", Format: "leef"},
		"given together":      {Address: "siem.example.org:6514", TLS: sink.TLS{Cert: "x"}},
		"can't be used":       {Address: "siem.example.org:6514", TLS: sink.TLS{Cert: "x", Key: "y"}},
		"certificate in PEM.": {Address: "siem.example.org:6514", TLS: sink.TLS{CA: "x"}},
	} {
		if _, err := Open(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := Open(Config{Address: "[::1]:514", Plain: true}); err != nil {
		t.Error(err)
	}
}
