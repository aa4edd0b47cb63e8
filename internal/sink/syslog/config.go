package syslog

import (
	"crypto/tls"
	"net"

	"sallyport/internal/fault"
	"sallyport/internal/sink"
)

// Config says where messages go.
type Config struct {
	Name   string `json:"-"`                // the sink's name
	Format string `json:"format,omitempty"` // of the messages' text: cloudtrail, ocsf or cef

	Address string   `json:"address"` // host:port; 6514 is the port for TLS
	TLS     sink.TLS `json:"tls"`
	Plain   bool     `json:"plain,omitempty"` // TCP without TLS, to this machine alone

	Facility int    `json:"facility,omitempty"` // 1 to 23; 0 is 13, log audit
	Hostname string `json:"hostname,omitempty"` // that messages say they are from; empty for none
	AppName  string `json:"appName,omitempty"`  // empty for sallyport

	MaxBytes int `json:"maxBytes,omitempty"` // longest text that the receiver takes; 0 for any
}

// logAudit is the facility "log audit" (RFC 5424 §6.2.1).
const logAudit = 13

// Bounds of header fields (RFC 5424 §6).
const (
	maxHostname = 255
	maxAppName  = 48
	maxMsgID    = 32
)

// dialer is what a checked configuration becomes.
type dialer struct {
	address           string
	tls               *tls.Config // nil for TCP
	facility          int
	hostname, appName string
}

func (c Config) dialer() (*dialer, error) {
	if err := sink.CheckAddress(c.Address); err != nil {
		return nil, err
	}
	d := &dialer{address: c.Address, facility: c.Facility, hostname: c.Hostname, appName: c.AppName}
	switch {
	case c.Facility < 0 || c.Facility > 23:
		return nil, fault.Invalidf("The facility is a number from 1 to 23, not %d; without one it is %d, log audit.", c.Facility, logAudit)
	case c.Hostname != header(c.Hostname, maxHostname) && c.Hostname != "":
		return nil, fault.Invalidf("The host name has up to %d printable ASCII characters.", maxHostname)
	case c.AppName != header(c.AppName, maxAppName) && c.AppName != "":
		return nil, fault.Invalidf("The name of the application has up to %d printable ASCII characters.", maxAppName)
	case c.MaxBytes < 0:
		return nil, fault.Invalidf("The longest message that the receiver takes (maxBytes) is not %d.", c.MaxBytes)
	}
	if d.facility == 0 {
		d.facility = logAudit
	}
	if d.appName == "" {
		d.appName = "sallyport"
	}
	if c.Plain {
		return d, sink.CheckPlain(c.Address)
	}
	t, err := c.TLS.Config()
	if err != nil {
		return nil, err
	}
	if t.ServerName == "" {
		t.ServerName, _, _ = net.SplitHostPort(c.Address) // checked above
	}
	t.ClientSessionCache = tls.NewLRUClientSessionCache(1) // a batch has a connection, and later ones have shorter handshakes
	d.tls = t
	return d, nil
}
