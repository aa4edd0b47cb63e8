// Package nats publishes events to a stream of NATS JetStream.
//
// A message's data is the event, its headers Nats-Msg-Id (the event's id, by which the stream drops what it has had within its
// duplicate window) and Sallyport-Seq.
//
// Safe means that the stream has acknowledged every event: its leader has stored it, and with more replicas than one most of them
// have. A server alone syncs its files every two minutes unless it is told otherwise (sync_interval), so that its host's
// crash, not its own, may lose what it has acknowledged.
//
// Order is kept in flight as well: events are published before the earlier ones are acknowledged, but each names the one that must be
// the stream's last, so that the stream refuses what follows a loss. It refuses what follows somebody else's message too;
// then all before it has been acknowledged, and it is published again naming nothing. So a stream of Sallyport's own is faster.
// After any other failure the connection is given up, with all that it may still send, and the batch is published again.
package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/sink"
	"sallyport/internal/store"
)

const (
	connectTimeout = 10 * time.Second
	ackTimeout     = 10 * time.Second
	window         = 256 // events in flight
)

// overhead is room in a message beside the event: the headers.
const overhead = 1 << 10

// wrongLastMsgID is the server's code for a message that does not follow the one it names (JSStreamWrongLastMsgIDErrF).
const wrongLastMsgID jetstream.ErrorCode = 10070

type publisher struct {
	config  Config
	format  format.Formatter
	options []nats.Option

	mu     sync.Mutex
	conn   *nats.Conn // nil before the first Write and after a failure
	js     jetstream.JetStream
	closed chan struct{} // closed with the connection: acknowledgements don't come then
}

// Open checks the configuration. Nothing is sent before the first Write.
func Open(c Config) (audit.Sink, error) {
	f, err := format.New(c.Format)
	if err != nil {
		return nil, err
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	return &publisher{config: c, format: f, options: options}, nil
}

// Name is the sink's name.
func (p *publisher) Name() string { return p.config.Name }

// Write publishes the batch and waits until all of it is acknowledged.
func (p *publisher) Write(ctx context.Context, batch []store.SealedEvent) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.connect(); err != nil {
		return err
	}
	var refused sink.Refusals
	messages := sink.Encode(p.format, batch, int(p.conn.MaxPayload())-overhead, &refused)
	if err := p.publish(ctx, messages, &refused); err != nil {
		p.close()
		return err
	}
	return refused.Err()
}

// publish publishes a window at a time, and again what followed an event that was not taken. In each turn one more is decided.
func (p *publisher) publish(ctx context.Context, messages []sink.Message, refused *sink.Refusals) error {
	last := ""
	for len(messages) > 0 {
		part := messages[:min(window, len(messages))]
		taken, err := p.flight(ctx, part, last)
		if taken > 0 {
			last = part[taken-1].Event.ID
		}
		messages = messages[taken:]
		switch code(err) {
		case jetstream.JSErrCodeStreamMessageExceedsMaximum:
			refused.Add(messages[0].Event.Seq, "the stream takes no message as long as this")
			messages = messages[1:]
		case wrongLastMsgID:
			last = ""
		default:
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// flight publishes messages and waits for their acknowledgements. It returns how many were acknowledged before the first that was
// not, and why that was not.
func (p *publisher) flight(ctx context.Context, messages []sink.Message, last string) (int, error) {
	acks := make([]jetstream.PubAckFuture, 0, len(messages))
	for _, m := range messages {
		ack, err := p.send(m, last)
		if err != nil {
			return 0, fmt.Errorf("publish to %s: %w", p.config.Subject, err)
		}
		acks, last = append(acks, ack), m.Event.ID
	}
	for i, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return i, p.explain(err)
		case <-p.closed:
			return i, fmt.Errorf("publish to the stream %s: %w", p.config.Stream, errors.Join(p.conn.LastError(), nats.ErrConnectionClosed))
		case <-ctx.Done():
			return i, ctx.Err()
		}
	}
	return len(messages), nil
}

func (p *publisher) send(m sink.Message, last string) (jetstream.PubAckFuture, error) {
	options := []jetstream.PublishOpt{
		jetstream.WithMsgID(m.Event.ID), jetstream.WithExpectStream(p.config.Stream),
		jetstream.WithRetryAttempts(0), // a retry would pass over what was sent meanwhile
	}
	if last != "" {
		options = append(options, jetstream.WithExpectLastMsgID(last))
	}
	return p.js.PublishMsgAsync(&nats.Msg{
		Subject: p.config.Subject, Data: m.Body, Header: nats.Header{"Sallyport-Seq": {strconv.FormatInt(m.Event.Seq, 10)}},
	}, options...)
}

// explain adds to the server's words what can be done.
func (p *publisher) explain(err error) error {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("no stream takes the subject %s, or it has no leader now: %w", p.config.Subject, err)
	}
	return fmt.Errorf("publish to the stream %s: %w", p.config.Stream, err)
}

// code is the server's code for an error, 0 if it is none of its own.
func code(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}

func (p *publisher) connect() error {
	if p.conn != nil && p.conn.IsConnected() {
		return nil
	}
	p.close()
	closed := make(chan struct{})
	conn, err := nats.Connect(p.config.urls(), append(p.options, nats.ClosedHandler(func(*nats.Conn) { close(closed) }))...)
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(2*window), jetstream.WithPublishAsyncTimeout(ackTimeout))
	if err != nil {
		conn.Close()
		return fmt.Errorf("use JetStream: %w", err)
	}
	p.conn, p.js, p.closed = conn, js, closed
	return nil
}

func (p *publisher) close() {
	if p.conn != nil {
		p.conn.Close()
		p.conn, p.js = nil, nil
	}
}

// Close closes the connection.
func (p *publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
	return nil
}
