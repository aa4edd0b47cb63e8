// Package kafka sends events to a topic of Kafka, or of what speaks its protocol.
//
// A record's value is the event, its timestamp the event's, its headers seq, id and hash. Its key is the account that the
// event is recorded for, which for one deployment is one: all events are then in one partition, in order. With the source as
// key there is order in each source's partition.
//
// Safe means that all in-sync replicas have the records (acks=all): with the topic's min.insync.replicas of 2 or more, no single
// broker's loss loses any. The producer is idempotent, so that its own retries neither double nor reorder, and never fails one record
// to send a later one. After a failure the producer is given up with all that it holds and the batch goes to a new one: events that
// were stored meanwhile come twice, the first time in order.
package kafka

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/sink"
	"sallyport/internal/store"
)

// How long a batch and one request may take, and how often the client tries a record by itself. The engine tries again what
// takes longer. (The client's own time limit of a record counts from the record's timestamp, which is the event's.)
const (
	batchTimeout   = 30 * time.Second
	requestTimeout = 10 * time.Second
	recordRetries  = 8
	metadataAge    = 500 * time.Millisecond // how soon a partition's new leader is looked for again
)

// overhead is room in a batch of records beside an event's value: its key and headers, and what is around them.
const overhead = 4 << 10

type producer struct {
	config  Config
	format  format.Formatter
	options []kgo.Opt

	mu     sync.Mutex
	client *kgo.Client // nil before the first Write and after a failure
	cause  error       // why the last connection was not made
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
	p := &producer{config: c, format: f}
	p.options = append(options, kgo.WithHooks(p))
	return p, nil
}

// Name is the sink's name.
func (p *producer) Name() string { return p.config.Name }

// Write produces the batch and waits until all of it is replicated.
func (p *producer) Write(ctx context.Context, batch []store.SealedEvent) error {
	var refused sink.Refusals
	messages := sink.Encode(p.format, batch, p.config.maxBytes()-overhead, &refused)
	if len(messages) > 0 {
		if err := p.produce(ctx, messages); err != nil {
			return err
		}
	}
	return refused.Err()
}

func (p *producer) produce(ctx context.Context, messages []sink.Message) error {
	client, err := p.open()
	if err != nil {
		return err
	}
	records := make([]*kgo.Record, len(messages))
	for i, m := range messages {
		records[i] = p.record(m)
	}
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	// The client does not let go of records that a broker may have, however long that takes; closing it makes it.
	stop := context.AfterFunc(ctx, client.Close)
	defer stop()
	err = client.ProduceSync(ctx, records...).FirstErr()
	if err == nil {
		return nil
	}
	cause := p.drop(client)
	if errors.Is(err, kerr.MessageTooLarge) {
		return fmt.Errorf("the topic's max.message.bytes is less than the sink's maxBytes, %d: set one of them: %w", p.config.maxBytes(), err)
	}
	return fmt.Errorf("produce to topic %s: %w", p.config.Topic, errors.Join(cause, err))
}

func (p *producer) record(m sink.Message) *kgo.Record {
	head := format.HeadOf(m.Event)
	key := head.Account
	if p.config.Key == KeySource {
		key = head.Source
	}
	return &kgo.Record{
		Key: []byte(key), Value: m.Body, Timestamp: m.Event.At, Headers: []kgo.RecordHeader{
			{Key: "seq", Value: strconv.AppendInt(nil, m.Event.Seq, 10)},
			{Key: "id", Value: []byte(m.Event.ID)},
			{Key: "hash", Value: hex.AppendEncode(nil, m.Event.Hash)},
		},
	}
}

func (p *producer) open() (*kgo.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil {
		client, err := kgo.NewClient(p.options...)
		if err != nil {
			return nil, fmt.Errorf("make Kafka client: %w", err)
		}
		p.client = client
	}
	return p.client, nil
}

// OnBrokerConnect remembers why no connection is made: the client tries until the time is up, and then says only that it is.
func (p *producer) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cause = err
}

// drop gives the client up, with all that it still holds.
func (p *producer) drop(client *kgo.Client) (cause error) {
	client.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == client {
		p.client = nil
	}
	return p.cause
}

// Close closes the connections.
func (p *producer) Close() error {
	p.mu.Lock()
	client := p.client
	p.mu.Unlock()
	if client != nil {
		p.drop(client)
	}
	return nil
}
