// Package mailtest has a mail server for tests: real SMTP on loopback, with TLS and sign-in, which keeps what it gets and
// fails as it is told.
package mailtest

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"testing"
	"time"
)

// waitLimit is how long Wait waits.
const waitLimit = 20 * time.Second

// Server takes mail. Its methods are safe for concurrent use; settings count from the next connection on.
type Server struct {
	Address    string         // host:port with STARTTLS
	TLSAddress string         // host:port under TLS from the first byte
	Roots      *x509.CertPool // trusts the server's certificate
	RootsPEM   []byte         // the same as a file would have it

	mu       sync.Mutex
	cert     tls.Certificate
	noTLS    bool
	oldTLS   bool
	user     string
	password string
	answers  map[string]*answer
	heard    []string
	received []Received
	arrived  chan struct{} // closed and replaced with each message
	conns    map[net.Conn]bool
	closed   bool
}

// answer is what the server says in place of the right answer.
type answer struct {
	text  string
	times int
}

// Start starts a server and stops it when the test ends. It wants TLS before mail, takes any sender, and no sign-in.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{answers: map[string]*answer{}, arrived: make(chan struct{}), conns: map[net.Conn]bool{}}
	s.Certify(tb, "localhost", "127.0.0.1")
	var serving sync.WaitGroup
	open := func(implicit bool) net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		serving.Go(func() { s.serve(l, implicit, &serving) })
		return l
	}
	plain, secure := open(false), open(true)
	s.Address, s.TLSAddress = plain.Addr().String(), secure.Addr().String()
	tb.Cleanup(func() {
		_ = plain.Close()
		_ = secure.Close()
		s.hangUp()
		serving.Wait()
	})
	return s
}

func (s *Server) serve(l net.Listener, implicit bool, serving *sync.WaitGroup) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if !s.keep(conn) {
			return
		}
		serving.Go(func() {
			defer s.drop(conn)
			s.session(conn, implicit)
		})
	}
}

func (s *Server) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.conns[conn] = true
	return true
}

func (s *Server) drop(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = conn.Close()
	delete(s.conns, conn)
}

func (s *Server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// WithoutTLS makes the server offer no STARTTLS, and take mail without.
func (s *Server) WithoutTLS() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noTLS = true
}

// OldTLS makes the server speak no newer TLS than 1.1.
func (s *Server) OldTLS() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldTLS = true
}

// SetAccount makes the server take mail only from who signs in so.
func (s *Server) SetAccount(user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user, s.password = user, password
}

// Answer makes the server give a reply ("451 4.3.0 Later.") to a command the next times, in place of doing it. The commands are
// those of SMTP; "GREETING" is the connection itself and "TEXT" the message after DATA. Times of 0 take it back.
func (s *Server) Answer(command, reply string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[command] = &answer{reply, times}
}

// answer is the reply that was ordered for a command.
func (s *Server) answer(command string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.answers[command]; a != nil && a.times > 0 {
		a.times--
		return a.text, true
	}
	return "", false
}

// Heard lists the commands so far, without their arguments, those in the clear with a ! behind.
func (s *Server) Heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}

func (s *Server) hear(command string, secure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !secure {
		command += "!"
	}
	s.heard = append(s.heard, command)
}

// Messages lists what has arrived, in order.
func (s *Server) Messages() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.received...)
}

func (s *Server) take(r Received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = append(s.received, r)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// Wait waits until n messages have arrived, and lists them all.
func (s *Server) Wait(tb testing.TB, n int) []Received {
	tb.Helper()
	late := time.After(waitLimit)
	for {
		s.mu.Lock()
		got, more := append([]Received(nil), s.received...), s.arrived
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-more:
		case <-late:
			tb.Fatalf("%d of %d messages have arrived", len(got), n)
		}
	}
}
