package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"sallyport/internal/clock"
)

// stopMost is more than a stop takes that waits for nothing: silentTime, the second of HTTP/2, and what the machine is slow by. It
// is less than the 5 s that net/http gives a silent connection.
const stopMost = 4 * time.Second

// stop stops the server and returns how long that took.
func (l *live) stop() (time.Duration, error) {
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*drainTime)
	defer cancel()
	began := clock.System{}.Now()
	err := l.f.stop(ctx, l.servers, l.ended)
	return clock.System{}.Now().Sub(began), err
}

func (l *live) dial(protocols ...string) *tls.Conn {
	l.t.Helper()
	conn, err := tls.Dial("tcp", l.f.main.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close() })
	l.accepted()
	return conn
}

func (l *live) tcp(to net.Listener) net.Conn {
	l.t.Helper()
	conn, err := net.Dial("tcp", to.Addr().String())
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close() })
	l.accepted()
	return conn
}

// accepted waits until the server knows of a connection without a request.
func (l *live) accepted() {
	for !l.f.silent.any() {
		runtime.Gosched()
	}
}

// get asks for a path with HTTP/1.1 or, if two is set, with HTTP/2, and sends on what came of it.
func (l *live) get(path string, two bool) <-chan error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: two}
	l.t.Cleanup(transport.CloseIdleConnections)
	done := make(chan error, 1)
	go func() {
		res, err := (&http.Client{Transport: transport}).Get("https://" + l.f.main.Addr().String() + path)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			err = errors.Join(err, res.Body.Close())
		}
		done <- err
	}()
	return done
}

// TestStopWaitsForNobodySilent: connections that have brought no request, at whatever point they are, do not hold a stop up.
func TestStopWaitsForNobodySilent(t *testing.T) {
	t.Parallel()
	hello := []byte("\x16\x03\x01\x02\x00\x01\x00") // the beginning of a ClientHello, RFC 8446 §5.1
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for name, come := range map[string]func(*live) error{
		"TCP":                         func(l *live) error { l.tcp(l.f.main); return nil },
		"TCP to the plain listener":   func(l *live) error { l.tcp(l.f.plain); return nil },
		"half a handshake":            func(l *live) error { _, err := l.tcp(l.f.main).Write(hello); return err },
		"a handshake":                 func(l *live) error { l.dial("http/1.1"); return nil },
		"half a request":              func(l *live) error { _, err := io.WriteString(l.dial("http/1.1"), "GET / HT"); return err },
		"HTTP/2 without its preface":  func(l *live) error { l.dial("h2"); return nil },
		"HTTP/2 without a request":    func(l *live) error { _, err := io.WriteString(l.dial("h2"), preface); return err },
		"HTTP/1.1 between requests":   func(l *live) error { return <-l.get("/", false) },
		"HTTP/2 between its requests": func(l *live) error { return <-l.get("/", true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLive(t)
			if err := come(l); err != nil {
				t.Fatal(err)
			}
			if took, err := l.stop(); err != nil || took > stopMost {
				t.Errorf("the stop took %v: %v", took, err)
			}
		})
	}
}

// TestStopCutsNothingOff: what is in progress, and what comes on a connection that is open, is answered.
func TestStopCutsNothingOff(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	one, two := l.get("/held", false), l.get("/held", true)
	free := []chan struct{}{<-l.held, <-l.held}
	late := l.dial("http/1.1")
	if _, err := io.WriteString(late, "GET / HT"); err != nil {
		t.Fatal(err)
	}
	quiet := l.tcp(l.f.plain)
	stopped := make(chan error, 1)
	go func() {
		_, err := l.stop()
		stopped <- err
	}()
	for known := true; known; { // until the stop has begun
		conn, err := net.Dial("tcp", l.f.main.Addr().String())
		if known = err == nil; known {
			conn.Close()
		}
	}
	if _, err := io.WriteString(late, "TP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(late), nil)
	if err != nil {
		t.Fatalf("a request that was coming: %v", err)
	}
	if _, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("a request that was coming: %s, %v", res.Status, err)
	}
	res.Body.Close()
	if _, err := io.ReadAll(quiet); err != nil { // until the silent are closed
		t.Errorf("a silent connection: %v", err)
	}
	select {
	case err := <-stopped:
		t.Fatalf("the stop did not wait for requests in progress: %v", err)
	default:
	}
	for _, f := range free {
		close(f)
	}
	if err := errors.Join(<-one, <-two, <-stopped); err != nil {
		t.Errorf("requests in progress: %v", err)
	}
}
