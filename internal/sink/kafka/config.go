package kafka

import (
	"regexp"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"sallyport/internal/fault"
	"sallyport/internal/sink"
)

// Config says where events go.
type Config struct {
	Name   string `json:"-"`                // the sink's name
	Format string `json:"format,omitempty"` // cloudtrail, ocsf or cef

	Brokers []string `json:"brokers"` // host:port, some of the cluster's; it tells of the others
	Topic   string   `json:"topic"`   // made beforehand
	Key     string   `json:"key,omitempty"`

	TLS   sink.TLS `json:"tls"`
	Plain bool     `json:"plain,omitempty"` // without TLS, to this machine alone

	Mechanism string `json:"mechanism,omitempty"` // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty for no user
	User      string `json:"user,omitempty"`
	Password  string `json:"password,omitempty"`

	MaxBytes int `json:"maxBytes,omitempty"` // the topic's max.message.bytes; 0 for 1 MB, just below Kafka's default
}

// What a record's key is: by default the account.
const (
	KeyAccount = "account"
	KeySource  = "source"
)

// Bounds of MaxBytes. The default is the client's, and what most brokers take.
const (
	defaultMaxBytes = 1_000_012
	leastMaxBytes   = 64 << 10
	mostMaxBytes    = 64 << 20
)

var topicForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

func (c Config) maxBytes() int {
	if c.MaxBytes == 0 {
		return defaultMaxBytes
	}
	return c.MaxBytes
}

func (c Config) options() ([]kgo.Opt, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...), kgo.ClientID("sallyport"), kgo.DefaultProduceTopic(c.Topic), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // by the key's hash, as Kafka's own clients
		kgo.ProducerBatchMaxBytes(int32(c.maxBytes())), kgo.RecordRetries(recordRetries), kgo.ProduceRequestTimeout(requestTimeout),
		kgo.UnknownTopicRetries(1), // a topic that is not there is told of at once
		kgo.MetadataMinAge(metadataAge),
	}
	if !c.Plain {
		t, err := c.TLS.Config()
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(t))
	}
	switch c.Mechanism {
	case "PLAIN":
		options = append(options, kgo.SASL(plain.Auth{User: c.User, Pass: c.Password}.AsMechanism()))
	case "SCRAM-SHA-256":
		options = append(options, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		options = append(options, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()))
	}
	return options, nil
}

func (c Config) check() error {
	if err := sink.CheckAddresses("broker", c.Brokers, c.Plain); err != nil {
		return err
	}
	switch {
	case !topicForm.MatchString(c.Topic):
		return fault.Invalidf("%q is no name of a topic.", c.Topic)
	case !slices.Contains([]string{"", KeyAccount, KeySource}, c.Key):
		return fault.Invalidf("A record's key is the %s or the %s, not %q.", KeyAccount, KeySource, c.Key)
	case !slices.Contains([]string{"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}, c.Mechanism):
		return fault.Invalidf("The mechanism %q is not PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.", c.Mechanism)
	case (c.Mechanism == "") != (c.User == "") || (c.User == "") != (c.Password == ""):
		return fault.Invalidf("A mechanism, a user and a password are given together.")
	case c.MaxBytes != 0 && (c.MaxBytes < leastMaxBytes || c.MaxBytes > mostMaxBytes):
		return fault.Invalidf("The topic's longest message (maxBytes) is from %d to %d bytes.", leastMaxBytes, mostMaxBytes)
	}
	return nil
}
