package sink

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"

	"sallyport/internal/fault"
)

// TLS is how a receiver is known, and how we are known to it.
type TLS struct {
	CA         string `json:"ca,omitempty"`         // PEM: the only authorities whose certificates are accepted; empty for the machine's
	Cert       string `json:"cert,omitempty"`       // PEM: our certificate and its chain, where the receiver asks for one
	Key        string `json:"key,omitempty"`        // PEM: its private key
	ServerName string `json:"serverName,omitempty"` // the name in the receiver's certificate, where it is not the one that is dialed
}

// Config is the configuration for a client. TLS 1.2 is the oldest version spoken.
func (t TLS) Config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, fault.Invalidf("The certificate authority (ca) holds no certificate in PEM.")
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, fault.Invalidf("A client certificate (cert) and its private key (key) are given together.")
	}
	if t.Cert != "" {
		pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key))
		if err != nil {
			return nil, fault.Invalidf("The client certificate (cert) and its private key (key) can't be used: %v.", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// CheckPlain says whether an address, host:port, may be spoken to without TLS: events tell who may do what, so they cross no
// network in the open.
func CheckPlain(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fault.Invalidf("The address %q is not host:port.", address)
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fault.Invalidf("Without TLS, events are sent to this machine alone, and %q is another. Turn TLS on, or send to a relay on this machine.", address)
}

// CheckAddress says what is wrong with host:port.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return fault.Invalidf("The address %q is not host:port.", address)
	}
	return nil
}

// CheckAddresses says what is wrong with the addresses, host:port, of a cluster's members, each of which is called what; plain is without TLS.
func CheckAddresses(what string, addresses []string, plain bool) error {
	if len(addresses) == 0 {
		return fault.Invalidf("The address of at least one %s is needed, as host:port.", what)
	}
	for _, address := range addresses {
		if err := CheckAddress(address); err != nil {
			return err
		}
		if !plain {
			continue
		}
		if err := CheckPlain(address); err != nil {
			return err
		}
	}
	return nil
}
