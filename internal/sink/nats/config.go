package nats

import (
	"regexp"
	"strings"

	"github.com/nats-io/nats.go"

	"sallyport/internal/fault"
	"sallyport/internal/sink"
)

// Config says where events go.
type Config struct {
	Name   string `json:"-"`                // the sink's name
	Format string `json:"format,omitempty"` // cloudtrail, ocsf or cef

	Servers []string `json:"servers"` // host:port, some of the cluster's
	Stream  string   `json:"stream"`  // made beforehand
	Subject string   `json:"subject"` // one that the stream takes

	TLS   sink.TLS `json:"tls"`
	Plain bool     `json:"plain,omitempty"` // without TLS, to this machine alone

	Credentials string `json:"credentials,omitempty"` // the content of a .creds file
	User        string `json:"user,omitempty"`
	Password    string `json:"password,omitempty"`
}

var (
	streamForm  = regexp.MustCompile(`^[^\s.*>/\\]{1,255}$`)
	subjectForm = regexp.MustCompile(`^[^\s.*>]+(\.[^\s.*>]+)*$`)
)

// urls are the servers as the client wants them.
func (c Config) urls() string {
	scheme := "tls://"
	if c.Plain {
		scheme = "nats://"
	}
	return scheme + strings.Join(c.Servers, ","+scheme)
}

func (c Config) options() ([]nats.Option, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	// Without reconnecting, nothing is sent after a loss that was published before anyone knew of it.
	options := []nats.Option{nats.Name("sallyport"), nats.NoReconnect(), nats.Timeout(connectTimeout), nats.ErrorHandler(quiet)}
	if !c.Plain {
		t, err := c.TLS.Config()
		if err != nil {
			return nil, err
		}
		options = append(options, nats.Secure(t))
	}
	switch {
	case c.Credentials != "":
		options = append(options, nats.UserCredentialBytes([]byte(c.Credentials)))
	case c.User != "":
		options = append(options, nats.UserInfo(c.User, c.Password))
	}
	return options, nil
}

// quiet is in place of the client's printing to standard error. What matters Write returns.
func quiet(*nats.Conn, *nats.Subscription, error) {}

func (c Config) check() error {
	if err := sink.CheckAddresses("server", c.Servers, c.Plain); err != nil {
		return err
	}
	switch {
	case !streamForm.MatchString(c.Stream):
		return fault.Invalidf("%q is no name of a stream.", c.Stream)
	case !subjectForm.MatchString(c.Subject):
		return fault.Invalidf("%q is no subject to publish to: words with dots between them, without wildcards.", c.Subject)
	case c.Credentials != "" && c.User != "":
		return fault.Invalidf("Either credentials or a user is given.")
	case (c.User == "") != (c.Password == ""):
		return fault.Invalidf("A user and a password are given together.")
	case c.Credentials != "" && !strings.Contains(c.Credentials, "BEGIN NATS USER JWT"):
		return fault.Invalidf("The credentials are not the content of a .creds file.")
	}
	return nil
}
