package stream

import (
	"maps"
	"slices"
	"strings"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
)

// The kinds of sinks.
const (
	Webhook   = "WEBHOOK"
	SplunkHEC = "SPLUNK_HEC"
	Elastic   = "ELASTIC"
	OTLP      = "OTLP"
	Syslog    = "SYSLOG"
	Kafka     = "KAFKA"
	NATS      = "NATS"
	S3        = "S3"
)

// kind is one of them.
type kind struct {
	// open makes a sink ready, and says as a fault what of its configuration will not do. It does not call the receiver yet.
	open func(Config) (audit.Sink, error)
	// options are the names of what may be said of it beside the address.
	options []string
	// secret says what its secret is for; "": it has none.
	secret string
	// needed: it does not do without a secret.
	needed bool
}

// kinds is the table of what there is. A kind is a row, and a file of this package or a package below it.
var kinds = map[string]kind{
	Webhook:   {open: openWebhook, options: []string{"body"}, secret: "to sign with", needed: true},
	SplunkHEC: {open: openSplunk, options: []string{"host", "index", "source", "sourcetype"}, secret: "the token", needed: true},
	Elastic:   {open: openElastic, options: []string{"index", "user"}, secret: "an API key, or the password of the user"},
	OTLP:      {open: openOTLP, options: []string{"service"}, secret: "a bearer token"},
	Syslog: {
		open: openSyslog, options: []string{"app-name", "cert", "facility", "hostname", "max-bytes", "plain", "server-name"}, secret: "the private key of a client certificate",
	},
	Kafka: {
		open: openKafka, options: []string{"cert", "key", "max-bytes", "mechanism", "plain", "server-name", "topic", "user"},
		secret: "the user's password, or the private key of a client certificate",
	},
	NATS: {
		open: openNATS, options: []string{"cert", "plain", "server-name", "stream", "subject", "user"},
		secret: "a .creds file, the user's password, or the private key of a client certificate",
	},
	S3: {
		open: openS3, options: []string{"access-key-id", "endpoint", "kms-key-id", "path-style", "region", "server-name"}, secret: "the secret access key",
	},
}

// Kinds are the names of all kinds, in order.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Open makes a sink ready. Its configuration is checked; its receiver is not called yet.
func Open(c Config) (audit.Sink, error) {
	k, ok := kinds[c.Kind]
	if !ok {
		return nil, fault.Invalidf("There is no kind of sink %.50q: there are %s.", c.Kind, strings.Join(Kinds(), ", "))
	}
	for name := range c.Options {
		if !slices.Contains(k.options, name) {
			return nil, fault.Invalidf("A sink of kind %s has no option %.50q: it has %s.", c.Kind, name, strings.Join(k.options, ", "))
		}
	}
	switch {
	case k.needed && c.Secret == "":
		return nil, fault.Invalidf("A sink of kind %s needs a secret: %s.", c.Kind, k.secret)
	case k.secret == "" && c.Secret != "":
		return nil, fault.Invalidf("A sink of kind %s has no secret.", c.Kind)
	}
	return k.open(c)
}
