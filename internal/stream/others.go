package stream

import (
	"encoding/pem"
	"net/url"
	"strconv"
	"strings"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/sink"
	"sallyport/internal/sink/kafka"
	"sallyport/internal/sink/nats"
	"sallyport/internal/sink/s3"
	"sallyport/internal/sink/syslog"
)

// tls is how the receiver and we are known to each other. A secret that is a private key in PEM is that of our certificate, which is in the
// option cert or before it in the same file.
func (c Config) tls() sink.TLS {
	t := sink.TLS{CA: c.CA, ServerName: c.Options["server-name"]}
	if !c.keyed() {
		return t
	}
	t.Cert, t.Key = c.Options["cert"], c.Secret
	if t.Cert == "" {
		t.Cert = c.Secret // what reads certificates passes keys over
	}
	return t
}

// keyed says whether the secret is a private key.
func (c Config) keyed() bool {
	for rest := []byte(c.Secret); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return false
		}
		if strings.HasSuffix(b.Type, "PRIVATE KEY") {
			return true
		}
	}
}

// password is the secret where it is no key.
func (c Config) password() string {
	if c.keyed() {
		return ""
	}
	return c.Secret
}

// truth is an option that is true or false.
func (c Config) truth(name string) (bool, error) {
	switch c.Options[name] {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, fault.Invalidf("The option %s is true or false.", name)
}

// number is an option that is a number; 0: it was not said.
func (c Config) number(name string) (int, error) {
	if c.Options[name] == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(c.Options[name])
	if err != nil || n < 0 {
		return 0, fault.Invalidf("The option %s is a number.", name)
	}
	return n, nil
}

// addresses are those of a list with commas.
func (c Config) addresses() (all []string) {
	for _, a := range strings.Split(c.Address, ",") {
		all = append(all, strings.TrimSpace(a))
	}
	return all
}

func openSyslog(c Config) (audit.Sink, error) {
	plain, err := c.truth("plain")
	if err != nil {
		return nil, err
	}
	facility, err := c.number("facility")
	if err != nil {
		return nil, err
	}
	most, err := c.number("max-bytes")
	if err != nil {
		return nil, err
	}
	if c.Secret != "" && !c.keyed() {
		return nil, fault.Invalidf("The secret of a syslog receiver is a private key in PEM.")
	}
	return syslog.Open(syslog.Config{
		Name: c.Name, Format: string(c.Format), Address: c.Address, TLS: c.tls(), Plain: plain, Facility: facility, MaxBytes: most,
		Hostname: c.Options["hostname"], AppName: c.Options["app-name"],
	})
}

func openKafka(c Config) (audit.Sink, error) {
	plain, err := c.truth("plain")
	if err != nil {
		return nil, err
	}
	most, err := c.number("max-bytes")
	if err != nil {
		return nil, err
	}
	return kafka.Open(kafka.Config{
		Name: c.Name, Format: string(c.Format), Brokers: c.addresses(), Topic: c.Options["topic"], Key: c.Options["key"], TLS: c.tls(), Plain: plain,
		Mechanism: c.Options["mechanism"], User: c.Options["user"], Password: c.password(), MaxBytes: most,
	})
}

func openNATS(c Config) (audit.Sink, error) {
	plain, err := c.truth("plain")
	if err != nil {
		return nil, err
	}
	n := nats.Config{
		Name: c.Name, Format: string(c.Format), Servers: c.addresses(), Stream: c.Options["stream"], Subject: c.Options["subject"], TLS: c.tls(), Plain: plain,
		User: c.Options["user"], Password: c.password(),
	}
	if strings.Contains(c.Secret, "BEGIN NATS USER JWT") {
		n.Credentials, n.Password = c.Secret, ""
	}
	return nats.Open(n)
}

// openS3 takes s3://BUCKET/PREFIX.
func openS3(c Config) (audit.Sink, error) {
	u, err := url.Parse(c.Address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fault.Invalidf("%.100q is no place in a bucket such as s3://bucket/prefix.", c.Address)
	}
	path, err := c.truth("path-style")
	if err != nil {
		return nil, err
	}
	return s3.Open(s3.Config{
		Name: c.Name, Format: string(c.Format), Bucket: u.Host, Prefix: strings.Trim(u.Path, "/"), Region: c.Options["region"], Endpoint: c.Options["endpoint"],
		PathStyle: path, AccessKeyID: c.Options["access-key-id"], SecretAccessKey: c.password(), KMSKeyID: c.Options["kms-key-id"], TLS: c.tls(), Clock: c.clock(),
	})
}
