package config

import (
	"io"
	"net"
	"net/mail"
	"os"
	"strings"

	"sallyport/internal/fault"
)

// smtpPorts are the ways to TLS and the port that each has by default (RFC 8314 §3.3; RFC 5321 §4.5.4.2).
var smtpPorts = map[string]string{"starttls": "587", "tls": "465", "none": "25"}

func (c *Config) completeMail() error {
	if c.SMTPAddress == "" {
		if c.SMTPFrom+c.SMTPUsername+c.SMTPPasswordFile+c.SMTPTLS+c.SMTPCAFile != "" {
			return fault.Invalidf("Mail is configured without a server: say smtp_address, or remove the smtp_… settings.")
		}
		return nil
	}
	security := c.SMTPTLS
	if security == "" {
		security = "starttls"
	}
	port := smtpPorts[security]
	if port == "" {
		return fault.Invalidf("The setting smtp_tls = %q will not do: expected starttls, tls or none.", c.SMTPTLS)
	}
	if _, _, err := net.SplitHostPort(c.SMTPAddress); err != nil {
		c.SMTPAddress = net.JoinHostPort(strings.Trim(c.SMTPAddress, "[]"), port)
	}
	c.SMTPTLS = security
	host, port, err := net.SplitHostPort(c.SMTPAddress)
	switch {
	case err != nil || host == "" || port == "":
		return fault.Invalidf("The mail server %q will not do: expected host or host:port.", c.SMTPAddress)
	case security == "none" && !Loopback(host):
		return fault.Invalidf("The mail server %s is another machine, so links and codes may not travel to it in the clear: say smtp_tls = \"starttls\" or \"tls\".", host)
	case security == "none" && c.SMTPCAFile != "":
		return fault.Invalidf("The setting smtp_ca_file is of no use with smtp_tls = \"none\": remove one of them.")
	case (c.SMTPUsername == "") != (c.SMTPPasswordFile == ""):
		return fault.Invalidf("A mail account needs both smtp_username and smtp_password_file.")
	}
	if _, err := mail.ParseAddress(c.SMTPFrom); err != nil {
		return fault.Invalidf("The sender smtp_from = %q will not do: expected an address, such as Sallyport <no-reply@example.org>.", c.SMTPFrom)
	}
	return nil
}

// maxSecret bounds a file that holds one secret.
const maxSecret = 4096

// SMTPPassword reads the mail account's password, without the end of its line. It is empty when there is no account.
func (c *Config) SMTPPassword() (string, error) {
	if c.SMTPPasswordFile == "" {
		return "", nil
	}
	f, err := os.Open(c.SMTPPasswordFile)
	if err != nil {
		return "", fault.Invalidf("The mail password cannot be read: %v.", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil || len(b) > maxSecret {
		return "", fault.Invalidf("The mail password in %s cannot be read: expected one line of at most %d bytes.", c.SMTPPasswordFile, maxSecret)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
