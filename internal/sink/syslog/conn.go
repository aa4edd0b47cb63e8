package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"sallyport/internal/clock"
)

// How long a receiver may take: to answer a call, to take a message, and to close after the last.
const (
	dialTimeout  = 10 * time.Second
	patience     = 30 * time.Second
	afterFailure = 200 * time.Millisecond
)

// Conn is a connection to a receiver.
type Conn struct {
	dialer *dialer
	tcp    *net.TCPConn
	wire   net.Conn // TLS, or tcp itself
}

// Dial calls a receiver.
func Dial(ctx context.Context, c Config) (*Conn, error) {
	d, err := c.dialer()
	if err != nil {
		return nil, err
	}
	return d.dial(ctx)
}

func (d *dialer) dial(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, fmt.Errorf("call syslog server: %w", err)
	}
	c := &Conn{d, raw.(*net.TCPConn), raw}
	if d.tls == nil {
		return c, nil
	}
	client := tls.Client(raw, d.tls)
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("agree on TLS with syslog server: %w", err), raw.Close())
	}
	c.wire = client
	return c, nil
}

// Send writes a message. That it returns nil does not say that anyone has read it: see Finish.
func (c *Conn) Send(ctx context.Context, m Message) error {
	defer c.bound(ctx)()
	if _, err := c.wire.Write(c.dialer.frame(m)); err != nil {
		return c.failure("send to syslog server", err)
	}
	return nil
}

// Finish says that nothing follows and waits until the receiver closes: it has then read all that was sent. It returns an
// error if the receiver does not, and all that was sent on the connection is to be sent again.
func (c *Conn) Finish(ctx context.Context) error {
	defer c.bound(ctx)()
	if t, ok := c.wire.(*tls.Conn); ok {
		if err := t.CloseWrite(); err != nil {
			return c.failure("end TLS with syslog server", err)
		}
	}
	if err := c.tcp.CloseWrite(); err != nil && !errors.Is(err, net.ErrClosed) {
		return c.failure("end connection to syslog server", err)
	}
	if _, err := io.Copy(io.Discard, c.wire); err != nil { // nil at the receiver's orderly close
		return fmt.Errorf("the syslog server has not read to the end: %w", err)
	}
	return c.Close()
}

// Close ends the connection, whatever has been read.
func (c *Conn) Close() error {
	if err := c.tcp.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close connection to syslog server: %w", err)
	}
	return nil
}

// bound ends what waits for the receiver when its time is up or ctx ends.
func (c *Conn) bound(ctx context.Context) (done func() bool) {
	_ = c.tcp.SetDeadline(clock.System{}.Now().Add(patience)) // of a closed connection: what follows fails too
	return context.AfterFunc(ctx, func() { _ = c.tcp.SetDeadline(time.Unix(1, 0)) })
}

// failure adds what the receiver said before it closed, such as that it wants a certificate: after its close, writing only
// tells of a broken pipe.
func (c *Conn) failure(what string, err error) error {
	_ = c.tcp.SetReadDeadline(clock.System{}.Now().Add(afterFailure))
	if _, said := io.Copy(io.Discard, c.wire); said != nil && !errors.Is(said, context.DeadlineExceeded) {
		var timeout net.Error
		if !errors.As(said, &timeout) || !timeout.Timeout() {
			err = errors.Join(said, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
