// Package syslog sends events to a syslog server: RFC 5424 messages, each with its length before it (octet counting), over TLS
// (RFC 5425), or over TCP to a relay on this machine (RFC 6587 §3.4.1).
//
// # What safe means
//
// Syslog has no acknowledgement: bytes that the system has taken may be lost with the receiver, and a sender that keeps its
// connection can't know which. So each batch has a connection of its own, which ends by the sender saying that nothing
// follows (TLS's close_notify, TCP's FIN) and waiting for the receiver to close in turn. A receiver does that when it has
// read to the end; one that dies with bytes unread resets the connection instead (RFC 2525 §2.17), and one that vanishes
// says nothing. Write returns nil after the receiver's orderly close alone, which means: its process has read every
// event. Otherwise the whole batch is sent again: nothing is lost between the two, order is kept, and what comes twice has
// the same id and number.
//
// What the receiver does with what it has read, no sender can see: give it a queue on disk if its own crash is to lose nothing.
// Behind a proxy or a load balancer it is the proxy that has read the events.
//
// # Length
//
// RFC 5425 asks receivers for 8192 bytes, and events have up to 256 KiB, so a receiver has to be told (rsyslog:
// maxMessageSize) or it cuts them. Events longer than Config.MaxBytes are refused rather than cut.
package syslog

import (
	"context"
	"strconv"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/sink"
	"sallyport/internal/store"
)

type sender struct {
	config Config
	dialer *dialer
	format format.Formatter
}

// Open checks the configuration. Nothing is sent before the first Write.
func Open(c Config) (audit.Sink, error) {
	f, err := format.New(c.Format)
	if err != nil {
		return nil, err
	}
	d, err := c.dialer()
	if err != nil {
		return nil, err
	}
	return &sender{c, d, f}, nil
}

// Name is the sink's name.
func (s *sender) Name() string { return s.config.Name }

// Write sends the batch on a connection of its own and waits until the receiver has read it.
func (s *sender) Write(ctx context.Context, batch []store.SealedEvent) error {
	var refused sink.Refusals
	messages := sink.Encode(s.format, batch, s.config.MaxBytes, &refused)
	if len(messages) > 0 {
		if err := s.send(ctx, messages); err != nil {
			return err
		}
	}
	return refused.Err()
}

func (s *sender) send(ctx context.Context, messages []sink.Message) error {
	c, err := s.dialer.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, m := range messages {
		if err := c.Send(ctx, message(m)); err != nil {
			return err
		}
	}
	return c.Finish(ctx)
}

// priorities are syslog's severities of OCSF's: informational, notice, warning, critical.
var priorities = map[int]int{1: 6, 2: 5, 3: 4, 4: 2}

func message(m sink.Message) Message {
	head := format.HeadOf(m.Event)
	return Message{
		Severity: priorities[head.Severity], Time: m.Event.At, ID: head.Name, Text: m.Body,
		Data: []Param{{"seq", strconv.FormatInt(m.Event.Seq, 10)}, {"id", m.Event.ID}, {"source", head.Source}},
	}
}

// Send sends messages on a connection of their own and returns nil when the receiver has read them.
func Send(ctx context.Context, c Config, messages ...Message) error {
	conn, err := Dial(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, m := range messages {
		if err := conn.Send(ctx, m); err != nil {
			return err
		}
	}
	return conn.Finish(ctx)
}
